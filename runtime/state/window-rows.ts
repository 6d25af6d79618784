// The rows of two streams by key and rowtime, for as long as a row of the other one may be near them; knows no batch and no rule of joining.

import { ByteWriter } from '../base/bytes.ts';
import {
  EXPIRED_ROWS_MAX,
  JOIN_ROWS_BYTES_MAX,
  JOIN_ROWS_RESIDENT_BYTES_MAX,
} from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { prefixRange } from '../data/key.ts';
import { readMs, writeWindow } from '../data/key-writer.ts';
import { rowtimeOf } from '../data/row-cells.ts';
import type { IntoBlock, StateBytes, StatePack, StateReader, TableId } from '../ports/store.ts';
import { type KeptRows, NO_ROW } from './kept-rows.ts';
import { handOver } from './packing.ts';
import { indexOfSome, type KeyIndex } from './row-keys.ts';
import { READ, type RowLinks, Waits } from './row-links.ts';
import { Side, UNKNOWN } from './window-side.ts';

/** Where more of the rows live on, it costs more to let the others go than to keep them. */
const LIVING_SHARE = 0.75;
/** With fewer bytes nothing is let go. */
const SWEEP_BYTES_MIN = 4_194_304;
/** Segments are not shorter than that, so that a row is looked for in few of them. */
const SEGMENT_MS_MIN = 60_000;
const ROWTIME_BYTES = 8;
/** What stands in a state key beside the row's key. */
const KEY_OVERHEAD_BYTES = 20;

/** Tells whether a row that is read back waits for a partner. */
export type IsWaiting = (side: number, key: Uint8Array, ms: number, number: number) => boolean;

export interface WindowRowsOptions {
  /** The join's own state table holds how far each side's time has come; its rows are in tables of their own, by side. */
  readonly table: TableId;
  readonly state: StateReader;
  /** For the rows of each side. */
  readonly kept: readonly [KeptRows, KeptRows];
  /** How long a row is kept behind the greatest rowtime of its side. */
  readonly retentionMs: number;
  readonly isWaiting: IsWaiting;
  /** For the rows' keys: an empty one. */
  readonly index: KeyIndex;
  /** True: nobody else reads the state, so that the store may let go of what came as blocks once its time is over. */
  readonly isPrivate: boolean | undefined;
}

/**
 * Two sides, 0 and 1, whose rows expire by the greatest rowtime that the side itself has seen, as in Kafka Streams. All rows of a key are in
 * memory once one was asked for; a bounded number stays there. A row is a number, good until the next call of `changes`.
 *
 * State keys: the start of a segment, the key, the rowtime, the number. A segment is half the retention long, so that a key's rows stand in
 * at most four, and what expires stands at the front of the table.
 */
export class WindowRows {
  readonly #state: StateReader;
  readonly #table: TableId;
  readonly #isWaiting: IsWaiting;
  readonly #isPrivate: boolean | undefined;
  readonly #segmentMs: number;
  readonly retentionMs: number;
  readonly sides: readonly [Side, Side];
  readonly #scratch = new ByteWriter(64);
  index: KeyIndex;
  /** With so many bytes those rows, and keys, are let go whose time is over. */
  #sweepAtBytes = SWEEP_BYTES_MIN;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new key. */
  storeHolds: boolean;

  constructor(options: WindowRowsOptions) {
    this.#table = options.table;
    this.#state = options.state;
    this.#isWaiting = options.isWaiting;
    this.index = options.index;
    this.#isPrivate = options.isPrivate;
    this.retentionMs = options.retentionMs;
    this.#segmentMs = Math.max(Math.floor(options.retentionMs / 2), SEGMENT_MS_MIN);
    const [left, right] = options.kept;
    this.sides = [this.#side(0, left), this.#side(1, right)];
    this.storeHolds = this.sides.some(({ timeMs }) => timeMs > -Infinity);
  }

  #side(side: number, kept: KeptRows): Side {
    const stored = this.#state.get(this.#table, Uint8Array.of(side));
    const ms = stored === null ? -Infinity : rowtimeOf(stored);
    return new Side(`${this.#table}.${side === 0 ? 'left' : 'right'}`, kept, ms);
  }

  #of(side: number): Side {
    return this.sides[side] as Side;
  }

  /** A number for the key, which begins no other key; common to both sides, good until the next call of `changes`. */
  locate(bytes: Uint8Array, from: number, to: number): number {
    return this.index.intern(bytes, from, to);
  }

  /** The bytes of a located key: a view that is good until the next call. */
  key(id: number): Uint8Array {
    return this.index.key(id);
  }

  /** Rows of the side before that are forgotten. */
  firstMs(side: number): number {
    return this.#of(side).timeMs - this.retentionMs;
  }

  /** Turns to a batch of a side: see `KeptRows.begin`. */
  begin(side: number, batch: Batch, columns: readonly Column[], from: number): void {
    this.#of(side).kept.begin(batch, columns, from);
  }

  /**
   * Keeps row `i` of a batch that `begin` has begun, which stands at a position, and moves the side's time on.
   * @returns the row; NO_ROW when it is forgotten already
   */
  put(side: number, id: number, ms: number, i: number, position: number): number {
    const of = this.sides[side] as Side;
    if (ms > of.timeMs) of.timeMs = ms;
    else if (ms < this.firstMs(side)) return NO_ROW;
    const { links } = of;
    let later = NO_ROW;
    let at = of.last(id);
    if (at === UNKNOWN) at = this.#read(of, side, id);
    let number = 0;
    if (at >= 0) {
      while (at >= 0 && links.ms(at) > ms) {
        later = at;
        at = links.before(at);
      }
      if (at >= 0 && links.ms(at) === ms) number = links.number(at) + 1;
    }
    const row = of.kept.take(i, position, ms);
    links.add(row, id, at, number, ms);
    if (later === NO_ROW) of.setLast(id, row);
    else links.setBefore(later, row);
    of.note(row);
    return row;
  }

  /** The latest row of a key, or NO_ROW. From it on all others are found, expired ones among them. */
  last(side: number, id: number): number {
    const of = this.sides[side] as Side;
    const last = of.last(id);
    return last === UNKNOWN ? this.#read(of, side, id) : last;
  }

  /** How the rows of a side follow each other, good until the next call of `changes`. */
  links(side: number): RowLinks {
    return this.#of(side).links;
  }

  columnsOf(rows: Int32Array, side: number): readonly Column[] {
    return this.#of(side).kept.columnsOf(rows);
  }

  /** The row as a state value: a view that is good until the next call. */
  bytes(side: number, row: number): Uint8Array {
    return this.#of(side).kept.bytes(row);
  }

  /** Keeps a row out of the state table of those that wait, beside those of its key. @returns its number */
  hold(side: number, key: Uint8Array, ms: number, number: number, value: Uint8Array): number {
    const { kept, links } = this.#of(side);
    const row = kept.add(value);
    links.add(row, this.locate(key, 0, key.length), NO_ROW, number, ms);
    links.setWaits(row, Waits.read);
    return row;
  }

  #read(of: Side, side: number, id: number): number {
    if (!this.storeHolds) return NO_ROW;
    const key = this.index.key(id).slice();
    const scratch = this.#scratch;
    const first = this.#segmentOf(Math.max(0, this.firstMs(side)));
    let last = NO_ROW;
    for (let start = first; start <= of.storedMs; start += this.#segmentMs) {
      scratch.truncate(0);
      writeWindow(scratch, start, null);
      scratch.bytes(key);
      const prefix = scratch.finish();
      for (const { key: found, value } of this.#state.scan(of.table, prefixRange(prefix))) {
        const view = new DataView(found.buffer, found.byteOffset + prefix.length);
        const ms = readMs(view);
        const number = view.getUint32(ROWTIME_BYTES, false);
        const row = of.kept.add(value);
        of.links.add(row, READ, last, number, ms);
        last = row;
        if (this.#isWaiting(side, key, ms, number)) of.links.setWaits(row, Waits.stored);
      }
    }
    of.setLast(id, last);
    return last;
  }

  #segmentOf(ms: number): number {
    return ms - (ms % this.#segmentMs);
  }

  /**
   * Hands over what changed since the last call, and the removal of expired rows, at most EXPIRED_ROWS_MAX a side: the others follow.
   * @returns true when the numbers of keys have changed
   */
  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): boolean {
    let bytesHeld = indexBytes(this.index);
    const fresh = this.sides.map((of, side) => {
      if (of.timeMs > of.storedMs) {
        const value = new Uint8Array(8);
        new DataView(value.buffer).setFloat64(0, of.timeMs, true);
        into({ table: this.#table, key: Uint8Array.of(side), value });
        of.storedMs = of.timeMs;
      }
      const first = this.#segmentOf(Math.max(0, this.firstMs(side)));
      this.#expire(of, first, into);
      bytesHeld += of.bytesHeld;
      const rows = of.takeFresh();
      handOver(this.#packOf(of, rows, first), into, intoBlock);
      return rows;
    });
    const bytesMax = intoBlock ? JOIN_ROWS_RESIDENT_BYTES_MAX : JOIN_ROWS_BYTES_MAX;
    return (
      bytesHeld > Math.min(this.#sweepAtBytes, bytesMax) && this.#shrink(fresh, bytesHeld, bytesMax)
    );
  }

  /**
   * Keeps the keys that have a row whose time is not over; or, where that is nearly all that may stay, those alone that have a fresh row, because
   * the store does not show these yet. Where hardly a row is over, nothing is done.
   * @returns true when the numbers of keys have changed
   */
  #shrink(fresh: readonly Int32Array[], bytesHeld: number, bytesMax: number): boolean {
    const living = this.sides.map((of, side) => of.living(this.firstMs(side)));
    const rows = living.reduce((sum, of) => sum + of.rows, 0);
    const size = this.sides.reduce((sum, { kept }) => sum + kept.size, 0);
    const share = rows / Math.max(size, this.index.size);
    const isMany = share * bytesHeld > LIVING_SHARE * bytesMax;
    this.#sweepAtBytes = Math.max(SWEEP_BYTES_MIN, 2 * share * bytesHeld);
    if (!isMany && share > LIVING_SHARE) return false;
    if (isMany) this.storeHolds = true;
    const freshIds = ({ links }: Side, side: number): number[] =>
      Array.from(fresh[side] as Int32Array, (row) => links.key(row));
    const kept = isMany ? this.sides.flatMap(freshIds) : living.flatMap(({ ids }) => ids);
    this.#keep(kept);
    return true;
  }

  /** Those rows of a side, but for what is before `firstMs`. They stay as they are, and so do the numbers of their keys. */
  #packOf(of: Side, fresh: Int32Array, firstMs: number): StatePack {
    const { links } = of;
    const index = this.index;
    const told = firstMs > 0 ? fresh.filter((row) => links.ms(row) >= firstMs) : fresh;
    const size = told.length;
    let bytes = size * KEY_OVERHEAD_BYTES;
    for (let i = 0; i < size; i++) bytes += index.lengthOf(links.key(told[i] as number));
    const kept = of.kept.packed(told);
    const each: StatePack['each'] = (visit) => {
      const key = new ByteWriter(64);
      for (let i = 0; i < size; i++) {
        const row = told[i] as number;
        const ms = links.ms(row);
        key.truncate(0);
        writeWindow(key, this.#segmentOf(ms), null);
        key.bytes(index.key(links.key(row)));
        writeWindow(key, ms, null);
        key.u32BE(links.number(row));
        visit(key.written(), kept.bytes(i));
      }
    };
    const pack = { table: of.table, size, bytes: bytes + kept.valueBytes, each, isOver: null };
    return this.#isPrivate ? { ...pack, newestMs: of.timeMs, overMs: firstMs } : pack;
  }

  /** Removes the rows of the segments before `first` from the table. */
  #expire(of: Side, first: number, into: (change: StateBytes) => void): void {
    if (first <= of.expiredMs) return;
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeWindow(scratch, first, null);
    let count = 0;
    const range = { from: null, to: scratch.finish() };
    const state = this.#state;
    const settled = this.#isPrivate && state.scanSettled?.(of.table, range);
    for (const { key } of settled || state.scan(of.table, range)) {
      if (count++ === EXPIRED_ROWS_MAX) return;
      into({ table: of.table, key, value: null });
    }
    of.expiredMs = first;
  }

  /** Keeps the rows of those keys, but for what is over. */
  #keep(kept: readonly number[]): void {
    const ids = [...new Set(kept)];
    this.index = indexOfSome(this.index, ids);
    this.sides.forEach((of, side) => of.keep(ids, this.firstMs(side)));
  }
}

/** What it takes in memory, roughly. */
export function indexBytes(index: KeyIndex): number {
  if ('bytesHeld' in index) return index.bytesHeld;
  const { bytes, offsets, places } = index;
  return bytes.length + offsets.byteLength + places.byteLength;
}
