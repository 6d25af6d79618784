// The logical plan: what is done to rows, in order, over whole rows; knows no steps, no topics between tasks and no paths.

import type {
  Aggregation,
  From,
  Projection,
  QueryAnalysis,
  Repartitioning,
} from '../analyze/analysis.ts';
import type { Source } from '../catalog/source.ts';
import type { Expr } from '../expr/expr.ts';

/**
 * A node of the logical plan. Its input's columns are named by position, all of them: which are needed is found out by
 * the planner.
 */
export type LogicalNode =
  | { readonly node: 'from'; readonly input: From }
  | {
      readonly node: 'filter';
      readonly input: LogicalNode;
      readonly predicate: Expr;
      /** A row of a table that no longer passes leaves a tombstone. */
      readonly over: 'stream' | 'table';
    }
  | { readonly node: 'repartition'; readonly input: LogicalNode; readonly by: Repartitioning }
  | { readonly node: 'aggregate'; readonly input: LogicalNode; readonly aggregation: Aggregation }
  | { readonly node: 'project'; readonly input: LogicalNode; readonly projection: Projection }
  | { readonly node: 'sink'; readonly input: LogicalNode; readonly sink: Source }
  | {
      readonly node: 'client';
      readonly input: LogicalNode;
      readonly order: readonly number[];
      readonly limit: number | null;
    };

/** The logical plan of a query. */
export function logicalPlan(analysis: QueryAnalysis): LogicalNode {
  const { input, source, where, partitionBy, aggregation, having, projection, sink } = analysis;
  let node: LogicalNode = { node: 'from', input };
  if (where !== null) node = { node: 'filter', input: node, predicate: where, over: source.kind };
  if (partitionBy !== null) node = { node: 'repartition', input: node, by: partitionBy };
  if (aggregation !== null) node = { node: 'aggregate', input: node, aggregation };
  if (having !== null) node = { node: 'filter', input: node, predicate: having, over: 'table' };
  node = { node: 'project', input: node, projection };
  if (sink !== null) return { node: 'sink', input: node, sink };
  return { node: 'client', input: node, order: projection.order, limit: analysis.limit };
}
