// A batch as bytes and back (PROTOCOL.md section 3); writing is in batch-writer.ts, for those who only write. Knows no topic.

import { ByteReader, ByteWriter, exactly } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import type { Batch } from './batch.ts';
import { encodedBytes, writeBatch } from './batch-writer.ts';
import { FLAG_KEY_NULL, FLAG_OP, FLAG_VALUE_NULL, readHeader, takeF64 } from './codec-header.ts';
import { schemaSum, STORAGE_CODES } from './codec-schema.ts';
import { type Bitmap, bitAt, type Column } from './column.ts';
import { storageOf } from './storage.ts';
import { densified } from './dense.ts';
import { WholeDictionary } from './dictionary.ts';
import { VALUE_BYTES } from './parts.ts';
import type { Schema } from './schema.ts';
import { type Type, type Value, typeText } from './type.ts';

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

/**
 * The batch that `encodeBatch` wrote under the same schema. Its arrays are views of `bytes` where those begin at a multiple
 * of 8 in their buffer, so the bytes must not change afterwards; else they are copied once.
 * @param isTrusted true: this process has just encoded the bytes, and nobody need look into its dictionaries
 * @throws {PortError} CORRUPT when the bytes are not an encoded batch of this schema
 */
export function decodeBatch(of: Schema, bytes: Uint8Array, isTrusted = false): Batch {
  const { columns, ...rest } = decodeColumns(of, bytes, () => true, isTrusted);
  return { ...rest, columns: columns.filter((column) => column !== null) };
}

/** A batch with null in the place of each column that was not wanted. */
export interface DecodedColumns extends Omit<Batch, 'columns'> {
  readonly columns: readonly (Column | null)[];
}

/** As `decodeBatch`, of the wanted columns alone: what is within the others is not looked at. */
export function decodeColumns(
  of: Schema,
  bytes: Uint8Array,
  isWanted: (index: number) => boolean,
  isTrusted = false,
): DecodedColumns {
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
  const decoded = of.columns.map(({ type }, index) =>
    isWanted(index) ? readColumn(from, type, rows, isTrusted) : skipColumn(from, rows),
  );
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

function takePadded(from: ByteReader, length: number): number {
  const at = from.take(length);
  from.take(-length & 7);
  return at;
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

function readColumn(from: ByteReader, type: Type, rows: number, isTrusted: boolean): Column {
  const storage = from.u8();
  const flagged = from.u8();
  from.take(6);
  const expected = storageOf(type);
  const isText = type.kind === 'STRING' && storage === STORAGE_CODES.dictionary;
  if ((storage !== STORAGE_CODES[expected] && !isText) || flagged > 1) {
    throw new PortError('CORRUPT', `storage ${storage} holds no ${typeText(type)}`);
  }
  const validity = flagged === 1 ? takeBits(from, rows) : null;
  if (isText) {
    const column = readDictionary(from, type, validity, rows);
    if (!isTrusted) checkDictionary(column);
    return column;
  }
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

type DictionaryColumn = Column & { readonly storage: 'dictionary' };

/** Steps over a column. */
function skipColumn(from: ByteReader, rows: number): null {
  const storage = from.u8();
  const flagged = from.u8();
  from.take(6);
  if (flagged === 1) takeBits(from, rows);
  if (storage === STORAGE_CODES.dictionary) {
    const size = from.u32();
    const length = from.u32();
    from.take((size + 1) * 4 + length);
    from.take(-from.position & 7);
    takePadded(from, rows * 4);
  } else if (storage === STORAGE_CODES.objects) {
    from.take(takeU32(from, rows + 1)[rows] as number);
    from.take(-from.position & 7);
  } else {
    const isWide = storage === STORAGE_CODES.f64 || storage === STORAGE_CODES.i64;
    takePadded(from, rows * (isWide ? 8 : storage === STORAGE_CODES.i32 ? 4 : 1));
  }
  return null;
}

function readDictionary(
  from: ByteReader,
  type: Type,
  validity: Bitmap | null,
  rows: number,
): DictionaryColumn {
  const size = from.u32();
  const length = from.u32();
  if (size === 0 || size > rows || length > from.remaining) {
    throw new PortError('CORRUPT', `a dictionary of ${size} entries, ${length} bytes`);
  }
  const offsetsAt = from.take((size + 1) * 4);
  const offsets = new Uint32Array(from.bytes.buffer, from.bytes.byteOffset + offsetsAt, size + 1);
  const bytesAt = from.take(length);
  from.take(-from.position & 7);
  const values = takeU32(from, rows);
  const dictionary = new WholeDictionary(from.bytes.subarray(bytesAt, bytesAt + length), offsets);
  return { type, validity, storage: 'dictionary', values, dictionary };
}

function checkDictionary({ values, dictionary }: DictionaryColumn): void {
  const { bytes, offsets, size } = dictionary;
  checkOffsets(offsets, bytes.length);
  // Signs are collected, without a branch a row: they are all that is wrong.
  let wrong = 0;
  for (let row = 0; row < values.length; row++) {
    const code = (values[row] as number) | 0;
    wrong |= code | (size - 1 - code);
  }
  if (wrong < 0) throw new PortError('CORRUPT', 'a code is beyond its dictionary');
}

function checkOffsets(offsets: Uint32Array, length: number): void {
  let before = 0;
  let wrong = offsets[0] === 0 ? 0 : -1;
  for (let i = 0; i < offsets.length; i++) {
    const offset = (offsets[i] as number) | 0;
    wrong |= offset | (offset - before);
    before = offset;
  }
  if (wrong < 0) throw new PortError('CORRUPT', 'offsets go back');
  if (before !== length) throw new PortError('CORRUPT', `offsets end at ${before}, not ${length}`);
}

function readObjects(from: ByteReader, type: Type, validity: Bitmap | null, rows: number): Value[] {
  const offsets = takeU32(from, rows + 1);
  const length = offsets[rows] as number;
  checkOffsets(offsets, length);
  const start = from.take(length);
  from.take(-from.position & 7);
  const values: Value[] = [];
  const { readValue } = VALUE_BYTES.code;
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
