// Names of groups for a dictionary of bytes, written column by column, and the keys (PROTOCOL.md section 4) that they stand for. Knows no store.

import type { ByteWriter } from '../base/bytes.ts';
import { type Batch, positionOf } from './batch.ts';
import { bitAt, type Column } from './column.ts';
import { storageOf } from './storage.ts';
import { NULL, PRESENT, writeEscaped } from './key-writer.ts';
import type { Type } from './type.ts';

/** Turned round in integers, so that their bytes are ordered as they are. */
export const SIGN_BIT = 0x8000_0000;
// The upper halves of doubles. Every NaN is one key.
const INFINITY_HIGH = 0x7ff0_0000;
const MANTISSA_HIGH = 0x000f_ffff;
const NAN_HIGH = 0x7ff8_0000;

/** A column whose values are of one width. */
export type FixedColumn = Column & { readonly storage: 'i32' | 'i64' | 'f64' | 'u8' };

const WIDTHS = { i32: 5, i64: 9, f64: 9, u8: 2 } as const;

/** True when values of the type stand in a name as in a key; others stand there by the id of a piece of text or bytes. */
export function isFixed(type: Type): boolean {
  return storageOf(type) !== 'objects';
}

/** Bytes of a value of the type in a name, unless it is null. */
export function nameWidth(type: Type): number {
  const storage = storageOf(type);
  return WIDTHS[storage === 'objects' || storage === 'dictionary' ? 'i32' : storage];
}

/**
 * The names of a batch's rows, one after the other: that of row `i` is `offsets[i] .. offsets[i + 1]` of `bytes`. Both are
 * overwritten by the next batch. A name has the bytes of a key, but for columns of pieces, of which it has the ids as if they
 * were of INTEGER. A row without a group (GroupNames.isMissing) has no bytes.
 *
 * Cost: a pass a column over typed arrays, and one more where there are nulls; no object a row.
 */
export class KeyColumns {
  bytes: Uint8Array = new Uint8Array(0);
  offsets = new Uint32Array(1);
  /** True when rows of the last batch have no group. */
  hasMissing = false;
  #view = new DataView(this.bytes.buffer);
  #cursors = new Uint32Array(0);
  /** Row after row so wide, while the offsets say so; 0: they do not. */
  #stride = 0;

  /** Writes the names of a batch. */
  write(batch: Batch, columns: readonly FixedColumn[]): void {
    const rows = batch.length;
    if (this.#cursors.length < rows) {
      this.#cursors = new Uint32Array(rows);
      this.offsets = new Uint32Array(rows + 1);
      this.#stride = 0;
    }
    this.hasMissing = false;
    const width = fixedWidth(batch, columns);
    if (width > 0) this.#layEven(width);
    else this.#layOut(batch, columns);
    const length = this.offsets[rows] as number;
    if (this.bytes.length < length) {
      this.bytes = new Uint8Array(length * 2);
      this.#view = new DataView(this.bytes.buffer);
    }
    this.#cursors.set(this.offsets.subarray(0, rows));
    for (const column of columns) this.#writeColumn(batch, column);
  }

  /** Offsets of keys that are all of one width; the last batch's often serve. */
  #layEven(width: number): void {
    if (this.#stride === width) return;
    this.#stride = width;
    const { offsets } = this;
    for (let i = 0; i < offsets.length; i++) offsets[i] = i * width;
  }

  #layOut(batch: Batch, columns: readonly FixedColumn[]): void {
    this.#stride = 0;
    const { offsets } = this;
    const { length } = batch;
    let end = 0;
    offsets[0] = 0;
    for (let i = 0; i < length; i++) {
      const position = positionOf(batch, i);
      let bytes = 0;
      for (const column of columns) bytes += bytesAt(column, position);
      // A null takes one byte and a value more: so wide are nulls alone.
      if (bytes === columns.length || isDropped(batch, position)) this.hasMissing = true;
      else end += bytes;
      offsets[i + 1] = end;
    }
  }

  #writeColumn(batch: Batch, column: FixedColumn): void {
    const { selection, length } = batch;
    const { validity, storage } = column;
    const { bytes, offsets } = this;
    const cursors = this.#cursors;
    const view = this.#view;
    // All but booleans are read as words: one kind of array for the compiler, and no bigint.
    const words = wordsOf(column);
    for (let i = 0; i < length; i++) {
      if (this.hasMissing && offsets[i] === offsets[i + 1]) continue;
      const position = selection === null ? i : (selection[i] as number);
      let at = cursors[i] as number;
      if (validity !== null && !bitAt(validity, position)) {
        bytes[at] = NULL;
        cursors[i] = at + 1;
        continue;
      }
      bytes[at++] = PRESENT;
      if (storage === 'i32') {
        view.setUint32(at, (words[position] as number) ^ SIGN_BIT, false);
        at += 4;
      } else if (storage === 'u8') {
        bytes[at++] = column.values[position] as number;
      } else {
        let low = words[position * 2] as number;
        let high = words[position * 2 + 1] as number;
        if (storage === 'f64') {
          const exponent = high & INFINITY_HIGH;
          if (exponent === INFINITY_HIGH && ((high & MANTISSA_HIGH) | low) !== 0) {
            high = NAN_HIGH;
            low = 0;
          }
          const flips = high < 0 ? -1 : 0;
          low ^= flips;
          high ^= flips & ~SIGN_BIT;
        }
        view.setUint32(at, high ^ SIGN_BIT, false);
        view.setUint32(at + 4, low, false);
        at += 8;
      }
      cursors[i] = at;
    }
  }
}

/** The values as words of 32 bits, two to one of 64. */
function wordsOf({ storage, values }: FixedColumn): Int32Array {
  const { buffer, byteOffset, length } = values;
  if (storage === 'u8') return new Int32Array(0);
  return new Int32Array(
    buffer,
    byteOffset,
    storage === 'i64' || storage === 'f64' ? length * 2 : length,
  );
}

function isDropped(batch: Batch, position: number): boolean {
  return (
    (batch.keyNull !== null && bitAt(batch.keyNull, position)) ||
    (batch.valueNull !== null && bitAt(batch.valueNull, position))
  );
}

/** Bytes of each name, or 0 when they differ or a row may have none. */
function fixedWidth(batch: Batch, columns: readonly FixedColumn[]): number {
  if (batch.keyNull !== null || batch.valueNull !== null) return 0;
  let width = 0;
  for (const { storage, validity } of columns) {
    if (validity !== null) return 0;
    width += WIDTHS[storage];
  }
  return width;
}

function bytesAt({ storage, validity }: FixedColumn, position: number): number {
  return validity === null || bitAt(validity, position) ? WIDTHS[storage] : 1;
}

/** Appends the key bytes that a name stands for. `pieceOf` gives the text of a STRING, else the key bytes of the value. */
export function writeNamedKey(
  to: ByteWriter,
  name: Uint8Array,
  types: readonly Type[],
  pieceOf: (id: number) => Uint8Array,
): void {
  const view = new DataView(name.buffer, name.byteOffset, name.length);
  let at = 0;
  for (const type of types) {
    const width = name[at] === NULL ? 1 : nameWidth(type);
    if (isFixed(type) || width === 1) to.bytes(name, at, at + width);
    else {
      const piece = pieceOf((view.getUint32(at + 1, false) ^ SIGN_BIT) >>> 0);
      if (type.kind === 'STRING') {
        to.u8(PRESENT);
        writeEscaped(to, piece, 0, piece.length);
      } else to.bytes(piece);
    }
    at += width;
  }
}
