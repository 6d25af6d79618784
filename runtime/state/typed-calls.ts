// COUNT, SUM and AVG over typed columns as loops over slots; knows no group, no window and no output batch.

import { assert } from '../base/assert.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import { wordsOf as longWords } from '../data/dense.ts';
import type { Type } from '../data/type.ts';
import { SlotMemory } from './slot-memory.ts';

/** The rows to fold: slot and array position of each. */
export interface FoldRows {
  readonly slots: Int32Array;
  readonly positions: Uint32Array;
}

/** Two's complement words, low first, of an i64 column. */
export function wordsOf(column: Column): Int32Array {
  assert(column.storage === 'i64', 'a column of BIGINT');
  return longWords(column.values);
}

/** The values of an i32 or f64 column. */
export function numbersOf(column: Column): Int32Array | Float64Array {
  assert(column.storage === 'i32' || column.storage === 'f64', 'a column of INTEGER or DOUBLE');
  return column.values;
}

/** The double nearest to a 64-bit integer: one rounding, as a conversion in hardware has. */
export function doubleOf(low: number, high: number): number {
  return high * 0x1_0000_0000 + (low >>> 0);
}

/**
 * One aggregate call. `begin` takes the argument and the number of output rows, then come `run`, `take` and `read` in the order
 * of the rows, then `finish`.
 */
export abstract class TypedCall {
  protected readonly memory: SlotMemory;
  protected readonly type: Type;
  /** Offset of its first cell in a slot, in 8 bytes. */
  protected readonly at: number;
  protected column: Column | null = null;

  constructor(memory: SlotMemory, type: Type, firstCell: number) {
    this.memory = memory;
    this.type = type;
    this.at = SlotMemory.offsetOf(firstCell);
  }

  begin(column: Column | null, rows: number): void {
    this.column = column;
    this.start(rows);
  }

  /** Makes room for `rows` results. */
  protected abstract start(rows: number): void;
  /** Adds rows `from .. to`; the result after each goes to output row `row`, `row + 1`, ... */
  abstract run(fold: FoldRows, from: number, to: number, row: number): void;
  /** Writes the slot's result to an output row. */
  abstract read(slot: number, row: number): void;
  /** Takes the row at a position back. */
  abstract take(slot: number, position: number): void;
  /** The first `rows` results. */
  abstract finish(rows: number): Column;

  protected isValid(position: number): boolean {
    return this.column === null || !isNull(this.column, position);
  }

  /** Adds 1 or -1 to an i64 cell. */
  protected step(slot: number, cellAt: number, by: 1 | -1): void {
    const { words, stride } = this.memory;
    const word = (slot * stride + cellAt) * 2;
    const low = ((words[word] as number) + by) | 0;
    words[word] = low;
    const carry = by === 1 ? (low === 0 ? 1 : 0) : low === -1 ? -1 : 0;
    words[word + 1] = (words[word + 1] as number) + carry;
  }
}

/** A call whose result is its first cell, an i64. */
abstract class Int64Call extends TypedCall {
  protected out = new Int32Array(0);

  protected start(rows: number): void {
    this.out = new Int32Array(rows * 2);
  }

  read(slot: number, row: number): void {
    const { words, stride } = this.memory;
    const word = (slot * stride + this.at) * 2;
    this.out[row * 2] = words[word] as number;
    this.out[row * 2 + 1] = words[word + 1] as number;
  }

  finish(rows: number): Column {
    const values = new BigInt64Array(this.out.buffer, 0, rows);
    return { type: this.type, validity: null, storage: 'i64', values };
  }
}

/** COUNT(*) and COUNT of a column. */
export class CountCall extends Int64Call {
  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    const { out, at } = this;
    const { column } = this;
    let to32 = row * 2;
    for (let k = from; k < to; k++, to32 += 2) {
      const word = ((slots[k] as number) * stride + at) * 2;
      let low = words[word] as number;
      let high = words[word + 1] as number;
      if (column === null || !isNull(column, positions[k] as number)) {
        low = (low + 1) | 0;
        words[word] = low;
        if (low === 0) words[word + 1] = high = (high + 1) | 0;
      }
      out[to32] = low;
      out[to32 + 1] = high;
    }
  }

  take(slot: number, position: number): void {
    if (this.isValid(position)) this.step(slot, this.at, -1);
  }
}

/** SUM of BIGINT: wraps at 64 bits. */
export class SumInt64Call extends Int64Call {
  #from: Int32Array = new Int32Array(0);

  protected override start(rows: number): void {
    super.start(rows);
    if (this.column !== null) this.#from = wordsOf(this.column);
  }

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    const { out, at } = this;
    const values = this.#from;
    const validity = this.column?.validity ?? null;
    let to32 = row * 2;
    for (let k = from; k < to; k++, to32 += 2) {
      const word = ((slots[k] as number) * stride + at) * 2;
      const position = positions[k] as number;
      let low = words[word] as number;
      let high = words[word + 1] as number;
      if (validity === null || bitAt(validity, position)) {
        const sum = (low >>> 0) + ((values[position * 2] as number) >>> 0);
        high = (high + (values[position * 2 + 1] as number) + (sum > 0xffff_ffff ? 1 : 0)) | 0;
        low = sum | 0;
        words[word] = low;
        words[word + 1] = high;
      }
      out[to32] = low;
      out[to32 + 1] = high;
    }
  }

  take(slot: number, position: number): void {
    if (!this.isValid(position)) return;
    const { words, stride } = this.memory;
    const word = (slot * stride + this.at) * 2;
    subtract(
      words,
      word,
      this.#from[position * 2] as number,
      this.#from[position * 2 + 1] as number,
    );
  }
}

/** Takes a 64-bit integer off the one whose words begin at `word`. */
export function subtract(words: Int32Array, word: number, low: number, high: number): void {
  const difference = ((words[word] as number) >>> 0) - (low >>> 0);
  words[word + 1] = (words[word + 1] as number) - high - (difference < 0 ? 1 : 0);
  words[word] = difference | 0;
}

/** SUM of INTEGER: wraps at 32 bits, its cell sign-extended. */
export class SumInt32Call extends TypedCall {
  #out = new Int32Array(0);

  protected start(rows: number): void {
    this.#out = new Int32Array(rows);
  }

  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { words, stride } = this.memory;
    const { at, column } = this;
    const out = this.#out;
    if (column === null) return;
    const values = numbersOf(column) as Int32Array;
    const { validity } = column;
    let to32 = row;
    for (let k = from; k < to; k++, to32++) {
      const word = ((slots[k] as number) * stride + at) * 2;
      const position = positions[k] as number;
      let sum = words[word] as number;
      if (validity === null || bitAt(validity, position)) {
        sum = (sum + (values[position] as number)) | 0;
        words[word] = sum;
        words[word + 1] = sum >> 31;
      }
      out[to32] = sum;
    }
  }

  read(slot: number, row: number): void {
    const { words, stride } = this.memory;
    this.#out[row] = words[(slot * stride + this.at) * 2] as number;
  }

  take(slot: number, position: number): void {
    if (this.column === null || !this.isValid(position)) return;
    const { words, stride } = this.memory;
    const word = (slot * stride + this.at) * 2;
    const sum = ((words[word] as number) - (numbersOf(this.column)[position] as number)) | 0;
    words[word] = sum;
    words[word + 1] = sum >> 31;
  }

  finish(rows: number): Column {
    return { type: this.type, validity: null, storage: 'i32', values: this.#out.subarray(0, rows) };
  }
}

/** A call whose results are doubles. */
export abstract class Float64Call extends TypedCall {
  protected out = new Float64Array(0);

  protected start(rows: number): void {
    this.out = new Float64Array(rows);
  }

  finish(rows: number): Column {
    return { type: this.type, validity: null, storage: 'f64', values: this.out.subarray(0, rows) };
  }
}

/** SUM of DOUBLE, from 0, in the order of the rows. */
export class SumFloat64Call extends Float64Call {
  run(fold: FoldRows, from: number, to: number, row: number): void {
    const { slots, positions } = fold;
    const { f64, stride } = this.memory;
    const { out, at, column } = this;
    if (column === null) return;
    const values = numbersOf(column) as Float64Array;
    const { validity } = column;
    let toRow = row;
    for (let k = from; k < to; k++, toRow++) {
      const cell = (slots[k] as number) * stride + at;
      const position = positions[k] as number;
      let sum = f64[cell] as number;
      if (validity === null || bitAt(validity, position)) {
        sum += values[position] as number;
        f64[cell] = sum;
      }
      out[toRow] = sum;
    }
  }

  read(slot: number, row: number): void {
    this.out[row] = this.memory.f64[slot * this.memory.stride + this.at] as number;
  }

  take(slot: number, position: number): void {
    if (this.column === null || !this.isValid(position)) return;
    const cell = slot * this.memory.stride + this.at;
    const sum = this.memory.f64[cell] as number;
    this.memory.f64[cell] = sum - (numbersOf(this.column)[position] as number);
  }
}
