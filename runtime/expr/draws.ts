// Random numbers that what is drawn for decides: the input, the row, the call's place; knows no task and no row.

import { encodeUtf8 } from '../base/bytes.ts';

const WARM_UP_ROUNDS = 12;

/** Mixes 32 bits. Source: the finalizer of MurmurHash3. */
function mixed(bits: number): number {
  let h = bits | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** 128 bits of a text, in words. Each byte goes into each of them, and each depends on the others. */
function wordsOf(text: string): Int32Array {
  const words = Int32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667);
  for (const byte of encodeUtf8(text)) {
    let carried = byte;
    for (let i = 0; i < 4; i++) {
      carried = Math.imul((words[i] as number) ^ carried, 0x01000193 + i * 0x5bd1e994);
      carried ^= carried >>> 15;
      words[i] = carried;
    }
  }
  for (let round = 0; round < 8; round++) {
    const at = round & 3;
    words[at] = mixed((words[at] as number) + (words[(at + 3) & 3] as number));
  }
  return words;
}

/**
 * A generator with 128 bits of state that begins anew for each row. Source: sfc32 of PractRand, whose state is seeded in full.
 */
export class Draws {
  readonly #place: string;
  #seed = '';
  #words: Int32Array = new Int32Array(4);
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  /** @param place tells the expressions of a task apart */
  constructor(place: string) {
    this.#place = place;
  }

  /**
   * Begins a row.
   * @param seed what tells inputs apart, and installations
   * @param row a whole number below 2^53
   */
  begin(seed: string, row: number): void {
    if (seed !== this.#seed) {
      this.#seed = seed;
      this.#words = wordsOf(`${seed} ${this.#place}`);
    }
    const [a, b, c, d] = this.#words as unknown as readonly [number, number, number, number];
    this.#a = a ^ row;
    this.#b = b ^ Math.floor(row / 0x1_0000_0000);
    this.#c = c;
    this.#counter = d;
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.#next();
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum;
  }

  /** A number in [0, 1) of 53 bits. */
  next(): number {
    const high = this.#next() >>> 5;
    return (high * 0x400_0000 + (this.#next() >>> 6)) / 2 ** 53;
  }
}
