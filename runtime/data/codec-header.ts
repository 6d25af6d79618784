// What an encoded batch begins with, and the codes of its columns (PROTOCOL.md section 3); knows no column's bytes.

import { ByteReader, encodeUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PortError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Storage } from './column.ts';
import type { Schema } from './schema.ts';
import { typeText } from './type.ts';

export const VERSION = 1;
export const FLAG_OP = 1;
export const FLAG_VALUE_NULL = 2;
export const FLAG_KEY_NULL = 4;

export const STORAGE_CODES: Readonly<Record<Storage, number>> = {
  f64: 1,
  i32: 2,
  i64: 3,
  u8: 4,
  dictionary: 5,
  objects: 6,
};

const sums = new WeakMap<Schema, number>();

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

interface Header {
  readonly flags: number;
  readonly columns: number;
  readonly rows: number;
  readonly sum: number;
}

/** Reads the header. @throws {PortError} CORRUPT */
export function readHeader(from: ByteReader): Header {
  const version = from.u8();
  const flags = from.u8();
  const columns = from.u16();
  const rows = from.u32();
  const sum = from.u32();
  const zero = from.u32();
  if (version !== VERSION || flags > 7 || zero !== 0) {
    throw new PortError('CORRUPT', `an encoded batch of version ${version}, flags ${flags}`);
  }
  if (rows < 1 || rows > BATCH_ROWS_MAX) {
    throw new PortError('CORRUPT', `an encoded batch of ${rows} rows`);
  }
  return { flags, columns, rows, sum };
}

/** The rowtimes of an encoded batch, without its schema; `bytes` begin at a multiple of 8 in their buffer. */
export function encodedRowtimes(bytes: Uint8Array): Float64Array {
  const from = new ByteReader(bytes);
  return takeF64(from, readHeader(from).rows);
}

/** A view of the next numbers. */
export function takeF64(from: ByteReader, count: number): Float64Array {
  const at = from.take(count * 8);
  return new Float64Array(from.bytes.buffer, from.bytes.byteOffset + at, count);
}
