// Sliding windows against a recount that keeps every row, makes every window anew after each of them and knows no state.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { slidingAggregate } from '../../../runtime/operators/sliding-aggregate.ts';
import { suppress } from '../../../runtime/operators/suppress.ts';
import type { WindowSpec } from '../../../runtime/plan/step.ts';
import { batchesOf, outputLines } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';
import { aggregateStep, callOf, registry, slidingOf } from '../../support/operator-inputs.ts';

const INPUT = prettySchema('K:STRING key | V:INTEGER | D:DOUBLE @rowtime');
/** What a row adds to can be taken back (COUNT), cannot (MIN), depends on the order (the list, the sum of doubles, the latest). */
const calls = [
  callOf('COUNT', INPUT),
  callOf('MIN', INPUT, 1),
  callOf('SUM', INPUT, 2),
  callOf('COLLECT_LIST', INPUT, 1),
  callOf('LATEST_BY_OFFSET', INPUT, 1),
];

interface Row {
  readonly key: string;
  readonly value: number;
  readonly ms: number;
}

/** Times that go forward for the most part, back at times, from the epoch on, and with many of the same. */
const rowsArbitrary = fc
  .record({
    first: fc.constantFrom(0, 3, 40),
    steps: fc.array(
      fc.record({
        key: fc.constantFrom('a', 'a', 'a', 'b'),
        value: fc.integer({ min: -5, max: 5 }),
        step: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 0, max: 4 }) },
          { weight: 2, arbitrary: fc.integer({ min: -12, max: 12 }) },
          fc.integer({ min: -30, max: 30 }),
        ),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ first, steps }): readonly Row[] => {
    let ms: number = first;
    return steps.map(({ key, value, step }) => {
      ms = Math.max(0, ms + step);
      return { key, value, ms };
    });
  });

/** What the recount expects: every row put out in order, what closes, and the counters. */
interface Recount {
  readonly lines: readonly string[];
  readonly final: readonly string[];
  readonly late: number;
  readonly latePairs: number;
}

interface Counted {
  readonly key: string;
  readonly startMs: number;
  readonly rows: readonly Row[];
}

/** Starts of the windows that rows at these times make. */
function startsOf(sizeMs: number, times: readonly number[]): number[] {
  const starts = new Set<number>();
  for (const ms of times) {
    starts.add(Math.max(0, ms - sizeMs));
    if (times.some((other) => other > ms && other <= ms + 1 + sizeMs)) starts.add(ms + 1);
  }
  return [...starts].sort((a, b) => a - b);
}

function recount({ sizeMs, graceMs }: WindowSpec, rows: readonly Row[]): Recount {
  const lines: string[] = [];
  const final: string[] = [];
  const accepted: Row[] = [];
  let shown = new Map<string, Counted>();
  let now = -Infinity;
  let late = 0;
  let latePairs = 0;
  for (const row of rows) {
    now = Math.max(now, row.ms);
    const isOpen = (startMs: number): boolean => startMs + sizeMs >= now - graceMs;
    if (isOpen(row.ms)) {
      accepted.push(row);
      const own = accepted.filter(({ key }) => key === row.key);
      for (const startMs of startsOf(
        sizeMs,
        own.map(({ ms }) => ms),
      )) {
        const held = own.filter(({ ms }) => ms >= startMs && ms <= startMs + sizeMs);
        if (!isOpen(startMs)) {
          if (held.includes(row)) latePairs++;
          continue;
        }
        const name = `${row.key} ${startMs}`;
        const before = shown.get(name);
        if (before?.rows.length === held.length) continue;
        const counted = { key: row.key, startMs, rows: held };
        shown.set(name, counted);
        lines.push(`${before === undefined ? '+' : '>'} ${line(sizeMs, counted)}`);
      }
    } else {
      late++;
      latePairs++;
    }
    const closing = [...shown.values()].filter(({ startMs }) => !isOpen(startMs));
    shown = new Map([...shown].filter(([, { startMs }]) => isOpen(startMs)));
    closing.sort((a, b) => a.startMs - b.startMs || (a.key < b.key ? -1 : 1));
    for (const counted of closing) final.push(`+ ${line(sizeMs, counted)}`);
  }
  return { lines, final, late, latePairs };
}

function line(sizeMs: number, { key, startMs, rows }: Counted): string {
  const values = rows.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value / 10, 0);
  const ms = Math.max(...rows.map((row) => row.ms));
  return `${key} | ${startMs} | ${startMs + sizeMs} | ${rows.length} | ${Math.min(...values)} | ${sum} | [${values.join(',')}] | ${values.at(-1) ?? 0} @${ms}`;
}

const batches = (rows: readonly Row[]): ReturnType<typeof batchesOf> =>
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
  const step = aggregateStep(INPUT, calls, { window });
  const make: MakeOperator = (context) => slidingAggregate(step, INPUT, context, registry);
  const counted = (rows: readonly Row[]): OperatorRun => {
    const run = new OperatorRun(make);
    for (const batch of batches(rows)) run.process(batch);
    return run;
  };

  test('after each row every window that is open is what a recount gives, and only what changed is put out', () => {
    const property = fc.property(rowsArbitrary, (rows) => {
      const run = counted(rows);
      const expected = recount(window, rows);
      expect(outputLines(run)).toEqual(expected.lines);
      expect(run.counters.get('late') ?? 0).toBe(expected.late);
      expect(run.counters.get('latePairs') ?? 0).toBe(expected.latePairs);
    });
    fc.assert(property, { numRuns: 150 });
  });

  test('a restart after each row gives the same', () => {
    const property = fc.property(rowsArbitrary, (rows) => {
      const run = new OperatorRun(make);
      for (const batch of rows.flatMap((row) => batches([row]))) run.process(batch).restart(make);
      expect(outputLines(run)).toEqual(recount(window, rows).lines);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('the final results are those of the windows that closed, once each, in the order of closing', () => {
    const property = fc.property(rowsArbitrary, (rows) => {
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
      expect(outputLines(run)).toEqual(recount(window, rows).final);
    });
    fc.assert(property, { numRuns: 80 });
  });
});
