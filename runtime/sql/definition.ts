// Reads what CREATE, ALTER, INSERT and ASSERT share: column lists and WITH (...); types and properties are checked later.

import { COLUMNS_MAX } from '../base/limits.ts';
import type { ColumnConstraint, ColumnDefinition, Literal, Name, Property } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptLiteral } from './literal.ts';
import { RARE_SYNTAX } from './parts.ts';
import { parseType } from './type.ts';

/** `name type [constraint], ...`, without parentheses. */
export function parseColumnList(cursor: Cursor): ColumnDefinition[] {
  let count = 0;
  return cursor.list(() => {
    count++;
    if (count > COLUMNS_MAX) cursor.refuseAs('tooManyColumns');
    return columnDefinition(cursor);
  });
}

/** `(name type [constraint], ...)`, or null. */
export function acceptColumns(cursor: Cursor): ColumnDefinition[] | null {
  if (!cursor.accept('(')) return null;
  const columns = parseColumnList(cursor);
  cursor.expect(')');
  return columns;
}

/** `WITH (name = literal, ...)`, or an empty list. */
export function acceptProperties(cursor: Cursor): Property[] {
  return cursor.accept('WITH') ? properties(cursor) : [];
}

/** A constant, where nothing else may stand. */
export function parseLiteral(cursor: Cursor, what: string): Literal {
  const literal = acceptLiteral(cursor);
  if (literal !== null) return literal;
  const named = cursor.token.kind === 'word' || cursor.token.kind === 'quoted';
  cursor.fail(what, named ? 'Text goes in single quotes.' : '');
}

function columnDefinition(cursor: Cursor): ColumnDefinition {
  const name = cursor.name('a column name');
  const type = parseType(cursor);
  return { name, type, constraint: acceptConstraint(cursor), at: name.at };
}

function acceptConstraint(cursor: Cursor): ColumnConstraint | null {
  if (cursor.accept('KEY')) return { kind: 'Key' };
  if (cursor.acceptPhrase('PRIMARY', 'KEY')) return { kind: 'PrimaryKey' };
  return cursor.accept('HEADERS') || cursor.accept('HEADER')
    ? RARE_SYNTAX.code.headerConstraint(cursor)
    : null;
}

function properties(cursor: Cursor): Property[] {
  cursor.expect('(');
  const list = cursor.list(() => {
    const name = propertyName(cursor);
    cursor.expect('=');
    return { name, value: parseLiteral(cursor, 'a constant'), at: name.at };
  });
  cursor.expect(')');
  return list;
}

function propertyName(cursor: Cursor): Name {
  const { token } = cursor;
  if (token.kind !== 'string') return cursor.name('a property');
  cursor.advance();
  return { text: token.text, at: token.at };
}
