// Single rules of joins: windowed keys, rows without a key or a value, late rows, many partners, old rows that come along.

import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { batch, prettySchema } from '../../../runtime/data/pretty.ts';
import { StreamStreamJoin } from '../../../runtime/operators/stream-stream-join.ts';
import { StreamTableJoin } from '../../../runtime/operators/stream-table-join.ts';
import { TableTableJoin } from '../../../runtime/operators/table-table-join.ts';
import type { JoinType } from '../../../runtime/plan/join-step.ts';
import { streamStreamStep, streamTableStep, tableTableStep } from '../../support/join-inputs.ts';
import { outputLines } from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';

const LEFT = 'K:STRING key | A:INTEGER | S:STRING @rowtime';
const RIGHT = 'K:STRING key | B:BIGINT @rowtime';
const WINDOW = 'WINDOWSTART:BIGINT window | WINDOWEND:BIGINT window';
const WINDOWED = `K:STRING key | ${WINDOW} | A:INTEGER @rowtime`;

const left = prettySchema(LEFT);
const right = prettySchema(RIGHT);
const windowed = prettySchema(WINDOWED);
const OPTIONS = { session: false };

function streams(
  type: JoinType,
  times: Parameters<typeof streamStreamStep>[1],
  { session, isWindowed } = { session: false, isWindowed: false },
): OperatorRun {
  const step = {
    ...streamStreamStep(type, times),
    ...(isWindowed && {
      schema: prettySchema(`K:STRING key | ${WINDOW} | A:INTEGER | B:INTEGER @rowtime`),
    }),
  };
  const inputs = isWindowed ? ([windowed, windowed] as const) : ([left, right] as const);
  return new OperatorRun((context) => new StreamStreamJoin(step, inputs, context, { session }));
}

const tables = (type: JoinType): OperatorRun =>
  new OperatorRun(
    (context) => new TableTableJoin(tableTableStep(type), [left, right], context, OPTIONS),
  );

const lookUp = (type: JoinType): OperatorRun =>
  new OperatorRun(
    (context) => new StreamTableJoin(streamTableStep(type), [left, right], context, OPTIONS),
  );

const NEAR = { beforeMs: 10, afterMs: 10, graceMs: null };

test('windows of time are joined by their start, whatever their size; each row keeps its own end', () => {
  const run = streams('INNER', NEAR, { session: false, isWindowed: true });
  run.process(batch(WINDOWED, 'a | 0 | 100 | 1 @5'), 0);
  run.process(batch(WINDOWED, 'a | 0 | 50 | 2 @6', 'a | 50 | 100 | 3 @6'), 1);
  expect(outputLines(run)).toEqual(['a | 0 | 50 | 1 | 2 @6']);
});

test('sessions are joined where both of their bounds are the same', () => {
  const run = streams('LEFT', NEAR, { session: true, isWindowed: true });
  run.process(batch(WINDOWED, 'a | 0 | 7 | 1 @5'), 0);
  run.process(batch(WINDOWED, 'a | 0 | 6 | 2 @6', 'a | 0 | 7 | 3 @6'), 1);
  expect(outputLines(run)).toEqual(['a | 0 | 7 | 1 | null @5', 'a | 0 | 7 | 1 | 3 @6']);
});

test.each([false, true])(
  'a row that has waited comes with both ends of its window (session %s)',
  (session) => {
    const run = streams('FULL', { ...NEAR, graceMs: 0 }, { session, isWindowed: true });
    run.process(batch(WINDOWED, 'a | 0 | 77 | 1 @5', 'b | 0 | 78 | 1 @6'), 0).commit();
    run.process(batch(WINDOWED, 'a | 1 | 9 | 2 @6', 'b | 2 | 30 | 3 @20 '), 1);
    expect(outputLines(run)).toEqual([
      'a | 0 | 77 | 1 | null @5',
      'a | 1 | 9 | null | 2 @6',
      'b | 0 | 78 | 1 | null @6',
    ]);
  },
);

test('rows of a stream without a key or a value join nothing, and are counted', () => {
  for (const run of [streams('FULL', NEAR), lookUp('LEFT')]) {
    run.process(batch(LEFT, '~ | 1 | x @5', 'null | 1 | x @5', 'a | ~ | ~ @5'), 0);
    expect(outputLines(run)).toEqual([]);
    expect(run.counters.get('dropped')).toBe(3);
    expect(run.streamTimeMs).toBe(-Infinity);
  }
});

test('a row later than window and grace still looks for partners, and is not kept', () => {
  const run = streams('INNER', { beforeMs: 10, afterMs: 10, graceMs: 5 });
  run.process(batch(RIGHT, 'a | 1 @0'), 1);
  run.process(batch(LEFT, 'b | 1 | x @1000 #0', 'a | 2 | y @3 #1'), 0);
  run.process(batch(RIGHT, 'a | 3 @4'), 1);
  expect(outputLines(run)).toEqual(['a | 2 | y | 1 @3']);
  expect(run.counters.get('late')).toBe(1);
  expect(run.problems.map(({ code, origin }) => [code, origin])).toEqual([['LATE', 1]]);
});

test('a row that came before its window closed finds the oldest row of the window', () => {
  const run = streams('LEFT', { beforeMs: 5, afterMs: 5, graceMs: 0 });
  run.process(batch(RIGHT, 'a | 1 @10', 'b | 2 @20'), 1);
  run.process(batch(LEFT, 'a | 1 | x @15'), 0);
  const atOnce = streams('INNER', { beforeMs: 0, afterMs: 0, graceMs: 0 });
  atOnce.process(batch(RIGHT, 'a | 1 @10'), 1);
  atOnce.process(batch(LEFT, 'a | 1 | x @10'), 0);
  expect(outputLines(run)).toEqual(['a | 1 | x | 1 @15']);
  expect(outputLines(atOnce)).toEqual(['a | 1 | x | 1 @10']);
});

test('the ends of the window belong to it', () => {
  const run = streams('INNER', { beforeMs: 3, afterMs: 5, graceMs: null });
  run.process(batch(RIGHT, 'a | 6 @6', 'a | 7 @7', 'a | 15 @15', 'a | 16 @16'), 1);
  run.process(batch(LEFT, 'a | 1 | x @10'), 0);
  expect(outputLines(run)).toEqual(['a | 1 | x | 7 @10', 'a | 1 | x | 15 @15']);
});

test('a row has as many results as it has partners, over several batches', () => {
  const run = streams('INNER', { beforeMs: 10_000, afterMs: 10_000, graceMs: null });
  const count = BATCH_ROWS_MAX + 3;
  for (let i = 0; i < count; i++) run.process(batch(RIGHT, `a | ${i} @${i}`), 1);
  run.process(batch(LEFT, 'a | 1 | x @0', 'b | 2 | y @0', 'a | 3 | z @0'), 0);
  expect(run.emitted.reduce((sum, { length }) => sum + length, 0)).toBe(2 * count);
  const lines = outputLines(run);
  expect(lines[count - 1]).toBe(`a | 1 | x | ${count - 1} @${count - 1}`);
  expect(lines[count]).toBe('a | 3 | z | 0 @0');
});

test('a stream sees the table as it is, and the table emits nothing', () => {
  const run = lookUp('LEFT');
  run.process(batch(LEFT, 'a | 1 | x @9'), 0);
  run.process(batch(RIGHT, '+ a | 5 @50', '+ b | 6 @50'), 1);
  run.process(batch(LEFT, 'a | 2 | x @10', 'b | 3 | y @11'), 0).commit();
  run.process(batch(RIGHT, '- a | ~ @60'), 1);
  run.process(batch(LEFT, 'a | 4 | x @12'), 0);
  expect(outputLines(run)).toEqual([
    'a | 1 | x | null @9',
    'a | 2 | x | 5 @10',
    'b | 3 | y | 6 @11',
    'a | 4 | x | null @12',
  ]);
});

test('old rows of an input say nothing new, and a Delete with old values is a tombstone', () => {
  const run = tables('FULL');
  run.process(batch(LEFT, '+ a | 1 | x @5', '< a | 1 | x @6', '> a | 2 | x @6'), 0);
  run.process(batch(RIGHT, '+ a | 7 @9', '- a | 7 @4'), 1);
  run.process(batch(LEFT, '- a | 2 | x @3'), 0);
  expect(outputLines(run)).toEqual([
    '+ a | 1 | x | null @5',
    '> a | 2 | x | null @6',
    '> a | 2 | x | 7 @9',
    '> a | 2 | x | null @6',
    '- a | null | null | null @3',
  ]);
  expect(run.commit().state.lines()).toEqual([]);
});

test('a tombstone of an unknown row goes on where the other table has one, as in Kafka Streams', () => {
  const run = tables('INNER');
  run.process(batch(RIGHT, '+ a | 7 @9'), 1);
  run.process(batch(LEFT, '- a | ~ | ~ @10', '- b | ~ | ~ @11'), 0);
  expect(outputLines(run)).toEqual(['- a | null | null | null @10']);
});
