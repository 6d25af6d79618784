// Reads the operands of expressions: names, calls and parentheses, and what may follow them; the rarer ones are in rare-operands.ts. Knows no function.

import type { Call, Expression, Literal, Name, TimeUnit } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptLiteral } from './literal.ts';
import { RARE_OPERANDS } from './parts.ts';

/** How an operand reads the expressions inside it: expression.ts gives itself, so that neither file imports the other in a circle. */
export interface Inner {
  /** Any expression, a condition too. */
  expression(cursor: Cursor): Expression;
  /** One without a condition at its top. */
  operand(cursor: Cursor): Expression;
}

/** Every spelling of a unit of time. */
export const UNITS: ReadonlyMap<string, TimeUnit> = new Map([
  ['MILLISECOND', 'MILLISECONDS'],
  ['MILLISECONDS', 'MILLISECONDS'],
  ['SECOND', 'SECONDS'],
  ['SECONDS', 'SECONDS'],
  ['MINUTE', 'MINUTES'],
  ['MINUTES', 'MINUTES'],
  ['HOUR', 'HOURS'],
  ['HOURS', 'HOURS'],
  ['DAY', 'DAYS'],
  ['DAYS', 'DAYS'],
]);

/** An operand with the subscripts and dereferences behind it; `operand` is its start where that has been read already. */
export function parsePostfix(cursor: Cursor, inner: Inner, operand: Literal | null): Expression {
  let left: Expression = operand ?? primary(cursor, inner);
  for (;;) {
    const { key, at } = cursor.token;
    if (key === '[') {
      cursor.advance();
      const index = inner.operand(cursor);
      cursor.expect(']');
      left = { kind: 'Subscript', operand: left, index, at };
    } else if (key === '->' && cursor.peek(1).key !== '*') {
      cursor.advance();
      left = { kind: 'Field', operand: left, field: cursor.name('a field name'), at };
    } else {
      return left;
    }
  }
}

function primary(cursor: Cursor, inner: Inner): Expression {
  const literal = acceptLiteral(cursor);
  if (literal !== null) return literal;
  const { token } = cursor;
  const next = cursor.peek(1);
  switch (token.key) {
    case '(': {
      cursor.advance();
      const enclosed = inner.expression(cursor);
      cursor.expect(')');
      return enclosed;
    }
    case 'CASE':
    case 'CAST':
    case 'NOT':
    case 'SELECT':
      return RARE_OPERANDS.code.rareOperand(cursor, inner, token.key);
    case 'ARRAY':
      if (next.key === '[') return RARE_OPERANDS.code.rareOperand(cursor, inner, token.key);
      break;
    case 'MAP':
    case 'STRUCT':
      if (next.key === '(') return RARE_OPERANDS.code.rareOperand(cursor, inner, token.key);
      break;
    default:
      break;
  }
  const name = cursor.name('an expression');
  if (cursor.is('(')) return call(cursor, inner, name);
  if (cursor.token.kind === 'string') {
    return { kind: 'TypedLiteral', type: name, value: cursor.advance().text, at: name.at };
  }
  return column(cursor, name);
}

function column(cursor: Cursor, name: Name): Expression {
  if (!cursor.is('.')) return { kind: 'Column', source: null, name, at: name.at };
  cursor.advance();
  const member = cursor.name('a column name');
  if (cursor.is('.')) {
    cursor.refuseAs('qualifiers');
  }
  return { kind: 'Column', source: name, name: member, at: name.at };
}

function call(cursor: Cursor, inner: Inner, name: Name): Call {
  cursor.advance();
  const { at } = name;
  if (cursor.is('*')) {
    cursor.advance();
    cursor.expect(')');
    return { kind: 'Call', name, arguments: [], star: true, at };
  }
  if (cursor.is('DISTINCT')) {
    cursor.refuseAs('callDistinct');
  }
  const parameters = cursor.accept(')') ? [] : cursor.list(() => argument(cursor, inner));
  if (parameters.length > 0) cursor.expect(')');
  return { kind: 'Call', name, arguments: parameters, star: false, at };
}

function argument(cursor: Cursor, inner: Inner): Expression {
  const { token } = cursor;
  const unit = UNITS.get(token.key);
  // DAY, HOUR, MINUTE and SECOND are names too and stay columns; all other units are reserved words.
  if (unit !== undefined && !cursor.isName()) {
    cursor.advance();
    return { kind: 'IntervalUnit', unit, at: token.at };
  }
  return isLambda(cursor) ? RARE_OPERANDS.code.lambda(cursor, inner) : inner.expression(cursor);
}

/** Whether `x =>` or `(x, y) =>` is next. */
function isLambda(cursor: Cursor): boolean {
  if (cursor.isName()) return cursor.peek(1).key === '=>';
  if (!cursor.is('(')) return false;
  let ahead = 1;
  while (cursor.isName(cursor.peek(ahead)) && cursor.peek(ahead + 1).key === ',') ahead += 2;
  return (
    cursor.isName(cursor.peek(ahead)) &&
    cursor.peek(ahead + 1).key === ')' &&
    cursor.peek(ahead + 2).key === '=>'
  );
}
