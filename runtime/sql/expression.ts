// Reads expressions by precedence climbing: the order of operators; what each takes is in operators.ts, operands are in primary.ts.

import type { Expression } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { checkDepth } from './depth.ts';
import { acceptLiteral } from './literal.ts';
import { OPERATORS } from './parts.ts';
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
  checkDepth(cursor, start, expression);
  return expression;
}

/** Reads operators that bind at least as tightly as `level`. */
export function climb(cursor: Cursor, level: number): Expression {
  const negation = cursor.is('NOT');
  let left = negation ? not(cursor, level) : signed(cursor);
  // After NOT or a predicate only AND and OR may follow.
  let predicateAllowed = !negation;
  for (;;) {
    const { key, at } = cursor.token;
    switch (key) {
      case 'OR':
        if (level > LEVEL.or) return left;
        left = OPERATORS.code.run(cursor, left, key, LEVEL.and);
        break;
      case 'AND':
        if (level > LEVEL.and) return left;
        left = OPERATORS.code.run(cursor, left, key, LEVEL.not);
        break;
      case '||':
        if (level > LEVEL.join || !predicateAllowed) return left;
        left = OPERATORS.code.binary(cursor, left, key, LEVEL.sum);
        break;
      case '+':
      case '-':
        if (level > LEVEL.sum || !predicateAllowed) return left;
        left = OPERATORS.code.binary(cursor, left, key, LEVEL.product);
        break;
      case '*':
      case '/':
      case '%':
        if (level > LEVEL.product || !predicateAllowed) return left;
        left = OPERATORS.code.binary(cursor, left, key, LEVEL.sign);
        break;
      case 'AT':
        if (level > LEVEL.zone || !predicateAllowed) return left;
        left = OPERATORS.code.zoned(cursor, left, at);
        break;
      case '=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=':
      case 'IS':
      case 'IN':
      case 'LIKE':
      case 'BETWEEN':
      case 'NOT':
        if (level > LEVEL.predicate) return left;
        if (!predicateAllowed) {
          cursor.refuseAs('chained', key);
        }
        left = OPERATORS.code.predicate(cursor, left, at);
        predicateAllowed = false;
        break;
      default:
        return left;
    }
  }
}

function not(cursor: Cursor, level: number): Expression {
  if (level > LEVEL.not) cursor.refuseAs('not');
  const { at } = cursor.advance();
  return { kind: 'Not', operand: cursor.nested(() => climb(cursor, LEVEL.not)), at };
}

function signed(cursor: Cursor): Expression {
  const { key, at } = cursor.token;
  if (key !== '-' && key !== '+') return parsePostfix(cursor, INNER, acceptLiteral(cursor));
  const literal = acceptLiteral(cursor);
  if (literal !== null) return parsePostfix(cursor, INNER, literal);
  cursor.advance();
  const operand = cursor.nested(() => climb(cursor, LEVEL.sign));
  return { kind: 'Negate', operator: key, operand, at };
}
