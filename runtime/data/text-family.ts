// Texts that a decoder meets again and again, kept once, and the dictionaries of its chunks, which name them by number; knows no decoder.

import { assert } from '../base/assert.ts';
import { decodeUtf8 } from '../base/bytes.ts';
import { grown } from '../base/grown.ts';
import { type Dictionary, type KnownEntries, WholeDictionary } from './dictionary.ts';

/** Of more bytes a text is copied by a call, which costs as much as copying so many one by one. */
const SHORT_BYTES = 32;

/**
 * Texts by number, of which there are only ever more: as many as the decoder knows at a time, which bounds them. Whoever holds one of its
 * dictionaries holds all of them.
 */
export class TextFamily {
  /** In which the decoder has given these numbers. */
  readonly generation: number;
  size = 0;
  /** There is room behind them, so that a few more are no copy of all. */
  #bytes = new Uint8Array(0);
  #offsets = new Uint32Array(1);
  /** Decoded once for all chunks. */
  readonly #texts: string[] = [];

  constructor(generation: number) {
    this.generation = generation;
  }

  /**
   * Adds those that it does not have yet.
   * @param bytes of all texts, those that it has first
   * @param ends where each ends
   */
  extend(bytes: Uint8Array, ends: Uint32Array): void {
    const { size } = this;
    const begin = this.#offsets[size] as number;
    if (bytes.length > this.#bytes.length) this.#bytes = grown(this.#bytes, bytes.length * 2);
    this.#bytes.set(bytes.subarray(begin), begin);
    if (ends.length >= this.#offsets.length) this.#offsets = grown(this.#offsets, ends.length * 2);
    this.#offsets.set(ends.subarray(size), size + 1);
    this.size = ends.length;
  }

  /** The text's UTF-8, a view. */
  utf8(number: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[number], this.#offsets[number + 1]);
  }

  text(number: number): string {
    assert(number < this.size, 'the family has the text');
    return (this.#texts[number] ??= decodeUtf8(
      this.#bytes,
      this.#offsets[number],
      this.#offsets[number + 1],
    ));
  }

  /** The texts of these numbers, each of which comes once, one after the other. */
  gathered(numbers: Uint32Array): WholeDictionary {
    const from = this.#bytes;
    const begins = this.#offsets;
    const offsets = new Uint32Array(numbers.length + 1);
    let size = 0;
    for (let code = 0; code < numbers.length; code++) {
      const number = numbers[code] as number;
      size += (begins[number + 1] as number) - (begins[number] as number);
      offsets[code + 1] = size;
    }
    const bytes = new Uint8Array(size);
    for (let code = 0; code < numbers.length; code++) {
      const number = numbers[code] as number;
      const begin = begins[number] as number;
      const end = begins[number + 1] as number;
      const to = offsets[code] as number;
      if (end - begin > SHORT_BYTES) bytes.set(from.subarray(begin, end), to);
      else for (let i = begin; i < end; i++) bytes[to + i - begin] = from[i] as number;
    }
    return new WholeDictionary(bytes, offsets);
  }
}

/** The dictionary of a chunk. Its bytes are put together only when somebody asks for them. */
export class FamilyDictionary implements Dictionary, KnownEntries {
  readonly family: TextFamily;
  readonly numbers: Uint32Array;
  #whole: WholeDictionary | null = null;

  /** @param numbers of its texts by code; not to be written any more */
  constructor(family: TextFamily, numbers: Uint32Array) {
    this.family = family;
    this.numbers = numbers;
  }

  get #own(): WholeDictionary {
    return (this.#whole ??= this.family.gathered(this.numbers));
  }

  get bytes(): Uint8Array {
    return this.#own.bytes;
  }

  get offsets(): Uint32Array {
    return this.#own.offsets;
  }

  get known(): KnownEntries {
    return this;
  }

  get size(): number {
    return this.numbers.length;
  }

  utf8(code: number): Uint8Array {
    return this.family.utf8(this.numbers[code] as number);
  }

  text(code: number): string {
    // Of a code beyond the dictionary there is no number, and of none there is no text.
    return this.family.text(this.numbers[code] ?? Infinity);
  }
}
