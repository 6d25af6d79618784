// Rows as numbers: their times, keys and bytes side by side in arrays, each linked to the one before it; knows no store.

import { grown } from '../base/grown.ts';

const FIRST_ROWS = 64;
const FIRST_BYTES = 4096;
/** Where the words of a row have what. */
const Word = { key: 0, side: 1, before: 2, number: 3, from: 4, to: 5 } as const;
const WORDS = 6;

/** In the place of a row's key: it was read, and is not to be handed over. */
export const READ = -1;

/** Rows are added and never removed. No row is an object, so that the garbage collector has nothing to do with them. */
export class RowList {
  size = 0;
  /** Of all rows, one after the other. What is written stays as it is; an array that has become too small is another one then. */
  bytes = new Uint8Array(FIRST_BYTES);
  bytesHeld = 0;
  #ms = new Float64Array(FIRST_ROWS);
  #words = new Int32Array(FIRST_ROWS * WORDS);

  /** Adds a row, with a copy of the first `length` of the bytes. */
  add(
    key: number,
    side: number,
    before: number,
    ms: number,
    number: number,
    bytes: Uint8Array,
    length: number,
  ): number {
    const row = this.size++;
    if (row === this.#ms.length) this.#grow();
    const from = this.bytesHeld;
    const to = from + length;
    if (to > this.bytes.length) this.bytes = grown(this.bytes, Math.max(to, this.bytes.length * 2));
    const own = this.bytes;
    if (length > 128) own.set(bytes.length === length ? bytes : bytes.subarray(0, length), from);
    else for (let i = 0; i < length; i++) own[from + i] = bytes[i] as number;
    this.bytesHeld = to;
    this.#ms[row] = ms;
    const words = this.#words;
    const at = row * WORDS;
    words[at + Word.key] = key;
    words[at + Word.side] = side;
    words[at + Word.before] = before;
    words[at + Word.number] = number;
    words[at + Word.from] = from;
    words[at + Word.to] = to;
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

  from(row: number): number {
    return this.#words[row * WORDS + Word.from] as number;
  }

  to(row: number): number {
    return this.#words[row * WORDS + Word.to] as number;
  }
}
