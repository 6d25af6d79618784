// Queries of a table, projected or grouped, beside what they give: a plain reading of all records in order, which keeps the table and no group; knows no engine.

import fc from 'fast-check';
import { aggregates, judgement } from './reference-aggregates.ts';
import {
  anything,
  comparisonOperators,
  expressions,
  type Scalar,
} from './reference-expressions.ts';
import { column, type Grouping, groupingSql, keyOf } from './reference-groupings.ts';
import {
  cellsOf,
  clause,
  type From,
  type Given,
  listOf,
  type Made,
  passing,
  type Query,
  type Row,
} from './reference-rows.ts';

/** Those that take rows back as well. */
const UNDOABLE = ['COUNT', 'SUM', 'AVG'];

/** The table by itself; a row that is empty is the end of its key's. */
export const TABLE: From = {
  sql: 'p',
  key: 'k',
  equal: ['k'],
  columns: { of: { INT: ['w'], BIGINT: [], STRING: ['k', 'u'], BOOLEAN: [] } },
  rows: (given) =>
    given.flatMap(({ topic, key, value, timestamp }, at) =>
      topic === 'p'
        ? [{ key, fields: { k: key, ...value }, ms: timestamp, at, isEmpty: value === null }]
        : [],
    ),
};

/** A table grouped: each record takes its key's row out of the group that it was in, and adds the new one to its own. */
export function regroupings(from: From): fc.Arbitrary<Query> {
  const { columns, key } = from;
  const texts = columns.of.STRING.filter((name) => name !== key);
  return fc
    .record({
      by: fc.constantFrom(key, ...texts, ...texts).map((name) => [column(name)]),
      where: fc.option(expressions('BOOLEAN', columns, 2), { freq: 1 }),
      calls: fc.array(aggregates(columns, UNDOABLE), { minLength: 1, maxLength: 3 }),
      having: fc.option(
        fc.tuple(
          aggregates(columns, UNDOABLE),
          comparisonOperators,
          fc.integer({ min: 0, max: 3 }),
        ),
        { freq: 1 },
      ),
    })
    .map(({ having, ...rest }) => {
      const judged = having === null ? null : judgement(...having);
      const grouping = { ...rest, from, window: null, having: judged, isFinal: false };
      return { sql: groupingSql(grouping), run: (given) => regrouped(grouping, given) };
    });
}

/** A table projected: what a condition no longer lets through ends where it stood. */
export function selections(from: From): fc.Arbitrary<Query> {
  const item = anything(from.columns, 3).filter(
    ({ sql }) => sql !== from.key && !from.equal.includes(sql),
  );
  return fc
    .record({
      items: fc.array(item, { minLength: 1, maxLength: 3 }),
      where: fc.option(expressions('BOOLEAN', from.columns, 2), { freq: 1 }),
    })
    .map(({ items, where }) => ({
      sql: `CREATE TABLE t AS SELECT ${from.key} AS g, ${listOf(items)} FROM ${from.sql}${clause('WHERE', where)};`,
      run(given) {
        const shown = new Set<Scalar>();
        return from.rows(given).flatMap((row) => {
          const isShown = !row.isEmpty && passing([row], where).length > 0;
          const isTold = isShown || where === null || shown.has(row.key);
          if (isShown) shown.add(row.key);
          else shown.delete(row.key);
          const value = isShown ? cellsOf(items, row) : null;
          return isTold ? [{ topic: 'T' as const, key: row.key, value, timestamp: row.ms }] : [];
        });
      },
    }));
}

function regrouped(grouping: Grouping, given: readonly Given[]): readonly Made[] {
  const { by, where, calls, having } = grouping;
  const made: Made[] = [];
  const table = new Map<Scalar, Row>();
  /** Of all rows that have come to a group or left it. */
  const times = new Map<Made['key'], number>();
  const shown = new Set<Made['key']>();
  const groupOf = (row: Row | undefined): Made['key'] =>
    row === undefined ? null : keyOf(by, row);
  const show = (name: Made['key'], ms: number): void => {
    const timestamp = Math.max(ms, times.get(name) ?? 0);
    times.set(name, timestamp);
    const rows = [...table.values()].filter((row) => groupOf(row) === name);
    const isShown = having === null || having.holds(rows);
    if (!isShown && !shown.delete(name)) return;
    if (isShown) shown.add(name);
    const value = Object.fromEntries(calls.map((call, index) => [`C${index}`, call.of(rows)]));
    made.push({ topic: 'T', key: name, value: isShown ? value : null, timestamp });
  };
  for (const row of grouping.from.rows(given)) {
    const { key, ms } = row;
    const before = groupOf(table.get(key));
    table.delete(key);
    const stands = !row.isEmpty && passing([row], where).length > 0;
    const after = stands ? groupOf(row) : null;
    if (before !== null && before !== after) show(before, ms);
    if (stands) table.set(key, row);
    if (after !== null) show(after, ms);
  }
  return made;
}
