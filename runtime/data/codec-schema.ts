// How encoded batches tell storages and schemas apart (PROTOCOL.md section 3); knows no rows.

import { encodeUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { Storage } from './column.ts';
import type { Schema } from './schema.ts';
import { typeText } from './type.ts';

const sums = new WeakMap<Schema, number>();

export const STORAGE_CODES: Readonly<Record<Storage, number>> = {
  f64: 1,
  i32: 2,
  i64: 3,
  u8: 4,
  dictionary: 5,
  objects: 6,
};

/** What an encoded batch names its schema by: CRC-32C of the JSON of `[[name, type as SQL text, role], ...]`. */
export function schemaSum(of: Schema): number {
  let sum = sums.get(of);
  if (sum === undefined) {
    const text = of.columns.map((column) => [column.name, typeText(column.type), column.role]);
    sum = crc32c(encodeUtf8(JSON.stringify(text)));
    sums.set(of, sum);
  }
  return sum;
}
