// Sliding windows against a recount that keeps every row, makes every window anew after each of them and knows no state.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { slidingAggregate } from '../../../runtime/operators/sliding-aggregate.ts';
import { suppress } from '../../../runtime/operators/suppress.ts';
import { batchesOf, outputLines } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import { aggregateStep, callOf, registry, slidingOf } from '../../support/operator-inputs.ts';
import {
  type Counted,
  recount,
  type SlidingRow,
  slidingRows,
} from '../../support/sliding-recount.ts';

const INPUT = prettySchema('K:STRING key | V:INTEGER | D:DOUBLE @rowtime');
/** What a row adds to can be taken back (COUNT), cannot (MIN), depends on the order (the list, the sum of doubles, the latest). */
const calls = [
  callOf('COUNT', INPUT),
  callOf('MIN', INPUT, 1),
  callOf('SUM', INPUT, 2),
  callOf('COLLECT_LIST', INPUT, 1),
  callOf('LATEST_BY_OFFSET', INPUT, 1),
];

const lineOf =
  (sizeMs: number) =>
  ({ key, startMs, rows }: Counted): string => {
    const values = rows.map(({ value }) => value);
    const sum = values.reduce((total, value) => total + value / 10, 0);
    const ms = Math.max(...rows.map((row) => row.ms));
    return `${key} | ${startMs} | ${startMs + sizeMs} | ${rows.length} | ${Math.min(...values)} | ${sum} | [${values.join(',')}] | ${values.at(-1) ?? 0} @${ms}`;
  };

const batches = (rows: readonly SlidingRow[]): ReturnType<typeof batchesOf> =>
  batchesOf(
    INPUT,
    rows.map(({ key, value, ms }) => ({ values: [key, value, value / 10], rowtime: ms })),
  );

const WINDOWS = [
  slidingOf(10, 1000),
  slidingOf(10, 5),
  slidingOf(7, 0),
  slidingOf(1, 3),
  slidingOf(25, 12),
];

describe.each(WINDOWS)('windows of $sizeMs ms, grace $graceMs ms', (window) => {
  const line = lineOf(window.sizeMs);
  const step = aggregateStep(INPUT, calls, { window });
  const make: MakeOperator = (context) => slidingAggregate(step, INPUT, context, registry);
  const counted = (rows: readonly SlidingRow[]): OperatorRun => {
    const run = new OperatorRun(make);
    for (const batch of batches(rows)) run.process(batch);
    return run;
  };

  test('after each row every window that is open is what a recount gives, and only what changed is put out', () => {
    const property = fc.property(slidingRows, (rows) => {
      const run = counted(rows);
      const expected = recount(window, rows, line);
      expect(outputLines(run)).toEqual(expected.lines);
      expect(run.counters.get('late') ?? 0).toBe(expected.late);
      expect(run.counters.get('latePairs') ?? 0).toBe(expected.latePairs);
    });
    fc.assert(property, { numRuns: 150 });
  });

  test('a restart after each row gives the same', () => {
    const property = fc.property(slidingRows, (rows) => {
      const run = new OperatorRun(make);
      for (const batch of rows.flatMap((row) => batches([row]))) run.process(batch).restart(make);
      expect(outputLines(run)).toEqual(recount(window, rows, line).lines);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('the final results are those of the windows that closed, once each, in the order of closing', () => {
    const property = fc.property(slidingRows, (rows) => {
      const { schema } = step;
      const run = new OperatorRun((context) =>
        suppress(
          { step: 'suppress', id: '4', input: '3', schema, window },
          schema,
          context,
          registry,
        ),
      );
      for (const batch of counted(rows).emitted) run.process(batch);
      expect(outputLines(run)).toEqual(recount(window, rows, line).final);
    });
    fc.assert(property, { numRuns: 80 });
  });
});
