// State values of rows (PROTOCOL.md section 4) that become columns together, column by column; knows no table.

import { ByteReader } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Bitmap, bitAt, bitmap, type Column } from './column.ts';
import { Interner } from './interner.ts';
import { cellsAtOf, tailAtOf } from './row-cells.ts';
import { storageOf } from './storage.ts';
import type { Type, Value } from './type.ts';
import { readValue } from './value-bytes.ts';

const ROWTIME_BYTES = 8;

/** The cells of a column: two words each, and which there are. */
interface Words {
  readonly words: Int32Array<ArrayBuffer>;
  readonly validity: Bitmap | null;
}

/** Collects at most BATCH_ROWS_MAX rows of one list of types. Cost: a loop a column when they are finished; no value is made, but for nested ones. */
export class StoredRows {
  readonly #types: readonly Type[];
  readonly #skipped: number;
  readonly #cellsAt: number;
  readonly #tailAt: number;
  #rows: (Uint8Array | null)[] = [];
  readonly #starts = new Uint32Array(BATCH_ROWS_MAX);
  readonly #ends = new Uint32Array(BATCH_ROWS_MAX);
  readonly #interner = new Interner();

  /** @param skipped cells at the front that nobody wants */
  constructor(types: readonly Type[], skipped: number) {
    this.#types = types;
    this.#skipped = skipped;
    this.#cellsAt = cellsAtOf(types.length);
    this.#tailAt = tailAtOf(types.length);
  }

  /**
   * Adds the row `from .. to` of `bytes`, which nobody may write to before `finish`; null: a row of nulls.
   * @throws {TaskCorrupted} when it is too short
   */
  add(bytes: Uint8Array | null, from: number, to: number): void {
    const row = this.#rows.length;
    if (bytes !== null && to - from < this.#tailAt)
      throw new TaskCorrupted(`a stored row of ${to - from} bytes is too short`);
    this.#rows.push(bytes);
    this.#starts[row] = from;
    this.#ends[row] = to;
  }

  /** The columns of the rows; there are none afterwards. @throws {TaskCorrupted} when a row is none of these types */
  finish(): Column[] {
    const columns: Column[] = [];
    for (let cell = this.#skipped; cell < this.#types.length; cell++)
      columns.push(this.#column(cell));
    this.#rows = [];
    return columns;
  }

  #column(cell: number): Column {
    const type = this.#types[cell] as Type;
    const cells = this.#wordsOf(cell);
    const { words, validity } = cells;
    const storage = type.kind === 'STRING' ? 'dictionary' : storageOf(type);
    switch (storage) {
      case 'i64':
        return { type, validity, storage, values: new BigInt64Array(words.buffer) };
      case 'f64':
        return { type, validity, storage, values: new Float64Array(words.buffer) };
      case 'i32':
        return {
          type,
          validity,
          storage,
          values: lowWords(words, new Int32Array(words.length / 2)),
        };
      case 'u8':
        return {
          type,
          validity,
          storage,
          values: lowWords(words, new Uint8Array(words.length / 2)),
        };
      case 'dictionary':
        return { type, validity, storage, ...this.#texts(cells) };
      case 'objects':
        return { type, validity: null, storage, values: this.#nested(type, cells) };
    }
  }

  #wordsOf(cell: number): Words {
    const rows = this.#rows;
    const starts = this.#starts;
    const words = new Int32Array(rows.length * 2);
    const to = new Uint8Array(words.buffer);
    const cellAt = this.#cellsAt + cell * 8;
    const flagAt = ROWTIME_BYTES + (cell >> 3);
    const flag = 1 << (cell & 7);
    let validity: Bitmap | null = null;
    for (let row = 0; row < rows.length; row++) {
      const bytes = rows[row] as Uint8Array | null;
      const start = starts[row] as number;
      if (bytes === null || ((bytes[start + flagAt] as number) & flag) === 0) {
        validity ??= allSet(rows.length);
        validity[row >> 3] = (validity[row >> 3] as number) & ~(1 << (row & 7));
        continue;
      }
      for (let at = start + cellAt, i = row * 8, end = i + 8; i < end; i++, at++)
        to[i] = bytes[at] as number;
    }
    return { words, validity };
  }

  #texts({ words, validity }: Words) {
    const interner = this.#interner;
    const values = new Uint32Array(words.length / 2);
    for (let row = 0; row < values.length; row++) {
      if (validity !== null && !bitAt(validity, row)) continue;
      const { bytes, from, to } = this.#tailOf(row, words);
      if (from + 4 > to) throw new TaskCorrupted('a stored text has no length');
      values[row] = interner.intern(bytes, from + 4, to);
    }
    // A column of nulls still has an entry for its zero codes to point at.
    if (interner.size === 0) interner.intern(new Uint8Array(0), 0, 0);
    return { values, dictionary: interner.finish() };
  }

  #nested(type: Type, { words, validity }: Words): Value[] {
    return this.#rows.map((_, row) => {
      if (validity !== null && !bitAt(validity, row)) return null;
      const { bytes, from, to } = this.#tailOf(row, words);
      try {
        const reader = new ByteReader(bytes, from, to);
        const value = readValue(reader, type);
        reader.finish();
        return value;
      } catch (thrown) {
        if (!(thrown instanceof PortError)) throw thrown;
        throw new TaskCorrupted(`a stored row: ${thrown.message}`, { cause: thrown });
      }
    });
  }

  /** Where a cell's value stands in the tail of its row: of a text behind its length. */
  #tailOf(row: number, words: Int32Array) {
    const bytes = this.#rows[row] as Uint8Array;
    const from = (this.#starts[row] as number) + this.#tailAt + ((words[row * 2] as number) >>> 0);
    const to = from + ((words[row * 2 + 1] as number) >>> 0);
    if (to > (this.#ends[row] as number))
      throw new TaskCorrupted('a stored value ends beyond its row');
    return { bytes, from, to };
  }
}

function lowWords<N extends Int32Array | Uint8Array>(words: Int32Array, into: N): N {
  for (let row = 0; row < into.length; row++) into[row] = words[row * 2] as number;
  return into;
}

function allSet(rows: number): Bitmap {
  const bits = bitmap(rows).fill(0xff);
  if ((rows & 7) !== 0) bits[bits.length - 1] = (1 << (rows & 7)) - 1;
  return bits;
}
