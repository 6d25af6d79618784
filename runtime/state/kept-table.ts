// The rows that two sides of a join have for a key, over a store, in memory as columns; knows no batch's rule and no operator.

import { grown } from '../base/grown.ts';
import { REPLACED_ROWS_BYTES_MAX, TABLE_ROWS_BYTES_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { IntoBlock, StateBytes, StatePack, StateReader, TableId } from '../ports/store.ts';
import { type KeptRows, NO_ROW } from './kept-rows.ts';
import { handOver } from './packing.ts';
import { indexOfSome, type KeyIndex } from './row-keys.ts';
import { hasEntries } from './row-table.ts';

/** Keys that stay in memory after a commit; beyond it they are read again on demand. */
export const IDLE_KEYS_MAX = 65_536;
/** Rows that no key has any more stay until they are more than the others and these, or are large. */
const STALE_ROWS_MAX = 32_768;
const FIRST_KEYS = 256;
/** In the place of a row that was not read yet. */
export const UNKNOWN = -2;

/** A state table, and the rows that nobody has put into it yet. */
export interface KeptSide {
  readonly table: TableId;
  readonly rows: KeptRows;
}

/**
 * As a RowTable, but a row is a number: of a side, good until the next call of `changes` or `tidy`. The sides share the numbers of their
 * keys, so that a join looks a row up once for both.
 */
export class KeptTable {
  readonly #state: StateReader;
  readonly #sides: readonly Side[];
  index: KeyIndex;

  /** @param index an empty one */
  constructor(sides: readonly KeptSide[], state: StateReader, index: KeyIndex) {
    this.#state = state;
    this.index = index;
    this.#sides = sides.map((side) => new Side(side));
  }

  /** A number for the key, good until `changes` says otherwise. */
  locate(bytes: Uint8Array, from: number, to: number): number {
    return this.index.intern(bytes, from, to);
  }

  /** Turns to a batch of a side: see `KeptRows.begin`. */
  begin(side: number, batch: Batch, columns: readonly Column[], from: number): void {
    this.side(side).rows.begin(batch, columns, from);
  }

  side(side: number): Side {
    return this.#sides[side] as Side;
  }

  /** The row of a located key, or NO_ROW. */
  get(id: number, side: number): number {
    const of = this.side(side);
    const known = of.row(id);
    return known === UNKNOWN ? of.read(id, this.index, this.#state) : known;
  }

  /** Sets the value of a located key to the row of a batch that `begin` has begun. */
  set(id: number, side: number, i: number, position: number, ms: number): void {
    const of = this.side(side);
    of.set(id, of.rows.take(i, position, ms));
  }

  /** Removes the value of a located key. */
  remove(id: number, side: number): void {
    const of = this.side(side);
    of.set(id, NO_ROW);
  }

  rowtime(row: number, side: number): number {
    return this.side(side).rows.rowtime(row);
  }

  columnsOf(rows: Int32Array, side: number): readonly Column[] {
    return this.side(side).rows.columnsOf(rows);
  }

  /** True when many rows are held that no key has any more: call `tidy` once no row is in use. */
  get isUntidy(): boolean {
    return this.#sides.some((of) => of.isUntidy);
  }

  tidy(): void {
    for (const of of this.#sides) if (of.isUntidy) of.tidy();
  }

  /**
   * Hands over every key that was set since the last call.
   * @returns true when the numbers of keys have changed
   */
  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): boolean {
    const taken = this.#sides.map((of) => of.takeTouched());
    let changed = 0;
    let bytesHeld = 0;
    for (const [side, of] of this.#sides.entries()) {
      const ids = taken[side] as Int32Array;
      changed += ids.length;
      bytesHeld += of.rows.bytesHeld;
      handOver(of.packOf(ids, this.index), into, intoBlock);
    }
    const isFull =
      this.index.size > IDLE_KEYS_MAX + changed || (!intoBlock && bytesHeld > TABLE_ROWS_BYTES_MAX);
    if (isFull) this.#keep(taken);
    else this.tidy();
    return isFull;
  }

  /** Keeps the rows of the keys that a commit has taken, because the store does not show those yet. */
  #keep(taken: readonly Int32Array[]): void {
    const ids = [...new Set(taken.flatMap((some) => [...some]))];
    this.index = indexOfSome(this.index, ids);
    for (const of of this.#sides) of.keep(ids);
  }
}

export class Side {
  readonly table: TableId;
  rows: KeptRows;
  /** By key its row and 2; 0: not read yet. */
  rowOf = new Int32Array(FIRST_KEYS);
  /** Keys with a row. */
  #held = 0;
  /** Keys that were set since the last commit, each once. */
  #touched = new Int32Array(FIRST_KEYS);
  #touchedCount = 0;
  /** By key the commit since which it was set. */
  #touchedAt = new Int32Array(FIRST_KEYS);
  #commits = 1;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new key; null: not asked yet. */
  storeHolds: boolean | null = null;

  constructor({ table, rows }: KeptSide) {
    this.table = table;
    this.rows = rows;
  }

  /** Or NO_ROW, or UNKNOWN. */
  row(id: number): number {
    return id < this.rowOf.length ? (this.rowOf[id] as number) + UNKNOWN : UNKNOWN;
  }

  /** The row of a key that was not read yet, or NO_ROW. */
  read(id: number, index: KeyIndex, state: StateReader): number {
    // Asked at the first miss: a task that is upgraded gets its rows after it was built.
    this.storeHolds ??= hasEntries(state, this.table);
    // A copy: a store may write what it was handed before it looks, and asks for other keys of the index then. So it is in `packOf`.
    const value = this.storeHolds ? state.get(this.table, index.key(id).slice()) : null;
    const row = value === null ? NO_ROW : this.rows.add(value);
    this.put(id, row);
    return row;
  }

  put(id: number, row: number): void {
    if (id >= this.rowOf.length) {
      this.rowOf = grown(this.rowOf, id * 2);
      this.#touchedAt = grown(this.#touchedAt, id * 2);
    }
    this.#held += Number(row >= 0) - Number(this.row(id) >= 0);
    this.rowOf[id] = row - UNKNOWN;
  }

  /** As `put`, for the next commit. */
  set(id: number, row: number): void {
    this.put(id, row);
    if (this.#touchedAt[id] === this.#commits) return;
    this.#touchedAt[id] = this.#commits;
    if (this.#touchedCount === this.#touched.length)
      this.#touched = grown(this.#touched, this.#touchedCount * 2);
    this.#touched[this.#touchedCount++] = id;
  }

  takeTouched(): Int32Array {
    const taken = this.#touched.slice(0, this.#touchedCount);
    this.#commits++;
    this.#touchedCount = 0;
    return taken;
  }

  get isUntidy(): boolean {
    const { size, bytesHeld } = this.rows;
    const stale = size - 2 * this.#held;
    return stale > (bytesHeld > REPLACED_ROWS_BYTES_MAX ? 0 : STALE_ROWS_MAX);
  }

  tidy(): void {
    const rows = new Int32Array(this.#held);
    let count = 0;
    for (let id = 0; id < this.rowOf.length; id++) {
      const row = this.row(id);
      if (row < 0) continue;
      rows[count] = row;
      this.rowOf[id] = count++ - UNKNOWN;
    }
    this.rows = this.rows.of(rows);
  }

  /** Knows those keys alone from now on, by their places. */
  keep(ids: readonly number[]): void {
    const known = Int32Array.from(ids, (id) => this.row(id));
    this.rowOf = new Int32Array(Math.max(ids.length, FIRST_KEYS));
    this.#touchedAt = new Int32Array(this.rowOf.length);
    this.#held = 0;
    this.storeHolds = true;
    let count = 0;
    for (let id = 0; id < known.length; id++) {
      const row = known[id] as number;
      this.put(id, row < 0 ? row : count++);
    }
    this.rows = this.rows.of(known.filter((row) => row >= 0));
  }

  /** What those keys have now, as rows of its own: others may go. */
  packOf(ids: Int32Array, index: KeyIndex): StatePack {
    const { table } = this;
    const size = ids.length;
    const isSet = new Uint8Array(size);
    const set = new Int32Array(size);
    let count = 0;
    let bytes = 0;
    for (let i = 0; i < size; i++) {
      const id = ids[i] as number;
      bytes += index.lengthOf(id);
      const row = this.row(id);
      if (row < 0) continue;
      isSet[i] = 1;
      set[count++] = row;
    }
    const rows = this.rows.packed(set.subarray(0, count));
    const each: StatePack['each'] = (visit) => {
      let row = 0;
      for (let i = 0; i < size; i++)
        visit(index.key(ids[i] as number).slice(), isSet[i] === 1 ? rows.bytes(row++) : null);
    };
    return { table, size, bytes: bytes + rows.valueBytes, each, isOver: null };
  }
}
