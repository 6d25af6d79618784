// Sliding windows against a recount that keeps every row, makes every window anew after each of them and knows no state.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeKey } from '../../../runtime/data/key.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { prettyValue } from '../../../runtime/data/pretty-value.ts';
import type { Schema } from '../../../runtime/data/schema.ts';
import { INTEGER, STRING } from '../../../runtime/data/type.ts';
import { bodyOfCall } from '../../../runtime/functions/aggregate-call.ts';
import { slidingAggregate } from '../../../runtime/operators/sliding-aggregate.ts';
import { suppress } from '../../../runtime/operators/suppress.ts';
import type { AggregateCall } from '../../../runtime/plan/step.ts';
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

  test('a client is shown the same, and nothing is stored of windows that no row can need', () => {
    const expiring = aggregateStep(INPUT, calls, { window: { ...window, expires: true } });
    const own: MakeOperator = (context) =>
      slidingAggregate(expiring, INPUT, { ...context, isPrivate: true }, registry);
    const property = fc.property(slidingRows, (rows) => {
      const run = new OperatorRun(own);
      for (const batch of rows.flatMap((row) => batches([row]))) run.process(batch).restart(own);
      expect(outputLines(run)).toEqual(recount(window, rows, line).lines);
      // All at once: what is over at the end is not stored at all.
      const once = new OperatorRun(own);
      for (const batch of batches(rows)) once.process(batch);
      const storedMs = [...once.commit().state.entries.values()].map(({ key }) =>
        Number(decodeKey([STRING], key).windowStart),
      );
      const overMs = once.streamTimeMs - window.retentionMs;
      expect(storedMs.filter((startMs) => startMs <= overMs)).toEqual([]);
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

/** Calls of every built-in aggregate that takes columns of these types alone, and of those that take a number besides. */
function everyCall(input: Schema): AggregateCall[] {
  const found = new Map<string, AggregateCall>();
  for (const name of registry.names) {
    for (const positions of [[], [1], [2], [3], [2, 2]]) {
      const types = positions.map((at) => input.columns[at]?.type ?? STRING);
      const overload = registry.resolve(name, types)?.overload;
      const isConstant = overload?.parameters.some(({ constant }) => constant === true);
      if (overload?.kind !== 'aggregate' || isConstant === true) continue;
      const call = callOf(name, input, ...positions);
      found.set(call.signature, call);
    }
    const counted = registry.resolve(name, [INTEGER, INTEGER]);
    if (counted?.overload.kind !== 'aggregate' || counted.overload.parameters[1]?.constant !== true)
      continue;
    const { signature, type } = counted;
    const constants = [{ type: INTEGER, value: 2 }];
    found.set(signature, { function: name, signature, arguments: [1], constants, type });
  }
  return [...found.values()];
}

test('every aggregate of a window is what its rows give, however the window came about', () => {
  const input = prettySchema('K:STRING key | V:INTEGER | D:DOUBLE | S:STRING @rowtime');
  const all = everyCall(input);
  expect(all.length).toBeGreaterThan(25);
  const window = slidingOf(10, 6);
  const step = aggregateStep(input, all, { window });
  const bodies = all.map((call) => {
    const types = call.arguments.map((at) => input.columns[at]?.type ?? STRING);
    return bodyOfCall(call, types, registry);
  });
  const property = fc.property(slidingRows, (rows) => {
    const values = rows.map(({ key, value }) => [key, value, value / 10, `s${value}`] as const);
    const run = new OperatorRun((context) => slidingAggregate(step, input, context, registry));
    const given = rows.map(({ ms }, i) => ({ values: values[i] ?? [], rowtime: ms }));
    for (const batch of batchesOf(input, given)) run.process(batch).commit();
    const lines = recount(window, rows, ({ key, startMs, rows: held }) => {
      const results = bodies.map((body, index) => {
        const cells = body.initial();
        for (const row of held) {
          const offset = rows.indexOf(row);
          const call = all[index];
          body.add(cells, call?.arguments.map((at) => values[offset]?.[at] ?? null) ?? [], offset);
        }
        return prettyValue(all[index]?.type ?? STRING, body.result(cells));
      });
      const ms = Math.max(...held.map((row) => row.ms));
      return `${[key, startMs, startMs + 10, ...results].join(' | ')} @${ms}`;
    }).lines;
    expect(outputLines(run)).toEqual(lines);
  });
  fc.assert(property, { numRuns: 40 });
});
