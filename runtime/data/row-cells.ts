// The state value of a row (PROTOCOL.md section 4) from columns, with no value made on the way, and back; knows no table.

import { ByteWriter, setFloat64 } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { grown } from '../base/grown.ts';
import type { ColumnBuilder } from './builder.ts';
import { decodeCells } from './cells.ts';
import { type Column, isNull, valueAt } from './column.ts';
import type { Type } from './type.ts';
import { writeValue } from './value-bytes.ts';

const ROWTIME_BYTES = 8;
const CELL_BYTES = 8;

/** Where the cells of a row of so many begin, and what does not fit them. */
export function cellsAtOf(count: number): number {
  return ROWTIME_BYTES + ((count + 63) >> 6) * 8;
}

export function tailAtOf(count: number): number {
  return cellsAtOf(count) + count * CELL_BYTES;
}

/**
 * Encodes and decodes the rows of one list of types, to the bytes that `encodeCells` makes of values. Cost: a loop over the cells and
 * one array a row; text is copied as UTF-8.
 */
export class RowCells {
  readonly #types: readonly Type[];
  readonly #cellsAt: number;
  readonly #tailAt: number;
  readonly #nested = new ByteWriter(64);
  #scratch: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;

  constructor(types: readonly Type[]) {
    this.#types = types;
    this.#cellsAt = cellsAtOf(types.length);
    this.#tailAt = tailAtOf(types.length);
    this.#scratch = new Uint8Array(this.#tailAt + 256);
    this.#view = new DataView(this.#scratch.buffer);
  }

  /** The row at an array position, as `write` has it, in bytes of its own. */
  encode(columns: readonly Column[], position: number, rowtime: number): Uint8Array<ArrayBuffer> {
    const length = this.write(columns, position, rowtime);
    return this.#scratch.slice(0, length);
  }

  /** What was written last, from the beginning on. */
  get written(): Uint8Array {
    return this.#scratch;
  }

  /**
   * Writes the row at an array position.
   * @param columns those of the types, in their order
   * @returns how many bytes of `written` it has
   */
  write(columns: readonly Column[], position: number, rowtime: number): number {
    let bytes = this.#scratch;
    let view = this.#view;
    let end = this.#tailAt;
    for (let i = 0; i < end; i++) bytes[i] = 0;
    view.setFloat64(0, rowtime, true);
    let at = this.#cellsAt;
    for (let i = 0; i < columns.length; i++, at += CELL_BYTES) {
      const column = columns[i] as Column;
      if (isNull(column, position)) continue;
      const flagAt = ROWTIME_BYTES + (i >> 3);
      bytes[flagAt] = (bytes[flagAt] as number) | (1 << (i & 7));
      switch (column.storage) {
        case 'f64':
          setFloat64(view, at, column.values[position] as number);
          break;
        case 'i32': {
          const value = column.values[position] as number;
          view.setInt32(at, value, true);
          view.setInt32(at + 4, value < 0 ? -1 : 0, true);
          break;
        }
        case 'i64':
          view.setBigInt64(at, column.values[position] as bigint, true);
          break;
        case 'u8':
          bytes[at] = column.values[position] as number;
          break;
        default: {
          const to = this.#writeTail(column, position, end);
          bytes = this.#scratch;
          view = this.#view;
          view.setUint32(at, end - this.#tailAt, true);
          view.setUint32(at + 4, to - end, true);
          end = to;
        }
      }
    }
    return end;
  }

  /** @returns where the tail ends now */
  #writeTail(
    column: Column & { readonly storage: 'dictionary' | 'objects' },
    position: number,
    at: number,
  ): number {
    if (column.storage === 'objects') {
      const nested = this.#nested;
      nested.truncate(0);
      writeValue(nested, column.type, valueAt(column, position));
      this.#reserve(at + nested.position);
      this.#scratch.set(nested.written(), at);
      return at + nested.position;
    }
    const { bytes: from, offsets } = column.dictionary;
    const code = column.values[position] as number;
    const start = offsets[code] as number;
    const length = (offsets[code + 1] as number) - start;
    this.#reserve(at + 4 + length);
    const to = this.#scratch;
    this.#view.setUint32(at, length, true);
    for (let i = 0; i < length; i++) to[at + 4 + i] = from[start + i] as number;
    return at + 4 + length;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#scratch.length) return;
    this.#scratch = grown(this.#scratch, Math.max(bytes, this.#scratch.length * 2));
    this.#view = new DataView(this.#scratch.buffer);
  }

  /**
   * Appends each cell of an encoded row to the builder of its column; many rows become columns in stored-rows.ts, which costs less.
   * @param to null: a cell that is not wanted
   * @throws {TaskCorrupted} when the bytes are no such row
   */
  append(row: Uint8Array, to: readonly (ColumnBuilder | null)[]): void {
    try {
      decodeCells(this.#types, row).values.forEach((value, cell) => to[cell]?.append(value));
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a stored row of ${row.length} bytes: ${thrown.message}`, {
        cause: thrown,
      });
    }
  }
}

/** The rowtime of an encoded row, which begins at a byte. */
export function rowtimeOf(row: Uint8Array, from = 0): number {
  // A view of a small array costs much more than a copy: the engine keeps such arrays without a buffer of their own.
  for (let i = 0; i < CELL_BYTES; i++) first.bytes[i] = row[from + i] as number;
  return first.doubles[0] as number;
}

const bytes = new Uint8Array(CELL_BYTES);
const first = { bytes, doubles: new Float64Array(bytes.buffer) };
