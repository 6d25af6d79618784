// Analyzes PARTITION BY: the new key, and what the projection means over it; knows no sink.

import { assert } from '../base/assert.ts';
import type { Expression } from '../sql/ast.ts';
import {
  type Body,
  checkedProjection,
  columnOf,
  keyNames,
  type Parts,
  tableCalls,
  writtenKeys,
} from './body.ts';
import { AGGREGATE_RULES } from './parts.ts';
import * as aggregationRules from './rules/aggregation.ts';
import { columnAt } from './scope.ts';
import { typed, type TypingContext } from './typing.ts';
import { sameExpression } from './walk.ts';

/** PARTITION BY: the projection is over the new key columns, then all columns of the row. */
export function repartitioned(
  body: Body,
  partitionBy: readonly Expression[],
): Omit<Parts, 'where'> {
  const { rows, scope } = body;
  const nodes = partitionBy.filter((node) => node.kind !== 'Null');
  for (const node of nodes) refuseAggregate(node, rows);
  const keys = nodes.map((node) => typed(node, { ...rows, clause: 'PARTITION BY' }));
  const tables = tableCalls(body, keys.length + scope.row.columns.length);
  const shifted: TypingContext = {
    ...rows,
    tables,
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
  return {
    partitionBy: { keys, columns },
    tables: tables.calls,
    aggregation: null,
    having: null,
    projected,
  };
}

function refuseAggregate(node: Expression, { registry }: TypingContext): void {
  const aggregate = aggregationRules.findAggregate(node, registry);
  if (aggregate !== null) throw AGGREGATE_RULES.code.aggregateInPartitionBy(aggregate);
}
