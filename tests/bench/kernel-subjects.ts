// What the kernel suite runs: the kernel by ids and by key bytes, a nested Map and typed arrays; knows no SQL.

import { Kernel, type KernelOutput, type KernelResults } from '../../runtime/kernel/instance.ts';
import type { KernelProgram } from '../../runtime/kernel/program.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { BATCH_ROWS, type EventBatch, type Events, keyBytesOf } from './events.ts';
import { collectGarbage, collectGarbageWholly } from './garbage.ts';
import { NestedMap, type Emission } from './reference-map.ts';
import { TypedArrays } from './reference-typed-arrays.ts';
import type { Subject } from './run.ts';

export const SIZE_MS = 60_000;
export const GRACE_MS = 10_000;
const MEMORY_BYTES = 1024 * 1024 * 1024;
/** So many names weigh on what runs after a collection of garbage, too. */
const KEYS_HEAVY_MIN = 100_000;
/** Whole windows, and more than any events last: where rowtimes go on after those that made the memory warm. */
const LATER_MS = 1000 * SIZE_MS;

export function program(
  output: 'rows' | 'groups',
  advanceMs: number,
  graceMs = GRACE_MS,
): KernelProgram {
  return {
    arguments: ['F64'],
    aggregates: [
      { function: 'COUNT', argument: null },
      { function: 'SUM', argument: 0 },
      { function: 'MIN', argument: 0 },
      { function: 'MAX', argument: 0 },
      { function: 'AVG', argument: 0 },
    ],
    window: { sizeMs: SIZE_MS, advanceMs, graceMs },
    output,
  };
}

function lastSum({ columns }: Pick<KernelResults, 'columns'>): number {
  return Number(columns[1]?.values.at(-1) ?? 0);
}

/** Makes columns that outlive the next call, as an operator emits them; SUM in the last row. */
function copied(kernel: Kernel, output: KernelOutput, ids: Uint32Array): number {
  const { columns } = kernel.takeResults();
  const others = [output.rows.slice(), ids.slice(), output.windowStart.slice()];
  return others.length === 0 ? NaN : lastSum({ columns });
}

/**
 * An instance that knows all keys, its ids being the codes, and whose memory has held these events' windows before: they are
 * handed over, as at a commit, and closed. So nothing is measured that only a beginning costs.
 */
function warmKernel(events: Events, output: 'rows' | 'groups', advanceMs: number): Kernel {
  const kernel = new Kernel(kernelModule(), program(output, advanceMs), {
    memoryBytesMax: MEMORY_BYTES,
  });
  for (let from = 0; from < events.names.length; from += BATCH_ROWS)
    kernel.intern(keyBytesOf(events.names.slice(from, from + BATCH_ROWS)));
  run(kernel, events, 'listed', (i) => events.batches[i]?.codes ?? new Uint32Array());
  kernel.collectBlocks(() => undefined);
  kernel.advanceStreamTime(LATER_MS - 1);
  kernel.expire();
  // Kernels of rounds before, and what a million names weigh, are nothing of what is measured.
  if (events.names.length > KEYS_HEAVY_MIN) collectGarbageWholly();
  else collectGarbage();
  return kernel;
}

/** The same events, after those that make a kernel warm. */
export function laterEvents(events: Events): Events {
  const batches = events.batches.map((batch) => ({
    ...batch,
    rowtime: batch.rowtime.map((ms) => ms + LATER_MS),
  }));
  return { ...events, batches };
}

function rowsOf({ length, rowtime, value }: EventBatch) {
  return { length, selection: null, rowtime, arguments: [{ values: value, validity: null }] };
}

/** Folds the events and hands on what the emission says; the rows handed on and, where there are results, SUM in each last one. */
function run(
  kernel: Kernel,
  events: Events,
  emission: Emission,
  idsOf: (i: number) => Uint32Array,
): number {
  let handedOn = 0;
  for (const [i, batch] of events.batches.entries()) {
    const rows = { ...rowsOf(batch), ids: idsOf(i) };
    for (let from = 0; from < batch.length;) {
      const output = kernel.process(rows, from);
      if (output.refused !== null) throw new Error(`the kernel is full: ${output.refused}`);
      let last = 0;
      if (emission === 'results') last = lastSum(kernel.results());
      else if (emission === 'rows') last = copied(kernel, output, rows.ids);
      handedOn += output.length;
      from = output.consumed;
      // In hopping windows a batch is put out in several parts.
      if (from >= batch.length) handedOn += last;
    }
  }
  return handedOn;
}

const outputOf = (emission: Emission): 'rows' | 'groups' =>
  emission === 'rows' ? 'rows' : 'groups';

/** What the subjects of a case work on. */
export interface Work {
  readonly events: Events;
  /** `laterEvents` of them. */
  readonly later: Events;
  readonly emission: Emission;
  readonly advanceMs: number;
}

/** Keys come as ids: a dictionary-encoded column whose entries are interned already. */
export function kernelByIds({ events, later, emission, advanceMs }: Work): Subject {
  return {
    subject: 'kernel',
    prepare: () => {
      const kernel = warmKernel(events, outputOf(emission), advanceMs);
      return () =>
        run(kernel, later, emission, (i) => later.batches[i]?.codes ?? new Uint32Array());
    },
  };
}

/** Keys come as bytes, a key per event: each is copied in and looked up in the dictionary within the measured time. */
export function kernelByBytes({ events, later, emission, advanceMs }: Work): Subject {
  const keys = events.batches.map((batch) => keyBytesOf(batch.keys));
  return {
    subject: 'kernel, keys interned',
    prepare: () => {
      const kernel = warmKernel(events, outputOf(emission), advanceMs);
      return () =>
        run(kernel, later, emission, (i) =>
          kernel.intern(keys[i] ?? { bytes: new Uint8Array(), offsets: new Uint32Array(1) }),
        );
    },
  };
}

function sumOf(rows: readonly object[], emission: Emission): number {
  if (emission === 'listed') return rows.length;
  return rows.length + ((rows.at(-1) as { readonly sum: number } | undefined)?.sum ?? 0);
}

export function nestedMap({ later, emission, advanceMs }: Work): Subject {
  return {
    subject: 'nested Map',
    prepare: () => {
      const map = new NestedMap(SIZE_MS, GRACE_MS, emission, advanceMs);
      return () =>
        later.batches.reduce((sum, batch) => sum + sumOf(map.process(batch), emission), 0);
    },
  };
}

/** Tumbling windows alone. */
export function typedArrays({ later, emission }: Work): Subject {
  return {
    subject: 'typed arrays',
    prepare: () => {
      const arrays = new TypedArrays(SIZE_MS, GRACE_MS, BATCH_ROWS, emission);
      return () => {
        let total = 0;
        for (const batch of later.batches) {
          const { length, sum } = arrays.process(batch);
          total += length + (emission === 'listed' ? 0 : (sum[length - 1] ?? 0));
        }
        return total;
      };
    },
  };
}

/** As `kernelByIds` of changed groups with results, reading SUM of every one. */
export function kernelChanges({ events, later, advanceMs }: Work): Subject {
  return {
    subject: 'kernel',
    prepare: () => {
      const kernel = warmKernel(events, 'groups', advanceMs);
      return () => {
        let checksum = 0;
        for (const batch of later.batches) {
          const { length, refused } = kernel.process({
            ...rowsOf(batch),
            ids: batch.codes,
          });
          if (refused !== null) throw new Error(`the kernel is full: ${refused}`);
          checksum += length;
          for (const sum of kernel.results().columns[1]?.values ?? []) checksum += Number(sum);
        }
        return checksum;
      };
    },
  };
}

/** Where SUM, the second cell of a group's state, stands in it. */
const SUM_AT_BYTES = 24;

/** All events, then the state of every group, reading SUM of each. */
export function kernelStates({ events, later, advanceMs }: Work): Subject {
  return {
    subject: 'kernel',
    prepare: () => {
      const kernel = warmKernel(events, 'groups', advanceMs);
      return () => {
        for (const batch of later.batches) {
          const { refused } = kernel.process({ ...rowsOf(batch), ids: batch.codes });
          if (refused !== null) throw new Error(`the kernel is full: ${refused}`);
        }
        let checksum = 0;
        kernel.collectBlocks(({ ids, states }) => {
          const view = new DataView(states.buffer, states.byteOffset, states.byteLength);
          checksum += ids.length;
          for (let i = 0; i < ids.length; i += 1)
            checksum += view.getFloat64(i * kernel.stateBytes + SUM_AT_BYTES, true);
        });
        return checksum;
      };
    },
  };
}
