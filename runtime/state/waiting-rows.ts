// The rows of two streams that wait for the end of their windows without a partner, in the order of their times; knows no batch.

import { ByteWriter } from '../base/bytes.ts';
import { compareBytes } from '../base/byte-arrays.ts';
import { WAITING_ROWS_MAX } from '../base/limits.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import { OrderedTable } from './ordered-table.ts';
import { Waits, type WindowRow } from './window-side.ts';

/** Rows that are read from the table at once, and taken ones that a queue drags along. */
const PAGE_ROWS = 4096;
const SIGN = 0x8000_0000;
/** Rowtime and side stand before the key, the number after it. */
const KEY_AT = 9;
const NUMBER_BYTES = 4;

/** A row that waits. */
export interface WaitingRow {
  readonly side: number;
  readonly key: Uint8Array;
  readonly ms: number;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** `row` null: read back, so that the table says whether it still waits. */
interface Queued extends WaitingRow {
  row: WindowRow | null;
}

/** For each side the rowtime from which on its rows go on waiting. */
export type Bounds = readonly [number, number];

/**
 * A queue a side, in the order (rowtime, key, number); rows of both are taken in that order, the right side's first at equal times, as in
 * Kafka Streams. The queues hold the rows before `#knownTo`, and later ones that no commit has taken yet; those behind it are read from
 * the state table when their time has come. State keys: rowtime, 0 for the right side and 1 for the left one, key, number.
 */
export class WaitingRows {
  readonly #table: OrderedTable;
  readonly #scratch = new ByteWriter(64);
  readonly #queues: readonly [Queue, Queue] = [new Queue(), new Queue()];
  #knownTo: number;

  constructor(table: TableId, state: StateReader) {
    this.#table = new OrderedTable(table, state);
    const [first] = state.scan(table, { from: null, to: null });
    this.#knownTo = first === undefined ? Infinity : -Infinity;
  }

  /** Lets a row wait. @param key kept, not copied */
  add(side: number, key: Uint8Array, row: WindowRow): void {
    row.waits = Waits.fresh;
    const { ms, number, bytes } = row;
    this.#queueOf(side).insert({ side, key, ms, number, bytes, row });
  }

  #queueOf(side: number): Queue {
    return this.#queues[side] as Queue;
  }

  /** The row has found a partner. */
  joined(side: number, key: Uint8Array, row: WindowRow): void {
    if (row.waits === Waits.stored)
      this.#table.set(this.#keyOf(side, key, row.ms, row.number), null);
    row.waits = Waits.no;
  }

  /** True when the state table has the row. */
  has(side: number, key: Uint8Array, ms: number, number: number): boolean {
    return this.#table.get(this.#keyOf(side, key, ms, number)) !== null;
  }

  /** True when there may be rows before the bounds. */
  mayHave([left, right]: Bounds): boolean {
    if (left > this.#knownTo || right > this.#knownTo) return true;
    return this.#queues[0].firstMs < left || this.#queues[1].firstMs < right;
  }

  /** Takes the rows before the bounds, in order. @param visit does not let rows wait */
  take(bounds: Bounds, visit: (row: WaitingRow) => void): void {
    const furthest = Math.max(bounds[0], bounds[1]);
    while (furthest > this.#knownTo) {
      this.#takeKnown(
        [Math.min(bounds[0], this.#knownTo), Math.min(bounds[1], this.#knownTo)],
        visit,
      );
      this.#readPage();
    }
    this.#takeKnown(bounds, visit);
    for (const queue of this.#queues) queue.compact();
  }

  #takeKnown([leftMs, rightMs]: Bounds, visit: (row: WaitingRow) => void): void {
    const [lefts, rights] = this.#queues;
    for (;;) {
      const left = lefts.firstMs < leftMs ? lefts.first : undefined;
      const right = rights.firstMs < rightMs ? rights.first : undefined;
      const isRight = right !== undefined && (left === undefined || right.ms <= left.ms);
      const next = isRight ? right : left;
      if (next === undefined) return;
      (isRight ? rights : lefts).head++;
      if (!this.#waits(next)) continue;
      this.#release(next);
      visit(next);
    }
  }

  #waits({ row, side, key, ms, number }: Queued): boolean {
    return row === null ? this.has(side, key, ms, number) : row.waits !== Waits.no;
  }

  #release({ row, side, key, ms, number }: Queued): void {
    if (row === null || row.waits === Waits.stored)
      this.#table.set(this.#keyOf(side, key, ms, number), null);
    if (row !== null) row.waits = Waits.no;
  }

  /** Reads on in the table: whole milliseconds, so that `#knownTo` tells what is in the queues. */
  #readPage(): void {
    const from = this.#knownTo === -Infinity ? null : this.#prefix(this.#knownTo);
    const page: Queued[] = [];
    this.#knownTo = Infinity;
    for (const { key, value } of this.#table.scan({ from, to: null })) {
      const queued = queuedOf(key, value);
      if (page.length >= PAGE_ROWS && queued.ms !== page.at(-1)?.ms) {
        this.#knownTo = queued.ms;
        break;
      }
      page.push(queued);
    }
    for (const queued of page) this.#queueOf(queued.side).insert(queued);
  }

  #prefix(ms: number): Uint8Array {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeWindow(scratch, ms, null);
    return scratch.finish();
  }

  #keyOf(side: number, key: Uint8Array, ms: number, number: number): Uint8Array {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeWindow(scratch, ms, null);
    scratch.u8(1 - side);
    scratch.bytes(key);
    scratch.u32BE(number);
    return scratch.finish();
  }

  /**
   * Hands over what changed since the last call.
   * @param forgets true: the rows that the queues know have been let go
   */
  changes(into: (change: StateBytes) => void, forgets: boolean): void {
    for (const queue of this.#queues) {
      queue.keep((queued) => {
        const { row, side, key, ms, number, bytes } = queued;
        if (row?.waits === Waits.no) return false;
        if (row?.waits === Waits.fresh) {
          this.#table.set(this.#keyOf(side, key, ms, number), bytes);
          row.waits = Waits.stored;
        }
        if (forgets) queued.row = null;
        return ms < this.#knownTo;
      });
      const knownTo = Math.min(this.#knownTo, queue.rows[WAITING_ROWS_MAX]?.ms ?? Infinity);
      this.#knownTo = knownTo;
    }
    for (const queue of this.#queues) queue.keep(({ ms }) => ms < this.#knownTo);
    this.#table.changes(into);
  }
}

class Queue {
  /** From `head` on. */
  rows: Queued[] = [];
  head = 0;

  get first(): Queued | undefined {
    return this.rows[this.head];
  }

  /** Infinity when there is none. */
  get firstMs(): number {
    return this.rows[this.head]?.ms ?? Infinity;
  }

  insert(queued: Queued): void {
    const { rows } = this;
    let high = rows.length;
    let low = high;
    // Mostly it is the last one.
    if (high > this.head && order(rows[high - 1] as Queued, queued) > 0) low = this.head;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(rows[middle] as Queued, queued) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === rows.length) rows.push(queued);
    else rows.splice(low, 0, queued);
  }

  /** Lets go of rows taken, once they are many. */
  compact(): void {
    if (this.head < PAGE_ROWS) return;
    this.rows = this.rows.slice(this.head);
    this.head = 0;
  }

  keep(isKept: (queued: Queued) => boolean): void {
    this.rows = this.rows.slice(this.head).filter(isKept);
    this.head = 0;
  }
}

function order(a: Queued, b: Queued): number {
  return a.ms - b.ms || compareBytes(a.key, b.key) || a.number - b.number;
}

function queuedOf(key: Uint8Array, bytes: Uint8Array): Queued {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const numberAt = key.length - NUMBER_BYTES;
  return {
    side: 1 - (key[KEY_AT - 1] as number),
    key: key.slice(KEY_AT, numberAt),
    ms: (view.getUint32(0, false) - SIGN) * 0x1_0000_0000 + view.getUint32(4, false),
    number: view.getUint32(numberAt, false),
    bytes,
    row: null,
  };
}
