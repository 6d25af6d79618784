// Gives distinct byte strings dense codes in the order they are first seen; knows no column.

import { hashBytes } from '../base/hash.ts';
import { Dictionary } from './dictionary.ts';

const FIRST_ENTRIES = 16;
const FIRST_BYTES = 256;

/**
 * An open-addressing table over bytes: no text is made. Cost: a hash and a comparison a call; bytes are copied for new
 * entries only. Load at most one half.
 */
export class Interner {
  #bytes = new Uint8Array(FIRST_BYTES);
  #offsets = new Uint32Array(FIRST_ENTRIES + 1);
  #hashes = new Uint32Array(FIRST_ENTRIES);
  /** Code + 1, or 0 for a free slot. */
  #slots = new Uint32Array(FIRST_ENTRIES * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The code of `from .. to` of `bytes`, which are copied when they are new. */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const code = (slots[slot] as number) - 1;
      if (code < 0) return this.#add(bytes, from, to, hash, slot);
      if (this.#hashes[code] === hash && this.#holds(code, bytes, from, to)) return code;
      slot = (slot + 1) & mask;
    }
  }

  #holds(code: number, bytes: Uint8Array, from: number, to: number): boolean {
    const own = this.#bytes;
    const start = this.#offsets[code] as number;
    if ((this.#offsets[code + 1] as number) - start !== to - from) return false;
    for (let i = from, at = start; i < to; i++, at++) if (own[at] !== bytes[i]) return false;
    return true;
  }

  #add(bytes: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    const code = this.#size;
    if (code === this.#hashes.length) {
      this.#grow();
      return this.intern(bytes, from, to);
    }
    const start = this.#offsets[code] as number;
    const end = start + (to - from);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    const own = this.#bytes;
    if (to - from < 64)
      for (let i = from, at = start; i < to; i++, at++) own[at] = bytes[i] as number;
    else own.set(bytes.subarray(from, to), start);
    this.#offsets[code + 1] = end;
    this.#hashes[code] = hash;
    this.#slots[slot] = code + 1;
    this.#size = code + 1;
    return code;
  }

  #grow(): void {
    const entries = this.#hashes.length * 2;
    const offsets = new Uint32Array(entries + 1);
    offsets.set(this.#offsets);
    const hashes = new Uint32Array(entries);
    hashes.set(this.#hashes);
    const slots = new Uint32Array(entries * 2);
    const mask = slots.length - 1;
    for (let code = 0; code < this.#size; code++) {
      let slot = (hashes[code] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = code + 1;
    }
    this.#offsets = offsets;
    this.#hashes = hashes;
    this.#slots = slots;
  }

  /** Forgets the entries from code `size` on. */
  truncate(size: number): void {
    const mask = this.#slots.length - 1;
    // The newest entry ends its probe chain, so that taking entries away from the newest down leaves no hole in one.
    while (this.#size > size) {
      const code = --this.#size;
      let slot = (this.#hashes[code] as number) & mask;
      while (this.#slots[slot] !== code + 1) slot = (slot + 1) & mask;
      this.#slots[slot] = 0;
    }
  }

  /** The entries as a dictionary; the interner is empty afterwards, its table kept for the next batch. */
  finish(): Dictionary {
    const size = this.#size;
    const dictionary = new Dictionary(
      this.#bytes.slice(0, this.#offsets[size]),
      this.#offsets.slice(0, size + 1),
    );
    if (size > 0) this.#slots.fill(0);
    this.#size = 0;
    return dictionary;
  }
}
