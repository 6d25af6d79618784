// The logical plan: what is done to rows, in order, over whole rows; knows no steps, no topics between tasks and no paths.

import type {
  Aggregation,
  From,
  Projection,
  QueryAnalysis,
  Repartitioning,
  TableCall,
} from '../analyze/analysis.ts';
import type { Source } from '../catalog/source.ts';
import type { Expr } from '../expr/expr.ts';
import type { CacheStep, ClientStep, CoalesceStep, Step, SuppressStep } from './step.ts';

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
  /** Behind the input's columns stands one for each call. `width` counts the input's. */
  | {
      readonly node: 'flatMap';
      readonly input: LogicalNode;
      readonly width: number;
      readonly calls: readonly TableCall[];
    }
  | { readonly node: 'aggregate'; readonly input: LogicalNode; readonly aggregation: Aggregation }
  | { readonly node: 'project'; readonly input: LogicalNode; readonly projection: Projection }
  | { readonly node: 'sink'; readonly input: LogicalNode; readonly sink: Source }
  | { readonly node: 'stage'; readonly input: LogicalNode; readonly step: Stage };

/** A step that needs nothing but the rows that come to it, whose columns it leaves as they are. */
export type Stage = StageOf<SuppressStep | CoalesceStep | CacheStep | ClientStep>;
type StageOf<S extends Step> = S extends Step ? Omit<S, 'id' | 'input' | 'schema'> : never;

/** The logical plan of a query. */
export function logicalPlan(analysis: QueryAnalysis): LogicalNode {
  const { input, source, where, partitionBy, tables, aggregation, having, emission } = analysis;
  const { projection, sink } = analysis;
  let node: LogicalNode = { node: 'from', input };
  if (where !== null) node = { node: 'filter', input: node, predicate: where, over: source.kind };
  if (partitionBy !== null) node = { node: 'repartition', input: node, by: partitionBy };
  if (tables !== undefined && tables.length > 0) {
    const width = analysis.row.columns.length + (partitionBy?.keys.length ?? 0);
    node = { node: 'flatMap', input: node, width, calls: tables };
  }
  if (aggregation !== null) node = { node: 'aggregate', input: node, aggregation };
  const cache = emission?.cache ?? null;
  if (cache !== null) node = { node: 'stage', input: node, step: { step: 'cache', ...cache } };
  const window = aggregation?.window ?? null;
  const isFinal = emission?.final === true && window !== null;
  if (isFinal) node = { node: 'stage', input: node, step: { step: 'suppress', window } };
  if (having !== null) {
    // A final row is the only one of its key: none before it is to be taken back.
    const over = isFinal ? 'stream' : 'table';
    node = { node: 'filter', input: node, predicate: having, over };
  }
  const everyMs = emission?.everyMs ?? null;
  if (everyMs !== null) node = { node: 'stage', input: node, step: { step: 'coalesce', everyMs } };
  node = { node: 'project', input: node, projection };
  if (sink !== null) return { node: 'sink', input: node, sink };
  const { order } = projection;
  return { node: 'stage', input: node, step: { step: 'client', order, limit: analysis.limit } };
}
