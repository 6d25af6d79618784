// Reads what CREATE, ALTER, INSERT and ASSERT share: column lists and WITH (...); types and properties are checked later.

import { COLUMNS_MAX } from '../base/limits.ts';
import type {
  ColumnConstraint,
  ColumnDefinition,
  Expression,
  Literal,
  Name,
  Property,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseOperandAt } from './expression.ts';
import { acceptLiteral } from './literal.ts';
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

/** `(name = literal, ...)` after a WITH that must stand. */
export function expectProperties(cursor: Cursor): Property[] {
  cursor.expect('WITH');
  return properties(cursor);
}

/** `(a, b)`, or null. */
export function acceptNames(cursor: Cursor): Name[] | null {
  if (!cursor.accept('(')) return null;
  const names = cursor.list(() => cursor.name('a column name'));
  cursor.expect(')');
  return names;
}

/** `(x, y)` or `()`: one row of values. */
export function parseValues(cursor: Cursor): Expression[] {
  cursor.expect('(');
  if (cursor.accept(')')) return [];
  const values = cursor.list(() => parseOperandAt(cursor));
  cursor.expect(')');
  if (cursor.is(',')) {
    cursor.refuseAs('secondRow');
  }
  return values;
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
  if (cursor.accept('HEADERS')) return { kind: 'Headers' };
  if (!cursor.accept('HEADER')) return null;
  cursor.expect('(', "HEADER names the header it reads: HEADER('trace-id').");
  const key = cursor.string("a header's key in quotes");
  cursor.expect(')');
  return { kind: 'Header', key };
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
