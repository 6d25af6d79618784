// What a whole kernel decodes besides the values in JSON that every kernel does: DELIMITED and KAFKA, keys and values; knows no kernel.

import { JSON_COLUMNS_MAX } from '../base/limits.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { delimiterOf } from './delimited.ts';
import { isDecodable } from './json-kernel.ts';
import { isKernelType } from './kernel-types.ts';
import type { FormatSpec } from './serde.ts';

/** Kinds that the KAFKA format has and the kernel too. */
const KAFKA_KINDS = /^(?:INTEGER|BIGINT|DOUBLE|STRING)$/u;
/** What may stand between fields: one character of ASCII, neither a quote nor the end of a line. */
function isDelimiter(text: string): boolean {
  const code = text.charCodeAt(0);
  return text.length === 1 && code > 0 && code < 0x80 && !'"\r\n'.includes(text);
}

/**
 * Whether the kernel decodes these keys or values.
 * @param columns all of the key or value
 * @param wanted those of them that are read
 */
export function isDecodedWhole(
  spec: FormatSpec,
  columns: readonly SchemaColumn[],
  wanted: readonly SchemaColumn[],
): boolean {
  switch (spec.format) {
    case 'JSON':
      return isDecodable(spec, columns, wanted);
    case 'KAFKA':
      return columns.length === 1 && wanted.every(({ type }) => KAFKA_KINDS.test(type.kind));
    case 'DELIMITED':
      return (
        isDelimiter(delimiterOf(spec)) &&
        wanted.length <= JSON_COLUMNS_MAX &&
        wanted.every(({ type }) => isKernelType(type))
      );
    default:
      return false;
  }
}
