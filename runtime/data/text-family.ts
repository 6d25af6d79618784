// Texts that a decoder meets again and again, kept once, and the dictionaries of its chunks, which name them by number; knows no decoder.

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
  #bytes = new Uint8Array();
  #offsets = new Uint32Array(1);
  #size = 0;
  #all: WholeDictionary | null = null;

  constructor(generation: number) {
    this.generation = generation;
  }

  get size(): number {
    return this.#size;
  }

  /** All of them, decoded once for all chunks. */
  get all(): WholeDictionary {
    return (this.#all ??= new WholeDictionary(
      this.#bytes,
      this.#offsets.subarray(0, this.#size + 1),
    ));
  }

  /**
   * Adds those that it does not have yet.
   * @param bytes of all texts, those that it has first
   * @param ends where each ends
   */
  extend(bytes: Uint8Array, ends: Uint32Array): void {
    const before = this.#size;
    const begin = this.#offsets[before] as number;
    const end = bytes.length;
    if (end > this.#bytes.length) this.#bytes = grown(this.#bytes, end * 2);
    if (ends.length >= this.#offsets.length) this.#offsets = grown(this.#offsets, ends.length * 2);
    this.#bytes.set(bytes.subarray(begin), begin);
    this.#offsets.set(ends.subarray(before), before + 1);
    this.#size = ends.length;
    this.#all = null;
  }

  /** The texts of these numbers, each of which comes once, one after the other. */
  gathered(numbers: Uint32Array): WholeDictionary {
    const from = this.#bytes;
    const begins = this.#offsets;
    const offsets = new Uint32Array(numbers.length + 1);
    const bytes = new Uint8Array(begins[this.#size] as number);
    let size = 0;
    for (let code = 0; code < numbers.length; code++) {
      const number = numbers[code] as number;
      const begin = begins[number] as number;
      const end = begins[number + 1] as number;
      if (end - begin > SHORT_BYTES) bytes.set(from.subarray(begin, end), size);
      else for (let i = begin; i < end; i++) bytes[size + i - begin] = from[i] as number;
      size += end - begin;
      offsets[code + 1] = size;
    }
    return new WholeDictionary(bytes.slice(0, size), offsets);
  }
}

/** The dictionary of a chunk. Its bytes are put together only when somebody asks for them. */
export class FamilyDictionary implements Dictionary {
  readonly known: KnownEntries & { readonly family: TextFamily };
  #whole: WholeDictionary | null = null;

  /** @param numbers of its texts by code; not to be written any more */
  constructor(family: TextFamily, numbers: Uint32Array) {
    this.known = { family, numbers };
  }

  get #own(): WholeDictionary {
    const { family, numbers } = this.known;
    return (this.#whole ??= family.gathered(numbers));
  }

  get bytes(): Uint8Array {
    return this.#own.bytes;
  }

  get offsets(): Uint32Array {
    return this.#own.offsets;
  }

  get size(): number {
    return this.known.numbers.length;
  }

  utf8(code: number): Uint8Array {
    const { family, numbers } = this.known;
    return family.all.utf8(numbers[code] as number);
  }

  text(code: number): string {
    const { family, numbers } = this.known;
    // Of a code beyond the dictionary there is no number, and of none there is no text.
    return family.all.text(numbers[code] ?? Infinity);
  }
}
