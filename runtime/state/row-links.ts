// What ties the kept rows of one side together: the key, the time and the row before, by the row's number; knows no store and no value.

import { grown } from '../base/grown.ts';
import { type KeptRows, ROW_BITS, ROW_MASK } from './kept-rows.ts';

/** Words of a row, and where they have what. */
export const WORDS = 4;
export const KEY_WORD = 0;
export const BEFORE_WORD = 1;
export const NUMBER_WORD = 2;
const WAITS_WORD = 3;
const SEGMENT_ROWS = ROW_MASK + 1;

/** In the place of a row's key: it was read, and is not to be handed over. */
export const READ = -1;

/** A row without a partner so far: not, or kept in memory only, or in the state table of waiting rows too; or that table says whether it is one. */
export const Waits = { no: 0, fresh: 1, stored: 2, read: 3 } as const;
export type Waits = (typeof Waits)[keyof typeof Waits];

/** Rows are added and never removed. No row is an object, so that the garbage collector has nothing to do with them. */
export class RowLinks {
  readonly #kept: KeptRows;
  /** By segment of the rows. */
  readonly #words: Int32Array[] = [];
  readonly times: Float64Array[] = [];

  constructor(kept: KeptRows) {
    this.#kept = kept;
  }

  add(row: number, key: number, before: number, number: number, ms: number): void {
    const words = this.room(row);
    const i = row & ROW_MASK;
    const at = i * WORDS;
    words[at + KEY_WORD] = key;
    words[at + BEFORE_WORD] = before;
    words[at + NUMBER_WORD] = number;
    const times = this.times[row >> ROW_BITS] as Float64Array;
    // Where they are those of a batch they are there, and nobody writes to it.
    if (times[i] !== ms) times[i] = ms;
  }

  /** The words of the row's segment, with room for those of the row. */
  room(row: number): Int32Array {
    const words = this.#words[row >> ROW_BITS];
    const i = row & ROW_MASK;
    return words === undefined || i * WORDS >= words.length ? this.#grow(row, i) : words;
  }

  #grow(row: number, i: number): Int32Array {
    const segment = row >> ROW_BITS;
    const rows = Math.min(Math.max(this.#kept.segmentSize(row), 2 * (i + 1)), SEGMENT_ROWS);
    const words = grown(this.#words[segment] ?? new Int32Array(0), rows * WORDS);
    this.#words[segment] = words;
    this.times[segment] =
      this.#kept.timesOf(row) ?? grown(this.times[segment] ?? new Float64Array(0), rows);
    return words;
  }

  #word(row: number, word: number): number {
    return (this.#words[row >> ROW_BITS] as Int32Array)[(row & ROW_MASK) * WORDS + word] as number;
  }

  ms(row: number): number {
    return (this.times[row >> ROW_BITS] as Float64Array)[row & ROW_MASK] as number;
  }

  key(row: number): number {
    return this.#word(row, KEY_WORD);
  }

  before(row: number): number {
    return this.#word(row, BEFORE_WORD);
  }

  setBefore(row: number, before: number): void {
    this.#setWord(row, BEFORE_WORD, before);
  }

  /** Tells rows of one key and time apart, in the order in which they came. */
  number(row: number): number {
    return this.#word(row, NUMBER_WORD);
  }

  waits(row: number): Waits {
    return this.#word(row, WAITS_WORD) as Waits;
  }

  setWaits(row: number, waits: Waits): void {
    this.#setWord(row, WAITS_WORD, waits);
  }

  #setWord(row: number, word: number, value: number): void {
    (this.#words[row >> ROW_BITS] as Int32Array)[(row & ROW_MASK) * WORDS + word] = value;
  }
}
