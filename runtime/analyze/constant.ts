// The value of an expression that reads no column, known before any row is; knows no statement.

import { RecordError, StatementError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Value } from '../data/type.ts';
import { columnsRead, type Expr, operands } from '../expr/expr.ts';
import { EXPRESSIONS } from '../expr/parts.ts';
import type { CallContext, FunctionRegistry } from '../functions/registry.ts';

/** No row: constants read no column. */
const NOTHING: Batch = {
  schema: { columns: [] },
  length: 1,
  selection: null,
  columns: [],
  valueNull: null,
  keyNull: null,
  rowtime: new Float64Array(1),
  op: null,
  origin: null,
};

/**
 * The expression's value, or undefined when it is not constant or has none.
 * @param context what calls of functions may ask; null: an expression with a call is not constant
 * @param fails told why the expression has none, where computing it fails
 */
export function constantValue(
  of: Expr,
  registry: FunctionRegistry,
  context: CallContext | null,
  fails?: (reason: string) => never,
): Value | undefined {
  if (columnsRead(of).length > 0 || (context === null && calls(of))) return undefined;
  try {
    return EXPRESSIONS.code.compileRows(of, registry)(NOTHING, 0, {
      now: context?.now ?? 0,
      random: () => context?.random() ?? 0,
      itemFailed(reason) {
        throw new RecordError('EXPRESSION', reason);
      },
    });
  } catch (thrown) {
    if (thrown instanceof RecordError) fails?.(thrown.message);
    // The value has no counterpart, or the function is not loaded: the caller says what it needed the constant for.
    if (thrown instanceof RecordError || thrown instanceof StatementError) return undefined;
    throw thrown;
  }
}

function calls(of: Expr): boolean {
  return of.expr === 'call' || operands(of).some(calls);
}
