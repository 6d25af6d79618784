// Hopping windows, sessions and final results against a recount that keeps every row and knows no state.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import type { Operator, OperatorContext } from '../../../runtime/operators/operator.ts';
import { sessionAggregate } from '../../../runtime/operators/session-aggregate.ts';
import { suppress } from '../../../runtime/operators/suppress.ts';
import type { WindowSpec } from '../../../runtime/plan/step.ts';
import { batchesOf, outputLines } from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  registry,
  sessionOf,
  windowOf,
} from '../../support/operator-inputs.ts';

const INPUT = prettySchema('K:STRING key | V:BIGINT @rowtime');
const calls = [callOf('COUNT', INPUT), callOf('SUM', INPUT, 1)];

interface Row {
  readonly key: string;
  readonly value: number;
  readonly ms: number;
}

const rowsArbitrary = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      value: fc.integer({ min: -5, max: 5 }),
      step: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 4 }) },
        fc.integer({ min: -25, max: 25 }),
      ),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map((steps): readonly Row[] => {
    let ms = 30;
    return steps.map(({ key, value, step }) => {
      ms = Math.max(0, ms + step);
      return { key, value, ms };
    });
  });

/** A window of a key with all its rows. */
interface Counted {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly rows: readonly Row[];
}

/** What a recount gives: the windows at the end, those that closed in the order of closing, and the late ones. */
interface Recount {
  readonly windows: readonly Counted[];
  readonly final: readonly Counted[];
  readonly late: number;
  readonly latePairs: number;
}

function closed(window: WindowSpec, endMs: number, now: number): boolean {
  return window.type === 'SESSION'
    ? endMs + window.sizeMs + window.graceMs < now
    : endMs + window.graceMs <= now;
}

function inOrder(a: Counted, b: Counted): number {
  return a.endMs - b.endMs || a.startMs - b.startMs || (a.key < b.key ? -1 : 1);
}

function recount(window: WindowSpec, rows: readonly Row[]): Recount {
  let windows: readonly Counted[] = [];
  const final: Counted[] = [];
  const done = new Set<string>();
  const name = ({ key, startMs, endMs }: Counted): string => `${key} ${startMs} ${endMs}`;
  let now = -Infinity;
  let late = 0;
  let latePairs = 0;
  for (const row of rows) {
    now = Math.max(now, row.ms);
    const made =
      window.type === 'SESSION' ? joined(window, windows, row, now) : hopped(window, windows, row);
    const open = made.filter(({ endMs }) => !closed(window, endMs, now));
    latePairs += made.length - open.length;
    if (open.length === 0) late++;
    // A session whose retention is over is not retracted by one that comes to lie around it: nobody knows of it any more.
    const isKnown = ({ endMs }: Counted): boolean =>
      window.type !== 'SESSION' || endMs >= now - window.retentionMs;
    const replaced = (old: Counted): boolean =>
      open.some(
        (one) =>
          name(one) === name(old) ||
          (one.key === old.key &&
            one.startMs <= old.startMs &&
            one.endMs >= old.endMs &&
            isKnown(old)),
      );
    windows = [...windows.filter((old) => !replaced(old)), ...open];
    const closing = windows.filter((one) => closed(window, one.endMs, now) && !done.has(name(one)));
    for (const one of closing.toSorted(inOrder)) {
      done.add(name(one));
      final.push(one);
    }
  }
  return { windows, final, late, latePairs };
}

/** Every window that holds the row, with the row; a start at each multiple of the advance. */
function hopped(window: WindowSpec, windows: readonly Counted[], row: Row): Counted[] {
  const made: Counted[] = [];
  for (let startMs = 0; startMs <= row.ms; startMs += window.advanceMs) {
    const endMs = startMs + window.sizeMs;
    if (endMs <= row.ms) continue;
    const known = windows.find((one) => one.key === row.key && one.startMs === startMs);
    made.push({ key: row.key, startMs, endMs, rows: [...(known?.rows ?? []), row] });
  }
  return made;
}

/** The session of the row: all rows of the key that are reached over gaps, and whose retention is not over. */
function joined(
  { sizeMs, retentionMs }: WindowSpec,
  windows: readonly Counted[],
  row: Row,
  now: number,
): Counted[] {
  const near = windows.filter(
    ({ key, startMs, endMs }) =>
      key === row.key &&
      startMs <= row.ms + sizeMs &&
      endMs >= row.ms - sizeMs &&
      endMs >= now - retentionMs,
  );
  const rows = [...near.flatMap((one) => one.rows), row];
  const times = rows.map(({ ms }) => ms);
  return [{ key: row.key, startMs: Math.min(...times), endMs: Math.max(...times), rows }];
}

function line({ key, startMs, endMs, rows }: Counted): string {
  const sum = rows.reduce((total, { value }) => total + value, 0);
  const ms = Math.max(...rows.map((row) => row.ms));
  return `${key} | ${startMs} | ${endMs} | ${rows.length} | ${sum} @${ms}`;
}

/** The rows that stand at the end of a changelog. */
function standing(lines: readonly string[]): string[] {
  const table = new Map<string, string>();
  for (const one of lines) {
    const text = one.slice(2);
    const key = text.split(' | ').slice(0, 3).join(' | ').replace(/ @.*/, '');
    if (one.startsWith('-')) table.delete(key);
    else table.set(key, text);
  }
  return [...table.values()].sort();
}

const WINDOWS = [
  windowOf(10, 5, 3),
  windowOf(12, 0, 4),
  windowOf(7, 9),
  sessionOf(4, 8),
  sessionOf(3, 0),
  sessionOf(3, 4, 1000),
] as const;

/** Of `c`, a session of 30 is over before one from 30 to 34 is made of rows that come later. */
const OVER_RETENTION: readonly Row[] = [
  ['c', 30],
  ['a', 42],
  ['a', 43],
  ['c', 34],
  ['c', 30],
].map(([key, ms]) => ({ key: String(key), value: 1, ms: Number(ms) }));

describe.each(WINDOWS)(
  '$type windows of $sizeMs ms, grace $graceMs ms, retention $retentionMs ms',
  (window) => {
    const step = aggregateStep(INPUT, calls, { window });
    const make = window.type === 'SESSION' ? sessionAggregate : aggregate;
    const counted = (rows: readonly Row[]): OperatorRun => {
      const run = new OperatorRun((context) => make(step, INPUT, context, registry));
      const input = rows.map(({ key, value, ms }) => ({
        values: [key, BigInt(value)],
        rowtime: ms,
      }));
      for (const batch of batchesOf(INPUT, input)) run.process(batch);
      return run;
    };

    test('what stands at the end, and what was late, is what a recount gives', () => {
      const property = fc.property(rowsArbitrary, (rows) => {
        const run = counted(rows);
        const expected = recount(window, rows);
        expect(standing(outputLines(run))).toEqual(expected.windows.map(line).sort());
        expect(run.counters.get('late') ?? 0).toBe(expected.late);
        expect(run.counters.get('latePairs') ?? 0).toBe(expected.latePairs);
      });
      fc.assert(property, {
        numRuns: 200,
        examples: [[OVER_RETENTION]],
      });
    });

    test('the final results are those of the windows that closed, once each, in the order of closing, wherever commits fall', () => {
      const after = fc.infiniteStream(fc.constantFrom('nothing', 'a commit', 'a restart'));
      const property = fc.property(rowsArbitrary, after, (rows, after) => {
        const { schema } = step;
        const make = (context: OperatorContext): Operator =>
          suppress(
            { step: 'suppress', id: '4', input: '3', schema, window },
            schema,
            context,
            registry,
          );
        const run = new OperatorRun(make);
        for (const batch of counted(rows).emitted) {
          run.process(batch);
          const { value } = after.next();
          if (value === 'a commit') run.commit();
          if (value === 'a restart') run.restart(make);
        }
        const expected = recount(window, rows).final.map((one) => `+ ${line(one)}`);
        expect(outputLines(run)).toEqual(expected);
      });
      fc.assert(property, { numRuns: 300 });
    });
  },
);
