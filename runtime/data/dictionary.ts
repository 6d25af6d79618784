// Distinct strings of one column by dense code, kept as UTF-8 and read as text on demand; codes never persist.

import { assert } from '../base/assert.ts';
import { decodeUtf8 } from '../base/bytes.ts';

/** Where the entries of a dictionary come from, when the same entry is met again and again in other dictionaries. */
export interface KnownEntries {
  /** Entries of one family with the same number are the same string; all numbers are below its size, which grows. */
  readonly family: {
    readonly size: number;
    /** A dictionary of those with these numbers. */
    gathered(numbers: Uint32Array): Dictionary;
  };
  /** The number of each code's entry. */
  readonly numbers: Uint32Array;
}

/**
 * An immutable list of distinct strings: UTF-8 bytes one after the other, `offsets[code] .. offsets[code + 1]` of them
 * belonging to `code`. Text is decoded once a code and only when it is asked for, so that a chain that only groups or
 * passes on never pays for it.
 */
export interface Dictionary {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  /** Absent: nothing is known of other dictionaries. */
  readonly known?: KnownEntries | undefined;
  readonly size: number;
  /** The entry's UTF-8, a view. */
  utf8(code: number): Uint8Array;
  text(code: number): string;
}

/** A dictionary that is made as a whole. Those of chunks of a decoder, which have most entries in common, are data/text-family.ts's. */
export class WholeDictionary implements Dictionary {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  #texts: (string | undefined)[] | null = null;

  /** @param offsets one more than there are entries; the first is 0 */
  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.bytes = bytes;
    this.offsets = offsets;
  }

  get size(): number {
    return this.offsets.length - 1;
  }

  utf8(code: number): Uint8Array {
    return this.bytes.subarray(this.offsets[code], this.offsets[code + 1]);
  }

  text(code: number): string {
    assert(code < this.size, 'the dictionary has the code');
    const texts = (this.#texts ??= Array.from({ length: this.size }));
    return (texts[code] ??= decodeUtf8(this.bytes, this.offsets[code], this.offsets[code + 1]));
  }
}
