// The rows of a foreign-key join's two tables, kept as columns, and which of them refer to which; knows no operator.

import { ByteWriter } from '../base/bytes.ts';
import { grown } from '../base/grown.ts';
import { TABLE_ROWS_BYTES_MAX } from '../base/limits.ts';
import { Interner } from '../data/interner.ts';
import { prefixRange } from '../data/key.ts';
import type { IntoBlock, StateBytes, StatePack, StateReader, TableId } from '../ports/store.ts';
import { type KeptRows, NO_ROW } from './kept-rows.ts';
import { IDLE_KEYS_MAX, Side, UNKNOWN } from './kept-table.ts';
import { handOver } from './packing.ts';
import { hasEntries } from './row-table.ts';
import { Subscribers } from './subscribers.ts';

/** In the place of what a row refers to: there is no row. NO_KEY: it refers to nothing. */
export const NO_REFERENCE = -2;

const FIRST_KEYS = 256;
/** Numbers are kept from here on: 0 is what is not known. */
const REFERENCE_FROM = 3;

// Marks of a key's left row.
/** A result stands. */
const STANDS = 1;
/** The left table has an entry: the row, or no more than that a result stands. */
const KEPT = 2;
/** That entry has changed since the last commit. */
const ENTRY_CHANGED = 4;
/** The row has changed since the last commit. */
const ROW_CHANGED = 8;

export interface ReferenceTables {
  /** A byte, 1 while a result stands, then the row if there is one. */
  readonly left: TableId;
  /** The left rows alone; null: somebody else keeps them. */
  readonly source: TableId | null;
  readonly right: TableId;
  /** Foreign key, primary key: the version of the left row. */
  readonly subscriptions: TableId;
}

export interface ReferenceOptions {
  readonly tables: ReferenceTables;
  readonly state: StateReader;
  readonly left: KeptRows;
  readonly right: KeptRows;
  /** What a left row that was kept before refers to, by its key and its number; asked for with `source` alone. */
  readonly referenceOf: (id: number, row: number) => number;
  /** The version of a left row (PROTOCOL.md section 4), in bytes of its own. */
  readonly versionOf: (row: Uint8Array) => Uint8Array;
  readonly versionBytes: number;
  /** Keys that stay in memory after a commit beyond those that it took; IDLE_KEYS_MAX but in tests. */
  readonly idleKeysMax?: number | undefined;
}

export interface LeftChange {
  /** What the row referred to before, and what it does now; NO_REFERENCE: there was none, or is none. */
  readonly from: number;
  readonly to: number;
  readonly stands: boolean;
  /** False: the left table has no entry for the key, because it is null in part. */
  readonly isKept: boolean;
}

/**
 * Keys of either table have one numbering, good until `changes` says otherwise. Rows are numbers, too, good until then or `tidy`. What was
 * read or written stays in memory up to a bound.
 */
export class ReferenceTable {
  readonly #options: ReferenceOptions;
  readonly #left: Side;
  readonly #right: Side;
  index = new Interner();
  #subscribers = new Subscribers(this.index);
  #marks = new Uint8Array(FIRST_KEYS);
  /** By key of a left row what it refers to; and what it did at the last commit, if it has changed since. */
  #references = new Int32Array(FIRST_KEYS);
  #committed = new Int32Array(FIRST_KEYS);
  /** By key 1 when all are known that refer to it, where the store holds subscriptions; null: not asked yet. */
  #isWhole = new Uint8Array(FIRST_KEYS);
  #storeHoldsSubscriptions: boolean | null = null;

  constructor(options: ReferenceOptions) {
    const { tables, left, right } = options;
    this.#options = options;
    this.#left = new Side({ table: tables.source ?? tables.left, rows: left });
    this.#right = new Side({ table: tables.right, rows: right });
  }

  locate(bytes: Uint8Array, from: number, to: number): number {
    return this.index.intern(bytes, from, to);
  }

  get leftRows(): KeptRows {
    return this.#left.rows;
  }

  get rightRows(): KeptRows {
    return this.#right.rows;
  }

  #reserve(id: number): void {
    if (id < this.#marks.length) return;
    this.#marks = grown(this.#marks, id * 2);
    this.#references = grown(this.#references, id * 2);
    this.#committed = grown(this.#committed, id * 2);
    this.#isWhole = grown(this.#isWhole, id * 2);
  }

  /** The left row of a key, or NO_ROW. */
  left(id: number): number {
    const known = this.#left.row(id);
    return known === UNKNOWN ? this.#readLeft(id) : known;
  }

  #readLeft(id: number): number {
    const { state, tables } = this.#options;
    const of = this.#left;
    this.#reserve(id);
    // Asked at the first miss: a task that is upgraded gets its rows after it was built.
    of.storeHolds ??= hasEntries(state, of.table) || hasEntries(state, tables.left);
    let row = NO_ROW;
    if (of.storeHolds) {
      const key = this.index.key(id).slice();
      const entry = state.get(tables.left, key);
      if (entry !== null) this.#marks[id] = entry[0] === 1 ? KEPT | STANDS : KEPT;
      const own =
        tables.source === null ? (entry?.subarray(1) ?? null) : state.get(tables.source, key);
      if (own !== null && own.length > 0) row = of.rows.add(own);
    }
    of.put(id, row);
    return row;
  }

  /** Whether a result of the key stands; `left` was asked for it. */
  stands(id: number): boolean {
    return ((this.#marks[id] as number) & STANDS) !== 0;
  }

  /** Whether the left table has an entry of the key; `left` was asked for it. */
  isKept(id: number): boolean {
    return ((this.#marks[id] as number) & KEPT) !== 0;
  }

  /** What the left row of a key refers to, or NO_KEY, or NO_REFERENCE; with `source` alone. */
  reference(id: number): number {
    const row = this.left(id);
    const known = this.#references[id] as number;
    if (known > 0) return known - REFERENCE_FROM;
    const to = row === NO_ROW ? NO_REFERENCE : this.#options.referenceOf(id, row);
    this.#refer(id, to);
    return to;
  }

  #refer(id: number, to: number): void {
    this.#references[id] = to + REFERENCE_FROM;
    if (to >= 0) this.#subscribers.add(to, id);
  }

  /** Changes the left row of a key for which `left` was asked. @param row NO_ROW: it goes */
  setLeft(id: number, row: number, { from, to, stands, isKept }: LeftChange): void {
    const marks = this.#marks[id] as number;
    if ((marks & ROW_CHANGED) === 0) this.#committed[id] = from + REFERENCE_FROM;
    const known = (this.#references[id] as number) - REFERENCE_FROM;
    if (known !== to) {
      if (known >= 0) this.#subscribers.remove(known, id);
      this.#refer(id, to);
    }
    let next = (marks & ENTRY_CHANGED) | ROW_CHANGED;
    if (isKept) next |= ENTRY_CHANGED;
    if (stands) next |= STANDS;
    if (isKept && (stands || row !== NO_ROW)) next |= KEPT;
    this.#marks[id] = next;
    this.#left.set(id, row);
  }

  /** Changes whether a result of the key stands, which has a row. */
  setStands(id: number, stands: boolean): void {
    const marks = (this.#marks[id] as number) | ENTRY_CHANGED;
    this.#marks[id] = stands ? marks | STANDS : marks & ~STANDS;
    this.#left.set(id, this.#left.row(id));
  }

  /** The right row of a key, or NO_ROW. */
  right(id: number): number {
    const known = this.#right.row(id);
    return known === UNKNOWN ? this.#right.read(id, this.index, this.#options.state) : known;
  }

  /** @param row NO_ROW: it goes */
  setRight(id: number, row: number): void {
    this.#right.set(id, row);
  }

  /** The keys of the left rows that refer to a key, in the order of their bytes: good until one changes. */
  subscribersOf(id: number): readonly number[] {
    const { state, tables } = this.#options;
    this.#storeHoldsSubscriptions ??= hasEntries(state, tables.subscriptions);
    if (this.#storeHoldsSubscriptions) this.#readSubscribers(id);
    return this.#subscribers.of(id);
  }

  #readSubscribers(id: number): void {
    this.#reserve(id);
    if (this.#isWhole[id] === 1) return;
    this.#isWhole[id] = 1;
    const { state, tables } = this.#options;
    const prefix = this.index.key(id).slice();
    for (const { key } of state.scan(tables.subscriptions, prefixRange(prefix))) {
      const left = this.locate(key, prefix.length, key.length);
      this.#reserve(left);
      // What is known is newer.
      if (this.#references[left] === 0) this.#refer(left, id);
    }
  }

  /** True when many rows are held that no key has any more: call `tidy` once no row is in use. */
  get isUntidy(): boolean {
    return this.#left.isUntidy || this.#right.isUntidy;
  }

  tidy(): void {
    for (const side of [this.#left, this.#right]) if (side.isUntidy) side.tidy();
  }

  /**
   * Hands over every key that was set since the last call.
   * @returns true when the numbers of keys have changed
   */
  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): boolean {
    const { index } = this;
    const marks = this.#marks;
    const lefts = this.#left.takeTouched();
    const rights = this.#right.takeTouched();
    const rows = lefts.filter((id) => ((marks[id] as number) & ROW_CHANGED) !== 0);
    const entries = lefts.filter((id) => ((marks[id] as number) & ENTRY_CHANGED) !== 0);
    const { tables, idleKeysMax = IDLE_KEYS_MAX } = this.#options;
    if (tables.source !== null) handOver(this.#left.packOf(rows, index), into, intoBlock);
    handOver(this.#entriesOf(entries), into, intoBlock);
    handOver(this.#right.packOf(rights, index), into, intoBlock);
    handOver(this.#subscriptionsOf(rows), into, intoBlock);
    for (const id of lefts) marks[id] = (marks[id] as number) & (STANDS | KEPT);
    const bytesHeld = this.#left.rows.bytesHeld + this.#right.rows.bytesHeld;
    const isFull =
      index.size > idleKeysMax + lefts.length + rights.length ||
      (!intoBlock && bytesHeld > TABLE_ROWS_BYTES_MAX);
    if (isFull) this.#keep(lefts, rights);
    else this.tidy();
    return isFull;
  }

  /** The left table's entries of those keys. */
  #entriesOf(ids: Int32Array): StatePack {
    const { index } = this;
    const marks = Uint8Array.from(ids, (id) => this.#marks[id] as number);
    const of = Int32Array.from(ids, (id) => this.#left.row(id));
    const rows = this.leftRows.packed(of.filter((row) => row >= 0));
    let bytes = rows.valueBytes;
    for (let i = 0; i < ids.length; i++)
      bytes += index.lengthOf(ids[i] as number) + Number(isEntry(marks[i] as number));
    const each: StatePack['each'] = (visit) => {
      const scratch = new ByteWriter(64);
      let row = 0;
      for (let i = 0; i < ids.length; i++) {
        const key = index.key(ids[i] as number);
        const mark = marks[i] as number;
        scratch.truncate(0);
        scratch.u8(mark & STANDS);
        if ((of[i] as number) >= 0) scratch.bytes(rows.bytes(row++));
        visit(key, isEntry(mark) ? scratch.written() : null);
      }
    };
    return { table: this.#options.tables.left, size: ids.length, bytes, each, isOver: null };
  }

  /** What has come of the subscriptions of those keys, whose rows have changed. */
  #subscriptionsOf(ids: Int32Array): StatePack {
    const { index } = this;
    const { tables, versionOf, versionBytes } = this.#options;
    /** Two words an entry: what is referred to, and by which key. */
    const ended: number[] = [];
    const set: number[] = [];
    let bytes = 0;
    for (const id of ids) {
      const before = (this.#committed[id] as number) - REFERENCE_FROM;
      const now = (this.#references[id] as number) - REFERENCE_FROM;
      const own = index.lengthOf(id);
      if (before >= 0 && before !== now) {
        ended.push(before, id);
        bytes += index.lengthOf(before) + own;
      }
      if (now < 0) continue;
      set.push(now, id);
      bytes += index.lengthOf(now) + own + versionBytes;
    }
    const rows = this.leftRows.packed(
      Int32Array.from({ length: set.length / 2 }, (_, i) =>
        this.#left.row(set[i * 2 + 1] as number),
      ),
    );
    const each: StatePack['each'] = (visit) => {
      const scratch = new ByteWriter(64);
      const keyOf = (entries: readonly number[], i: number): Uint8Array => {
        scratch.truncate(0);
        scratch.bytes(index.key(entries[i] as number));
        scratch.bytes(index.key(entries[i + 1] as number));
        return scratch.written();
      };
      for (let i = 0; i < ended.length; i += 2) visit(keyOf(ended, i), null);
      for (let i = 0; i < set.length; i += 2) visit(keyOf(set, i), versionOf(rows.bytes(i / 2)));
    };
    const size = (ended.length + set.length) / 2;
    return { table: tables.subscriptions, size, bytes, each, isOver: null };
  }

  /** Keeps what a commit has taken, because the store does not show it yet, and what that refers to. */
  #keep(lefts: Int32Array, rights: Int32Array): void {
    const before = this.index;
    const references = this.#references;
    const marks = this.#marks;
    this.index = new Interner();
    const ids: number[] = [];
    const keep = (id: number): number => {
      const key = before.key(id);
      const kept = this.index.intern(key, 0, key.length);
      if (kept === ids.length) ids.push(id);
      return kept;
    };
    for (const id of lefts) keep(id);
    for (const id of rights) keep(id);
    const size = Math.max(ids.length * 2, FIRST_KEYS);
    this.#marks = new Uint8Array(size);
    this.#references = new Int32Array(size);
    this.#committed = new Int32Array(size);
    this.#isWhole = new Uint8Array(size);
    this.#subscribers = new Subscribers(this.index);
    this.#storeHoldsSubscriptions = true;
    const own = ids.length;
    for (let kept = 0; kept < own; kept++) {
      const id = ids[kept] as number;
      this.#marks[kept] = marks[id] as number;
      const known = (references[id] as number) - REFERENCE_FROM;
      if (known < 0) this.#references[kept] = known + REFERENCE_FROM;
      else this.#refer(kept, keep(known));
    }
    this.#left.keep(ids);
    this.#right.keep(ids);
  }
}

/** Whether the left table has an entry of those marks. */
function isEntry(marks: number): boolean {
  return (marks & KEPT) !== 0;
}
