// Reads the operands of expressions: names, calls, lambdas, constructors, CASE and CAST, and what may follow them; knows no function.

import type { Call, Expression, Literal, Name, TimeUnit, When } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptLiteral } from './literal.ts';
import { parseType } from './type.ts';

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
      return caseExpression(cursor, inner);
    case 'CAST':
      return cast(cursor, inner);
    case 'ARRAY':
      if (next.key === '[') return arrayConstructor(cursor, inner);
      break;
    case 'MAP':
      if (next.key === '(') return mapConstructor(cursor, inner);
      break;
    case 'STRUCT':
      if (next.key === '(') return structConstructor(cursor, inner);
      break;
    case 'NOT':
      return cursor.refuse('NOT cannot stand here', 'Put the negation in parentheses: (NOT ...).');
    case 'SELECT':
      return cursor.refuse(
        'a query cannot stand inside an expression',
        'Make it a table of its own and join it.',
      );
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
    cursor.refuse(
      'a column has at most one source before it',
      'Fields of a STRUCT are reached with ->.',
    );
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
    cursor.refuse(
      'DISTINCT does not stand inside a call',
      'COUNT_DISTINCT(x) counts distinct values.',
    );
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
  return isLambda(cursor) ? lambda(cursor, inner) : inner.expression(cursor);
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

function lambda(cursor: Cursor, inner: Inner): Expression {
  const { at } = cursor.token;
  const parenthesised = cursor.accept('(');
  const parameters = parenthesised
    ? cursor.list(() => cursor.name('a parameter'))
    : [cursor.name('a parameter')];
  if (parenthesised) cursor.expect(')');
  cursor.expect('=>');
  return { kind: 'Lambda', parameters, body: inner.expression(cursor), at };
}

function caseExpression(cursor: Cursor, inner: Inner): Expression {
  const { at } = cursor.advance();
  const operand = cursor.is('WHEN') ? null : inner.operand(cursor);
  const whens: When[] = [];
  while (whens.length === 0 || cursor.is('WHEN')) {
    const when = cursor.expect('WHEN');
    const condition = inner.expression(cursor);
    cursor.expect('THEN');
    whens.push({ condition, result: inner.expression(cursor), at: when.at });
  }
  const otherwise = cursor.accept('ELSE') ? inner.expression(cursor) : null;
  cursor.expect('END');
  if (operand === null) return { kind: 'SearchedCase', whens, otherwise, at };
  return { kind: 'SimpleCase', operand, whens, otherwise, at };
}

function cast(cursor: Cursor, inner: Inner): Expression {
  const { at } = cursor.advance();
  cursor.expect('(');
  const operand = inner.expression(cursor);
  cursor.expect('AS');
  const type = cursor.nested(() => parseType(cursor));
  cursor.expect(')');
  return { kind: 'Cast', operand, type, at };
}

function arrayConstructor(cursor: Cursor, inner: Inner): Expression {
  const { at } = cursor.advance();
  const elements = items(cursor, ']', () => inner.expression(cursor));
  return { kind: 'Array', elements, at };
}

function mapConstructor(cursor: Cursor, inner: Inner): Expression {
  const { at } = cursor.advance();
  const entries = items(cursor, ')', () => {
    const key = inner.expression(cursor);
    cursor.expect(':=');
    return { key, value: inner.expression(cursor) };
  });
  return { kind: 'Map', entries, at };
}

function structConstructor(cursor: Cursor, inner: Inner): Expression {
  const { at } = cursor.advance();
  const fields = items(cursor, ')', () => {
    const name = cursor.name('a field name');
    cursor.expect(':=');
    return { name, value: inner.expression(cursor) };
  });
  return { kind: 'Struct', fields, at };
}

/** An opening bracket, items or none, and the closing bracket. */
function items<T>(cursor: Cursor, close: ')' | ']', item: () => T): T[] {
  cursor.advance();
  if (cursor.accept(close)) return [];
  const list = cursor.list(item);
  cursor.expect(close);
  return list;
}
