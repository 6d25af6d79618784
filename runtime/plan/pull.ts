// Plans a pull query: which state table of which query answers, by key or by a look through all; knows no store.

import { StatementError } from '../base/errors.ts';
import type { Projection, PullAnalysis, Range } from '../analyze/analysis.ts';
import type { Source } from '../catalog/source.ts';
import type { Schema } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import { type MaterializedTable, type Plan, type Step, stepById } from './step.ts';

/**
 * How a pull query is answered:
 * find the rows of `table` by `keys` and window, put them through `steps` to the columns of the source, keep those that
 * pass `filter`, compute the projection, stop at `limit`.
 */
export interface PullPlan {
  readonly source: Source;
  /** The id of the query whose state is asked. */
  readonly query: string;
  readonly table: MaterializedTable;
  /** The steps from the state to the source's columns: project and tableFilter, in order. */
  readonly steps: readonly Step[];
  /** `lookup`: only the rows of `keys`; `scan`: all rows are looked through. */
  readonly access: 'lookup' | 'scan';
  /** One value per key column in each; empty with `scan`, or where no key can answer. */
  readonly keys: readonly (readonly Value[])[];
  readonly windowStart: Range;
  readonly windowEnd: Range;
  /** The columns of the source, then ROWTIME, ROWPARTITION and ROWOFFSET: what `filter` and the projection are over. */
  readonly row: Schema;
  readonly filter: Expr | null;
  readonly projection: Projection;
  readonly limit: number | null;
}

/**
 * The plan of a pull query.
 * @param plan the plan of the persistent query that writes the source
 * @throws {StatementError} INVALID when that query keeps no state
 */
export function planPull(analysis: PullAnalysis, plan: Plan): PullPlan {
  const { source, keys } = analysis;
  const table = plan.materialized;
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
    steps: table.after.flatMap((id) => stepById(plan, id) ?? []),
    access: keys === null ? 'scan' : 'lookup',
    keys: keys ?? [],
    windowStart: analysis.windowStart,
    windowEnd: analysis.windowEnd,
    row: analysis.row,
    filter: analysis.filter,
    projection: analysis.projection,
    limit: analysis.limit,
  };
}
