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
  /** All of them so far, decoded once for all chunks; there is room behind its bytes. */
  all = new WholeDictionary(new Uint8Array(), new Uint32Array(1));

  constructor(generation: number) {
    this.generation = generation;
  }

  /**
   * Adds those that it does not have yet.
   * @param bytes of all texts, those that it has first
   * @param ends where each ends
   */
  extend(bytes: Uint8Array, ends: Uint32Array): void {
    const { bytes: known, offsets: begins, size } = this.all;
    const begin = begins[size] as number;
    const own = bytes.length > known.length ? grown(known, bytes.length * 2) : known;
    own.set(bytes.subarray(begin), begin);
    const offsets = new Uint32Array(ends.length + 1);
    offsets.set(ends, 1);
    this.all = new WholeDictionary(own, offsets);
  }

  /** The texts of these numbers, each of which comes once, one after the other. */
  gathered(numbers: Uint32Array): WholeDictionary {
    const { bytes: from, offsets: begins } = this.all;
    const offsets = new Uint32Array(numbers.length + 1);
    let size = 0;
    for (let code = 0; code < numbers.length; code++) {
      const number = numbers[code] as number;
      size += (begins[number + 1] as number) - (begins[number] as number);
      offsets[code + 1] = size;
    }
    const bytes = new Uint8Array(size);
    for (let code = 0; code < numbers.length; code++) {
      const begin = begins[numbers[code] as number] as number;
      const to = offsets[code] as number;
      const length = (offsets[code + 1] as number) - to;
      if (length > SHORT_BYTES) bytes.set(from.subarray(begin, begin + length), to);
      else for (let i = 0; i < length; i++) bytes[to + i] = from[begin + i] as number;
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
    return this.family.all.utf8(this.numbers[code] as number);
  }

  text(code: number): string {
    // Of a code beyond the dictionary there is no number, and of none there is no text.
    return this.family.all.text(this.numbers[code] ?? Infinity);
  }
}
