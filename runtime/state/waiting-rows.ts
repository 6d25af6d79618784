// The rows of two streams that wait for the end of their windows without a partner, in the order of their times; knows no batch.

import { ByteWriter } from '../base/bytes.ts';
import { compareBytes } from '../base/byte-arrays.ts';
import { grown } from '../base/grown.ts';
import { WAITING_ROWS_MAX } from '../base/limits.ts';
import { readMs, writeWindow } from '../data/key-writer.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import { OrderedTable } from './ordered-table.ts';
import { Waits } from './row-links.ts';
import { hasEntries } from './row-table.ts';
import type { WindowRows } from './window-rows.ts';

/** Rows that are read from the table at once. */
const PAGE_ROWS = 4096;
const FIRST_ROWS = 64;
const ROWTIME_BYTES = 8;
/** Rowtime and side stand before the key, the number after it. */
const KEY_AT = 9;
const NUMBER_BYTES = 4;

/** For each side the rowtime from which on its rows go on waiting. */
export type Bounds = readonly [number, number];

/**
 * A queue a side, in the order (rowtime, key, number); rows of both are taken in that order, the right side's first at equal times, as in
 * Kafka Streams. The queues hold the rows before `#knownTo`, and later ones that no commit has taken yet; those behind it are read from
 * the state table when their time has come. State keys: rowtime, 0 for the right side and 1 for the left one, key, number.
 * Rows are those of WindowRows, by their numbers, so that one that waits costs no object.
 */
export class WaitingRows {
  readonly #table: OrderedTable;
  readonly #rows: WindowRows;
  readonly #scratch = new ByteWriter(64);
  readonly #queues: readonly [Queue, Queue];
  #knownTo: number;

  constructor(table: TableId, state: StateReader, rows: WindowRows) {
    this.#table = new OrderedTable(table, state);
    this.#rows = rows;
    this.#queues = [new Queue(rows, 0), new Queue(rows, 1)];
    this.#knownTo = hasEntries(state, table) ? -Infinity : Infinity;
  }

  /** Lets a row wait. */
  add(side: number, row: number): void {
    this.#rows.links(side).setWaits(row, Waits.fresh);
    this.#queueOf(side).insert(row);
  }

  #queueOf(side: number): Queue {
    return this.#queues[side] as Queue;
  }

  /** A row has a partner: it waits no longer. @param id of its key */
  joined(side: number, id: number, row: number): void {
    const links = this.#rows.links(side);
    if (links.waits(row) === Waits.stored) this.#table.set(this.#keyOf(side, id, row), null);
    links.setWaits(row, Waits.no);
  }

  /** True when the state table has the row. */
  has(side: number, key: Uint8Array, ms: number, number: number): boolean {
    return this.#table.get(this.#write(side, key, ms, number)) !== null;
  }

  /** True when there may be rows before the bounds. */
  mayHave([left, right]: Bounds): boolean {
    if (left > this.#knownTo || right > this.#knownTo) return true;
    return this.#queues[0].firstMs < left || this.#queues[1].firstMs < right;
  }

  /** Takes the rows before the bounds, in order. @param visit does not let rows wait */
  take(bounds: Bounds, visit: (side: number, row: number) => void): void {
    const furthest = Math.max(bounds[0], bounds[1]);
    while (furthest > this.#knownTo) {
      this.#takeKnown(
        [Math.min(bounds[0], this.#knownTo), Math.min(bounds[1], this.#knownTo)],
        visit,
      );
      this.#readPage();
    }
    this.#takeKnown(bounds, visit);
  }

  #takeKnown([leftMs, rightMs]: Bounds, visit: (side: number, row: number) => void): void {
    const [lefts, rights] = this.#queues;
    for (;;) {
      const left = lefts.firstMs;
      const right = rights.firstMs;
      const isRight = right < rightMs && (left >= leftMs || right <= left);
      if (!isRight && left >= leftMs) return;
      const side = isRight ? 1 : 0;
      const row = (isRight ? rights : lefts).shift();
      if (this.#release(side, row)) visit(side, row);
    }
  }

  /** @returns whether the row has waited until now */
  #release(side: number, row: number): boolean {
    const links = this.#rows.links(side);
    const waits = links.waits(row);
    if (waits === Waits.no) return false;
    links.setWaits(row, Waits.no);
    if (waits === Waits.fresh) return true;
    const key = this.#keyOf(side, links.key(row), row);
    if (waits === Waits.read && this.#table.get(key) === null) return false;
    this.#table.set(key, null);
    return true;
  }

  /** Reads on in the table: whole milliseconds, so that `#knownTo` tells what is in the queues. */
  #readPage(): void {
    const from = new ByteWriter(ROWTIME_BYTES);
    if (this.#knownTo > -Infinity) writeWindow(from, this.#knownTo, null);
    let count = 0;
    let lastMs = 0;
    this.#knownTo = Infinity;
    for (const { key, value } of this.#table.scan({ from: from.finish(), to: null })) {
      const view = new DataView(key.buffer, key.byteOffset, key.length);
      const ms = readMs(view);
      if (count++ >= PAGE_ROWS && ms !== lastMs) {
        this.#knownTo = ms;
        break;
      }
      lastMs = ms;
      const side = 1 - (key[KEY_AT - 1] as number);
      const numberAt = key.length - NUMBER_BYTES;
      const number = view.getUint32(numberAt, false);
      const row = this.#rows.hold(side, key.subarray(KEY_AT, numberAt), ms, number, value);
      this.#queueOf(side).insert(row);
    }
  }

  #keyOf(side: number, id: number, row: number): Uint8Array {
    const rows = this.#rows;
    const links = rows.links(side);
    return this.#write(side, rows.key(id), links.ms(row), links.number(row));
  }

  /** A view that is good until the next call: what takes it copies it. */
  #write(side: number, key: Uint8Array, ms: number, number: number): Uint8Array {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeWindow(scratch, ms, null);
    scratch.u8(1 - side);
    scratch.bytes(key);
    scratch.u32BE(number);
    return scratch.written();
  }

  /** Puts what waits since the last call into the state table: call it before `WindowRows.changes`, which may change numbers. */
  store(): void {
    for (const queue of this.#queues)
      this.#knownTo = Math.min(this.#knownTo, queue.msAt(WAITING_ROWS_MAX));
    for (const [side, queue] of this.#queues.entries()) {
      const links = this.#rows.links(side);
      queue.keep((row) => {
        const waits = links.waits(row);
        if (waits === Waits.fresh) {
          const key = this.#keyOf(side, links.key(row), row);
          this.#table.set(key, this.#rows.bytes(side, row));
          links.setWaits(row, Waits.stored);
        }
        return waits !== Waits.no && links.ms(row) < this.#knownTo;
      });
    }
  }

  /**
   * Hands over what changed since the last call.
   * @param forgets true: numbers have changed since `store`; what waits is read again when its time has come
   */
  changes(into: (change: StateBytes) => void, forgets: boolean): void {
    if (forgets)
      for (const queue of this.#queues) {
        this.#knownTo = Math.min(this.#knownTo, queue.firstMs);
        queue.keep(() => false);
      }
    this.#table.changes(into);
  }
}

/** Rows of a side in order. */
class Queue {
  readonly #of: WindowRows;
  readonly #side: number;
  /** From `#head` to `#end`. */
  #rows = new Int32Array(0);
  #head = 0;
  #end = 0;
  /** The rowtime of the first row; Infinity when there is none. */
  firstMs = Infinity;

  constructor(of: WindowRows, side: number) {
    this.#of = of;
    this.#side = side;
  }

  /** The rowtime of the row at a place; Infinity when there is none. */
  msAt(place: number): number {
    const at = this.#head + place;
    return at < this.#end ? this.#of.links(this.#side).ms(this.#rows[at] as number) : Infinity;
  }

  insert(row: number): void {
    if (this.#end === this.#rows.length)
      this.#rows = grown(this.#rows, Math.max(this.#end * 2, FIRST_ROWS));
    const rows = this.#rows;
    let high = this.#end;
    let low = high;
    // Mostly it is the last one.
    if (high > this.#head && this.#order(rows[high - 1] as number, row) > 0) low = this.#head;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#order(rows[middle] as number, row) < 0) low = middle + 1;
      else high = middle;
    }
    rows.copyWithin(low + 1, low, this.#end++);
    rows[low] = row;
    if (low === this.#head) this.firstMs = this.msAt(0);
  }

  #order(a: number, b: number): number {
    const of = this.#of;
    const links = of.links(this.#side);
    return (
      links.ms(a) - links.ms(b) ||
      compareBytes(of.key(links.key(a)).slice(), of.key(links.key(b))) ||
      links.number(a) - links.number(b)
    );
  }

  /** Takes the first row; there is one. */
  shift(): number {
    const row = this.#rows[this.#head++] as number;
    this.firstMs = this.msAt(0);
    return row;
  }

  keep(isKept: (row: number) => boolean): void {
    this.#rows = this.#rows.subarray(this.#head, this.#end).filter(isKept);
    this.#head = 0;
    this.#end = this.#rows.length;
    this.firstMs = this.msAt(0);
  }
}
