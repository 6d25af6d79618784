// Byte keys to byte values in memory, in byte order, with their size kept; knows no table and no task.

import type { ByteRange } from './key.ts';
import { KeyIndex } from './key-index.ts';

/** Keys in one chunk before it is split in two. */
const CHUNK_KEYS_MAX = 512;
/** Entries that a scan takes at once: the map may change before it takes the next ones. */
const SCANNED_ENTRIES = 64;
/** What an entry costs beside its bytes: an estimate for the memory limit. */
const ENTRY_OVERHEAD_BYTES = 96;
/** Keys, or bytes of values, that are kept though nobody needs them, before a copy without them is made. */
const IDLE_KEYS_MIN = 1024;
const IDLE_BYTES_MIN = 65_536;
const FIRST_ENTRIES = 16;
const FIRST_BYTES = 256;
/** In the place of a value's length. */
const GONE = -1;
const MARKED = -2;

/** A value that is told by identity: what is laid over other entries says by it that a key is removed. */
export const MARK: Uint8Array = new Uint8Array(0);

interface Held {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * A sorted map. Keys and values lie in two byte arrays, so that an entry is no object that the garbage collector must look at. The order
 * is a list of sorted chunks of key ids. Cost: `get` and `set` a look-up of the key and a copy; a new key two binary searches and a
 * move within one chunk, or a part of a sort, once a scan follows.
 */
export class OrderedMap {
  #index = new KeyIndex();
  /** Where the value of a key id begins. */
  #at = new Uint32Array(FIRST_ENTRIES);
  #lengths = new Int32Array(FIRST_ENTRIES);
  #arena = new Uint8Array(FIRST_BYTES);
  #end = 0;
  /** Bytes of the arena that are no value any more. */
  #idleBytes = 0;
  /** Each chunk sorted, and below the next; those of keys that are gone stay. */
  #chunks: number[][] = [];
  /** New keys that nobody has wanted in order yet, each once. */
  #unlisted: number[] = [];
  #size = 0;
  #bytes = 0;

  /** Bytes that an entry of this key holds beside its value. */
  static entryBytes(key: Uint8Array): number {
    return 2 * key.length + ENTRY_OVERHEAD_BYTES;
  }

  /** Bytes held, overhead included. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#size;
  }

  /** A copy of the value. */
  get(key: Uint8Array): Uint8Array | null {
    const id = this.#index.find(key);
    return id < 0 ? null : this.#value(id);
  }

  #value(id: number): Uint8Array | null {
    const length = this.#lengths[id] as number;
    if (length < 0) return length === GONE ? null : MARK;
    const at = this.#at[id] as number;
    return this.#arena.slice(at, at + length);
  }

  /** Sets the value, or removes the key when it is null. Both arrays are copied. */
  set(key: Uint8Array, value: Uint8Array | null): void {
    if (value === null) {
      const id = this.#index.find(key);
      if (id >= 0 && this.#lengths[id] !== GONE) this.#remove(id, key);
      return;
    }
    const known = this.#index.size;
    const id = this.#index.intern(key, 0, key.length);
    if (id === known) this.#list(id);
    const before = this.#lengths[id] as number;
    if (before === GONE) {
      this.#size++;
      this.#bytes += OrderedMap.entryBytes(key);
    }
    this.#bytes += value.length - Math.max(before, 0);
    if (before !== value.length) {
      this.#idleBytes += Math.max(before, 0);
      this.#at[id] = this.#room(value.length);
    }
    this.#lengths[id] = value === MARK ? MARKED : value.length;
    copy(value, this.#arena, this.#at[id] as number);
    this.#compactWhenIdle();
  }

  #remove(id: number, key: Uint8Array): void {
    const length = Math.max(this.#lengths[id] as number, 0);
    this.#lengths[id] = GONE;
    this.#size--;
    this.#bytes -= length + OrderedMap.entryBytes(key);
    this.#idleBytes += length;
    this.#compactWhenIdle();
  }

  #list(id: number): void {
    this.#unlisted.push(id);
    if (id === this.#at.length) {
      const at = new Uint32Array(id * 2);
      at.set(this.#at);
      this.#at = at;
      const lengths = new Int32Array(id * 2);
      lengths.set(this.#lengths);
      this.#lengths = lengths;
    }
    this.#lengths[id] = GONE;
  }

  /** Where so many bytes are free in the arena. */
  #room(bytes: number): number {
    const at = this.#end;
    this.#end += bytes;
    if (this.#end > this.#arena.length) {
      const grown = new Uint8Array(Math.max(this.#end, this.#arena.length * 2));
      grown.set(this.#arena);
      this.#arena = grown;
    }
    return at;
  }

  /** At most half of what is held is idle, so that a copy costs a few copies of what has changed. */
  #compactWhenIdle(): void {
    const idleKeys = this.#index.size - this.#size;
    const isIdle =
      (idleKeys > IDLE_KEYS_MIN && idleKeys > this.#size) ||
      (this.#idleBytes > IDLE_BYTES_MIN && this.#idleBytes * 2 > this.#end);
    if (!isIdle) return;
    const index = new KeyIndex();
    const arena = new Uint8Array(Math.max(this.#end - this.#idleBytes, FIRST_BYTES));
    let end = 0;
    const ids = new Int32Array(this.#index.size).fill(-1);
    for (let from = 0; from < ids.length; from++) {
      const length = this.#lengths[from] as number;
      if (length === GONE) continue;
      const key = this.#index.key(from);
      const id = index.intern(key, 0, key.length);
      ids[from] = id;
      const at = this.#at[from] as number;
      if (length > 0) arena.set(this.#arena.subarray(at, at + length), end);
      // Never behind what has been read: ids only move down.
      this.#at[id] = end;
      this.#lengths[id] = length;
      end += Math.max(length, 0);
    }
    const renamed = (old: readonly number[]): number[] =>
      old.map((id) => ids[id] as number).filter((id) => id >= 0);
    this.#chunks = this.#chunks.map(renamed).filter((chunk) => chunk.length > 0);
    this.#unlisted = renamed(this.#unlisted);
    this.#index = index;
    this.#arena = arena;
    this.#end = end;
    this.#idleBytes = 0;
  }

  /** Entries of the range in byte order, as copies. The map may change between steps: keys set meanwhile may or may not be seen. */
  *scan({ from, to }: ByteRange): Iterable<Held> {
    let entries = this.#entries(from, false, to);
    for (;;) {
      yield* entries;
      const last = entries[SCANNED_ENTRIES - 1];
      if (last === undefined) return;
      entries = this.#entries(last.key, true, to);
    }
  }

  /** The first entries from a key on, or behind it. */
  #entries(from: Uint8Array | null, isBehind: boolean, to: Uint8Array | null): Held[] {
    this.#sort();
    const index = this.#index;
    const entries: Held[] = [];
    const isBefore = (id: number): boolean => {
      if (from === null) return false;
      const order = index.compareTo(id, from);
      return isBehind ? order <= 0 : order < 0;
    };
    const chunks = this.#chunks;
    const first = Math.max(0, firstNot(chunks, ([id]) => isBefore(id as number)) - 1);
    for (let i = first; i < chunks.length; i++) {
      const chunk = chunks[i] as number[];
      for (let at = i === first ? firstNot(chunk, isBefore) : 0; at < chunk.length; at++) {
        const id = chunk[at] as number;
        if (to !== null && index.compareTo(id, to) >= 0) return entries;
        const value = this.#value(id);
        if (value === null) continue;
        entries.push({ key: index.key(id).slice(), value });
        if (entries.length === SCANNED_ENTRIES) return entries;
      }
    }
    return entries;
  }

  /** Puts new keys where they belong: one by one, or, when they are many, all at once. */
  #sort(): void {
    const added = this.#unlisted;
    if (added.length === 0) return;
    this.#unlisted = [];
    const index = this.#index;
    const chunks = this.#chunks;
    if (added.length * 8 < index.size) {
      for (const id of added) this.#insert(id);
      return;
    }
    const all = [...chunks.flat(), ...added].sort((a, b) => index.compare(a, b));
    chunks.length = 0;
    for (let at = 0; at < all.length; at += CHUNK_KEYS_MAX / 2)
      chunks.push(all.slice(at, at + CHUNK_KEYS_MAX / 2));
  }

  #insert(id: number): void {
    const chunks = this.#chunks;
    const isBefore = (other: number): boolean => this.#index.compare(other, id) < 0;
    const at = Math.max(0, firstNot(chunks, ([first]) => isBefore(first as number)) - 1);
    const chunk = chunks[at];
    if (chunk === undefined) {
      chunks.push([id]);
      return;
    }
    chunk.splice(firstNot(chunk, isBefore), 0, id);
    if (chunk.length > CHUNK_KEYS_MAX) chunks.splice(at + 1, 0, chunk.splice(CHUNK_KEYS_MAX / 2));
  }
}

/** Of items that are first all so and then all not, where those begin that are not. */
function firstNot<T>(items: readonly T[], isSo: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A loop is faster than a call up to some length. */
function copy(from: Uint8Array, to: Uint8Array, at: number): void {
  if (from.length > 64) to.set(from, at);
  else for (let i = 0; i < from.length; i++) to[at + i] = from[i] as number;
}
