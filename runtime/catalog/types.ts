// Turns type names as written into types, custom types included; knows no columns.

import { type Position, StatementError } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
  type Type,
} from '../data/type.ts';
import type { TypeName } from '../sql/ast.ts';
import { didYouMean } from './nearest.ts';

/** The built-in types by each of their names. */
export const BUILT_IN: ReadonlyMap<string, Type> = new Map([
  ['BOOLEAN', BOOLEAN],
  ['INT', INTEGER],
  ['INTEGER', INTEGER],
  ['BIGINT', BIGINT],
  ['DOUBLE', DOUBLE],
  ['VARCHAR', STRING],
  ['STRING', STRING],
  ['BYTES', BYTES],
  ['TIME', TIME],
  ['DATE', DATE],
  ['TIMESTAMP', TIMESTAMP],
]);

/** True when the name is a built-in type, which no custom type may take. */
export function isBuiltInType(name: string): boolean {
  return BUILT_IN.has(name);
}

/**
 * The type that a type name means.
 * @param custom custom types by name
 * @throws {StatementError} INVALID for unknown names, bad DECIMAL sizes and repeated field names
 */
export function resolveType(written: TypeName, custom: ReadonlyMap<string, Type>): Type {
  switch (written.kind) {
    case 'NamedType': {
      const name = written.name.text;
      const known = BUILT_IN.get(name) ?? custom.get(name);
      if (known !== undefined) return known;
      throw new StatementError(
        'INVALID',
        `unknown type ${name}`,
        written.at,
        didYouMean(
          name,
          [...BUILT_IN.keys(), ...custom.keys()],
          'Custom types are made with CREATE TYPE.',
        ),
      );
    }
    case 'DecimalType':
      return decimalType(written.precision, written.scale, written.at);
    case 'ArrayType':
      return array(resolveType(written.element, custom));
    case 'MapType':
      return map(resolveType(written.key, custom), resolveType(written.value, custom));
    case 'StructType': {
      const seen = new Set<string>();
      for (const field of written.fields) {
        if (seen.has(field.name.text)) {
          throw new StatementError(
            'INVALID',
            `the field ${field.name.text} stands twice in one STRUCT`,
            field.name.at,
            'Give each field its own name.',
          );
        }
        seen.add(field.name.text);
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
    throw new StatementError(
      'INVALID',
      `DECIMAL(${precision}, ${scale}) is not a type`,
      at,
      `The precision is 1 to ${DECIMAL_DIGITS_MAX}, the scale 0 to the precision.`,
    );
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
