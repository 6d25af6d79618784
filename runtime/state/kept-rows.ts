// Rows that joins keep in memory: a row is a number; knows no key and no table.

import { grown } from '../base/grown.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { type RowCells, rowtimeOf } from '../data/row-cells.ts';
import type { StoredRows } from '../data/stored-rows.ts';

/** In the place of a row. */
export const NO_ROW = -1;

const FIRST_BYTES = 16_384;
/** Where a row's number has its segment, and its place in it. */
export const ROW_BITS = 12;
export const ROW_MASK = BATCH_ROWS_MAX - 1;

/** At most BATCH_ROWS_MAX rows, which do not change; to bytes more are added. */
export interface Segment {
  /** Absent: the rows are bytes. */
  readonly columns?: readonly Column[];
  readonly times?: Float64Array;
  readonly size: number;
  /** What it takes in memory, roughly. */
  readonly bytesHeld: number;
  /** Of rows `from .. to` as state values. */
  valueBytes(from: number, to: number): number;
  rowtime(i: number): number;
  /** The row as a state value: a view that is good until the next call. */
  row(i: number, cells: RowCells): Uint8Array;
}

/** Rows as state values. */
export interface PackedRows {
  /** Of all rows. */
  readonly valueBytes: number;
  /** The row at a place: a view that is good until the next call. */
  bytes(i: number): Uint8Array;
}

/** Rows as state values, one after the other: row `i` ends at `ends[i]`. */
export class Bytes implements Segment {
  size = 0;
  #bytes = new Uint8Array(FIRST_BYTES);
  readonly #ends = new Uint32Array(BATCH_ROWS_MAX);

  valueBytes(from: number, to: number): number {
    return this.#start(to) - this.#start(from);
  }

  get bytesHeld(): number {
    return this.#bytes.length + this.#ends.byteLength;
  }

  #start(i: number): number {
    return i === 0 ? 0 : (this.#ends[i - 1] as number);
  }

  /** @returns its place */
  add(row: Uint8Array, length: number): number {
    const from = this.#start(this.size);
    const to = from + length;
    if (to > this.#bytes.length) this.#bytes = grown(this.#bytes, Math.max(to, from * 2));
    const bytes = this.#bytes;
    if (length > 128) bytes.set(row.subarray(0, length), from);
    else for (let i = 0; i < length; i++) bytes[from + i] = row[i] as number;
    this.#ends[this.size] = to;
    return this.size++;
  }

  rowtime(i: number): number {
    return rowtimeOf(this.#bytes, this.#start(i));
  }

  row(i: number): Uint8Array {
    return this.#bytes.subarray(this.#start(i), this.#ends[i]);
  }

  store(i: number, to: StoredRows): void {
    to.add(this.#bytes, this.#start(i), this.#ends[i] as number);
  }
}

/**
 * Rows are added and never removed, nor do they change; who wants fewer makes others of those that are to stay (`of`). Row `n` is row
 * `n % BATCH_ROWS_MAX` of segment `n / BATCH_ROWS_MAX`.
 */
export interface KeptRows extends PackedRows {
  /** Rows held, whether or not somebody took them. */
  readonly size: number;
  /** What the rows take in memory, roughly. */
  readonly bytesHeld: number;
  /** The number that row 0 of the batch at hand has or would have; null: its rows are taken one by one. */
  readonly base: number | null;
  /** Turns to a batch, of which rows from `from` on will be taken. @param columns of the types, in their order */
  begin(batch: Batch, columns: readonly Column[], from: number): void;
  /** The number of row `i` of the batch, which stands at that position. */
  take(i: number, position: number, ms: number): number;
  /** Adds a row as a state value has it, the first `length` of the bytes, and gives its number. */
  add(row: Uint8Array, length?: number): number;
  /** Those rows alone, of which row `i` is the `i`th. */
  of(rows: Int32Array): KeptRows;
  /** Those rows by their places, for a commit that outlives this; they do not change, nor does the array. */
  packed(rows: Int32Array): PackedRows;
  /** How many rows the row's segment has so far. */
  segmentSize(row: number): number;
  rowtime(row: number): number;
  /** The rowtimes of the row's segment, where they are kept so. */
  timesOf(row: number): Float64Array | undefined;
  /** The row as a state value: a view that is good until the next call. */
  bytes(row: number): Uint8Array;
  /** The columns of those rows, at most BATCH_ROWS_MAX, but for the skipped ones; NO_ROW: nulls. @throws {TaskCorrupted} */
  columnsOf(rows: Int32Array): readonly Column[];
}

/** @param row of a segment of bytes, or NO_ROW */
export function storeRow(segments: readonly Segment[], row: number, to: StoredRows): void {
  if (row === NO_ROW) to.add(null, 0, 0);
  else (segments[row >> ROW_BITS] as Bytes).store(row & ROW_MASK, to);
}
