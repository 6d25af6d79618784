// Reads expressions by precedence climbing: the order of operators; operators are read by operators.ts, fetched on first use, operands by primary.ts.

import { AST_DEPTH_MAX } from '../base/limits.ts';
import type { Expression } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptLiteral } from './literal.ts';
import { OPERATORS, RARE_SYNTAX } from './parts.ts';
import { parsePostfix } from './primary.ts';
import type { Inner } from './primary.ts';

/**
 * How tightly operators bind, loosest first. NOT binds tighter than AND; predicates (comparisons, BETWEEN, IN,
 * LIKE, IS) do not chain; a unary sign binds tighter than `*`, and AT TIME ZONE tighter than the sign.
 */
export const LEVEL = {
  or: 1,
  and: 2,
  not: 3,
  predicate: 4,
  join: 5,
  sum: 6,
  product: 7,
  sign: 8,
  zone: 9,
} as const;

/** Any expression, a condition too. */
export function parseExpressionAt(cursor: Cursor): Expression {
  return root(cursor, LEVEL.or);
}

/** An expression without a condition at its top: what GROUP BY, PARTITION BY and VALUES take; parentheses lift the restriction. */
export function parseOperandAt(cursor: Cursor): Expression {
  return root(cursor, LEVEL.join);
}

/** How an expression reads those inside it. */
export const INNER: Inner = {
  expression: (cursor) => cursor.nested(() => climb(cursor, LEVEL.or)),
  operand: (cursor) => cursor.nested(() => climb(cursor, LEVEL.join)),
};

function root(cursor: Cursor, level: number): Expression {
  const start = cursor.index;
  const expression = climb(cursor, level);
  // A tree is never deeper than it has tokens: short ones need no walk.
  if (cursor.index - start > AST_DEPTH_MAX) RARE_SYNTAX.code.refuseDeep(cursor, expression);
  return expression;
}

const OPERATOR_STARTS: ReadonlySet<string> = new Set(
  'OR AND || + - * / % AT = <> < <= > >= IS IN LIKE BETWEEN NOT'.split(' '),
);

/** Reads operators that bind at least as tightly as `level`. */
export function climb(cursor: Cursor, level: number): Expression {
  if (/^(NOT|[-+])$/.test(cursor.token.key)) return OPERATORS.code.signedOrNot(cursor, level);
  const operand = parsePostfix(cursor, INNER, acceptLiteral(cursor));
  return OPERATOR_STARTS.has(cursor.token.key)
    ? OPERATORS.code.operators(cursor, operand, level, true)
    : operand;
}
