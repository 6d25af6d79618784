// Reads the rarer operands of expressions: parentheses, subscripts, fields, lambdas, constructors, CASE and CAST; knows no function.

import type { Expression, Name, When } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { type Inner, UNITS } from './primary.ts';
import { parseType } from './type.ts';

/** The operand that begins with a parenthesis or a word that is no name there; null when there is none. */
export function rareOperand(cursor: Cursor, inner: Inner): Expression | null {
  const next = cursor.peek(1).key;
  switch (cursor.token.key) {
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
      return next === '[' ? arrayConstructor(cursor, inner) : null;
    case 'MAP':
      return next === '(' ? mapConstructor(cursor, inner) : null;
    case 'STRUCT':
      return next === '(' ? structConstructor(cursor, inner) : null;
    case 'NOT':
      return cursor.refuse('NOT cannot stand here', 'Put the negation in parentheses: (NOT ...).');
    case 'SELECT':
      return cursor.refuse(
        'a query cannot stand inside an expression',
        'Make it a table of its own and join it.',
      );
    default:
      return null;
  }
}

/** What stands before subscripts and dereferences, with them. */
export function postfix(cursor: Cursor, inner: Inner, operand: Expression): Expression {
  let left = operand;
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

/** A name with a text behind it, which is its type, or with a point and the column of that source. */
export function behindName(cursor: Cursor, name: Name): Expression {
  const { text } = cursor.advance();
  if (cursor.before?.kind === 'string') {
    return { kind: 'TypedLiteral', type: name, value: text, at: name.at };
  }
  const member = cursor.name('a column name');
  if (cursor.is('.')) {
    cursor.refuseAs('qualifiers');
  }
  return { kind: 'Column', source: name, name: member, at: name.at };
}

/** An argument that may be a unit of time or a lambda. */
export function rareArgument(cursor: Cursor, inner: Inner): Expression {
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

/** `x => ...` or `(x, y) => ...`. */
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
