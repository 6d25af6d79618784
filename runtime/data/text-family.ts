// Texts that a decoder meets again and again, kept once, and the dictionaries of its chunks, which name them by number; knows no decoder.

import { grown } from '../base/grown.ts';
import { type Dictionary, type KnownEntries, WholeDictionary } from './dictionary.ts';

const BYTES_FIRST = 4096;
const ENTRIES_FIRST = 256;
/** Texts of at most so many bytes are copied by words; so much room stands behind the last one. */
const SHORT_BYTES = 16;

/**
 * Texts by number, of which there are only ever more: as many as the decoder knows at a time, which bounds them. Whoever holds one of its
 * dictionaries holds all of them.
 */
export class TextFamily {
  #bytes = new Uint8Array(BYTES_FIRST);
  #offsets = new Uint32Array(ENTRIES_FIRST);
  #size = 0;
  #all: WholeDictionary | null = null;

  /** Texts that it has. */
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
    if (end + SHORT_BYTES > this.#bytes.length)
      this.#bytes = grown(this.#bytes, (end + SHORT_BYTES) * 2);
    if (ends.length >= this.#offsets.length) this.#offsets = grown(this.#offsets, ends.length * 2);
    this.#bytes.set(bytes.subarray(begin), begin);
    this.#offsets.set(ends.subarray(before), before + 1);
    this.#size = ends.length;
    this.#all = null;
  }

  /** The texts of these numbers one after the other. */
  gathered(numbers: Uint32Array): WholeDictionary {
    const from = this.#offsets;
    const offsets = new Uint32Array(numbers.length + 1);
    let size = 0;
    for (let code = 0; code < numbers.length; code++) {
      const number = numbers[code] as number;
      size += (from[number + 1] as number) - (from[number] as number);
      offsets[code + 1] = size;
    }
    const bytes = new Uint8Array(size + SHORT_BYTES);
    const source = this.#bytes;
    const read = new DataView(source.buffer);
    const write = new DataView(bytes.buffer);
    for (let code = 0; code < numbers.length; code++) {
      const at = from[numbers[code] as number] as number;
      const to = offsets[code] as number;
      const length = (offsets[code + 1] as number) - to;
      if (length > SHORT_BYTES) bytes.set(source.subarray(at, at + length), to);
      else {
        // What is behind the text is written over by the next one, or cut off.
        for (let word = 0; word < length; word += 4)
          write.setUint32(to + word, read.getUint32(at + word));
      }
    }
    return new WholeDictionary(bytes.subarray(0, size), offsets);
  }
}

/** The dictionary of a chunk. Its bytes are put together only when somebody asks for them. */
export class FamilyDictionary implements Dictionary {
  readonly known: KnownEntries;
  readonly #family: TextFamily;
  #whole: WholeDictionary | null = null;

  /** @param numbers of its texts by code; not to be written any more */
  constructor(family: TextFamily, numbers: Uint32Array) {
    this.known = { family, numbers };
    this.#family = family;
  }

  get size(): number {
    return this.known.numbers.length;
  }

  get bytes(): Uint8Array {
    return this.#own.bytes;
  }

  get offsets(): Uint32Array {
    return this.#own.offsets;
  }

  get #own(): WholeDictionary {
    return (this.#whole ??= this.#family.gathered(this.known.numbers));
  }

  utf8(code: number): Uint8Array {
    return this.#family.all.utf8(this.known.numbers[code] as number);
  }

  text(code: number): string {
    // Of a code beyond the dictionary there is no number, and none of no text.
    return this.#family.all.text(this.known.numbers[code] ?? Infinity);
  }
}
