// Numbers keys that are one column of numbers by the numbers themselves; knows no table.

import { grown } from '../base/grown.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column, type Storage } from '../data/column.ts';
import { PRESENT } from '../data/key-writer.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import { storageOf } from '../data/storage.ts';
import { NO_ID } from './long-ids.ts';
import type { KeyIndex } from './row-keys.ts';

type Numbers = Extract<Storage, 'i32' | 'i64' | 'f64'>;
type NumberColumn = Column & { readonly storage: Numbers };

/** A power of two. */
const FIRST_KEYS = 32;
const SIGN_BIT = -0x8000_0000;
/** Of the upper word of a double. */
const INFINITY_HIGH = 0x7ff0_0000;
const MANTISSA_HIGH = 0x000f_ffff;
/** The NaN that every NaN is as a key. */
const NAN_HIGH = 0x7ff8_0000;

/** An index of the keys that all of those inputs have; null: they are not one column of numbers of one kind. */
export function numberIndex(inputs: readonly Schema[]): NumberIndex | null {
  const storages = new Set(inputs.map(numbersOf));
  const [storage = null] = storages;
  return storage === null || storages.size > 1 ? null : new NumberIndex(storage);
}

/** As an index is, with those keys alone, by their places; null: it is none of numbers. */
export function numbersOfSome(index: KeyIndex, ids: readonly number[]): NumberIndex | null {
  return index instanceof NumberIndex ? index.of(ids) : null;
}

/**
 * Writes the id of each row (not position) of a batch into `ids`; NO_ID where the key is null.
 * @param column of the keys
 * @returns false where the index is none of such a column: then nothing is done
 */
export function numberRows(
  index: KeyIndex,
  batch: Batch,
  column: Column | undefined,
  ids: Int32Array,
): boolean {
  if (!(index instanceof NumberIndex) || column?.storage !== index.storage) return false;
  index.assign(batch, column, ids);
  return true;
}

function numbersOf(schema: Schema): Numbers | null {
  const [key, ...others] = columnsWithRole(schema, 'key');
  if (key === undefined || others.length > 0 || columnsWithRole(schema, 'window').length > 0)
    return null;
  const storage = storageOf((schema.columns[key] as SchemaColumn).type);
  return storage === 'i32' || storage === 'i64' || storage === 'f64' ? storage : null;
}

/**
 * As an Interner of the keys' bytes, which are made only for who asks for them. Cost: a look-up and a comparison of two words; 40 to 72 bytes a key.
 */
export class NumberIndex {
  readonly storage: Numbers;
  /** A place: id + 1, or 0 where it is free. At most half of them are taken. */
  #places = new Int32Array(FIRST_KEYS * 2);
  /** By id: two words. */
  #words = new Int32Array(FIRST_KEYS * 2);
  readonly #key: Uint8Array;
  size = 0;

  constructor(storage: Numbers) {
    this.storage = storage;
    this.#key = new Uint8Array(this.lengthOf());
  }

  /** What it takes in memory. */
  get bytesHeld(): number {
    return this.#places.byteLength + this.#words.byteLength;
  }

  /** As `numberRows`. Words are read, which are no bigints. */
  assign(
    { selection, length }: Batch,
    { validity, storage, values }: NumberColumn,
    ids: Int32Array,
  ): void {
    const words = wordsOf(values);
    let places = this.#places;
    let shift = shiftOf(places);
    let known = this.#words;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      if (validity !== null && !bitAt(validity, position)) {
        ids[i] = NO_ID;
        continue;
      }
      let low: number;
      let high = 0;
      if (storage === 'i32') low = words[position] as number;
      else {
        low = words[position * 2] as number;
        high = words[position * 2 + 1] as number;
        if (storage === 'f64' && isNaNOf(low, high)) {
          low = 0;
          high = NAN_HIGH;
        }
      }
      let place = placeOf(low, high, shift);
      let id: number;
      for (;;) {
        id = (places[place] as number) - 1;
        if (id < 0 || (known[id * 2] === low && known[id * 2 + 1] === high)) break;
        place = (place + 1) & (places.length - 1);
      }
      if (id < 0) {
        id = this.#add(low, high, place);
        places = this.#places;
        known = this.#words;
        shift = shiftOf(places);
      }
      ids[i] = id;
    }
  }

  /** The id of the number whose key bytes are `from .. to`. */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const { low, high } = this.#read(
      new DataView(bytes.buffer, bytes.byteOffset + from, to - from),
    );
    return this.#intern(low, high);
  }

  #intern(low: number, high: number): number {
    const places = this.#places;
    let place = placeOf(low, high, shiftOf(places));
    for (;;) {
      const id = (places[place] as number) - 1;
      if (id < 0) return this.#add(low, high, place);
      if (this.#words[id * 2] === low && this.#words[id * 2 + 1] === high) return id;
      place = (place + 1) & (places.length - 1);
    }
  }

  #read(key: DataView): { readonly low: number; readonly high: number } {
    const first = key.getInt32(1) ^ SIGN_BIT;
    if (this.storage === 'i32') return { low: first, high: 0 };
    const second = key.getInt32(5);
    if (this.storage === 'i64' || first >= 0) return { low: second, high: first };
    return { low: ~second, high: first ^ ~SIGN_BIT };
  }

  /** The key's bytes, as data/key-writer.ts has them: a view that is good until the next call. */
  key(id: number): Uint8Array {
    const bytes = this.#key;
    let low = this.#words[id * 2] as number;
    let high = this.#words[id * 2 + 1] as number;
    bytes[0] = PRESENT;
    if (this.storage === 'i32') {
      writeWord(bytes, 1, low ^ SIGN_BIT);
      return bytes;
    }
    if (this.storage === 'f64' && high < 0) {
      low = ~low;
      high ^= ~SIGN_BIT;
    }
    writeWord(bytes, 1, high ^ SIGN_BIT);
    writeWord(bytes, 5, low);
    return bytes;
  }

  /** An index of those keys alone, by their places. */
  of(ids: readonly number[]): NumberIndex {
    const index = new NumberIndex(this.storage);
    const words = this.#words;
    for (const id of ids) index.#intern(words[id * 2] as number, words[id * 2 + 1] as number);
    return index;
  }

  /** Bytes of a key. */
  lengthOf(): number {
    return this.storage === 'i32' ? 5 : 9;
  }

  /** @param place where it is missed */
  #add(low: number, high: number, place: number): number {
    const id = this.size++;
    if (id * 2 === this.#words.length) this.#words = grown(this.#words, id * 4);
    this.#words[id * 2] = low;
    this.#words[id * 2 + 1] = high;
    this.#places[place] = id + 1;
    if (this.size * 2 > this.#places.length) this.#grow();
    return id;
  }

  #grow(): void {
    const words = this.#words;
    const places = new Int32Array(this.#places.length * 2);
    const shift = shiftOf(places);
    for (let id = 0; id < this.size; id++) {
      const low = words[id * 2] as number;
      const high = words[id * 2 + 1] as number;
      let place = placeOf(low, high, shift);
      while (places[place] !== 0) place = (place + 1) & (places.length - 1);
      places[place] = id + 1;
    }
    this.#places = places;
  }
}

/** Where a number is looked for first. Numbers that follow one another fall far from each other, so that hardly any two of them meet. */
function placeOf(low: number, high: number, shift: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> shift;
}

/** Of a hash so many bits are too many for the places. */
function shiftOf({ length }: Int32Array): number {
  return Math.clz32(length) + 1;
}

function isNaNOf(low: number, high: number): boolean {
  return (high & INFINITY_HIGH) === INFINITY_HIGH && ((high & MANTISSA_HIGH) | low) !== 0;
}

/** The values as words of 32 bits, the lower of two first. */
function wordsOf({ buffer, byteOffset, byteLength }: NumberColumn['values']): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

/** Big endian. */
function writeWord(to: Uint8Array, at: number, word: number): void {
  to[at] = word >>> 24;
  to[at + 1] = word >>> 16;
  to[at + 2] = word >>> 8;
  to[at + 3] = word;
}
