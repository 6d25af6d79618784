// Turns names of types into types; those of several parts in rarer-types.ts, which is fetched on first use. Knows no columns.

import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
} from '../data/type.ts';
import type { TypeName } from '../sql/ast.ts';
import { RARER_TYPES } from './parts.ts';

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

/**
 * The type that a type name means.
 * @param custom custom types by name
 * @throws {StatementError} INVALID for unknown names, bad DECIMAL sizes and repeated field names
 */
export function resolveType(written: TypeName, custom: ReadonlyMap<string, Type>): Type {
  const name = written.kind === 'NamedType' ? written.name.text : '';
  return BUILT_IN.get(name) ?? custom.get(name) ?? RARER_TYPES.code.rarerType(written, custom);
}

/** True for the types of values that hold others. */
export function isNested({ kind }: Type): boolean {
  return kind === 'ARRAY' || kind === 'MAP' || kind === 'STRUCT';
}
