// Rows of windows leave the store when their retention is over: the same rows at the same commits on both paths.

import { describe, expect, test } from 'vitest';
import { batch, prettySchema } from '../../../runtime/data/pretty.ts';
import { decodeKey } from '../../../runtime/data/key.ts';
import { STRING } from '../../../runtime/data/type.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { kernelAggregate } from '../../../runtime/operators/kernel-aggregate.ts';
import type { Operator, OperatorContext } from '../../../runtime/operators/operator.ts';
import { retention } from '../../../runtime/operators/retention.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import { slidingAggregate } from '../../../runtime/operators/sliding-aggregate.ts';
import type { AggregateStep, WindowSpec } from '../../../runtime/plan/step.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  registry,
  sessionOf,
  slidingOf,
  windowOf,
} from '../../support/operator-inputs.ts';

const HEADER = 'K:STRING key | V:INTEGER @rowtime';
const INPUT = prettySchema(HEADER);
const module = kernelModule();
const COUNT = [callOf('COUNT', INPUT)];

/** The aggregation with what lets its rows go beside it, as a task has them. */
function withRetention(
  step: AggregateStep,
  window: WindowSpec,
  make: (context: OperatorContext) => Operator,
): MakeOperator {
  return (context) => {
    const operator = make(context);
    const kept = retention(step, window, context);
    return {
      ...operator,
      name: operator.name,
      schema: operator.schema,
      process: (side, rows, out) =>
        operator.process(side, rows, (made) => {
          kept.process(0, made, out);
          out(made);
        }),
      changes: (into) => {
        operator.changes?.(into);
        kept.changes?.(into);
      },
      close: () => operator.close?.(),
    };
  };
}

/** Bounds of the windows in the store. */
function stored(run: OperatorRun, table = '3'): string[] {
  const keys = [...run.state.entries]
    .filter(([name]) => name.startsWith(`${table} `))
    .map(([, { key }]) => decodeKey([STRING], key));
  return keys
    .map(({ values, windowStart, windowEnd }) =>
      [...values, windowStart, windowEnd]
        .filter((part) => part !== null)
        .map(String)
        .join(' '),
    )
    .sort();
}

const window: WindowSpec = { ...windowOf(10, 5), retentionMs: 40 };
const step = aggregateStep(INPUT, COUNT, { window });
const paths = [
  ['row path', withRetention(step, window, (context) => aggregate(step, INPUT, context, registry))],
  [
    'kernel path',
    withRetention(step, window, (context) =>
      kernelAggregate(step, INPUT, context, registry, module),
    ),
  ],
] as const;

describe.each(paths)('%s', (_name, make) => {
  test('a row stays until stream time has passed its start and the retention at a commit, and then goes', () => {
    const run = new OperatorRun(make);
    run.process(batch(HEADER, 'a | 1 @0', 'b | 1 @15')).commit();
    run.process(batch(HEADER, 'a | 1 @55')).commit();
    expect(stored(run)).toEqual(['a 0', 'a 50', 'b 10']);
    run.process(batch(HEADER, 'a | 1 @56')).commit();
    expect(stored(run)).toEqual(['a 50']);
    run.process(batch(HEADER, 'a | 1 @80')).commit();
    run.process(batch(HEADER, 'a | 1 @81')).commit();
    expect(stored(run)).toEqual(['a 50', 'a 80']);
  });

  test('a restart goes on where the last sweep was', () => {
    const run = new OperatorRun(make);
    for (let ms = 0; ms < 2000; ms += 10) run.process(batch(HEADER, `a | 1 @${ms}`)).restart(make);
    expect(stored(run).length).toBeLessThanOrEqual(7);
    expect(stored(run)).toContain('a 1990');
    expect(stored(run)).not.toContain('a 1900');
  });

  test('a commit looks at a bounded number of rows, and none is left in the end', () => {
    const run = new OperatorRun(make);
    for (let from = 0; from < 20_000; from += 4000) {
      const rows = Array.from({ length: 4000 }, (_, i) => `k${from + i} | 1 @${i % 10}`);
      run.process(batch(HEADER, ...rows));
    }
    run.commit();
    run.process(batch(HEADER, 'a | 1 @1000')).commit();
    const sizes = Array.from({ length: 7 }, () => {
      run.process(batch(HEADER, 'a | 1 @1000')).commit();
      return stored(run).length;
    });
    // The open window's row is one of those looked at.
    expect(sizes.slice(0, 2)).toEqual([20_001 - 4099, 20_001 - 8199]);
    expect(sizes.at(-1)).toBe(1);
  });
});

test('both paths leave the same bytes at every commit', () => {
  const [row, kernel] = paths.map(([, make]) => new OperatorRun(make));
  if (row === undefined || kernel === undefined) throw new Error('there are two paths');
  for (let i = 0; i < 300; i++) {
    const rows = batch(
      HEADER,
      `k${i % 7} | 1 @${i * 3}`,
      `k${i % 5} | 1 @${Math.max(0, i * 3 - 12)}`,
    );
    for (const run of [row, kernel]) run.process(rows).commit();
    expect(kernel.state.lines()).toEqual(row.state.lines());
  }
});

test('a session goes when the retention after its end is over', () => {
  const gap = sessionOf(5, 5, 20);
  const sessions = aggregateStep(INPUT, COUNT, { window: gap });
  const run = new OperatorRun(
    withRetention(sessions, gap, (context) => sessionAggregate(sessions, INPUT, context, registry)),
  );
  run.process(batch(HEADER, 'a | 1 @0', 'a | 1 @4', 'b | 1 @30')).commit();
  for (const ms of [60, 61]) run.process(batch(HEADER, `b | 1 @${ms}`)).commit();
  expect(stored(run)).toEqual(['b 60 61']);
});

test('what is kept beside sliding windows goes with or without a RETENTION, the windows only with one', () => {
  for (const expires of [undefined, true] as const) {
    const sliding: WindowSpec = { ...slidingOf(10, 0), expires };
    const of = aggregateStep(INPUT, COUNT, { window: sliding });
    const run = new OperatorRun(
      withRetention(of, sliding, (context) => slidingAggregate(of, INPUT, context, registry)),
    );
    run.process(batch(HEADER, 'b | 1 @20', 'b | 1 @25', 'a | 1 @20')).commit();
    expect(stored(run)).toEqual(['b 10', 'b 15', 'b 21']);
    expect(stored(run, '3.late')).toEqual(['a 10']);
    // A sweep begins at the commit after the one that showed stream time beyond the retention of 31 ms.
    for (const ms of [60, 60]) run.process(batch(HEADER, `b | 1 @${ms}`)).commit();
    expect(stored(run, '3.late')).toEqual([]);
    expect(stored(run)).toEqual(expires ? ['b 50'] : ['b 10', 'b 15', 'b 21', 'b 50']);
  }
});
