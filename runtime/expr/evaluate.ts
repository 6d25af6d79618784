// Compiles expressions to functions over batches: columns here, all else in compile.ts, which is fetched on first use. Knows no operator.

import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Expr } from './expr.ts';
import { EXPRESSIONS } from './parts.ts';
import type { RowContext, ScalarFunctions } from './rows.ts';

/** What evaluating asks and tells, for one batch. */
export interface Evaluation {
  /** What evaluating the row at that position asks and tells; a random number depends on the row, not on the batch. */
  at(position: number): RowContext;
  /** The expression failed on the row at that position: its value is null. */
  failed(position: number, reason: string): void;
}

/**
 * Computes a column whose rows stand at the positions of the batch's arrays; only the positions that count are computed
 * for sure. Null where the expression failed on the row, after `failed` was told.
 */
export type ColumnFunction = (batch: Batch, evaluation: Evaluation) => Column;

/** Positions of the rows for which a predicate is true, ascending: neither false, nor null, nor failed. */
export type Predicate = (batch: Batch, evaluation: Evaluation) => Uint32Array;

/**
 * Compiles an expression; once per step.
 * @throws {StatementError} UNKNOWN_FUNCTION, TYPE_MISMATCH or UNSUPPORTED when the plan asks for what is not there
 */
export function compile(expr: Expr, functions: ScalarFunctions): ColumnFunction {
  if (expr.expr !== 'column') return EXPRESSIONS.code.compileAny(expr, functions);
  const { index } = expr;
  return (batch) => batch.columns[index] as Column;
}

/** As `compile`, for an expression of type BOOLEAN that chooses rows. */
export function compilePredicate(expr: Expr, functions: ScalarFunctions): Predicate {
  return EXPRESSIONS.code.compilePredicate(expr, functions);
}
