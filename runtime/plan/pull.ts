// Plans a pull query over a table: which state table of which query answers, by keys, ranges or a look through all; knows no store.

import { StatementError } from '../base/errors.ts';
import type { KeySpan, Ordering, Projection, PullAnalysis } from '../analyze/analysis.ts';
import type { Source } from '../catalog/source.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import { type MaterializedTable, type Plan, type Step } from './step.ts';
import { stepById } from './steps.ts';

/**
 * How a pull query is answered:
 * find the rows of `table` in `spans`, put them through `steps` to the columns of the source, keep those that pass `filter`,
 * compute the projection, sort by `order` and then by key, stop at `limit`.
 */
export interface PullPlan {
  readonly source: Source;
  /** The id of the query whose state is asked. */
  readonly query: string;
  readonly table: MaterializedTable;
  /** The columns of the table's key as they are in the bytes that decide on a row's partition. */
  readonly placedBy: readonly SchemaColumn[];
  /** The steps from the state to the source's columns: project and tableFilter, in order. */
  readonly steps: readonly Step[];
  /** `lookup`: only single keys are looked for; `range`: neighbouring ones; `scan`: all rows are looked through. */
  readonly access: 'lookup' | 'range' | 'scan';
  /** Where to look; empty where no key can answer. */
  readonly spans: readonly KeySpan[];
  /** The columns of the source, then ROWTIME, ROWPARTITION and ROWOFFSET: what `filter` and the projection are over. */
  readonly row: Schema;
  readonly filter: Expr | null;
  readonly projection: Projection;
  readonly order: readonly Ordering[];
  readonly limit: number | null;
}

/**
 * The plan of a pull query.
 * @param plan the plan of the persistent query that writes the source
 * @throws {StatementError} INVALID when that query keeps no state
 */
export function planPull(analysis: PullAnalysis, plan: Plan): PullPlan {
  const { source, spans, row, filter, projection, order, limit } = analysis;
  const table = plan.tables?.[source.name] ?? plan.materialized;
  if (table === null) {
    throw new StatementError(
      'INVALID',
      `${source.name} is not materialized: its query keeps no rows`,
      null,
      'Add EMIT CHANGES for a push query.',
    );
  }
  return {
    source,
    query: plan.query,
    table,
    placedBy: placingKey(plan, table),
    steps: table.after.flatMap((id) => stepById(plan, id) ?? []),
    access: accessOf(spans),
    spans,
    row,
    filter,
    projection,
    order,
    limit,
  };
}

/**
 * Rows that were not repartitioned lie where their topic has them: by its key, whose columns may have other names there, and a key of several
 * columns in JSON has their names in its bytes.
 */
function placingKey({ subtopologies }: Plan, table: MaterializedTable): readonly SchemaColumn[] {
  const own = keyOf(table.schema);
  for (const step of subtopologies[table.subtopology]?.steps ?? []) {
    if (step.step !== 'source') continue;
    const key = keyOf(step.sourceSchema);
    if (key.length === own.length) return key;
  }
  return own;
}

function keyOf({ columns }: Schema): readonly SchemaColumn[] {
  return columns.filter(({ role }) => role === 'key');
}

function accessOf(spans: readonly KeySpan[]): PullPlan['access'] {
  if (spans.every(({ key }) => key !== null)) return 'lookup';
  const isAll = spans.some(({ range }) => range.from === null && range.to === null);
  return isAll ? 'scan' : 'range';
}

/** All expressions that answering computes. */
export function expressionsOf({ projection, filter, order }: PullPlan): readonly Expr[] {
  return [
    ...projection.expressions,
    ...(filter === null ? [] : [filter]),
    ...order.map(({ expr }) => expr),
  ];
}
