// Dense ids for the key bytes of groups or rows, in the order they are first seen; knows no column and no store.

import { hashBytes } from '../base/hash.ts';

const FIRST_KEYS = 64;
const FIRST_BYTES = 1024;

/**
 * An open-addressing table over bytes that stay readable by id. Cost: a hash and a comparison a look-up, a copy for a new
 * key; about 16 bytes a key beyond the key itself.
 */
export class KeyIndex {
  #bytes = new Uint8Array(FIRST_BYTES);
  #offsets = new Uint32Array(FIRST_KEYS + 1);
  #hashes = new Uint32Array(FIRST_KEYS);
  /** Id + 1, or 0 for a free place. At most half are taken. */
  #places = new Uint32Array(FIRST_KEYS * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The id of `from .. to` of `bytes`, which are copied when they are new. */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const places = this.#places;
    const hashes = this.#hashes;
    const mask = places.length - 1;
    let place = hash & mask;
    for (;;) {
      const id = (places[place] as number) - 1;
      if (id < 0) break;
      if (hashes[id] === hash && this.#holds(id, bytes, from, to)) return id;
      place = (place + 1) & mask;
    }
    return this.#add(bytes, from, to, hash);
  }

  /** The key's bytes, a view that is good until the next new key. */
  key(id: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[id], this.#offsets[id + 1]);
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
    if (id === this.#hashes.length) this.#grow();
    const start = this.#offsets[id] as number;
    const end = start + to - from;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(from, to), start);
    this.#offsets[id + 1] = end;
    this.#hashes[id] = hash;
    this.#size = id + 1;
    this.#place(id, hash);
    return id;
  }

  #place(id: number, hash: number): void {
    const mask = this.#places.length - 1;
    let place = hash & mask;
    while (this.#places[place] !== 0) place = (place + 1) & mask;
    this.#places[place] = id + 1;
  }

  #grow(): void {
    const keys = this.#hashes.length * 2;
    const offsets = new Uint32Array(keys + 1);
    offsets.set(this.#offsets);
    const hashes = new Uint32Array(keys);
    hashes.set(this.#hashes);
    this.#offsets = offsets;
    this.#hashes = hashes;
    this.#places = new Uint32Array(keys * 2);
    for (let id = 0; id < this.#size; id++) this.#place(id, hashes[id] as number);
  }
}
