// Reads INSERT, and the rows of values that few statements hold; it checks their form only.

import type { Expression, InsertSelect, InsertValues, Name } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptProperties } from './definition.ts';
import { sourceName } from './definition-statements.ts';
import { parseOperandAt } from './expression.ts';
import { parseQuery } from './query.ts';

type Body<S> = Omit<S, 'text'>;

/** INSERT INTO ... SELECT or VALUES. */
export function parseInsert(cursor: Cursor): Body<InsertSelect> | Body<InsertValues> {
  const { at } = cursor.advance();
  cursor.expect('INTO');
  const target = sourceName(cursor);
  const columns = acceptNames(cursor);
  if (columns === null) {
    const properties = acceptProperties(cursor);
    if (properties.length > 0 || cursor.is('SELECT')) {
      return { kind: 'InsertSelect', target, properties, query: parseQuery(cursor), at };
    }
    if (!cursor.is('VALUES')) cursor.fail(['VALUES', 'SELECT']);
  } else if (cursor.is('SELECT')) {
    cursor.refuseAs('insertColumns');
  }
  cursor.expect('VALUES');
  return { kind: 'InsertValues', target, columns, values: parseValues(cursor), at };
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
