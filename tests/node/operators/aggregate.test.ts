// Single cases of aggregation: windows that close, late rows, dropped rows, tables and old rows.

import { describe, expect, test } from 'vitest';
import { LimitError } from '../../../runtime/base/errors.ts';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { batch, prettySchema } from '../../../runtime/data/pretty.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { kernelAggregate } from '../../../runtime/operators/kernel-aggregate.ts';
import type { AggregateStep } from '../../../runtime/plan/step.ts';
import { batchesOf, outputLines } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  registry,
  windowOf,
} from '../../support/operator-inputs.ts';

const HEADER = 'K:STRING key | V:INTEGER @rowtime';
const INPUT = prettySchema(HEADER);
const module = kernelModule();
const rowPath =
  (step: AggregateStep): MakeOperator =>
  (context) =>
    aggregate(step, INPUT, context, registry);
const kernelPath =
  (step: AggregateStep): MakeOperator =>
  (context) =>
    kernelAggregate(step, INPUT, context, registry, module);
const counts = [callOf('COUNT', INPUT), callOf('MAX', INPUT, 1)];

describe.each([
  ['row path', rowPath],
  ['kernel path', kernelPath],
])('aggregate, %s', (_name, path) => {
  const tumbling = path(aggregateStep(INPUT, counts, { window: windowOf(30, 60) }));

  test('a window is open while its end is above stream time less the grace', () => {
    const run = new OperatorRun(tumbling).process(
      batch(HEADER, 'a | 0 @0', 'a | 1 @89', 'a | 5 @10', 'a | 0 @90', 'a | 6 @11', 'b | 7 @30'),
    );
    expect(outputLines(run)).toEqual([
      '+ a | 0 | 30 | 1 | 0 @0',
      '+ a | 60 | 90 | 1 | 1 @89',
      '> a | 0 | 30 | 2 | 5 @10',
      '+ a | 90 | 120 | 1 | 0 @90',
      '+ b | 30 | 60 | 1 | 7 @30',
    ]);
    expect(run.counters).toEqual(
      new Map([
        ['late', 1],
        ['latePairs', 1],
      ]),
    );
    expect(run.problems).toEqual([
      { code: 'LATE', origin: null, field: '', reason: 'the row came after its window had closed' },
    ]);
  });

  test('drops a row whose window closed earlier in the same batch, and not across a restart either', () => {
    const run = new OperatorRun(tumbling).process(batch(HEADER, 'a | 1 @0', 'b | 1 @1000'));
    run.restart(tumbling).process(batch(HEADER, 'a | 2 @1', 'a | 3 @1000'));
    expect(outputLines(run).slice(2)).toEqual(['+ a | 990 | 1020 | 1 | 3 @1000']);
    expect(run.counters.get('late')).toBe(1);
  });

  test('a row without a key moves no time and is counted as dropped', () => {
    const run = new OperatorRun(tumbling).process(
      batch(HEADER, 'a | 1 @0', '~ | 1 @1000', 'null | 1 @2000', 'a | ~ @3000', 'a | 2 @1'),
    );
    expect(outputLines(run)).toEqual(['+ a | 0 | 30 | 1 | 1 @0', '> a | 0 | 30 | 2 | 2 @1']);
    expect(run.counters).toEqual(new Map([['dropped', 3]]));
    expect(run.problems).toEqual([]);
  });

  test('a rowtime before the epoch is a problem, and the row is dropped', () => {
    const run = new OperatorRun(tumbling).process(batch(HEADER, 'a | 1 @-1', 'a | 2 @0'));
    expect(outputLines(run)).toEqual(['+ a | 0 | 30 | 1 | 2 @0']);
    expect(run.problems.map(({ code }) => code)).toEqual(['TIMESTAMP']);
    expect(run.counters.get('dropped')).toBe(1);
  });

  test('stream time that came without a row closes windows', () => {
    let advance: ((ms: number) => void) | null = null;
    const run = new OperatorRun((context) => {
      const operator = tumbling(context);
      advance = (ms) => operator.advance?.(ms, () => undefined);
      return operator;
    });
    run.process(batch(HEADER, 'a | 1 @0'));
    (advance as ((ms: number) => void) | null)?.(5000);
    run.process(batch(HEADER, 'a | 1 @1'));
    expect(run.counters.get('late')).toBe(1);
    expect(run.commit().streamTimeMs).toBe(5000);
  });

  test('a key named __proto__ and the empty text are keys like any other', () => {
    const run = new OperatorRun(path(aggregateStep(INPUT, counts)));
    run.process(batch(HEADER, '__proto__ | 1', '"" | 2', '__proto__ | 3'));
    expect(outputLines(run)).toEqual([
      '+ __proto__ | 1 | 1 @0',
      '+ "" | 1 | 2 @0',
      '> __proto__ | 2 | 3 @0',
    ]);
  });

  test('origins go with the rows that they triggered', () => {
    const rows = ['a', 'b', null, 'a'].map((key, i) => ({ values: [key, i], rowtime: i }));
    const run = new OperatorRun(tumbling);
    for (const input of batchesOf(INPUT, rows)) run.process(input);
    expect(run.emitted.map(({ origin }) => [...(origin ?? [])])).toEqual([[0, 1, 3]]);
  });
});

test('a row is in every hopping window that holds it, and late only for those that closed', () => {
  const step = aggregateStep(INPUT, counts, { window: windowOf(10, 0, 5) });
  const run = new OperatorRun(rowPath(step)).process(
    batch(HEADER, 'a | 1 @7', 'a | 1 @12', 'a | 2 @8', 'a | 2 @1'),
  );
  expect(outputLines(run)).toEqual([
    '+ a | 0 | 10 | 1 | 1 @7',
    '+ a | 5 | 15 | 1 | 1 @7',
    '> a | 5 | 15 | 2 | 1 @12',
    '+ a | 10 | 20 | 1 | 1 @12',
    '> a | 5 | 15 | 3 | 2 @12',
  ]);
  expect(run.counters).toEqual(
    new Map([
      ['late', 1],
      ['latePairs', 2],
    ]),
  );
});

test('more windows than a batch has rows are emitted in several batches', () => {
  const step = aggregateStep(INPUT, counts, { window: windowOf(5000, 0, 1) });
  const run = new OperatorRun(rowPath(step)).process(batch(HEADER, 'a | 1 @6000'));
  expect(run.emitted.map(({ length }) => length)).toEqual([BATCH_ROWS_MAX, 5000 - BATCH_ROWS_MAX]);
});

test('over a table an old row is taken back without an output of its own', () => {
  const calls = [callOf('COUNT', INPUT), callOf('SUM', INPUT, 1)];
  const step = aggregateStep(INPUT, calls, { over: 'table' });
  const run = new OperatorRun(rowPath(step)).process(
    batch(
      HEADER,
      '+ a | 1 @1',
      '+ a | 2 @2',
      '< a | 1 @3',
      '> a | null @3',
      '- a | 2 @4',
      '- a | ~ @5',
    ),
  );
  expect(outputLines(run)).toEqual([
    '+ a | 1 | 1 @1',
    '> a | 2 | 3 @2',
    '> a | 2 | 2 @3',
    '> a | 1 | 0 @4',
  ]);
});

test('an aggregate that cannot be undone is refused over a table', () => {
  const step = aggregateStep(INPUT, counts, { over: 'table' });
  expect(() => new OperatorRun(rowPath(step))).toThrow('MAX(INTEGER) cannot be undone');
});

test('groups that outgrow the kernel are set aside and brought back', () => {
  const step = aggregateStep(INPUT, counts, { window: windowOf(30, 60) });
  const wide = 'x'.repeat(4000);
  const keys = Array.from({ length: 24_000 }, (_, i) => `${i} ${wide}`);
  const input = batchesOf(
    INPUT,
    [...keys, ...keys.slice(0, 10)].map((key, i) => ({ values: [key, i], rowtime: i & 1 })),
  );
  const run = new OperatorRun(kernelPath(step));
  for (const rows of input) run.process(rows);
  const rows = run.emitted.reduce((sum, { length }) => sum + length, 0);
  expect(rows).toBe(keys.length + 10);
  const last = run.emitted.at(-1);
  expect([...(last?.op ?? [])].slice(-10)).toEqual(Array.from({ length: 10 }, () => 2));
  run.commit();
  expect(run.state.entries.size).toBe(keys.length);
});

test('a batch whose keys the kernel cannot hold is refused by the name of the limit', () => {
  const step = aggregateStep(INPUT, counts);
  const wide = 'x'.repeat(20_000);
  const input = batchesOf(
    INPUT,
    Array.from({ length: BATCH_ROWS_MAX }, (_, i) => ({ values: [`${i} ${wide}`, i], rowtime: 0 })),
  );
  const run = new OperatorRun(kernelPath(step));
  expect(() => input.forEach((rows) => run.process(rows))).toThrow(LimitError);
});

test('groups that the kernel does not hold are read in the order of their keys', () => {
  const make = kernelPath(aggregateStep(INPUT, counts, { window: null }));
  const run = new OperatorRun(make);
  const keys = ['d', 'b', 'ab', 'c', 'a'];
  run.process(batch(HEADER, ...keys.map((key) => `${key} | 1 @0`)));
  const read: string[] = [];
  const { state } = run;
  const get = state.get.bind(state);
  run.restart(make);
  state.get = (table, key) => {
    read.push(String.fromCharCode(...key.filter((byte) => byte > 1)));
    return get(table, key);
  };
  run.process(batch(HEADER, ...keys.map((key) => `${key} | 2 @0`)));
  expect(read).toEqual(['a', 'ab', 'b', 'c', 'd']);
});

test('after a restart the store is asked for groups of windows that it can have, and once these have closed for none', () => {
  const make = kernelPath(aggregateStep(INPUT, counts, { window: windowOf(10, 5) }));
  const run = new OperatorRun(make);
  run.process(batch(HEADER, 'a | 1 @0', 'b | 1 @12'));
  const read: string[] = [];
  const { state } = run;
  const get = state.get.bind(state);
  run.restart(make);
  state.get = (table, key) => {
    read.push(String.fromCharCode(...key.filter((byte) => byte > 64 && byte < 128)));
    return get(table, key);
  };
  // Stream time is 12: windows that start at 0 and 10 can be stored.
  run.process(batch(HEADER, 'c | 1 @9', 'b | 2 @13', 'a | 2 @20', 'd | 2 @14', 'b | 3 @21'));
  expect(read.sort()).toEqual(['b', 'c', 'd']);
  expect(outputLines(run).slice(2)).toEqual([
    '+ c | 0 | 10 | 1 | 1 @9',
    '> b | 10 | 20 | 2 | 2 @13',
    '+ a | 20 | 30 | 1 | 2 @20',
    '+ d | 10 | 20 | 1 | 2 @14',
    '+ b | 20 | 30 | 1 | 3 @21',
  ]);
  run
    .commit()
    .process(batch(HEADER, 'a | 3 @28', 'b | 4 @30'))
    .commit();
  const closed = run.state.lines();
  run.process(batch(HEADER, 'a | 5 @31', 'b | 6 @29')).commit();
  expect(read).toHaveLength(3);
  expect(run.state.lines()).not.toEqual(closed);
  const whole = new OperatorRun(make);
  for (const rows of [
    batch(HEADER, 'a | 1 @0', 'b | 1 @12', 'c | 1 @9', 'b | 2 @13', 'a | 2 @20', 'd | 2 @14'),
    batch(HEADER, 'b | 3 @21', 'a | 3 @28', 'b | 4 @30', 'a | 5 @31', 'b | 6 @29'),
  ])
    whole.process(rows);
  expect(run.state.lines()).toEqual(whole.commit().state.lines());
});
