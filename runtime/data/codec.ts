// A batch as bytes and back (PROTOCOL.md section 3): typed arrays as they are, strings as dictionaries; knows no topic.

import { ByteReader, ByteWriter, encodeUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PortError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, compact } from './batch.ts';
import { type Bitmap, type Column, type Storage, bitAt, storageOf } from './column.ts';
import { Dictionary } from './dictionary.ts';
import { compactDictionary } from './gather.ts';
import type { Schema } from './schema.ts';
import { type Type, type Value, typeText } from './type.ts';
import { readValue, writeValue } from './value-bytes.ts';

const VERSION = 1;
const FLAG_OP = 1;
const FLAG_VALUE_NULL = 2;
const FLAG_KEY_NULL = 4;

const STORAGE_CODES: Readonly<Record<Storage, number>> = {
  f64: 1,
  i32: 2,
  i64: 3,
  u8: 4,
  dictionary: 5,
  objects: 6,
};

const sums = new WeakMap<Schema, number>();

/** What an encoded batch names its schema by: CRC-32C of the JSON of `[[name, type as SQL text, role], ...]`. */
function schemaSum(of: Schema): number {
  let sum = sums.get(of);
  if (sum === undefined) {
    const text = of.columns.map((column) => [column.name, typeText(column.type), column.role]);
    sum = crc32c(encodeUtf8(JSON.stringify(text)));
    sums.set(of, sum);
  }
  return sum;
}

/**
 * The rows of a batch as bytes; the selection is gone, dictionaries hold only strings in use. Origins are left out: they
 * mean something to the task alone. Cost: one copy of the columns.
 */
export function encodeBatch(batch: Batch): Uint8Array<ArrayBuffer> {
  const dense = densified(batch);
  const to = new ByteWriter(encodedBytes(dense));
  writeBatch(to, dense);
  return exactly(to);
}

/** What was written, in a buffer of just that size: a view would be stored and cloned with all that is behind it. */
export function exactly(to: ByteWriter): Uint8Array<ArrayBuffer> {
  return to.buffer.length === to.position ? to.buffer : to.finish();
}

/** The same rows without a selection and without strings that no row uses. Cost: nothing when it is so already. */
export function densified(batch: Batch): Batch {
  const rows = batch.length;
  const dense = compact(batch);
  const columns = dense.columns.map((column) =>
    column.storage === 'dictionary' && (batch.selection !== null || column.dictionary.size > rows)
      ? compactDictionary({ ...column, values: column.values.subarray(0, rows) })
      : column,
  );
  return { ...dense, columns };
}

/** Bytes that a densified batch has encoded: exactly, but for nested values, which count as nothing. */
export function encodedBytes(dense: Batch): number {
  const rows = dense.length;
  const bits = padded((rows + 7) >> 3);
  let bytes = 16 + rows * 8;
  if (dense.op !== null) bytes += padded(rows);
  if (dense.valueNull !== null) bytes += bits;
  if (dense.keyNull !== null) bytes += bits;
  for (const column of dense.columns) {
    bytes += column.validity === null ? 8 : 8 + bits;
    if (column.storage === 'dictionary') {
      const { offsets, size } = column.dictionary;
      bytes += padded(8 + (size + 1) * 4 + (offsets[size] ?? 0)) + padded(rows * 4);
    } else if (column.storage === 'objects') {
      bytes += padded((rows + 1) * 4);
    } else {
      bytes += padded(rows * column.values.BYTES_PER_ELEMENT);
    }
  }
  return bytes;
}

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Appends the bytes of `encodeBatch` for a densified batch, at a position that is a multiple of 8. */
export function writeBatch(to: ByteWriter, dense: Batch): void {
  const rows = dense.length;
  const { columns, op, valueNull, keyNull } = dense;
  to.u8(VERSION);
  to.u8(
    (op === null ? 0 : FLAG_OP) |
      (valueNull === null ? 0 : FLAG_VALUE_NULL) |
      (keyNull === null ? 0 : FLAG_KEY_NULL),
  );
  to.u16(columns.length);
  to.u32(rows);
  to.u32(schemaSum(dense.schema));
  to.u32(0);
  writeArray(to, dense.rowtime, rows);
  if (op !== null) writeArray(to, op, rows);
  if (valueNull !== null) writeArray(to, valueNull, (rows + 7) >> 3);
  if (keyNull !== null) writeArray(to, keyNull, (rows + 7) >> 3);
  for (const column of columns) writeColumn(to, column, rows);
}

function writeArray(
  to: ByteWriter,
  values: Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint32Array,
  length: number,
): void {
  to.bytes(new Uint8Array(values.buffer, values.byteOffset, length * values.BYTES_PER_ELEMENT));
  to.pad8();
}

function writeColumn(to: ByteWriter, column: Column, rows: number): void {
  const validity =
    column.validity ?? (column.storage === 'objects' ? objectValidity(column.values, rows) : null);
  to.u8(STORAGE_CODES[column.storage]);
  to.u8(validity === null ? 0 : 1);
  to.zeros(6);
  if (validity !== null) writeArray(to, validity, (rows + 7) >> 3);
  switch (column.storage) {
    case 'dictionary': {
      const { bytes, offsets, size } = column.dictionary;
      const length = offsets[size] ?? 0;
      to.u32(size);
      to.u32(length);
      to.bytes(new Uint8Array(offsets.buffer, offsets.byteOffset, (size + 1) * 4));
      to.bytes(bytes, 0, length);
      to.pad8();
      writeArray(to, column.values, rows);
      return;
    }
    case 'objects':
      writeObjects(to, column.type, column.values, rows);
      return;
    default:
      writeArray(to, column.values, rows);
  }
}

/** Null objects as a bitmap, or null when there are none. */
function objectValidity(values: readonly Value[], rows: number): Bitmap | null {
  let bits: Bitmap | null = null;
  for (let row = 0; row < rows; row++) {
    if (values[row] !== null) continue;
    bits ??= new Uint8Array((rows + 7) >> 3).fill(0xff);
    bits[row >> 3] = (bits[row >> 3] ?? 0) & ~(1 << (row & 7));
  }
  if (bits !== null && (rows & 7) !== 0) {
    bits[bits.length - 1] = (bits.at(-1) ?? 0) & ((1 << (rows & 7)) - 1);
  }
  return bits;
}

function writeObjects(to: ByteWriter, type: Type, values: readonly Value[], rows: number): void {
  const offsetsAt = to.position;
  to.zeros((rows + 1) * 4);
  to.pad8();
  const start = to.position;
  for (let row = 0; row < rows; row++) {
    const value = values[row] ?? null;
    if (value !== null) writeValue(to, type, value);
    to.patchU32(offsetsAt + (row + 1) * 4, to.position - start);
  }
  to.pad8();
}

/**
 * The batch that `encodeBatch` wrote under the same schema. Its arrays are views of `bytes` where those begin at a multiple
 * of 8 in their buffer, so the bytes must not change afterwards; else they are copied once.
 * @throws {PortError} CORRUPT when the bytes are not an encoded batch of this schema
 */
export function decodeBatch(of: Schema, bytes: Uint8Array): Batch {
  // Only an aligned copy can be viewed as wider numbers; a copy costs less than reading cell by cell.
  const aligned = (bytes.byteOffset & 7) === 0 ? bytes : bytes.slice();
  const from = new ByteReader(aligned);
  const { flags, columns, rows, sum } = readHeader(from);
  if (columns !== of.columns.length || sum !== schemaSum(of)) {
    throw new PortError('CORRUPT', 'an encoded batch has another schema than its topic');
  }
  const rowtime = takeF64(from, rows);
  const op = (flags & FLAG_OP) === 0 ? null : takeU8(from, rows, 3);
  const valueNull = (flags & FLAG_VALUE_NULL) === 0 ? null : takeBits(from, rows);
  const keyNull = (flags & FLAG_KEY_NULL) === 0 ? null : takeBits(from, rows);
  const decoded = of.columns.map((column) => readColumn(from, column.type, rows));
  from.finish();
  return {
    schema: of,
    length: rows,
    selection: null,
    columns: decoded,
    valueNull,
    keyNull,
    rowtime,
    op,
    origin: null,
  };
}

interface Header {
  readonly flags: number;
  readonly columns: number;
  readonly rows: number;
  readonly sum: number;
}

function readHeader(from: ByteReader): Header {
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

function takePadded(from: ByteReader, length: number): number {
  const at = from.take(length);
  from.take(-length & 7);
  return at;
}

function takeF64(from: ByteReader, count: number): Float64Array {
  const at = from.take(count * 8);
  return new Float64Array(from.bytes.buffer, from.bytes.byteOffset + at, count);
}

function takeU8(from: ByteReader, count: number, max: number): Uint8Array {
  const at = takePadded(from, count);
  const values = from.bytes.subarray(at, at + count);
  for (let i = 0; i < count; i++) {
    if ((values[i] as number) > max)
      throw new PortError('CORRUPT', `${values[i]} is beyond ${max}`);
  }
  return values;
}

function takeBits(from: ByteReader, rows: number): Bitmap {
  const at = takePadded(from, (rows + 7) >> 3);
  return from.bytes.subarray(at, at + ((rows + 7) >> 3));
}

function takeU32(from: ByteReader, count: number): Uint32Array {
  const at = takePadded(from, count * 4);
  return new Uint32Array(from.bytes.buffer, from.bytes.byteOffset + at, count);
}

function readColumn(from: ByteReader, type: Type, rows: number): Column {
  const storage = from.u8();
  const flagged = from.u8();
  from.take(6);
  const expected = storageOf(type);
  const isText = type.kind === 'STRING' && storage === STORAGE_CODES.dictionary;
  if ((storage !== STORAGE_CODES[expected] && !isText) || flagged > 1) {
    throw new PortError('CORRUPT', `storage ${storage} holds no ${typeText(type)}`);
  }
  const validity = flagged === 1 ? takeBits(from, rows) : null;
  if (isText) return readDictionary(from, type, validity, rows);
  switch (expected) {
    case 'f64':
      return { type, validity, storage: 'f64', values: takeF64(from, rows) };
    case 'i32': {
      const at = takePadded(from, rows * 4);
      const values = new Int32Array(from.bytes.buffer, from.bytes.byteOffset + at, rows);
      return { type, validity, storage: 'i32', values };
    }
    case 'i64': {
      const at = from.take(rows * 8);
      const values = new BigInt64Array(from.bytes.buffer, from.bytes.byteOffset + at, rows);
      return { type, validity, storage: 'i64', values };
    }
    case 'u8':
      return { type, validity, storage: 'u8', values: takeU8(from, rows, 1) };
    case 'dictionary':
    case 'objects':
      return {
        type,
        validity: null,
        storage: 'objects',
        values: readObjects(from, type, validity, rows),
      };
  }
}

function readDictionary(
  from: ByteReader,
  type: Type,
  validity: Bitmap | null,
  rows: number,
): Column {
  const size = from.u32();
  const length = from.u32();
  if (size === 0 || size > rows || length > from.remaining) {
    throw new PortError('CORRUPT', `a dictionary of ${size} entries, ${length} bytes`);
  }
  const offsetsAt = from.take((size + 1) * 4);
  const offsets = new Uint32Array(from.bytes.buffer, from.bytes.byteOffset + offsetsAt, size + 1);
  checkOffsets(offsets, length);
  const bytesAt = from.take(length);
  from.take(-from.position & 7);
  const values = takeU32(from, rows);
  for (let row = 0; row < rows; row++) {
    if ((values[row] as number) >= size)
      throw new PortError('CORRUPT', 'a code is beyond its dictionary');
  }
  const dictionary = new Dictionary(from.bytes.subarray(bytesAt, bytesAt + length), offsets);
  return { type, validity, storage: 'dictionary', values, dictionary };
}

function checkOffsets(offsets: Uint32Array, length: number): void {
  let before = 0;
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i] as number;
    if (offset < before || (i === 0 && offset !== 0)) {
      throw new PortError('CORRUPT', 'offsets go back');
    }
    before = offset;
  }
  if (before !== length) throw new PortError('CORRUPT', `offsets end at ${before}, not ${length}`);
}

function readObjects(from: ByteReader, type: Type, validity: Bitmap | null, rows: number): Value[] {
  const offsets = takeU32(from, rows + 1);
  const length = offsets[rows] as number;
  checkOffsets(offsets, length);
  const start = from.take(length);
  from.take(-from.position & 7);
  const values: Value[] = [];
  for (let row = 0; row < rows; row++) {
    if (validity !== null && !bitAt(validity, row)) {
      values.push(null);
      continue;
    }
    const cell = new ByteReader(
      from.bytes,
      start + (offsets[row] as number),
      start + (offsets[row + 1] as number),
    );
    values.push(readValue(cell, type));
    cell.finish();
  }
  return values;
}
