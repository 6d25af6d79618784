// The memory of typed accumulators: a slot is the state value of its group; knows which bytes, not what they count.

import { setFloat64 } from '../base/bytes.ts';
import { TaskCorrupted } from '../base/errors.ts';
import type { Type } from '../data/type.ts';

const FIRST_SLOTS = 64;
/** Rowtime and the word of present bits come before the cells. */
const HEADER_CELLS = 2;
const PRESENT_WORD = 2;
/** Cells whose present bits fit the one word that slots have. */
export const TYPED_CELLS_MAX = 64;

/**
 * Slots of `stride` times 8 bytes, laid out as PROTOCOL.md section 4 lays out state values, so that storing one is a copy:
 *
 *   0  8  rowtime f64     8  8  present bits     16 ..  cells of 8 bytes: i64 or f64
 *
 * i64 cells are read and written as two words, low first, so that no bigint is made. The views are replaced when the memory
 * grows: take them again after `reserve`.
 */
export class SlotMemory {
  readonly stride: number;
  #presentAtFirst: Int32Array;
  f64: Float64Array;
  words: Int32Array;
  i64: BigInt64Array;

  /** Cells that hold doubles. */
  readonly doubles: readonly number[];

  /**
   * @param present for each cell: true when it is never null
   * @param doubles the cells that hold doubles
   */
  constructor(present: readonly boolean[], doubles: readonly number[]) {
    this.stride = HEADER_CELLS + present.length;
    this.doubles = doubles;
    this.#presentAtFirst = new Int32Array(2);
    present.forEach((always, cell) => {
      const bits = this.#presentAtFirst;
      if (always) bits[cell >> 5] = (bits[cell >> 5] ?? 0) | (1 << (cell & 31));
    });
    this.f64 = new Float64Array(FIRST_SLOTS * this.stride);
    this.words = new Int32Array(this.f64.buffer);
    this.i64 = new BigInt64Array(this.f64.buffer);
  }

  /** Where cell `cell` stands in a slot, counted in 8 bytes. */
  static offsetOf(cell: number): number {
    return HEADER_CELLS + cell;
  }

  /** The word of a slot that has the present bit of a cell, counted in 4 bytes from the slot's beginning. */
  static presentWordOf(cell: number): number {
    return PRESENT_WORD + (cell >> 5);
  }

  reserve(slots: number): void {
    if (slots * this.stride <= this.f64.length) return;
    const grown = new Float64Array(Math.max(slots * this.stride, this.f64.length * 2));
    // Words, not doubles, are copied: a double's copy may change the bits of a NaN.
    const words = new Int32Array(grown.buffer);
    words.set(this.words);
    this.f64 = grown;
    this.words = words;
    this.i64 = new BigInt64Array(grown.buffer);
  }

  reset(slot: number): void {
    const { words, stride } = this;
    const from = slot * stride * 2;
    for (let word = from; word < from + stride * 2; word++) words[word] = 0;
    this.f64[slot * stride] = -Infinity;
    words[from + PRESENT_WORD] = this.#presentAtFirst[0] as number;
    words[from + PRESENT_WORD + 1] = this.#presentAtFirst[1] as number;
  }

  load(slot: number, bytes: Uint8Array): void {
    if (bytes.length !== this.stride * 8) {
      throw new TaskCorrupted(
        `a state value has ${bytes.length} bytes where ${this.stride * 8} are due`,
      );
    }
    this.#bytesOf(slot).set(bytes);
  }

  encode(slot: number): Uint8Array {
    const bytes = this.#bytesOf(slot).slice();
    for (const cell of this.doubles) {
      const at = SlotMemory.offsetOf(cell);
      const value = this.f64[slot * this.stride + at] as number;
      // Stored bytes have one NaN.
      if (Number.isNaN(value)) setFloat64(new DataView(bytes.buffer), at * 8, value);
    }
    return bytes;
  }

  /** The value of a cell, for a type of that kind. */
  value(slot: number, cell: number, kind: Type['kind']): number | bigint | null {
    const at = slot * this.stride + HEADER_CELLS + cell;
    const bits = this.words[slot * this.stride * 2 + SlotMemory.presentWordOf(cell)] as number;
    if (((bits >> cell) & 1) === 0) return null;
    if (this.doubles.includes(cell)) return this.f64[at] as number;
    const value = this.i64[at] as bigint;
    return kind === 'BIGINT' ? value : Number(value);
  }

  move(from: number, to: number): void {
    const words = this.stride * 2;
    this.words.copyWithin(to * words, from * words, (from + 1) * words);
  }

  #bytesOf(slot: number): Uint8Array {
    return new Uint8Array(this.words.buffer, slot * this.stride * 8, this.stride * 8);
  }
}
