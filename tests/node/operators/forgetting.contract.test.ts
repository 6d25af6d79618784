// Kernels that let keys go at every commit, under the operator contract; and how many keys one knows while keys turn over.

import { afterAll, beforeAll, expect, test } from 'vitest';

import { IDLE_ENTRIES_MAX } from '../../../runtime/base/limits.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import type { Schema } from '../../../runtime/data/schema.ts';
import { kernelStats } from '../../../runtime/kernel/groups.ts';
import { Kernel } from '../../../runtime/kernel/instance.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { moved, type forgotten } from '../../../runtime/operators/forgetting.ts';
import { kernelAggregate } from '../../../runtime/operators/kernel-aggregate.ts';
import type { Operator } from '../../../runtime/operators/operator.ts';
import { WHOLE_KERNEL } from '../../../runtime/operators/parts.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import * as wholeKernel from '../../../runtime/operators/whole-kernel.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { StateBlock, StateBytes, StatePack } from '../../../runtime/ports/store.ts';
import { GroupNames } from '../../../runtime/state/group-names.ts';
import { batchesOf, describeOperator } from '../../support/operator-contract.ts';
import { MapState, OperatorRun, type MakeOperator } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  onKernel,
  registry,
  sessionOf,
  streamArbitrary,
  windowOf,
} from '../../support/operator-inputs.ts';
import { keysOf } from '../kernel/subject.ts';

const module = kernelModule();
/** Of the kernels that came to a commit: what they knew before and after it. */
let known: (readonly [before: number, after: number])[] = [];

/** Every commit moves the groups, or those alone of which the product says so. */
function noteMoves(moves: typeof forgotten): void {
  WHOLE_KERNEL.given({
    ...wholeKernel,
    forgotten(kernel, names, start): Kernel | null {
      const before = kernelStats(kernel).entries;
      const fresh = moves(kernel, names, start);
      known.push([before, kernelStats(fresh ?? kernel).entries]);
      return fresh;
    },
  });
}

beforeAll(() => noteMoves(moved));
afterAll(() => WHOLE_KERNEL.given(wholeKernel));

function paths(input: Schema, window: ReturnType<typeof windowOf> | null) {
  const position = input.columns.length - 1;
  const calls = ['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'].map((name) => callOf(name, input, position));
  const step = aggregateStep(input, calls, { window });
  const isSession = window?.type === 'SESSION';
  const kernel: MakeOperator = (context) =>
    isSession
      ? sessionAggregate(onKernel(step), input, context, registry, module)
      : kernelAggregate(step, input, context, registry, module);
  const row: MakeOperator = (context) =>
    (isSession ? sessionAggregate : aggregate)(step, input, context, registry);
  return { kernel, row };
}

for (const columns of [
  'K:STRING key',
  'K:BIGINT key',
  'A:STRING key | B:STRING key',
  'A:BOOLEAN key | B:STRING key | C:DOUBLE key',
]) {
  for (const [name, window] of [
    ['tumbling', windowOf(10, 5)],
    ['hopping', windowOf(10, 5, 4)],
    ['session', sessionOf(4, 10)],
    ['no', null],
  ] as const) {
    const input = prettySchema(`${columns} | D:DOUBLE @rowtime`);
    const { kernel, row } = paths(input, window);
    describeOperator(`aggregate that forgets, by ${columns}, ${name} windows`, {
      paths: [
        { name: 'kernel path', make: kernel },
        { name: 'row path', make: row },
      ],
      input: streamArbitrary(input),
      changelog: { old: false },
    });
  }
}

test('keys were let go, and others were kept', () => {
  expect(known.some(([before, after]) => after < before)).toBe(true);
  expect(known.some(([before, after]) => after > 0 && after < before)).toBe(true);
});

const INPUT = prettySchema('K:STRING key | N:STRING key | L:BIGINT @rowtime');
const ROWS = 4096;

/** Rows of keys of their own, but for a few that come in every fourth batch. */
function turning(turn: number): Batch {
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    values: [
      i < 40 && turn % 4 === 0 ? `again ${i}` : `key ${turn} ${i}`,
      `n${i % 3}`,
      BigInt(turn * i),
    ],
    rowtime: turn * 10,
  }));
  const [batch] = batchesOf(INPUT, rows);
  if (batch === undefined) throw new Error('rows make a batch');
  return batch;
}

test('while keys turn over, a kernel knows no more than twice those of its groups; forgotten ones come back, and both paths agree', () => {
  noteMoves(wholeKernel.forgotten);
  known = [];
  const { kernel, row } = paths(INPUT, windowOf(20, 0));
  const runs = [new OperatorRun(kernel), new OperatorRun(row)] as const;
  for (let turn = 0; turn < 40; turn += 1) {
    for (const run of runs) run.process(turning(turn)).commit();
    // The state goes on as well, whatever has been forgotten.
    if (turn === 21) runs[0].restart(kernel);
  }
  const [byKernel, byRow] = runs.map((run) => [run.output(), run.state.lines()]);
  expect(byKernel).toEqual(byRow);
  // Two windows of two batches each are held at most: a name and a piece for each row.
  const held = 2 * 2 * ROWS * 2;
  const counts = known.map(([, after]) => after);
  expect(Math.max(...counts)).toBeGreaterThan(IDLE_ENTRIES_MAX);
  expect(Math.max(...counts)).toBeLessThanOrEqual(2 * held + 2 * ROWS);
  expect(known.filter(([before, after]) => after < before).length).toBeGreaterThan(2);
  expect(known.reduce((sum, [before, after]) => sum + before - after, 0)).toBeGreaterThan(
    40 * ROWS,
  );
  for (const run of runs) run.close();
});

test('blocks of a kernel that has been left name their keys in a store all the same', () => {
  noteMoves(moved);
  known = [];
  const { kernel, row } = paths(INPUT, windowOf(20, 0));
  const byRow = new OperatorRun(row);
  const state = new MapState();
  const resident = new ResidentTables();
  let operator: Operator | null = null;
  const byKernel = new OperatorRun((context) => (operator = kernel(context)));
  for (let turn = 0; turn < 6; turn += 1) {
    byRow.process(turning(turn)).commit();
    byKernel.process(turning(turn));
    const changes: StateBytes[] = [];
    const blocks: (StateBlock | StatePack)[] = [];
    (operator as Operator | null)?.changes?.(
      (change) => changes.push(change),
      (block) => blocks.push(block),
    );
    expect(blocks.length).toBeGreaterThan(0);
    resident.apply(changes, blocks);
  }
  expect(known.some(([before, after]) => after < before)).toBe(true);
  for (const table of resident.ids)
    for (const { key, value } of resident.scan(table, { from: null, to: null }))
      state.apply({ table, key, value });
  expect(state.lines()).toEqual(byRow.state.lines());
  for (const run of [byRow, byKernel]) run.close();
});

test('up to the limit of idle keys none is let go', () => {
  const text = prettySchema('K:STRING key | L:BIGINT @rowtime');
  const start = (): Kernel =>
    new Kernel(module, {
      arguments: [],
      aggregates: [{ function: 'COUNT', argument: null }],
      window: null,
      output: 'groups',
    });
  const kernel = start();
  const know = (from: number, to: number): void => {
    const names = Array.from({ length: to - from }, (_, i) => `key ${from + i}`);
    kernel.intern(keysOf(names));
  };
  for (let from = 0; from < IDLE_ENTRIES_MAX; from += ROWS) know(from, from + ROWS);
  const given = [kernel, new GroupNames(text), start] as const;
  expect(wholeKernel.forgotten(...given)).toBeNull();
  know(IDLE_ENTRIES_MAX, IDLE_ENTRIES_MAX + 1);
  const fresh = wholeKernel.forgotten(...given);
  expect(fresh && kernelStats(fresh).entries).toBe(0);
});
