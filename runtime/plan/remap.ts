// Moves expressions to another schema: column positions replaced, everything else kept; knows no steps.

import { existing } from '../base/assert.ts';
import { type Expr, withOperands } from '../expr/expr.ts';

/** Where columns of one schema stand in another, by position. */
export type Layout = ReadonlyMap<number, number>;

/** The position after the move. @throws {InvariantError} for a column that was not carried along */
export function moved(layout: Layout, index: number): number {
  return existing(layout.get(index), 'column');
}

/** The same expression over the other schema. */
export function remapped(of: Expr, layout: Layout): Expr {
  return of.expr === 'column'
    ? { ...of, index: moved(layout, of.index) }
    : withOperands(of, (operand) => remapped(operand, layout));
}
