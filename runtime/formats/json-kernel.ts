// What the kernel's JSON decoder can read, as a table so that neither half needs its code; knows no kernel.

import { encodeUtf8 } from '../base/bytes.ts';
import { JSON_COLUMNS_MAX, JSON_NAMES_BYTES_MAX } from '../base/limits.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { FormatSpec } from './serde.ts';

/**
 * Whether the kernel can decode these values; why not, plan/row-path-words.ts says.
 * @param columns all of the value
 * @param wanted those of them that are read
 */
export function isDecodable(
  spec: FormatSpec,
  columns: readonly SchemaColumn[],
  wanted: readonly SchemaColumn[],
): boolean {
  return (
    spec.format === 'JSON' &&
    (spec.wrap || columns.length !== 1) &&
    wanted.length <= JSON_COLUMNS_MAX &&
    wanted.reduce((sum, { name }) => sum + encodeUtf8(name).length, 0) <= JSON_NAMES_BYTES_MAX
  );
}
