// Suite `kernel`: tumbling and hopping COUNT, SUM, MIN, MAX, AVG over columns, the kernel against JavaScript; knows no SQL.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { Kernel, type KernelOutput } from '../../runtime/kernel/instance.ts';
import type { KernelProgram } from '../../runtime/kernel/program.ts';
import { makeEvents, BATCH_ROWS, type Events } from './events.ts';
import { NestedMap, type Emission } from './reference-map.ts';
import { TypedArrays } from './reference-typed-arrays.ts';
import { runCase, type Case, type Subject, type SuiteResult } from './run.ts';

const SIZE_MS = 60_000;
const GRACE_MS = 10_000;
const ROUNDS = 7;
const MEMORY_BYTES = 512 * 1024 * 1024;
const module = new WebAssembly.Module(
  readFileSync(resolve(import.meta.dirname, '../../build/kernel.wasm')),
);

function program(output: 'rows' | 'groups', advanceMs: number): KernelProgram {
  return {
    arguments: ['F64'],
    aggregates: [
      { function: 'COUNT', argument: null },
      { function: 'SUM', argument: 0 },
      { function: 'MIN', argument: 0 },
      { function: 'MAX', argument: 0 },
      { function: 'AVG', argument: 0 },
    ],
    window: { sizeMs: SIZE_MS, advanceMs, graceMs: GRACE_MS },
    output,
  };
}

interface KeyBytes {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

function keyBytesOf(batch: { readonly keys: readonly string[] }): KeyBytes {
  const offsets = new Uint32Array(batch.keys.length + 1);
  let at = 0;
  for (const [i, key] of batch.keys.entries()) {
    at += key.length;
    offsets[i + 1] = at;
  }
  return { bytes: new TextEncoder().encode(batch.keys.join('')), offsets };
}

/** An instance that has seen all keys: its ids are the codes. */
function warmKernel(events: Events, output: 'rows' | 'groups', advanceMs: number): Kernel {
  const kernel = new Kernel(module, program(output, advanceMs), { memoryBytesMax: MEMORY_BYTES });
  for (let from = 0; from < events.names.length; from += BATCH_ROWS) {
    kernel.intern(keyBytesOf({ keys: events.names.slice(from, from + BATCH_ROWS) }));
  }
  return kernel;
}

/** Columns that outlive the next call, as an operator emits them. */
function copied(kernel: Kernel, output: KernelOutput): number {
  const results = kernel.results();
  const columns = [
    output.rows?.slice(),
    output.ids.slice(),
    output.windowStart.slice(),
    results.rowtime.slice(),
    output.op.slice(),
    ...results.columns.map(({ values }) => values.slice()),
  ];
  return columns.at(-1)?.length ?? 0;
}

/** Folds the events and hands on what the emission says; the rows handed on. */
function run(
  kernel: Kernel,
  events: Events,
  emission: Emission,
  idsOf: (i: number) => Uint32Array,
): number {
  let handedOn = 0;
  for (const [i, batch] of events.batches.entries()) {
    const rows = {
      length: batch.length,
      selection: null,
      ids: idsOf(i),
      rowtime: batch.rowtime,
      arguments: [{ values: batch.value, validity: null }],
    };
    for (let from = 0; from < batch.length;) {
      const output = kernel.process(rows, from);
      if (emission === 'listed') handedOn += output.ids.length;
      else if (emission === 'results') handedOn += kernel.results().columns[4]?.values.length ?? 0;
      else handedOn += copied(kernel, output);
      from = output.consumed;
    }
  }
  return handedOn;
}

const outputOf = (emission: Emission): 'rows' | 'groups' =>
  emission === 'rows' ? 'rows' : 'groups';

/** Keys come as ids: a dictionary-encoded column whose entries are interned already. */
function kernelByIds(events: Events, emission: Emission, advanceMs = SIZE_MS): Subject {
  return {
    subject: 'kernel',
    prepare: () => {
      const kernel = warmKernel(events, outputOf(emission), advanceMs);
      return () =>
        run(kernel, events, emission, (i) => events.batches[i]?.codes ?? new Uint32Array());
    },
  };
}

/** Keys come as bytes, a key per event: each is copied in and looked up in the dictionary within the measured time. */
function kernelByBytes(events: Events, emission: Emission): Subject {
  const keys = events.batches.map(keyBytesOf);
  return {
    subject: 'kernel, keys interned',
    prepare: () => {
      const kernel = new Kernel(module, program(outputOf(emission), SIZE_MS), {
        memoryBytesMax: MEMORY_BYTES,
      });
      return () =>
        run(kernel, events, emission, (i) =>
          kernel.intern(keys[i] ?? { bytes: new Uint8Array(), offsets: new Uint32Array(1) }),
        );
    },
  };
}

function nestedMap(events: Events, emission: Emission, advanceMs = SIZE_MS): Subject {
  return {
    subject: 'nested Map',
    prepare: () => {
      const map = new NestedMap(SIZE_MS, GRACE_MS, emission, advanceMs);
      return () => events.batches.reduce((sum, batch) => sum + map.process(batch).length, 0);
    },
  };
}

function typedArrays(events: Events, emission: Emission): Subject {
  return {
    subject: 'typed arrays',
    prepare: () => {
      const arrays = new TypedArrays(SIZE_MS, GRACE_MS, BATCH_ROWS, emission);
      return () => events.batches.reduce((sum, batch) => sum + arrays.process(batch).length, 0);
    },
  };
}

const NAMES: Readonly<Record<Emission, string>> = {
  listed: 'changed groups',
  results: 'changed groups with results',
  rows: 'a row per event, copied out',
};

function caseOf(events: Events, emission: Emission): Case {
  return {
    case: `${events.names.length} keys, ${NAMES[emission]}`,
    unit: 'M events/s',
    amount: events.count,
    subjects: [kernelByIds, kernelByBytes, typedArrays, nestedMap].map((make) =>
      make(events, emission),
    ),
    ratios: ['kernel', 'kernel, keys interned'].flatMap((subject) => [
      [subject, 'nested Map'] as const,
      [subject, 'typed arrays'] as const,
    ]),
  };
}

/** Events some time after the epoch, before which no window starts. */
function hoppingEvents(): Events {
  const events = makeEvents(100_000, 10_000);
  const batches = events.batches.map((batch) => ({
    ...batch,
    rowtime: batch.rowtime.map((ms) => ms + SIZE_MS),
  }));
  return { ...events, batches };
}

/** The same in hopping windows, so many to an event: the amount counts rows put out. */
function hoppingCase(events: Events, hops: number): Case {
  const advanceMs = SIZE_MS / hops;
  return {
    case: `${events.names.length} keys, ${hops} hopping windows, ${NAMES.rows}`,
    unit: 'M rows/s',
    amount: events.count * hops,
    subjects: [kernelByIds, nestedMap].map((make) => make(events, 'rows', advanceMs)),
    ratios: [['kernel', 'nested Map']],
  };
}

/** Copy-in is always within the measured time; making the columns and (but for `keys interned`) the ids is not. */
export async function kernelSuite(): Promise<SuiteResult> {
  const done = [];
  for (const [keyCount, count] of [
    [100, 2_000_000],
    [10_000, 2_000_000],
    [1_000_000, 1_000_000],
  ] as const) {
    const events = makeEvents(count, keyCount);
    // A million keys are slow to prepare: the default emissions alone.
    const emissions: readonly Emission[] =
      keyCount > 100_000 ? ['listed', 'rows'] : ['listed', 'results', 'rows'];
    for (const emission of emissions) {
      done.push(await runCase(caseOf(events, emission), keyCount > 100_000 ? 3 : ROUNDS));
    }
  }
  const events = hoppingEvents();
  for (const hops of [6, 60]) done.push(await runCase(hoppingCase(events, hops), 3));
  return {
    suite: 'kernel',
    cases: done.flatMap(({ results }) => results),
    ratios: Object.fromEntries(done.flatMap(({ ratios }) => ratios)),
  };
}
