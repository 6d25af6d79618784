// What ties the kept rows of one side together: the key, the time and the row before, by the row's number; knows no store and no value.

import { grown } from '../base/grown.ts';
import { type KeptRows, ROW_BITS, ROW_MASK } from './kept-rows.ts';

/** Where the words of a row have what. */
const Word = { key: 0, before: 1, number: 2 } as const;
const WORDS = 3;
const SEGMENT_ROWS = ROW_MASK + 1;

/** In the place of a row's key: it was read, and is not to be handed over. */
export const READ = -1;

/** Rows are added and never removed. No row is an object, so that the garbage collector has nothing to do with them. */
export class RowLinks {
  readonly #kept: KeptRows;
  /** By segment of the rows. */
  readonly #words: Int32Array[] = [];
  readonly #ms: Float64Array[] = [];

  constructor(kept: KeptRows) {
    this.#kept = kept;
  }

  add(row: number, key: number, before: number, number: number, ms: number): void {
    const segment = row >> ROW_BITS;
    const i = row & ROW_MASK;
    let words = this.#words[segment];
    if (words === undefined || i * WORDS >= words.length) words = this.#grow(row, i);
    const at = i * WORDS;
    words[at + Word.key] = key;
    words[at + Word.before] = before;
    words[at + Word.number] = number;
    (this.#ms[segment] as Float64Array)[i] = ms;
  }

  #grow(row: number, i: number): Int32Array {
    const segment = row >> ROW_BITS;
    const rows = Math.min(Math.max(this.#kept.segmentSize(row), 2 * (i + 1)), SEGMENT_ROWS);
    const words = grown(this.#words[segment] ?? new Int32Array(0), rows * WORDS);
    this.#words[segment] = words;
    this.#ms[segment] = grown(this.#ms[segment] ?? new Float64Array(0), rows);
    return words;
  }

  #word(row: number, word: number): number {
    return (this.#words[row >> ROW_BITS] as Int32Array)[(row & ROW_MASK) * WORDS + word] as number;
  }

  ms(row: number): number {
    return (this.#ms[row >> ROW_BITS] as Float64Array)[row & ROW_MASK] as number;
  }

  key(row: number): number {
    return this.#word(row, Word.key);
  }

  before(row: number): number {
    return this.#word(row, Word.before);
  }

  setBefore(row: number, before: number): void {
    const words = this.#words[row >> ROW_BITS] as Int32Array;
    words[(row & ROW_MASK) * WORDS + Word.before] = before;
  }

  /** Tells rows of one key and time apart. */
  number(row: number): number {
    return this.#word(row, Word.number);
  }
}
