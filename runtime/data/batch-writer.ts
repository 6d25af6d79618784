// A batch as bytes (PROTOCOL.md section 3): typed arrays as they are, strings as dictionaries; knows no topic.

import type { ByteWriter } from '../base/bytes.ts';
import type { Batch } from './batch.ts';
import { FLAG_KEY_NULL, FLAG_OP, FLAG_VALUE_NULL, VERSION } from './codec-header.ts';
import { schemaSum, STORAGE_CODES } from './codec-schema.ts';
import type { Bitmap, Column } from './column.ts';
import { VALUE_BYTES } from './parts.ts';
import type { Type, Value } from './type.ts';

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
  const { writeValue } = VALUE_BYTES.code;
  for (let row = 0; row < rows; row++) {
    const value = values[row] ?? null;
    if (value !== null) writeValue(to, type, value);
    to.patchU32(offsetsAt + (row + 1) * 4, to.position - start);
  }
  to.pad8();
}
