// Reads expressions by precedence climbing: operators and their order; operands are in primary.ts, meaning is nowhere here.

import type { Position } from '../base/errors.ts';
import type { Expression } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { checkDepth } from './depth.ts';
import { acceptLiteral } from './literal.ts';
import { parsePostfix } from './primary.ts';
import type { Inner } from './primary.ts';

/**
 * How tightly operators bind, loosest first. NOT binds tighter than AND; predicates (comparisons, BETWEEN, IN,
 * LIKE, IS) do not chain; a unary sign binds tighter than `*`, and AT TIME ZONE tighter than the sign.
 */
const LEVEL = {
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

const INNER: Inner = {
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
function climb(cursor: Cursor, level: number): Expression {
  const negation = cursor.is('NOT');
  let left = negation ? not(cursor, level) : signed(cursor);
  // After NOT or a predicate only AND and OR may follow.
  let predicateAllowed = !negation;
  for (;;) {
    const { key, at } = cursor.token;
    switch (key) {
      case 'OR':
        if (level > LEVEL.or) return left;
        left = run(cursor, left, key, LEVEL.and);
        break;
      case 'AND':
        if (level > LEVEL.and) return left;
        left = run(cursor, left, key, LEVEL.not);
        break;
      case '||':
        if (level > LEVEL.join || !predicateAllowed) return left;
        left = binary(cursor, left, key, LEVEL.sum);
        break;
      case '+':
      case '-':
        if (level > LEVEL.sum || !predicateAllowed) return left;
        left = binary(cursor, left, key, LEVEL.product);
        break;
      case '*':
      case '/':
      case '%':
        if (level > LEVEL.product || !predicateAllowed) return left;
        left = binary(cursor, left, key, LEVEL.sign);
        break;
      case 'AT':
        if (level > LEVEL.zone || !predicateAllowed) return left;
        left = zoned(cursor, left, at);
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
          cursor.refuse(
            `${key} cannot follow another condition`,
            'Conditions do not chain: join them with AND, or use parentheses.',
          );
        }
        left = predicate(cursor, left, at);
        predicateAllowed = false;
        break;
      default:
        return left;
    }
  }
}

/** `a AND b AND c` as one node; a parenthesised AND within it stays a node of its own. */
function run(cursor: Cursor, first: Expression, operator: 'AND' | 'OR', level: number): Expression {
  const { at } = cursor.token;
  const operands = [first];
  while (cursor.accept(operator)) operands.push(climb(cursor, level));
  return { kind: 'Logical', operator, operands, at };
}

function binary(
  cursor: Cursor,
  left: Expression,
  operator: '+' | '-' | '*' | '/' | '%' | '||',
  level: number,
): Expression {
  const { at } = cursor.advance();
  return { kind: 'Arithmetic', operator, left, right: climb(cursor, level), at };
}

function zoned(cursor: Cursor, operand: Expression, at: Position): Expression {
  cursor.advance();
  cursor.expect('TIME');
  cursor.expect('ZONE');
  return { kind: 'AtTimeZone', operand, zone: cursor.string("a time zone such as 'UTC'"), at };
}

function not(cursor: Cursor, level: number): Expression {
  if (level > LEVEL.not)
    cursor.refuse('NOT cannot stand here', 'Put the negation in parentheses: (NOT ...).');
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

function predicate(cursor: Cursor, operand: Expression, at: Position): Expression {
  const negated = cursor.is('NOT');
  if (negated) cursor.advance();
  const { key } = cursor.token;
  switch (key) {
    case 'BETWEEN': {
      cursor.advance();
      const low = climb(cursor, LEVEL.join);
      cursor.expect('AND', 'BETWEEN has two bounds: a BETWEEN low AND high.');
      return { kind: 'Between', negated, operand, low, high: climb(cursor, LEVEL.join), at };
    }
    case 'IN': {
      cursor.advance();
      cursor.expect('(');
      const options = cursor.list(() => INNER.expression(cursor));
      cursor.expect(')');
      return { kind: 'In', negated, operand, options, at };
    }
    case 'LIKE': {
      cursor.advance();
      const pattern = climb(cursor, LEVEL.join);
      return { kind: 'Like', negated, operand, pattern, escape: likeEscape(cursor), at };
    }
    case 'IS':
      if (!negated) return identity(cursor, operand, at);
      break;
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      if (negated) break;
      cursor.advance();
      return {
        kind: 'Comparison',
        operator: key,
        left: operand,
        right: climb(cursor, LEVEL.join),
        at,
      };
    default:
      break;
  }
  cursor.fail(['BETWEEN', 'IN', 'LIKE'], 'Elsewhere NOT stands before the whole condition.');
}

function identity(cursor: Cursor, left: Expression, at: Position): Expression {
  cursor.advance();
  const negated = cursor.accept('NOT');
  if (cursor.accept('NULL')) return { kind: 'IsNull', negated, operand: left, at };
  if (!cursor.acceptPhrase('DISTINCT', 'FROM')) cursor.fail();
  return { kind: 'IsDistinct', negated, left, right: climb(cursor, LEVEL.join), at };
}

function likeEscape(cursor: Cursor): string | null {
  // ESCAPE is an ordinary name elsewhere, as an alias too.
  if (!cursor.is('ESCAPE') || cursor.peek(1).kind !== 'string') return null;
  cursor.advance();
  const { at } = cursor.token;
  const escape = cursor.string('one character in quotes');
  if (escape.length !== 1) cursor.refuse('ESCAPE takes exactly one character', '', at);
  return escape;
}
