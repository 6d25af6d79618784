// Values by key bytes over a store, read in the order of their keys: uncommitted changes laid over what is committed; knows no operator.

import { compareBytes } from '../base/bytes.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { Entry, KeyRange, StateBytes, StateReader, TableId } from '../ports/store.ts';
import { KeyIndex } from './key-index.ts';

/** Keys that are kept beside their changes, so that one which changes again costs no new one. */
const KEYS_KEPT_MAX = 65_536;
/** Stands for a removed key among the changes; no value is empty. */
const REMOVED = new Uint8Array(0);

/** What is in memory is what changed since the last commit. */
export class OrderedTable {
  readonly #table: TableId;
  readonly #state: StateReader;
  #changed = new OrderedMap();
  #index = new KeyIndex();
  #keys: Uint8Array[] = [];

  constructor(table: TableId, state: StateReader) {
    this.#table = table;
    this.#state = state;
  }

  /** A number for the key, good until the next call of `changes`. */
  locate(bytes: Uint8Array, from: number, to: number): number {
    const id = this.#index.intern(bytes, from, to);
    this.#keys[id] ??= this.#index.key(id).slice();
    return id;
  }

  /** The bytes of a located key. */
  key(id: number): Uint8Array {
    return this.#keys[id] as Uint8Array;
  }

  /** Sets the value of a key, or removes it by null. The arrays are kept: nobody may write to them. */
  set(key: Uint8Array, value: Uint8Array | null): void {
    if (value !== null || this.#state.get(this.#table, key) !== null) {
      this.#changed.set(key, value ?? REMOVED);
    } else this.#changed.set(key, null);
  }

  /** Entries of the range in byte order. A key may be set meanwhile that has been passed. */
  *scan(range: KeyRange): Iterable<Entry> {
    const stored = this.#state.scan(this.#table, range)[Symbol.iterator]();
    const changed = this.#changed.scan(range)[Symbol.iterator]();
    let old = stored.next();
    let fresh = changed.next();
    while (old.done !== true || fresh.done !== true) {
      const order =
        old.done === true
          ? 1
          : fresh.done === true
            ? -1
            : compareBytes(old.value.key, fresh.value.key);
      if (order < 0 && old.done !== true) yield old.value;
      if (order >= 0 && fresh.done !== true && fresh.value.value.length > 0) yield fresh.value;
      if (order <= 0) old = stored.next();
      if (order >= 0) fresh = changed.next();
    }
  }

  /** Hands over every key that was set since the last call. */
  changes(into: (change: StateBytes) => void): void {
    for (const { key, value } of this.#changed.scan(ALL)) {
      into({ table: this.#table, key, value: value.length === 0 ? null : value });
    }
    this.#changed = new OrderedMap();
    if (this.#index.size <= KEYS_KEPT_MAX) return;
    this.#index = new KeyIndex();
    this.#keys = [];
  }
}

const ALL: KeyRange = { from: null, to: null };
