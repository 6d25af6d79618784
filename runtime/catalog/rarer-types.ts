// The rarer types that a type name means, fetched when one is named; knows no columns.

import type { Position } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import { array, decimal, map, struct, type Type } from '../data/type.ts';
import type { TypeName } from '../sql/ast.ts';
import { BUILT_IN, resolveType } from './types.ts';
import { noDecimal, repeatedField, unknownType } from './words.ts';

/** The type that a name means which is neither built in nor a custom type. @throws {StatementError} INVALID */
export function rarerType(written: TypeName, custom: ReadonlyMap<string, Type>): Type {
  switch (written.kind) {
    case 'NamedType':
      throw unknownType(written.name.text, custom, written.at);
    case 'DecimalType':
      return decimalType(written.precision, written.scale, written.at);
    case 'ArrayType':
      return array(resolveType(written.element, custom));
    case 'MapType':
      return map(resolveType(written.key, custom), resolveType(written.value, custom));
    case 'StructType': {
      const seen = new Set<string>();
      for (const { name } of written.fields) {
        if (seen.has(name.text)) throw repeatedField(name.text, name.at);
        seen.add(name.text);
      }
      return struct(
        written.fields.map((field) => ({
          name: field.name.text,
          type: resolveType(field.type, custom),
        })),
      );
    }
  }
}

function decimalType(precision: number, scale: number, at: Position): Type {
  if (precision < 1 || precision > DECIMAL_DIGITS_MAX || scale < 0 || scale > precision) {
    throw noDecimal(precision, scale, at);
  }
  return decimal(precision, scale);
}

/** True when the type is a MAP or holds one; such a type cannot be a key, since a map has no one encoding. */
export function holdsMap(type: Type): boolean {
  switch (type.kind) {
    case 'MAP':
      return true;
    case 'ARRAY':
      return holdsMap(type.item);
    case 'STRUCT':
      return type.fields.some((field) => holdsMap(field.type));
    default:
      return false;
  }
}

/** True when the name is a built-in type, which no custom type may take. */
export function isBuiltInType(name: string): boolean {
  return BUILT_IN.has(name);
}
