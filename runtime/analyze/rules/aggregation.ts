// What an aggregation may not be: aggregates out of place or nested, nothing to group or to aggregate; knows no plan.

import type { Position } from '../../base/errors.ts';
import type { Relation } from '../../catalog/source.ts';
import { WINDOWEND, WINDOWSTART } from '../../data/schema.ts';
import type { FunctionRegistry } from '../../functions/registry.ts';
import type { Call, Expression, Query } from '../../sql/ast.ts';
import { AGGREGATE_RULES } from '../parts.ts';
import { findNode } from '../walk.ts';

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
  if (query.groupBy.length === 0) throw AGGREGATE_RULES.code.emptyGrouping(query.at);
  for (const node of query.groupBy) {
    const aggregate = findAggregate(node, registry);
    if (aggregate !== null) throw AGGREGATE_RULES.code.aggregateInGrouping(aggregate);
    const bound = query.window === null ? null : findNode(node, isWindowBound);
    if (bound !== null) throw AGGREGATE_RULES.code.boundInGrouping(bound);
  }
}

/** True for a column that is called WINDOWSTART or WINDOWEND. */
function isWindowBound(node: Expression): boolean {
  return node.kind === 'Column' && (node.name.text === WINDOWSTART || node.name.text === WINDOWEND);
}

/** Without GROUP BY there is nothing to aggregate over. */
export function refuseAggregateWithoutGrouping(query: Query, registry: FunctionRegistry): void {
  if (query.groupBy !== null) return;
  for (const item of query.items) {
    if (item.kind !== 'Item') continue;
    const aggregate = findAggregate(item.expression, registry);
    if (aggregate !== null) throw AGGREGATE_RULES.code.withoutGrouping(aggregate);
  }
}

/** A grouping without an aggregate says nothing. */
export function refuseGroupingWithoutAggregate(calls: number, at: Position): void {
  if (calls === 0) throw AGGREGATE_RULES.code.groupingWithoutAggregate(at);
}

/** An aggregate within another's arguments. */
export function refuseNested(call: Call, registry: FunctionRegistry): void {
  for (const argument of call.arguments) {
    const inner = findAggregate(argument, registry);
    if (inner !== null) throw AGGREGATE_RULES.code.nested(inner, call);
  }
}

/** Values of the format KAFKA stand for themselves and cannot be grouped, as in ksqlDB. */
export function refuseUngroupableFormat(source: Relation, at: Position): void {
  if (source.valueFormat.format !== 'KAFKA') return;
  throw AGGREGATE_RULES.code.ungroupableFormat(source, at);
}
