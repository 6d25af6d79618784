// Rows by key over a store; knows no operator.

import { TABLE_ROWS_BYTES_MAX } from '../base/limits.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import { Interner } from '../data/interner.ts';

/** Keys that stay in memory after a commit; beyond it they are read again on demand. */
const IDLE_KEYS_MAX = 65_536;

/**
 * Values by key bytes. What was read or written stays in memory up to a bound; what no commit has taken yet always does, and
 * what the last commit took until the next one, because the store shows it only once that has succeeded.
 */
export class RowTable {
  readonly #state: StateReader;
  readonly #table: TableId;
  #index = new Interner();
  /** By key; undefined: not read yet. */
  #values: (Uint8Array | null | undefined)[] = [];
  /** Of all values. */
  #bytes = 0;
  /** Keys that were set since the last commit, each once. */
  #dirty: number[] = [];
  #isDirty: boolean[] = [];
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new key; null: not asked yet. */
  #storeHolds: boolean | null;

  /** @param storeHolds true when the store is known to have entries; null: it is looked at the first miss */
  constructor(table: TableId, state: StateReader, storeHolds: true | null = null) {
    this.#state = state;
    this.#table = table;
    this.#storeHolds = storeHolds;
  }

  /** A number for the key, good until the next call of `changes`. */
  locate(bytes: Uint8Array, from: number, to: number): number {
    return this.#index.intern(bytes, from, to);
  }

  /** The bytes of a located key: a view that is good until the next new key. */
  key(id: number): Uint8Array {
    return this.#index.key(id);
  }

  /** The order of two located keys in bytes. */
  compare(a: number, b: number): number {
    return this.#index.compareTo(a, this.#index.key(b));
  }

  /** The value of a located key, null when it has none. */
  get(id: number): Uint8Array | null {
    const known = this.#values[id];
    if (known !== undefined) return known;
    // Asked at the first miss: a task that is upgraded gets its rows after it was built.
    this.#storeHolds ??= hasEntries(this.#state, this.#table);
    const read = this.#storeHolds ? this.#state.get(this.#table, this.#index.key(id)) : null;
    this.#put(id, read);
    return read;
  }

  /** Sets or, by null, removes the value of a located key. */
  set(id: number, value: Uint8Array | null): void {
    this.#put(id, value);
    if (this.#isDirty[id] === true) return;
    this.#isDirty[id] = true;
    this.#dirty.push(id);
  }

  #put(id: number, value: Uint8Array | null): void {
    this.#bytes += (value?.length ?? 0) - (this.#values[id]?.length ?? 0);
    this.#values[id] = value;
  }

  /** Hands over every key that was set since the last call. */
  changes(into: (change: StateBytes) => void): void {
    const taken = this.#dirty;
    for (const id of taken) {
      this.#isDirty[id] = false;
      const value = this.#values[id]?.slice() ?? null;
      into({ table: this.#table, key: this.#index.key(id).slice(), value });
    }
    this.#dirty = [];
    if (this.#index.size > IDLE_KEYS_MAX + taken.length || this.#bytes > TABLE_ROWS_BYTES_MAX)
      this.#keep(taken);
  }

  #keep(kept: readonly number[]): void {
    const before = this.#index;
    const values = this.#values;
    this.#index = new Interner();
    this.#values = [];
    this.#bytes = 0;
    this.#isDirty = [];
    this.#storeHolds = true;
    for (const id of kept) {
      const key = before.key(id);
      this.#put(this.#index.intern(key, 0, key.length), values[id] ?? null);
    }
  }
}

/** Whether the store has any entry of the table. */
export function hasEntries(state: StateReader, table: TableId): boolean {
  const [first] = state.scan(table, { from: null, to: null });
  return first !== undefined;
}
