// What an encoded batch begins with, and the codes of its columns (PROTOCOL.md section 3); knows no column's bytes.

import { ByteReader } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';

export const VERSION = 1;
export const FLAG_OP = 1;
export const FLAG_VALUE_NULL = 2;
export const FLAG_KEY_NULL = 4;

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
