// Analyzes PARTITION BY: the rules of the clause, the new key and the projection over it; knows no sink.

import { assert } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import type { Relation } from '../catalog/source.ts';
import type { Expression, Query } from '../sql/ast.ts';
import {
  type Body,
  checkedProjection,
  columnOf,
  keyNames,
  type Parts,
  writtenKeys,
} from './body.ts';
import { findAggregate } from './rules/aggregation.ts';
import { columnAt } from './scope.ts';
import { typed, type TypingContext } from './typing.ts';
import { sameExpression, shortText } from './walk.ts';

/** PARTITION BY gives a stream another key, and nothing else. */
export function refusePartitionBy(query: Query, source: Relation): void {
  const [first] = query.partitionBy ?? [];
  if (query.partitionBy === null) return;
  const at = first?.at ?? query.at;
  if (first === undefined) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY names nothing',
      at,
      'Name at least one expression.',
    );
  }
  if (query.groupBy !== null) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY beside GROUP BY',
      at,
      'GROUP BY gives the key already.',
    );
  }
  if (source.kind === 'table') {
    throw new StatementError(
      'INVALID',
      'PARTITION BY over a table',
      at,
      "A table's key is what its rows are found by.",
    );
  }
  if (source.window !== null) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY over a windowed stream',
      at,
      'Its key holds the window.',
    );
  }
  const none = query.partitionBy.find((node) => node.kind === 'Null');
  if (none !== undefined && query.partitionBy.length > 1) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY several expressions with a NULL among them',
      none.at,
      'PARTITION BY NULL takes the key away and stands alone.',
    );
  }
}

/** PARTITION BY: the projection is over the new key columns, then all columns of the row. */
export function repartitioned(
  body: Body,
  partitionBy: readonly Expression[],
): Omit<Parts, 'where'> {
  const { rows, scope } = body;
  const nodes = partitionBy.filter((node) => node.kind !== 'Null');
  for (const node of nodes) refuseAggregate(node, rows);
  const keys = nodes.map((node) => typed(node, { ...rows, clause: 'PARTITION BY' }));
  const shifted: TypingContext = {
    ...rows,
    meaning: (node) => {
      if (node.kind !== 'Column') return null;
      const index = columnAt(scope, node);
      return { ...columnOf(scope.row, index), index: keys.length + index };
    },
  };
  const projected = checkedProjection(body, writtenKeys(nodes, 'partitioning expression'), {
    scope,
    keyOf: (node) => nodes.findIndex((candidate) => sameExpression(candidate, node)),
    keyColumn: (key) => {
      const expression = keys[key];
      assert(expression !== undefined, 'a key column is one of PARTITION BY');
      return { expr: 'column', index: key, type: expression.type };
    },
    value: (node) => typed(node, shifted),
    windowColumns: null,
    persistent: body.persistent,
    partitionBy,
  });
  const names = keyNames(nodes, projected, scope);
  const columns = keys.map((key, index) => ({
    name: names[index] ?? `KSQL_COL_${index}`,
    type: key.type,
    role: 'key' as const,
  }));
  return { partitionBy: { keys, columns }, aggregation: null, having: null, projected };
}

function refuseAggregate(node: Expression, { registry }: TypingContext): void {
  const aggregate = findAggregate(node, registry);
  if (aggregate === null) return;
  throw new StatementError(
    'INVALID',
    `the aggregate ${shortText(aggregate)} cannot stand in PARTITION BY`,
    aggregate.at,
    'A row has no aggregate: aggregate first, in a query of its own.',
  );
}
