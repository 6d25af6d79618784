// Rows as numbers: their times and keys side by side in arrays, each linked to the one before it; knows no store and no value.

import { grown } from '../base/grown.ts';

const FIRST_ROWS = 64;
/** Where the words of a row have what. */
const Word = { key: 0, side: 1, before: 2, number: 3, kept: 4 } as const;
const WORDS = 5;

/** In the place of a row's key: it was read, and is not to be handed over. */
export const READ = -1;

/** Rows are added and never removed. No row is an object, so that the garbage collector has nothing to do with them. */
export class RowList {
  size = 0;
  #ms = new Float64Array(FIRST_ROWS);
  #words = new Int32Array(FIRST_ROWS * WORDS);

  /** @param kept its number among the rows that its side has kept */
  add(key: number, side: number, before: number, ms: number, number: number, kept: number): number {
    const row = this.size++;
    if (row === this.#ms.length) this.#grow();
    this.#ms[row] = ms;
    const words = this.#words;
    const at = row * WORDS;
    words[at + Word.key] = key;
    words[at + Word.side] = side;
    words[at + Word.before] = before;
    words[at + Word.number] = number;
    words[at + Word.kept] = kept;
    return row;
  }

  #grow(): void {
    this.#ms = grown(this.#ms, this.#ms.length * 2);
    this.#words = grown(this.#words, this.#words.length * 2);
  }

  ms(row: number): number {
    return this.#ms[row] as number;
  }

  key(row: number): number {
    return this.#words[row * WORDS + Word.key] as number;
  }

  side(row: number): number {
    return this.#words[row * WORDS + Word.side] as number;
  }

  before(row: number): number {
    return this.#words[row * WORDS + Word.before] as number;
  }

  setBefore(row: number, before: number): void {
    this.#words[row * WORDS + Word.before] = before;
  }

  /** Tells rows of one key and time apart. */
  number(row: number): number {
    return this.#words[row * WORDS + Word.number] as number;
  }

  kept(row: number): number {
    return this.#words[row * WORDS + Word.kept] as number;
  }
}
