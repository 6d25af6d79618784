// Reads type names as they are written; which of them exist is not known here.

import type { Name, TypeName } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { checkDepth } from './depth.ts';

/** A type: a word, DECIMAL(p, s), or an ARRAY, MAP or STRUCT of types. */
export function parseType(cursor: Cursor): TypeName {
  const start = cursor.index;
  const type = typeName(cursor);
  checkDepth(cursor, start, type);
  return type;
}

function typeName(cursor: Cursor): TypeName {
  let type = prefixType(cursor);
  // `INT ARRAY` is the older spelling of ARRAY<INT>.
  while (cursor.is('ARRAY')) {
    type = { kind: 'ArrayType', element: type, at: cursor.advance().at };
  }
  return type;
}

function prefixType(cursor: Cursor): TypeName {
  const { at } = cursor.token;
  if (cursor.looksAt('ARRAY', '<')) {
    return inAngles(cursor, () => ({ kind: 'ArrayType', element: typeName(cursor), at }));
  }
  if (cursor.looksAt('MAP', '<')) {
    return inAngles(cursor, () => {
      const key = typeName(cursor);
      cursor.expect(',');
      return { kind: 'MapType', key, value: typeName(cursor), at };
    });
  }
  if (cursor.looksAt('STRUCT', '<>')) {
    cursor.advance();
    cursor.advance();
    return { kind: 'StructType', fields: [], at };
  }
  if (cursor.looksAt('STRUCT', '<')) {
    return inAngles(cursor, () => {
      const fields = cursor.is('>') ? [] : cursor.list(() => structField(cursor));
      return { kind: 'StructType', fields, at };
    });
  }
  if (cursor.is('DECIMAL')) {
    cursor.advance();
    cursor.expect('(', 'DECIMAL has a precision and a scale: DECIMAL(10, 2).');
    const precision = cursor.wholeNumber('a precision');
    cursor.expect(',', 'DECIMAL has a precision and a scale: DECIMAL(10, 2).');
    const scale = cursor.wholeNumber('a scale');
    cursor.expect(')');
    return { kind: 'DecimalType', precision, scale, at };
  }
  const name = cursor.name('a type');
  return { kind: 'NamedType', name, parameters: typeParameters(cursor), at };
}

function structField(cursor: Cursor): { name: Name; type: TypeName } {
  const name = cursor.name('a field name');
  return { name, type: typeName(cursor) };
}

/** Lengths mean nothing; ksqlDB also takes the word STRING for one, which is dropped. */
function typeParameters(cursor: Cursor): number[] {
  if (!cursor.accept('(')) return [];
  const parameters = cursor.list(() =>
    cursor.accept('STRING') ? [] : [cursor.wholeNumber('a length')],
  );
  cursor.expect(')');
  return parameters.flat();
}

function inAngles<T>(cursor: Cursor, inner: () => T): T {
  cursor.advance();
  cursor.advance();
  const result = cursor.nested(inner);
  cursor.expect('>');
  return result;
}
