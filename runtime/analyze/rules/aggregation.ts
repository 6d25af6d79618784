// What an aggregation may not be: aggregates out of place or nested, ungrouped columns, functions without undo; knows no plan.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Relation } from '../../catalog/source.ts';
import { WINDOWEND, WINDOWSTART } from '../../data/schema.ts';
import type { FunctionRegistry } from '../../functions/registry.ts';
import type { Call, Expression, Query } from '../../sql/ast.ts';
import { findNode, shortText } from '../walk.ts';

/** True when the call's function is an aggregate. */
export function isAggregate(node: Expression, registry: FunctionRegistry): node is Call {
  if (node.kind !== 'Call') return false;
  const name = node.name.text.toUpperCase();
  return (
    registry.has(name) && registry.overloads(name).some((overload) => overload.kind === 'aggregate')
  );
}

/** The first aggregate call within the expression, or null. */
export function findAggregate(node: Expression, registry: FunctionRegistry): Expression | null {
  return findNode(node, (candidate) => isAggregate(candidate, registry));
}

/** Grouping expressions are of rows: no aggregate and no window bound stands in them, and there is one at least. */
export function refuseGrouping(query: Query, registry: FunctionRegistry): void {
  if (query.groupBy === null) return;
  if (query.groupBy.length === 0) {
    throw new StatementError(
      'INVALID',
      'GROUP BY names nothing',
      query.at,
      'Name at least one expression.',
    );
  }
  for (const node of query.groupBy) {
    const aggregate = findAggregate(node, registry);
    if (aggregate !== null) {
      throw new StatementError(
        'INVALID',
        `the aggregate ${shortText(aggregate)} cannot stand in GROUP BY`,
        aggregate.at,
        'Group by columns, and put the aggregate into the SELECT.',
      );
    }
    const bound = query.window === null ? null : findNode(node, isWindowBound);
    if (bound !== null) {
      throw new StatementError(
        'INVALID',
        `${shortText(bound)} cannot stand in GROUP BY`,
        bound.at,
        'A windowed aggregation has its window in the key already: window bounds stand in the SELECT only.',
      );
    }
  }
}

/** True for a column that is called WINDOWSTART or WINDOWEND. */
export function isWindowBound(node: Expression): boolean {
  return node.kind === 'Column' && (node.name.text === WINDOWSTART || node.name.text === WINDOWEND);
}

/** Without GROUP BY there is nothing to aggregate over. */
export function refuseAggregateWithoutGrouping(query: Query, registry: FunctionRegistry): void {
  if (query.groupBy !== null) return;
  for (const item of query.items) {
    if (item.kind !== 'Item') continue;
    const aggregate = findAggregate(item.expression, registry);
    if (aggregate === null) continue;
    throw new StatementError(
      'INVALID',
      `the aggregate ${shortText(aggregate)} stands in a query without GROUP BY`,
      aggregate.at,
      'Add GROUP BY; a grouping over all rows is GROUP BY with a constant, such as 1.',
    );
  }
}

/** A grouping without an aggregate says nothing. */
export function refuseGroupingWithoutAggregate(calls: number, at: Position): void {
  if (calls > 0) return;
  throw new StatementError(
    'INVALID',
    'GROUP BY without an aggregate',
    at,
    'Put an aggregate, such as COUNT(*), into the SELECT or HAVING.',
  );
}

/** A column that is neither grouped by nor aggregated has no one value in a group. */
export function ungrouped(node: Expression, clause: string): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(node)} in ${clause} is neither grouped by nor aggregated`,
    node.at,
    'Add it to GROUP BY, or put it into an aggregate.',
  );
}

/** An aggregate within another's arguments. */
export function refuseNested(call: Call, registry: FunctionRegistry): void {
  for (const argument of call.arguments) {
    const inner = findAggregate(argument, registry);
    if (inner === null) continue;
    throw new StatementError(
      'INVALID',
      `the aggregate ${shortText(inner)} stands within ${shortText(call)}`,
      inner.at,
      'Aggregates cannot be nested: compute the inner one in a query of its own.',
    );
  }
}

/** Over a table an old row is taken back before the new one counts. */
export function refuseWithoutUndo(call: Call, source: Relation): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(call)} cannot be computed over the table ${source.name}`,
    call.at,
    'It cannot take an old row back: use it over a stream.',
  );
}

/** Values of the format KAFKA stand for themselves and cannot be grouped, as in ksqlDB. */
export function refuseUngroupableFormat(source: Relation, at: Position): void {
  if (source.valueFormat.format !== 'KAFKA') return;
  throw new StatementError(
    'INVALID',
    `GROUP BY over ${source.name}, whose value format is KAFKA`,
    at,
    "Copy it first: CREATE STREAM ... WITH (VALUE_FORMAT='JSON') AS SELECT * FROM it.",
  );
}
