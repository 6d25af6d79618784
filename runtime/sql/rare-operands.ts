// Reads the rarer operands of expressions: lambdas, constructors, CASE and CAST; knows no function.

import type { Expression, When } from './ast.ts';
import type { Cursor } from './cursor.ts';
import type { Inner } from './primary.ts';
import { parseType } from './type.ts';

/** The operand that begins with that word. */
export function rareOperand(
  cursor: Cursor,
  inner: Inner,
  word: 'CASE' | 'CAST' | 'ARRAY' | 'MAP' | 'STRUCT' | 'NOT' | 'SELECT',
): Expression {
  switch (word) {
    case 'CASE':
      return caseExpression(cursor, inner);
    case 'CAST':
      return cast(cursor, inner);
    case 'ARRAY':
      return arrayConstructor(cursor, inner);
    case 'MAP':
      return mapConstructor(cursor, inner);
    case 'STRUCT':
      return structConstructor(cursor, inner);
    case 'NOT':
      return cursor.refuse('NOT cannot stand here', 'Put the negation in parentheses: (NOT ...).');
    case 'SELECT':
      return cursor.refuse(
        'a query cannot stand inside an expression',
        'Make it a table of its own and join it.',
      );
  }
}

/** `x => ...` or `(x, y) => ...`. */
export function lambda(cursor: Cursor, inner: Inner): Expression {
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
