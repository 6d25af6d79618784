// Builds and evaluates expressions in tests; knows no operator.

import type { Batch } from '../../runtime/data/batch.ts';
import { valueAt } from '../../runtime/data/column.ts';
import { BOOLEAN, STRING, type Type, type Value } from '../../runtime/data/type.ts';
import { compile, type Evaluation } from '../../runtime/expr/evaluate.ts';
import type { Arithmetic, Comparison, Expr, LiteralJson } from '../../runtime/expr/expr.ts';
import { builtinRegistry } from '../../runtime/functions/builtins.ts';

const registry = builtinRegistry();

export const column = (index: number, type: Type): Expr => ({ expr: 'column', index, type });
export const literal = (value: LiteralJson, type: Type): Expr => ({ expr: 'literal', value, type });
export const text = (value: string | null): Expr => literal(value, STRING);
export const cast = (argument: Expr, type: Type): Expr => ({ expr: 'cast', argument, type });
export const not = (argument: Expr): Expr => ({ expr: 'not', argument, type: BOOLEAN });
export const compare = (op: Comparison, left: Expr, right: Expr): Expr => ({
  expr: 'compare',
  op,
  left,
  right,
  type: BOOLEAN,
});
export const arithmetic = (op: Arithmetic, left: Expr, right: Expr, type: Type): Expr => ({
  expr: 'arithmetic',
  op,
  left,
  right,
  type,
});
export const logic = (op: 'AND' | 'OR', left: Expr, right: Expr): Expr => ({
  expr: 'logic',
  op,
  left,
  right,
  type: BOOLEAN,
});

/** A call resolved as the planner resolves it, its arguments cast where that says so. */
export function call(name: string, ...given: readonly Expr[]): Expr {
  const resolved = registry.resolve(
    name,
    given.map((argument) =>
      argument.expr === 'literal' && argument.value === null ? null : argument.type,
    ),
  );
  if (resolved === null) throw new Error(`no ${name} of these types`);
  const args = given.map((argument, i) => {
    const wanted = resolved.casts[i] ?? argument.type;
    if (argument.expr === 'literal' && argument.value === null) return literal(null, wanted);
    return wanted.kind === argument.type.kind ? argument : cast(argument, wanted);
  });
  return {
    expr: 'call',
    function: name,
    signature: resolved.signature,
    arguments: args,
    type: resolved.type,
  };
}

export interface Evaluated {
  readonly values: readonly Value[];
  /** Position and reason of each failure. */
  readonly failures: readonly string[];
}

/** The expression's value for each row of the batch that counts. */
export function evaluate(expr: Expr, batch: Batch): Evaluated {
  const failures: string[] = [];
  let drawn = 0;
  const evaluation: Evaluation = {
    at: (position) => ({
      now: 1_234,
      random: () => drawn++ / 8,
      itemFailed: (reason) => failures.push(`${position}: an item: ${reason}`),
    }),
    failed: (position, reason) => failures.push(`${position}: ${reason}`),
  };
  const result = compile(expr, registry)(batch, evaluation);
  const values = Array.from({ length: batch.length }, (_, i) =>
    valueAt(result, batch.selection === null ? i : (batch.selection[i] ?? 0)),
  );
  return { values, failures };
}

const ONE_ROW: Batch = {
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

/** The value of an expression without columns; a failure is its reason as an Error. */
export function valueOf(expr: Expr): Value | Error {
  const { values, failures } = evaluate(expr, ONE_ROW);
  const [failure] = failures;
  return failure === undefined ? (values[0] ?? null) : new Error(failure);
}

/** Why the expression without columns fails; '' when it does not. */
export function failureOf(expr: Expr): string {
  return evaluate(expr, ONE_ROW).failures[0] ?? '';
}
