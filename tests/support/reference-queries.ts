// Queries of streams beside what they give: SQL text, and a plain reading of all records in order, which keeps every row and knows no state; knows no engine.

import fc from 'fast-check';
import { anything, expressions, type Node } from './reference-expressions.ts';
import { column, groupings } from './reference-groupings.ts';
import {
  ALONE,
  cellsOf,
  clause,
  type From,
  joined,
  listOf,
  passing,
  type Query,
  type Row,
  valueOf,
} from './reference-rows.ts';

/** A new key; a row without a value is keyed by what its old key alone gives. */
function newKeys(from: From): fc.Arbitrary<Node> {
  const columns = fc.constantFrom(column('t'), { ...column('i'), kind: 'INT' as const });
  return fc.oneof(columns, expressions('STRING', from.columns, 1));
}

function keyBy(by: Node, from: From, { fields, isEmpty }: Row): ReturnType<typeof valueOf> {
  const readsMore = Object.values(from.columns.of)
    .flat()
    .some((name) => name !== from.key && new RegExp(`\\b${name}\\b`).test(by.sql));
  return isEmpty && readsMore ? null : valueOf(by, fields);
}

export function projections(from: From): fc.Arbitrary<Query> {
  return fc.option(newKeys(from), { freq: 1 }).chain((by) => {
    const key = by?.sql ?? from.key;
    // The key column is selected once, as the key.
    const item = anything(from.columns, 3).filter(
      ({ sql }) => sql !== key && sql !== from.key && !from.equal.includes(sql),
    );
    const items = fc.array(item, { minLength: 1, maxLength: 3 });
    const where = fc.option(expressions('BOOLEAN', from.columns, 2), { freq: 1 });
    return fc.tuple(items, where).map(([selected, condition]) => {
      const partition = by === null ? '' : ` PARTITION BY ${key}`;
      return {
        sql: `CREATE STREAM t AS SELECT ${key} AS g, ${listOf(selected)} FROM ${from.sql}${clause('WHERE', condition)}${partition};`,
        run: (given) =>
          passing(from.rows(given), condition).map((row) => ({
            topic: 'T',
            key: by === null ? row.key : keyBy(by, from, row),
            value: row.isEmpty ? null : cellsOf(selected, row),
            timestamp: row.ms,
          })),
      };
    });
  });
}

/** Queries of every shape over the stream, alone or joined. */
export const queries: fc.Arbitrary<Query> = fc.oneof(
  ...[ALONE, ALONE, joined(false), joined(true)].flatMap((from) => [
    projections(from),
    groupings(from),
    groupings(from),
  ]),
);
