// What the kernel's JSON decoder can read, as a table so that neither half needs its code; knows no kernel.

import { encodeUtf8 } from '../base/bytes.ts';
import { JSON_COLUMNS_MAX, JSON_NAMES_BYTES_MAX } from '../base/limits.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { type Type, typeText } from '../data/type.ts';
import type { FormatSpec } from './serde.ts';

const KINDS: ReadonlySet<Type['kind']> = new Set([
  'BIGINT',
  'BOOLEAN',
  'DATE',
  'DOUBLE',
  'INTEGER',
  'STRING',
  'TIME',
  'TIMESTAMP',
]);

/**
 * Why the kernel cannot decode these values, in words; null: it can.
 * @param columns all of the value
 * @param wanted those of them that are read
 */
export function decoderLacks(
  spec: FormatSpec,
  columns: readonly SchemaColumn[],
  wanted: readonly SchemaColumn[],
): string | null {
  if (spec.format !== 'JSON') return `the kernel decodes no ${spec.format}`;
  if (!spec.wrap && columns.length === 1) return 'the kernel decodes no bare value';
  if (wanted.length > JSON_COLUMNS_MAX) return `the kernel decodes ${JSON_COLUMNS_MAX} columns`;
  const other = wanted.find(({ type }) => !KINDS.has(type.kind));
  if (other !== undefined) return `the kernel decodes no ${typeText(other.type)} (${other.name})`;
  const bytes = wanted.reduce((sum, { name }) => sum + encodeUtf8(name).length, 0);
  return bytes > JSON_NAMES_BYTES_MAX ? 'the names of the columns are too long' : null;
}

/** Which of the columns a member of that name means: the one of that very name, else of the upper-cased name; -1: none. */
export function columnNamed(columns: readonly { readonly name: string }[], name: string): number {
  const exact = columns.findIndex((column) => column.name === name);
  if (exact >= 0) return exact;
  const upper = name.toUpperCase();
  return columns.findIndex((column) => column.name === upper);
}
