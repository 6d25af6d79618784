// Queries that group a table beside what they give: a plain reading of all records in order, which keeps the table and no group; knows no engine.

import fc from 'fast-check';
import { aggregates, judgement } from './reference-aggregates.ts';
import { comparisonOperators, expressions } from './reference-expressions.ts';
import { column, type Grouping, groupingSql, keyOf } from './reference-groupings.ts';
import {
  type From,
  type Given,
  type Made,
  passing,
  type Query,
  type Row,
} from './reference-rows.ts';

/** Those that take rows back as well. */
const UNDOABLE = ['COUNT', 'SUM', 'AVG'];

/** The table by itself. */
const TABLE: From = {
  sql: 'p',
  key: 'k',
  columns: { of: { INT: ['w'], BIGINT: [], STRING: ['k', 'u'], BOOLEAN: [] } },
  rows: () => [],
};

/** A table grouped: each record takes its key's row out of the group that it was in, and adds the new one to its own. */
export const regroupings: fc.Arbitrary<Query> = fc
  .record({
    by: fc.constantFrom('k', 'u', 'u').map((name) => [column(name)]),
    where: fc.option(expressions('BOOLEAN', TABLE.columns, 2), { freq: 1 }),
    calls: fc.array(aggregates(TABLE.columns, UNDOABLE), { minLength: 1, maxLength: 3 }),
    having: fc.option(
      fc.tuple(
        aggregates(TABLE.columns, UNDOABLE),
        comparisonOperators,
        fc.integer({ min: 0, max: 3 }),
      ),
      { freq: 1 },
    ),
  })
  .map(({ having, ...rest }) => {
    const judged = having === null ? null : judgement(...having);
    const grouping = { ...rest, from: TABLE, window: null, having: judged, isFinal: false };
    return { sql: groupingSql(grouping), run: (given) => regrouped(grouping, given) };
  });

function regrouped(grouping: Grouping, given: readonly Given[]): readonly Made[] {
  const { by, where, calls, having } = grouping;
  const made: Made[] = [];
  const table = new Map<string | null, Row>();
  /** Of all rows that have come to a group or left it. */
  const times = new Map<string, number>();
  const shown = new Set<string>();
  const groupOf = (row: Row | undefined): string | null => {
    const own = row === undefined ? null : keyOf(by, row);
    return typeof own === 'string' ? own : null;
  };
  const show = (name: string, ms: number): void => {
    const timestamp = Math.max(ms, times.get(name) ?? 0);
    times.set(name, timestamp);
    const rows = [...table.values()].filter((row) => groupOf(row) === name);
    const isShown = having === null || having.holds(rows);
    if (!isShown && !shown.delete(name)) return;
    if (isShown) shown.add(name);
    const value = Object.fromEntries(calls.map((call, index) => [`C${index}`, call.of(rows)]));
    made.push({ topic: 'T', key: name, value: isShown ? value : null, timestamp });
  };
  for (const [at, { topic, key: own, value, timestamp: ms }] of given.entries()) {
    if (topic !== 'p') continue;
    const before = groupOf(table.get(own));
    const row = { key: own, fields: { k: own, ...value }, ms, at, isEmpty: false };
    table.delete(own);
    const after = value === null || passing([row], where).length === 0 ? null : groupOf(row);
    if (before !== null && before !== after) show(before, ms);
    if (value !== null && passing([row], where).length > 0) table.set(own, row);
    if (after !== null) show(after, ms);
  }
  return made;
}
