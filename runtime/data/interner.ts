// Gives distinct byte strings dense ids in the order they are first seen, for texts of a column and for keys of rows and groups; knows no column.

import { compareBytes } from '../base/byte-arrays.ts';
import { grown } from '../base/grown.ts';
import { hashBytes } from '../base/hash.ts';
import { SCRATCH_BYTES_MAX } from '../base/limits.ts';
import { type Dictionary, WholeDictionary } from './dictionary.ts';

const FIRST_KEYS = 4;
const FIRST_BYTES = 64;

/** What an empty one has: of the many that a task opens with, most get no key. Nobody writes to them. */
const NO_BYTES = new Uint8Array(0);
const NO_OFFSETS = new Uint32Array(1);
const NO_PLACES = new Uint32Array(2);

/**
 * An open-addressing table over bytes that stay readable by id: no text is made. Cost: a hash and a comparison a look-up, a copy for a new
 * key; about 16 bytes a key beyond the key itself.
 */
export class Interner {
  // Open to loops of their own that add many keys (state/entry-keys.ts); others read `size`.
  bytes = NO_BYTES;
  offsets = NO_OFFSETS;
  /** Two words a place: id + 1, or 0 where it is free, and the key's hash. At most half the places are taken. */
  places = NO_PLACES;
  size = 0;

  /** The id of `from .. to` of `bytes`, which are copied when they are new. */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const known = this.find(bytes, from, to, hash);
    return known < 0 ? this.#add(bytes, from, to, hash) : known;
  }

  /** The id of `from .. to` of `bytes`, -1 when it has none. */
  find(
    bytes: Uint8Array,
    from = 0,
    to: number = bytes.length,
    hash: number = hashBytes(bytes, from, to),
  ): number {
    const places = this.places;
    const mask = places.length - 1;
    let place = (hash * 2) & mask;
    for (;;) {
      const id = (places[place] as number) - 1;
      if (id < 0 || (places[place + 1] === hash && this.holds(id, bytes, from, to))) return id;
      place = (place + 2) & mask;
    }
  }

  /** The key's bytes, a view that is good until the next new key. */
  key(id: number): Uint8Array {
    return this.bytes.subarray(this.offsets[id], this.offsets[id + 1]);
  }

  /** Bytes of the key. */
  lengthOf(id: number): number {
    return (this.offsets[id + 1] as number) - (this.offsets[id] as number);
  }

  /** Bytes of all keys. */
  get keyBytes(): number {
    return this.offsets[this.size] as number;
  }

  /** The order of a key and another one in bytes: negative, 0 or positive. */
  compareTo(id: number, other: Uint8Array): number {
    return compareBytes(this.key(id), other);
  }

  holds(id: number, bytes: Uint8Array, from: number, to: number): boolean {
    const own = this.bytes;
    let at = this.offsets[id] as number;
    if ((this.offsets[id + 1] as number) - at !== to - from) return false;
    for (let i = from; i < to; i++, at++) if (own[at] !== bytes[i]) return false;
    return true;
  }

  #add(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const id = this.size;
    if (id + 1 === this.offsets.length) this.grow();
    const start = this.offsets[id] as number;
    const end = start + to - from;
    if (end > this.bytes.length)
      this.bytes = grown(this.bytes, Math.max(end, this.bytes.length * 2, FIRST_BYTES));
    const own = this.bytes;
    if (to - from > 64) own.set(bytes.subarray(from, to), start);
    else for (let i = from, at = start; i < to; i++, at++) own[at] = bytes[i] as number;
    this.offsets[id + 1] = end;
    this.size = id + 1;
    this.#place(id, hash);
    return id;
  }

  #place(id: number, hash: number): void {
    const places = this.places;
    const mask = places.length - 1;
    let place = (hash * 2) & mask;
    while (places[place] !== 0) place = (place + 2) & mask;
    places[place] = id + 1;
    places[place + 1] = hash;
  }

  /** Makes room for twice as many keys, and for `least`, a power of two. */
  grow(least = FIRST_KEYS): void {
    const keys = Math.max((this.offsets.length - 1) * 2, least);
    this.offsets = grown(this.offsets, keys + 1);
    const old = this.places;
    this.places = new Uint32Array(keys * 4);
    for (let place = 0; place < old.length; place += 2) {
      const id = (old[place] as number) - 1;
      if (id >= 0) this.#place(id, old[place + 1] as number);
    }
  }

  /** Forgets the entries from id `size` on. */
  truncate(size: number): void {
    const places = this.places;
    const mask = places.length - 1;
    // The newest entry ends its probe chain, so that taking entries away from the newest down leaves no hole in one.
    while (this.size > size) {
      const id = --this.size;
      const hash = hashBytes(
        this.bytes,
        this.offsets[id] as number,
        this.offsets[id + 1] as number,
      );
      let place = (hash * 2) & mask;
      while (places[place] !== id + 1) place = (place + 2) & mask;
      places[place] = 0;
    }
  }

  /** The entries as a dictionary; the interner is empty afterwards, its table kept for the next batch, and room for SCRATCH_BYTES_MAX of keys. */
  finish(): Dictionary {
    const size = this.size;
    const dictionary = new WholeDictionary(
      this.bytes.slice(0, this.offsets[size]),
      this.offsets.slice(0, size + 1),
    );
    if (size > 0) this.places.fill(0);
    if (this.bytes.length > SCRATCH_BYTES_MAX) this.bytes = NO_BYTES;
    this.size = 0;
    return dictionary;
  }
}
