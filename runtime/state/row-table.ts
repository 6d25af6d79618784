// Rows by key over a store, of one table or of several that share their keys; knows no operator.

import type { IntoBlock, StateBytes, StatePack, StateReader, TableId } from '../ports/store.ts';
import { Interner } from '../data/interner.ts';
import { handOver } from './packing.ts';

/** Keys that stay in memory after a commit; beyond it they are read again on demand. */
const IDLE_KEYS_MAX = 65_536;

/**
 * Values by key bytes. What was read or written stays in memory up to a bound; what no commit has taken yet always does, and
 * what the last commit took until the next one, because the store shows it only once that has succeeded.
 *
 * Several tables, counted from 0, share the numbers of their keys: a join looks a row up once for both of its sides.
 */
export class RowTable {
  readonly #state: StateReader;
  #index = new Interner();
  readonly #tables: readonly Values[];

  constructor(tables: TableId | readonly TableId[], state: StateReader) {
    this.#state = state;
    const ids = typeof tables === 'string' ? [tables] : tables;
    this.#tables = ids.map((table) => new Values(table));
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
  get(id: number, table = 0): Uint8Array | null {
    const of = this.#tables[table] as Values;
    const known = of.values[id];
    if (known !== undefined) return known;
    // Asked at the first miss: a task that is upgraded gets its rows after it was built.
    of.storeHolds ??= hasEntries(this.#state, of.table);
    const read = of.storeHolds ? this.#state.get(of.table, this.#index.key(id)) : null;
    of.values[id] = read;
    return read;
  }

  /** Sets or, by null, removes the value of a located key. */
  set(id: number, value: Uint8Array | null, table = 0): void {
    const of = this.#tables[table] as Values;
    of.values[id] = value;
    if (of.isDirty[id] === true) return;
    of.isDirty[id] = true;
    of.dirty.push(id);
  }

  /** Hands over every key that was set since the last call. */
  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    const taken = new Set<number>();
    for (const of of this.#tables) {
      for (const id of of.dirty) {
        of.isDirty[id] = false;
        taken.add(id);
      }
      handOver(packOf(of, this.#index), into, intoBlock);
      of.dirty = [];
    }
    if (this.#index.size > IDLE_KEYS_MAX + taken.size) this.#keep(taken);
  }

  #keep(kept: ReadonlySet<number>): void {
    const before = this.#index;
    this.#index = new Interner();
    const values = this.#tables.map((of) => of.values);
    for (const of of this.#tables) {
      of.values = [];
      of.isDirty = [];
      of.storeHolds = true;
    }
    for (const id of kept) {
      const key = before.key(id);
      const to = this.#index.intern(key, 0, key.length);
      this.#tables.forEach((of, table) => {
        of.values[to] = values[table]?.[id];
      });
    }
  }
}

class Values {
  readonly table: TableId;
  /** By key; undefined: not read yet. */
  values: (Uint8Array | null | undefined)[] = [];
  /** Keys that were set since the last commit, each once. */
  dirty: number[] = [];
  isDirty: boolean[] = [];
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new key; null: not asked yet. */
  storeHolds: boolean | null = null;

  constructor(table: TableId) {
    this.table = table;
  }
}

/** The values set since the last commit. */
function packOf({ table, values, dirty }: Values, index: Interner): StatePack {
  const set = dirty.map((id) => values[id] ?? null);
  let bytes = 0;
  for (let i = 0; i < set.length; i++)
    bytes += index.lengthOf(dirty[i] as number) + (set[i]?.length ?? 0);
  const each: StatePack['each'] = (visit) =>
    set.forEach((value, i) => visit(index.key(dirty[i] as number), value));
  return { table, size: set.length, bytes, each, isOver: null };
}

function hasEntries(state: StateReader, table: TableId): boolean {
  const [first] = state.scan(table, { from: null, to: null });
  return first !== undefined;
}
