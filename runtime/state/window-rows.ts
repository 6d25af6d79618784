// The rows of two streams by key and rowtime, for as long as a row of the other one may be near them; knows no batch and no rule of joining.

import { ByteWriter } from '../base/bytes.ts';
import { EXPIRED_ROWS_MAX } from '../base/limits.ts';
import { prefixRange } from '../data/key.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import { KeyIndex } from '../data/key-index.ts';

/** Rows that stay in memory after a commit; beyond it they are read again on demand. */
const IDLE_ROWS_MAX = 65_536;
/** Segments are not shorter than that, so that a row is looked for in few of them. */
const SEGMENT_MS_MIN = 60_000;
const ROWTIME_BYTES = 8;
const SIGN = 0x8000_0000;

/** A row without a partner so far: not, or kept in memory only, or in the state table of waiting rows too. */
export const Waits = { no: 0, fresh: 1, stored: 2 } as const;
export type Waits = (typeof Waits)[keyof typeof Waits];

/** A row that is kept. */
export interface WindowRow {
  readonly ms: number;
  /** Tells rows of one key and rowtime apart, in the order in which they came. */
  readonly number: number;
  readonly bytes: Uint8Array;
  waits: Waits;
}

/** Tells whether a row that is read back waits for a partner. */
export type IsWaiting = (side: number, key: Uint8Array, ms: number, number: number) => boolean;

export interface WindowRowsOptions {
  /** The join's own state table holds how far each side's time has come; its rows are in tables of their own, by side. */
  readonly table: TableId;
  readonly state: StateReader;
  /** How long a row is kept behind the greatest rowtime of its side. */
  readonly retentionMs: number;
  readonly isWaiting: IsWaiting | null;
}

/**
 * Two sides, 0 and 1, whose rows expire by the greatest rowtime that the side itself has seen, as in Kafka Streams. All rows of a key are in
 * memory once one was asked for; a bounded number stays there.
 *
 * State keys: the start of a segment, the key, the rowtime, the number. A segment is half the retention long, so that a key's rows stand in
 * at most four, and what expires stands at the front of the table.
 */
export class WindowRows {
  readonly #state: StateReader;
  readonly #table: TableId;
  readonly #isWaiting: IsWaiting | null;
  readonly #segmentMs: number;
  readonly #retentionMs: number;
  readonly #sides: readonly [Side, Side];
  readonly #scratch = new ByteWriter(64);
  #index = new KeyIndex();
  /** Rows in memory. */
  #held = 0;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new key. */
  #storeHolds: boolean;

  constructor(options: WindowRowsOptions) {
    this.#table = options.table;
    this.#state = options.state;
    this.#isWaiting = options.isWaiting;
    this.#retentionMs = options.retentionMs;
    this.#segmentMs = Math.max(Math.floor(options.retentionMs / 2), SEGMENT_MS_MIN);
    this.#sides = [this.#side(0), this.#side(1)];
    this.#storeHolds = this.#sides.some(({ timeMs }) => timeMs > -Infinity);
  }

  #side(side: number): Side {
    const stored = this.#state.get(this.#table, Uint8Array.of(side));
    const ms =
      stored === null
        ? -Infinity
        : new DataView(stored.buffer, stored.byteOffset).getFloat64(0, true);
    return new Side(`${this.#table}.${side === 0 ? 'left' : 'right'}`, ms);
  }

  /** A number for the key, which begins no other key; common to both sides, good until the next call of `changes`. */
  locate(bytes: Uint8Array, from: number, to: number): number {
    return this.#index.intern(bytes, from, to);
  }

  /** The bytes of a located key: a view that is good until the next new key. */
  key(id: number): Uint8Array {
    return this.#index.key(id);
  }

  /** Rows of the side before that are forgotten. */
  firstMs(side: number): number {
    return (this.#sides[side] as Side).timeMs - this.#retentionMs + 1;
  }

  /** Keeps a row, and moves the side's time on; null when the row is forgotten already. */
  put(side: number, id: number, ms: number, bytes: Uint8Array): WindowRow | null {
    const of = this.#sides[side] as Side;
    if (ms > of.timeMs) of.timeMs = ms;
    // The very last one is kept, though nobody sees it: it may wait for the end of its window all the same.
    if (ms < of.timeMs - this.#retentionMs) return null;
    const rows = this.#rows(of, side, id);
    let at = rows.length;
    while (at > 0 && (rows[at - 1] as WindowRow).ms > ms) at--;
    const before = rows[at - 1];
    const number = before !== undefined && before.ms === ms ? before.number + 1 : 0;
    const row: WindowRow = { ms, number, bytes, waits: Waits.no };
    if (at === rows.length) rows.push(row);
    else rows.splice(at, 0, row);
    of.dirtyIds.push(id);
    of.dirtyRows.push(row);
    this.#held++;
    return row;
  }

  /** All rows of a key in the order of their rowtimes, expired ones among them. Not to be changed. */
  rows(side: number, id: number): readonly WindowRow[] {
    return this.#rows(this.#sides[side] as Side, side, id);
  }

  #rows(of: Side, side: number, id: number): WindowRow[] {
    const known = of.rows[id];
    if (known !== undefined) return this.#trimmed(of, known);
    const read: WindowRow[] = [];
    if (this.#storeHolds) this.#read(of, side, id, read);
    of.rows[id] = read;
    this.#held += read.length;
    return read;
  }

  /** Lets the expired rows of a key go, once they are many. */
  #trimmed(of: Side, rows: WindowRow[]): WindowRow[] {
    const before = of.timeMs - this.#retentionMs;
    const half = rows.length >> 1;
    if (half < 8 || (rows[half] as WindowRow).ms >= before) return rows;
    rows.splice(0, half);
    this.#held -= half;
    return rows;
  }

  #read(of: Side, side: number, id: number, into: WindowRow[]): void {
    const key = this.#index.key(id).slice();
    const scratch = this.#scratch;
    const first = this.#segmentOf(Math.max(0, of.timeMs - this.#retentionMs));
    for (let start = first; start <= of.storedMs; start += this.#segmentMs) {
      scratch.truncate(0);
      writeWindow(scratch, start, null);
      scratch.bytes(key);
      const prefix = scratch.finish();
      for (const { key: found, value } of this.#state.scan(of.table, prefixRange(prefix))) {
        const view = new DataView(found.buffer, found.byteOffset + prefix.length);
        const ms = readMs(view);
        const number = view.getUint32(ROWTIME_BYTES, false);
        const waits = this.#isWaiting?.(side, key, ms, number) === true;
        into.push({ ms, number, bytes: value, waits: waits ? Waits.stored : Waits.no });
      }
    }
  }

  #segmentOf(ms: number): number {
    return ms - (ms % this.#segmentMs);
  }

  /**
   * Hands over what changed since the last call, and the removal of expired rows, at most EXPIRED_ROWS_MAX a side: the others follow.
   * @returns true when the numbers of keys have changed
   */
  changes(into: (change: StateBytes) => void): boolean {
    const taken = new Set<number>();
    this.#sides.forEach((of, side) => {
      if (of.timeMs > of.storedMs) {
        const value = new Uint8Array(8);
        new DataView(value.buffer).setFloat64(0, of.timeMs, true);
        into({ table: this.#table, key: Uint8Array.of(side), value });
        of.storedMs = of.timeMs;
      }
      const first = this.#segmentOf(Math.max(0, of.timeMs - this.#retentionMs));
      this.#expire(of, first, into);
      of.dirtyIds.forEach((id, i) => {
        const row = of.dirtyRows[i] as WindowRow;
        taken.add(id);
        if (row.ms >= first) into({ table: of.table, key: this.#keyOf(id, row), value: row.bytes });
      });
      of.dirtyIds = [];
      of.dirtyRows = [];
    });
    const isFull = this.#held > IDLE_ROWS_MAX || this.#index.size > IDLE_ROWS_MAX + taken.size;
    if (isFull) this.#keep(taken);
    return isFull;
  }

  #keyOf(id: number, row: WindowRow): Uint8Array {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeWindow(scratch, this.#segmentOf(row.ms), null);
    scratch.bytes(this.#index.key(id));
    writeWindow(scratch, row.ms, null);
    scratch.u32BE(row.number);
    return scratch.finish();
  }

  /** Removes the rows of the segments before `first` from the table. */
  #expire(of: Side, first: number, into: (change: StateBytes) => void): void {
    if (first <= of.expiredMs) return;
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeWindow(scratch, first, null);
    let count = 0;
    for (const { key } of this.#state.scan(of.table, { from: null, to: scratch.finish() })) {
      if (count++ === EXPIRED_ROWS_MAX) return;
      into({ table: of.table, key, value: null });
    }
    of.expiredMs = first;
  }

  /** Keeps the keys of the last commit, because the store does not show its rows yet. */
  #keep(kept: ReadonlySet<number>): void {
    const before = this.#index;
    this.#index = new KeyIndex();
    const sides = this.#sides.map((of) => of.rows);
    for (const of of this.#sides) of.rows = [];
    this.#held = 0;
    this.#storeHolds = true;
    for (const id of kept) {
      const key = before.key(id);
      const to = this.#index.intern(key, 0, key.length);
      this.#sides.forEach((of, side) => {
        const rows = sides[side]?.[id];
        if (rows === undefined) return;
        of.rows[to] = rows;
        this.#held += rows.length;
      });
    }
  }
}

class Side {
  readonly table: TableId;
  /** The greatest rowtime of the side, and what of it is committed. */
  timeMs: number;
  storedMs: number;
  /** Segments before that are gone from the table. */
  expiredMs = 0;
  /** By key; undefined: not read yet. */
  rows: (WindowRow[] | undefined)[] = [];
  dirtyIds: number[] = [];
  dirtyRows: WindowRow[] = [];

  constructor(table: TableId, timeMs: number) {
    this.table = table;
    this.timeMs = timeMs;
    this.storedMs = timeMs;
  }
}

/** Eight bytes as `writeWindow` writes them. */
function readMs(view: DataView): number {
  return (view.getUint32(0, false) - SIGN) * 0x1_0000_0000 + view.getUint32(4, false);
}
