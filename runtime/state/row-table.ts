// Rows by key over a store: uncommitted changes laid over what is committed; knows no operator.

import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import { KeyIndex } from './key-index.ts';

/** Rows that stay in memory after a commit; beyond it they are read again on demand. */
const IDLE_ROWS_MAX = 65_536;

/**
 * Values by key bytes. What was read or written stays in memory up to a bound; what no commit has taken yet always does, and
 * what the last commit took until the next one, because the store shows it only once that has succeeded.
 */
export class RowTable {
  readonly #table: TableId;
  readonly #state: StateReader;
  #index = new KeyIndex();
  /** By id; undefined: not read yet. */
  #values: (Uint8Array | null | undefined)[] = [];
  #dirty = new Set<number>();

  constructor(table: TableId, state: StateReader) {
    this.#table = table;
    this.#state = state;
  }

  /** A number for the key, good until the next call of `changes`. */
  locate(bytes: Uint8Array, from: number, to: number): number {
    return this.#index.intern(bytes, from, to);
  }

  /** The value of a located key, null when it has none. */
  get(id: number): Uint8Array | null {
    const known = this.#values[id];
    if (known !== undefined) return known;
    const read = this.#state.get(this.#table, this.#index.key(id).slice());
    this.#values[id] = read;
    return read;
  }

  /** Sets or, by null, removes the value of a located key. */
  set(id: number, value: Uint8Array | null): void {
    this.#values[id] = value;
    this.#dirty.add(id);
  }

  /** Hands over every key that was set since the last call. */
  changes(into: (change: StateBytes) => void): void {
    const taken = this.#dirty;
    this.#dirty = new Set();
    for (const id of taken) {
      into({
        table: this.#table,
        key: this.#index.key(id).slice(),
        value: this.#values[id] ?? null,
      });
    }
    if (this.#index.size > IDLE_ROWS_MAX + taken.size) this.#keep(taken);
  }

  #keep(kept: ReadonlySet<number>): void {
    const before = this.#index;
    const values = this.#values;
    this.#index = new KeyIndex();
    this.#values = [];
    for (const id of kept) {
      const key = before.key(id);
      this.#values[this.#index.intern(key, 0, key.length)] = values[id];
    }
  }
}
