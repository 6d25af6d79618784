// Values by key bytes over a store, read in the order of their keys: uncommitted changes laid over what is committed; knows no operator.

import { compareBytes } from '../base/byte-arrays.ts';
import { MARK, OrderedMap } from '../data/ordered-map.ts';
import type { Entry, KeyRange, StateBytes, StateReader, TableId } from '../ports/store.ts';
import { Interner } from '../data/interner.ts';

/** Keys that are kept beside their changes, so that one which changes again costs no new one. */
const KEYS_KEPT_MAX = 65_536;

/**
 * Changes since the last commit, over those that it took, because the store shows them only once it has succeeded, over the store.
 * What the store holds is not kept in memory.
 */
export class OrderedTable {
  readonly #table: TableId;
  readonly #state: StateReader;
  #fresh = new OrderedMap();
  #taken = new OrderedMap();
  #index = new Interner();
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

  get(key: Uint8Array): Uint8Array | null {
    return alive(this.#fresh.get(key) ?? this.#before(key));
  }

  /** What a commit has taken or the store holds. */
  #before(key: Uint8Array): Uint8Array | null {
    return alive(this.#taken.get(key) ?? this.#state.get(this.#table, key));
  }

  /** @param value not empty; null removes the key */
  set(key: Uint8Array, value: Uint8Array | null): void {
    // Of a key that no commit has seen nothing need be told.
    if (value === null && this.#before(key) === null) this.#fresh.set(key, null);
    else this.#fresh.set(key, value ?? MARK);
  }

  /** Entries in the order of their keys. What is set meanwhile may or may not be seen. */
  *scan(range: KeyRange): Iterable<Entry> {
    for (const entry of merged(
      merged(this.#fresh.scan(range), this.#taken.scan(range)),
      this.#state.scan(this.#table, range),
    )) {
      if (entry.value !== MARK) yield entry;
    }
  }

  /** Hands over every key that was set since the last call, in any order. */
  changes(into: (change: StateBytes) => void): void {
    for (const { key, value } of this.#fresh.entries())
      into({ table: this.#table, key, value: alive(value) });
    this.#taken = this.#fresh;
    this.#fresh = new OrderedMap();
    if (this.#index.size <= KEYS_KEPT_MAX) return;
    this.#index = new Interner();
    this.#keys = [];
  }
}

function alive(value: Uint8Array | null): Uint8Array | null {
  return value === MARK ? null : value;
}

/** Both in the order of their keys; of a key that both have, the first's. */
function* merged(first: Iterable<Entry>, second: Iterable<Entry>): Iterable<Entry> {
  const rest = second[Symbol.iterator]();
  let next = rest.next();
  for (const entry of first) {
    let order = -1;
    while (next.done !== true && (order = compareBytes(next.value.key, entry.key)) < 0) {
      yield next.value;
      next = rest.next();
    }
    if (next.done !== true && order === 0) next = rest.next();
    yield entry;
  }
  for (; next.done !== true; next = rest.next()) yield next.value;
}
