// A state table read in the order of its keys: uncommitted changes laid over what is committed; knows no operator.

import { compareBytes } from '../base/bytes.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { Entry, KeyRange, StateBytes, StateReader, TableId } from '../ports/store.ts';

/** Stands for a removed key. */
const REMOVED = new Uint8Array(0);

/**
 * Changes since the last commit, over those that it took, because the store shows them only once it has succeeded, over the store.
 * What the store holds is not kept in memory.
 */
export class OrderedTable {
  readonly #table: TableId;
  readonly #state: StateReader;
  #fresh = new OrderedMap();
  #taken = new OrderedMap();

  constructor(table: TableId, state: StateReader) {
    this.#table = table;
    this.#state = state;
  }

  get(key: Uint8Array): Uint8Array | null {
    const known = this.#fresh.get(key) ?? this.#taken.get(key);
    if (known === REMOVED) return null;
    return known ?? this.#state.get(this.#table, key);
  }

  /** @param value not empty; null removes the key. Both arrays are kept, not copied */
  set(key: Uint8Array, value: Uint8Array | null): void {
    this.#fresh.set(key, value ?? REMOVED);
  }

  /** Entries in the order of their keys. What is set meanwhile may or may not be seen. */
  *scan(range: KeyRange): Iterable<Entry> {
    for (const entry of merged(
      merged(this.#fresh.scan(range), this.#taken.scan(range)),
      this.#state.scan(this.#table, range),
    )) {
      if (entry.value !== REMOVED) yield entry;
    }
  }

  changes(into: (change: StateBytes) => void): void {
    for (const { key, value } of this.#fresh.scan({ from: null, to: null }))
      into({ table: this.#table, key, value: value === REMOVED ? null : value });
    this.#taken = this.#fresh;
    this.#fresh = new OrderedMap();
  }
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
