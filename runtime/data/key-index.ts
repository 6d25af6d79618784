// Dense ids for the key bytes of groups or rows, in the order they are first seen; knows no column and no store.

import type { ByteWriter } from '../base/bytes.ts';
import { hashBytes } from '../base/hash.ts';

const FIRST_KEYS = 16;
const FIRST_BYTES = 256;

/**
 * An open-addressing table over bytes that stay readable by id. Cost: a hash and a comparison a look-up, a copy for a new
 * key; about 16 bytes a key beyond the key itself.
 */
export class KeyIndex {
  #bytes = new Uint8Array(FIRST_BYTES);
  #offsets = new Uint32Array(FIRST_KEYS + 1);
  /** Two words a place: id + 1, or 0 where it is free, and the key's hash. At most half the places are taken. */
  #places = new Uint32Array(FIRST_KEYS * 4);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The id of `from .. to` of `bytes`, which are copied when they are new. */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const known = this.#find(bytes, from, to, hash);
    return known < 0 ? this.#add(bytes, from, to, hash) : known;
  }

  /** The id of a key, -1 when it has none. */
  find(key: Uint8Array): number {
    return this.#find(key, 0, key.length, hashBytes(key, 0, key.length));
  }

  #find(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let place = (hash * 2) & mask;
    for (;;) {
      const id = (places[place] as number) - 1;
      if (id < 0 || (places[place + 1] === hash && this.#holds(id, bytes, from, to))) return id;
      place = (place + 2) & mask;
    }
  }

  /** Forgets the keys from id `size` on. */
  truncate(size: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    // The newest key ends its probe chain, so that taking keys away from the newest down leaves no hole in one.
    while (this.#size > size) {
      const key = this.key(this.#size - 1);
      let place = (hashBytes(key, 0, key.length) * 2) & mask;
      while (places[place] !== this.#size) place = (place + 2) & mask;
      places[place] = 0;
      this.#size--;
    }
  }

  /** Copies of all keys, one after the other: key `i` is `offsets[i] .. offsets[i + 1]`. The index is empty afterwards. */
  protected taken(): {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly offsets: Uint32Array<ArrayBuffer>;
  } {
    const size = this.#size;
    const offsets = this.#offsets.slice(0, size + 1);
    const bytes = this.#bytes.slice(0, offsets[size]);
    if (size > 0) this.#places.fill(0);
    this.#size = 0;
    return { bytes, offsets };
  }

  /** The key's bytes, a view that is good until the next new key. */
  key(id: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[id], this.#offsets[id + 1]);
  }

  /** Appends the key's bytes: cheaper than a view of them. */
  write(to: ByteWriter, id: number): void {
    to.bytes(this.#bytes, this.#offsets[id], this.#offsets[id + 1]);
  }

  /** The order of two keys in bytes: negative, 0 or positive. */
  compare(a: number, b: number): number {
    return this.compareTo(a, this.#bytes, this.#offsets[b], this.#offsets[b + 1]);
  }

  /** The order of a key and `from .. to` of `bytes`. */
  compareTo(id: number, bytes: Uint8Array, from = 0, to: number = bytes.length): number {
    const own = this.#bytes;
    const end = this.#offsets[id + 1] as number;
    let at = this.#offsets[id] as number;
    for (let i = from; i < to; i++, at++) {
      if (at === end) return -1;
      const difference = (own[at] as number) - (bytes[i] as number);
      if (difference !== 0) return difference;
    }
    return end - at;
  }

  #holds(id: number, bytes: Uint8Array, from: number, to: number): boolean {
    const own = this.#bytes;
    let at = this.#offsets[id] as number;
    if ((this.#offsets[id + 1] as number) - at !== to - from) return false;
    for (let i = from; i < to; i++, at++) if (own[at] !== bytes[i]) return false;
    return true;
  }

  #add(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const id = this.#size;
    if (id + 1 === this.#offsets.length) this.#grow();
    const start = this.#offsets[id] as number;
    const end = start + to - from;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    const own = this.#bytes;
    if (to - from > 64) own.set(bytes.subarray(from, to), start);
    else for (let i = from, at = start; i < to; i++, at++) own[at] = bytes[i] as number;
    this.#offsets[id + 1] = end;
    this.#size = id + 1;
    this.#place(id, hash);
    return id;
  }

  #place(id: number, hash: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let place = (hash * 2) & mask;
    while (places[place] !== 0) place = (place + 2) & mask;
    places[place] = id + 1;
    places[place + 1] = hash;
  }

  #grow(): void {
    const keys = (this.#offsets.length - 1) * 2;
    const offsets = new Uint32Array(keys + 1);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const old = this.#places;
    this.#places = new Uint32Array(keys * 4);
    for (let place = 0; place < old.length; place += 2) {
      const id = (old[place] as number) - 1;
      if (id >= 0) this.#place(id, old[place + 1] as number);
    }
  }
}
