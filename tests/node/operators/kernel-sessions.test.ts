// Sessions on the kernel path where memory ends, where groups move to another kernel, and where stored bytes are wrong.

import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import { TaskCorrupted } from '../../../runtime/base/errors.ts';
import {
  BATCH_ROWS_MAX,
  BROUGHT_SESSIONS_MAX,
  IDLE_ENTRIES_MAX,
  KERNEL_MEMORY_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { type Batch, Op } from '../../../runtime/data/batch.ts';
import type { Column } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { kernelStats } from '../../../runtime/kernel/groups.ts';
import { kernelSessions } from '../../../runtime/operators/kernel-sessions.ts';
import type { Operator, OperatorContext } from '../../../runtime/operators/operator.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import { WHOLE_KERNEL } from '../../../runtime/operators/parts.ts';
import * as wholeKernel from '../../../runtime/operators/whole-kernel.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { StateBlock, StateBytes, StatePack } from '../../../runtime/ports/store.ts';
import { batchesOf, type Row } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  onKernel,
  registry,
  sessionOf,
} from '../../support/operator-inputs.ts';

const module = kernelModule();

/** The bytes of a column's values at some positions. */
function bytesAt({ values }: Column, positions: readonly number[]): Uint8Array {
  if (!ArrayBuffer.isView(values)) throw new Error('a column of numbers is an array of them');
  const { BYTES_PER_ELEMENT: width, buffer, byteOffset } = values;
  const bytes = new Uint8Array(buffer, byteOffset, values.byteLength);
  if (positions.length * width === bytes.length) return bytes;
  const chosen = new Uint8Array(positions.length * width);
  positions.forEach((at, i) => chosen.set(bytes.subarray(at * width, (at + 1) * width), i * width));
  return chosen;
}

/** An operator over a store that holds all of its state in memory; what it puts out is kept as digests, one a column, however it is cut. */
class StoredRun {
  readonly #make: MakeOperator;
  readonly #state = new ResidentTables();
  readonly #digests = Array.from({ length: 3 }, () => createHash('sha256'));
  #context: OperatorContext;
  #operator: Operator;
  rows = 0;

  constructor(make: MakeOperator) {
    this.#make = make;
    this.#context = this.#contextAt(-Infinity);
    this.#operator = make(this.#context);
  }

  #contextAt(ms: number): OperatorContext {
    return {
      state: this.#state,
      streamTime: { ms },
      report: ({ reason }) => this.#digest(0, reason),
      count: (name, by) => this.#digest(0, `${name} ${by}`),
      time: () => ({ now: 1_000, seed: '7' }),
    };
  }

  #digest(at: number, what: string | Uint8Array): void {
    (this.#digests[at] ??= createHash('sha256')).update(what);
  }

  process(batch: Batch): void {
    this.#operator.process(0, batch, ({ length, op, rowtime, columns }) => {
      this.rows += length;
      if (op === null) throw new Error('a changelog has operations');
      const all = Array.from({ length }, (_, i) => i);
      // What stands in columns where they are null means nothing.
      const present = all.filter((i) => op[i] !== Op.Delete);
      this.#digest(1, op);
      this.#digest(2, new Uint8Array(rowtime.slice().buffer));
      columns.forEach((column, i) => this.#digest(3 + i, bytesAt(column, i < 3 ? all : present)));
    });
  }

  commit(): void {
    const changes: StateBytes[] = [];
    const blocks: (StateBlock | StatePack)[] = [];
    this.#operator.changes?.(
      (change) => changes.push(change),
      (block) => blocks.push(block),
    );
    this.#state.apply(changes, blocks);
  }

  restart(): void {
    this.commit();
    this.#context = this.#contextAt(this.#context.streamTime.ms);
    this.#operator = this.#make(this.#context);
  }

  /** Commits; how many rows were put out, and which, and of the state likewise. */
  seen(): { readonly rows: number; readonly entries: number; readonly digests: readonly string[] } {
    this.commit();
    let entries = 0;
    const state = createHash('sha256');
    for (const { key, value } of this.#state.scan('3', { from: null, to: null })) {
      state.update(key).update(value);
      entries += 1;
    }
    const digests = [...this.#digests, state].map((digest) => digest.digest('hex'));
    return { rows: this.rows, entries, digests };
  }
}

const COLUMNS = 12;
const WIDE = prettySchema(
  `K:STRING key | ${Array.from({ length: COLUMNS }, (_, i) => `C${i}:BIGINT`).join(' | ')} @rowtime`,
);
const POSITIONS = Array.from({ length: COLUMNS }, (_, i) => i + 1);
const WIDE_STEP = aggregateStep(
  WIDE,
  POSITIONS.flatMap((at) => [callOf('MAX', WIDE, at), callOf('AVG', WIDE, at)]),
  { window: sessionOf(10, 1e9) },
);
/** More sessions than the kernel has room for. */
const SESSIONS = Math.ceil(KERNEL_MEMORY_BYTES_MAX / (COLUMNS * 32 + 64));
const byRow: MakeOperator = (context) => sessionAggregate(WIDE_STEP, WIDE, context, registry);

/** So many sessions, none of them in a commit, of keys that come by turns; then rows that lengthen and merge the first ones. */
function seenOf(
  keys: number,
  make: MakeOperator,
  restarts: boolean,
): ReturnType<StoredRun['seen']> {
  const run = new StoredRun(make);
  const both = (count: number, msOf: (i: number) => number): void => {
    for (let from = 0; from < count; from += BATCH_ROWS_MAX) {
      const length = Math.min(BATCH_ROWS_MAX, count - from);
      const rows = Array.from({ length }, (_, k): Row => {
        const i = from + k;
        const values = [`k${i % keys}`, ...POSITIONS.map((at) => BigInt(i * at))];
        return { values, rowtime: msOf(i) };
      });
      for (const batch of batchesOf(WIDE, rows)) run.process(batch);
    }
  };
  // Each key has a session every 15 ms.
  const at = (i: number): number => Math.floor(i / keys) * 15;
  both(SESSIONS, at);
  both(900, (i) => at(i) + 4);
  both(90, (i) => at(i) + 8);
  run.commit();
  both(900, (i) => at(i + 6 * keys) + 8);
  run.commit();
  both(90, (i) => at(i + 9 * keys) + 2);
  if (restarts) run.restart();
  both(90, (i) => at(i + 6 * keys) + 3);
  return run.seen();
}

test('sessions that the kernel has no room for are set aside within a batch, and brought back', () => {
  const kernel: MakeOperator = (context) =>
    kernelSessions(onKernel(WIDE_STEP), WIDE, context, module, () => {
      throw new Error('the row path is not needed');
    });
  const seen = seenOf(5000, kernel, true);
  expect(seen).toEqual(seenOf(5000, byRow, false));
  expect(seen.entries).toBeGreaterThan(SESSIONS - 2000);
});

test('where a batch needs more sessions than fit, the row path goes on over the same state', () => {
  let turns = 0;
  const kernel: MakeOperator = (context) =>
    kernelSessions(onKernel(WIDE_STEP), WIDE, context, module, (given) => {
      turns += 1;
      return byRow(given);
    });
  const seen = seenOf(3, kernel, true);
  expect(seen).toEqual(seenOf(3, byRow, false));
  expect(seen.entries).toBeGreaterThan(SESSIONS - 2000);
  // Once before the restart and once behind it.
  expect(turns).toBe(2);
});

const INPUT = prettySchema('K:STRING key | L:BIGINT @rowtime');

test('as many stored sessions as the limit says are brought for a batch, and of one more the row path goes on', () => {
  const step = aggregateStep(INPUT, [callOf('COUNT', INPUT)], { window: sessionOf(1, 1e9) });
  for (const more of [0, 1]) {
    let turns = 0;
    const kernel: MakeOperator = (context) =>
      kernelSessions(onKernel(step), INPUT, context, module, (given) => {
        turns += 1;
        return sessionAggregate(step, INPUT, given, registry);
      });
    const run = new StoredRun(kernel);
    const total = BROUGHT_SESSIONS_MAX + more;
    const rows = Array.from({ length: total }, (_, i) => ({ values: ['a', 1n], rowtime: i * 3 }));
    for (const batch of batchesOf(INPUT, rows)) run.process(batch);
    run.restart();
    for (const batch of batchesOf(INPUT, [{ values: ['a', 1n], rowtime: 1 }])) run.process(batch);
    expect(run.rows).toBe(total + 2);
    expect(turns).toBe(more);
  }
});

const TURNING = prettySchema('K:STRING key | N:STRING key | L:BIGINT @rowtime');

test('while keys turn over, a kernel lets those go whose sessions are over; forgotten ones come back, and both paths agree', () => {
  const known: number[] = [];
  WHOLE_KERNEL.given({
    ...wholeKernel,
    forgotten(...given) {
      const fresh = wholeKernel.forgotten(...given);
      known.push(kernelStats(fresh ?? given[0]).entries);
      return fresh;
    },
  });
  const step = aggregateStep(TURNING, [callOf('COUNT', TURNING), callOf('SUM', TURNING, 2)], {
    window: sessionOf(10, 20),
  });
  const runs = [
    new StoredRun((context) => sessionAggregate(step, TURNING, context, registry)),
    new StoredRun((context) =>
      sessionAggregate(onKernel(step), TURNING, context, registry, module),
    ),
  ] as const;
  for (let turn = 0; turn < 40; turn++) {
    // Rows of keys of their own, but for a few that come in every fourth batch, some of them late.
    const rows = Array.from({ length: BATCH_ROWS_MAX }, (_, i): Row => {
      const isKnown = i < 40 && turn % 4 === 0;
      const key = isKnown ? `again ${i}` : `key ${turn} ${i}`;
      return {
        values: [key, `n${i % 3}`, BigInt(turn * i)],
        rowtime: Math.max(0, turn * 10 - (isKnown ? i : 0)),
      };
    });
    for (const run of runs) {
      for (const batch of batchesOf(TURNING, rows)) run.process(batch);
      run.commit();
    }
  }
  WHOLE_KERNEL.given(wholeKernel);
  expect(runs[1].seen()).toEqual(runs[0].seen());
  expect(Math.max(...known)).toBeGreaterThan(IDLE_ENTRIES_MAX);
  // Sessions of so many batches are open, with a name and a piece for each row; others are yet to be looked at.
  const open = 5 * 2 * BATCH_ROWS_MAX;
  expect(Math.max(...known)).toBeLessThanOrEqual(4 * open);
  const drops = known.filter((count, i) => count < (known[i - 1] ?? 0));
  expect(drops.length).toBeGreaterThan(1);
});

const STEP = aggregateStep(INPUT, [callOf('COUNT', INPUT), callOf('SUM', INPUT, 1)], {
  window: sessionOf(4, 10),
});
const kernelRun = (): OperatorRun =>
  new OperatorRun((context) => sessionAggregate(onKernel(STEP), INPUT, context, registry, module));

test('stored sessions that are no state of the step are told apart from others', () => {
  const rows = batchesOf(INPUT, [{ values: ['a', 1n], rowtime: 20 }]);
  for (const wrong of ['length', 'end', 'start'] as const) {
    const run = kernelRun();
    for (const batch of rows) run.process(batch);
    run.commit();
    const [[name, entry] = []] = run.state.entries;
    if (name === undefined || entry === undefined) throw new Error('a row makes a session');
    const { key, value } = entry;
    const ends = key.length - (wrong === 'end' ? 9 : 1);
    const other = key.map((byte, i) => (i === ends ? byte + 1 : byte));
    run.state.entries.set(name, {
      key: wrong === 'length' ? key : other,
      value: wrong === 'length' ? value.slice(0, -8) : value,
    });
    run.restart((context) => sessionAggregate(onKernel(STEP), INPUT, context, registry, module));
    expect(() => rows.forEach((batch) => run.process(batch))).toThrow(TaskCorrupted);
  }
});
