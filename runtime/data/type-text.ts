// Reads a type from the text that typeText writes; knows no statement.

import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  type Field,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
  array,
  decimal,
  map,
  struct,
} from './type.ts';

const SIMPLE: ReadonlyMap<string, Type> = new Map([
  ['BOOLEAN', BOOLEAN],
  ['INTEGER', INTEGER],
  ['INT', INTEGER],
  ['BIGINT', BIGINT],
  ['DOUBLE', DOUBLE],
  ['STRING', STRING],
  ['BYTES', BYTES],
  ['TIME', TIME],
  ['DATE', DATE],
  ['TIMESTAMP', TIMESTAMP],
]);

/** The type of that text (`BIGINT`, `DECIMAL(4, 2)`, ``STRUCT<`A` ARRAY<INTEGER>>``), or null. */
export function parseType(text: string): Type | null {
  const simple = SIMPLE.get(text);
  if (simple !== undefined) return simple;
  const sized = /^DECIMAL\((\d+),\s*(\d+)\)$/u.exec(text);
  if (sized !== null) return decimal(Number(sized[1]), Number(sized[2]));
  const nested = /^(ARRAY|MAP|STRUCT)<(.*)>$/su.exec(text);
  if (nested === null) return null;
  const [, kind, inner = ''] = nested;
  const parts = cutAtCommas(inner);
  if (kind === 'STRUCT') return structOf(parts);
  const types = parts.map(parseType);
  const [first = null, second = null] = types;
  if (first === null) return null;
  if (kind === 'ARRAY' && types.length === 1) return array(first);
  if (kind === 'MAP' && types.length === 2 && second !== null) return map(first, second);
  return null;
}

function structOf(parts: readonly string[]): Type | null {
  const fields: Field[] = [];
  for (const part of parts) {
    const match = /^(?:`((?:[^`]|``)*)`|(\w+))\s+(.*)$/su.exec(part);
    const [, quoted, bare, typeName = ''] = match ?? [];
    const name = quoted?.replaceAll('``', '`') ?? bare;
    const type = parseType(typeName);
    if (name === undefined || type === null) return null;
    fields.push({ name, type });
  }
  return struct(fields);
}

/** Cuts at commas outside of brackets and quoted names. */
export function cutAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (character === '`') quoted = !quoted;
    else if (quoted) continue;
    else if ('<('.includes(character)) depth++;
    else if ('>)'.includes(character)) depth--;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}
