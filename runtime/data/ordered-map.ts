// Byte keys to byte values in memory, in byte order for those who ask, with their size kept; knows no table and no task.

import { grown } from '../base/grown.ts';
import type { ByteRange } from './key.ts';
import { Interner } from './interner.ts';
import type { KeyOrder } from './key-order.ts';
import { KEY } from './parts.ts';

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

/** An entry, or a copy of one. */
export interface Held {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * A sorted map. Keys and values lie in two byte arrays, so that an entry is no object that the garbage collector must look at.
 * Cost: `get` and `set` a look-up of the key and a copy; of the order, key-order.ts tells.
 */
export class OrderedMap {
  #index = new Interner();
  /** Where the value of a key id begins. */
  #at = new Uint32Array(FIRST_ENTRIES);
  #lengths = new Int32Array(FIRST_ENTRIES);
  #arena = new Uint8Array(FIRST_BYTES);
  #end = 0;
  /** Bytes of the arena that are no value any more. */
  #idleBytes = 0;
  /** Of all keys that the index has, gone or not; null: nobody has wanted them in their order since they were copied. */
  #order: KeyOrder | null = null;
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
    if (id === known) this.#reserve(id);
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

  #reserve(id: number): void {
    if (id === this.#at.length) {
      this.#at = grown(this.#at, id * 2);
      this.#lengths = grown(this.#lengths, id * 2);
    }
    this.#lengths[id] = GONE;
  }

  /** Where so many bytes are free in the arena. */
  #room(bytes: number): number {
    const at = this.#end;
    this.#end += bytes;
    if (this.#end > this.#arena.length)
      this.#arena = grown(this.#arena, Math.max(this.#end, this.#arena.length * 2));
    return at;
  }

  /** At most half of what is held is idle, so that a copy costs a few copies of what has changed. */
  #compactWhenIdle(): void {
    const idleKeys = this.#index.size - this.#size;
    const isIdle =
      (idleKeys > IDLE_KEYS_MIN && idleKeys > this.#size) ||
      (this.#idleBytes > IDLE_BYTES_MIN && this.#idleBytes * 2 > this.#end);
    if (!isIdle) return;
    const index = new Interner();
    const arena = new Uint8Array(Math.max(this.#end - this.#idleBytes, FIRST_BYTES));
    let end = 0;
    for (let from = 0; from < this.#index.size; from++) {
      const length = this.#lengths[from] as number;
      if (length === GONE) continue;
      const key = this.#index.key(from);
      const id = index.intern(key, 0, key.length);
      const at = this.#at[from] as number;
      if (length > 0) arena.set(this.#arena.subarray(at, at + length), end);
      // Never behind what has been read: ids only move down.
      this.#at[id] = end;
      this.#lengths[id] = length;
      end += Math.max(length, 0);
    }
    this.#order = null;
    this.#index = index;
    this.#arena = arena;
    this.#end = end;
    this.#idleBytes = 0;
  }

  /** Every entry in any order, as copies. Nothing may change between steps. */
  *entries(): Iterable<Held> {
    for (let id = 0; id < this.#index.size; id++) {
      const value = this.#value(id);
      if (value !== null) yield { key: this.#index.key(id).slice(), value };
    }
  }

  /**
   * Entries of the range in byte order, as copies. The map may change between steps: keys set meanwhile may or may not be seen.
   * @throws {PartMissing} from the first step
   */
  *scan(range: ByteRange): Iterable<Held> {
    if (this.#size === 0) return;
    yield* KEY.code.scanned(range, (from, isBehind) => {
      const index = this.#index;
      this.#order ??= new KEY.code.KeyOrder(index);
      return { index, ids: this.#order.from(from, isBehind), valueOf: (id) => this.#value(id) };
    });
  }
}

/** A loop is faster than a call up to some length. */
function copy(from: Uint8Array, to: Uint8Array, at: number): void {
  if (from.length > 64) to.set(from, at);
  else for (let i = 0; i < from.length; i++) to[at + i] = from[i] as number;
}
