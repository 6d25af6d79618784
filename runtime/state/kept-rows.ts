// Rows that joins keep in memory: a row is a number; knows no key and no table.

import { grown } from '../base/grown.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { RowCells, rowtimeOf } from '../data/row-cells.ts';
import { storageOf } from '../data/storage.ts';
import { StoredRows } from '../data/stored-rows.ts';
import type { Type } from '../data/type.ts';
import { KEPT_COLUMNS } from './parts.ts';

/** In the place of a row. */
export const NO_ROW = -1;

const FIRST_BYTES = 16_384;
/** Where a row's number has its segment, and its place in it. */
export const ROW_BITS = 12;
export const ROW_MASK = BATCH_ROWS_MAX - 1;
const NO_BASE = -1;

/** At most BATCH_ROWS_MAX rows. */
export interface Segment {
  /** null: the rows are bytes. */
  readonly columns: readonly Column[] | null;
  readonly size: number;
  /** What it takes in memory, roughly. */
  readonly bytesHeld: number;
  /** Of all rows as state values. */
  readonly valueBytes: number;
  rowtime(i: number): number;
  /** The row as a state value: a view that is good until the next call. */
  row(i: number, cells: RowCells): Uint8Array;
  /** The same rows, though more may be added to this one. */
  frozen(): Segment;
}

/** Rows as state values, one after the other: row `i` ends at `ends[i]`. */
class Bytes implements Segment {
  readonly columns = null;
  size: number;
  #bytes: Uint8Array;
  readonly #ends: Uint32Array;

  constructor(
    bytes: Uint8Array = new Uint8Array(FIRST_BYTES),
    ends: Uint32Array = new Uint32Array(BATCH_ROWS_MAX),
    size = 0,
  ) {
    this.#bytes = bytes;
    this.#ends = ends;
    this.size = size;
  }

  frozen(): Segment {
    return new Bytes(this.#bytes, this.#ends, this.size);
  }

  get valueBytes(): number {
    return this.#start(this.size);
  }

  get bytesHeld(): number {
    return this.#bytes.length;
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
 * `n % BATCH_ROWS_MAX` of segment `n / BATCH_ROWS_MAX`: what came as one batch is kept as its columns, where the host has the code for it,
 * and rows that came one by one as bytes.
 */
export class KeptRows {
  readonly #types: readonly Type[];
  readonly #skipped: number;
  /** Nobody knows how much memory nested values take: they are kept as bytes. */
  readonly #isNested: boolean;
  readonly #cells: RowCells;
  readonly #segments: Segment[] = [];
  /** What takes in rows that come one by one, and where it stands. */
  #open: Bytes | null = null;
  #openAt = 0;
  #hasColumns = false;
  #stored: StoredRows | null = null;
  /** What came last, and the number that its row 0 would have; NO_BASE: its rows are taken one by one. */
  #batch: Batch | null = null;
  #columns: readonly Column[] = [];
  #base = NO_BASE;
  /** Rows held, whether or not somebody took them. */
  size = 0;

  /** @param skipped columns at the front that `columnsOf` leaves out */
  constructor(types: readonly Type[], skipped = 0) {
    this.#types = types;
    this.#skipped = skipped;
    this.#isNested = types.some((type) => type.kind !== 'STRING' && storageOf(type) === 'objects');
    this.#cells = new RowCells(types);
  }

  /** Those rows alone, of which row `i` is the `i`th. */
  of(rows: Int32Array): KeptRows {
    const kept = new KeptRows(this.#types, this.#skipped);
    const code = this.#isNested ? null : KEPT_COLUMNS.fetched;
    for (let from = 0; from < rows.length; from += BATCH_ROWS_MAX) {
      const some = rows.subarray(from, from + BATCH_ROWS_MAX);
      const whole = this.#wholeOf(some) ?? code?.chosen(some, this.#segments, this.#types);
      if (whole !== undefined) kept.#push(whole);
      else for (let i = 0; i < some.length; i++) kept.add(this.bytes(some[i] as number));
    }
    return kept;
  }

  /** The segment that those rows are, all and in their order. */
  #wholeOf(rows: Int32Array): Segment | undefined {
    const first = rows[0] as number;
    const segment = this.#segmentOf(first);
    if ((first & ROW_MASK) !== 0 || segment.size !== rows.length) return undefined;
    for (let i = 0; i < rows.length; i++) if (rows[i] !== first + i) return undefined;
    return segment.frozen();
  }

  /** Turns to a batch, of which rows from `from` on will be taken. @param columns of the types, in their order */
  begin(batch: Batch, columns: readonly Column[], from: number): void {
    if (batch === this.#batch) return;
    this.#batch = batch;
    this.#columns = columns;
    const segment = KEPT_COLUMNS.fetched?.keptColumns(batch, columns, from) ?? null;
    this.#base = segment === null ? NO_BASE : this.#push(segment) * BATCH_ROWS_MAX - from;
  }

  /** The number of row `i` of the batch, which stands at that position. */
  take(i: number, position: number, ms: number): number {
    if (this.#base !== NO_BASE) return this.#base + i;
    const length = this.#cells.write(this.#columns, position, ms);
    return this.add(this.#cells.written, length);
  }

  /** Adds a row as a state value has it, the first `length` of the bytes, and gives its number. */
  add(row: Uint8Array, length: number = row.length): number {
    if (this.#open === null || this.#open.size === BATCH_ROWS_MAX) {
      this.#open = new Bytes();
      this.#openAt = this.#push(this.#open);
    }
    this.size++;
    return this.#openAt * BATCH_ROWS_MAX + this.#open.add(row, length);
  }

  /** @returns its number */
  #push(segment: Segment): number {
    this.size += segment.size;
    if (segment.columns !== null) this.#hasColumns = true;
    return this.#segments.push(segment) - 1;
  }

  /** Of all rows as state values. */
  get valueBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.valueBytes, 0);
  }

  /** What the rows take in memory, roughly. */
  get bytesHeld(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytesHeld, 0);
  }

  #segmentOf(row: number): Segment {
    return this.#segments[row >> ROW_BITS] as Segment;
  }

  /** How many rows the row's segment has so far. */
  segmentSize(row: number): number {
    return this.#segmentOf(row).size;
  }

  rowtime(row: number): number {
    return this.#segmentOf(row).rowtime(row & ROW_MASK);
  }

  /** The row as a state value: a view that is good until the next call. */
  bytes(row: number): Uint8Array {
    return this.#segmentOf(row).row(row & ROW_MASK, this.#cells);
  }

  /** The columns of those rows, at most BATCH_ROWS_MAX, but for the skipped ones; NO_ROW: nulls. @throws {TaskCorrupted} */
  columnsOf(rows: Int32Array): readonly Column[] {
    const skipped = this.#skipped;
    // Of a side that has nothing but its key.
    if (skipped === this.#types.length) return [];
    if (this.#hasColumns)
      return KEPT_COLUMNS.code.gathered(rows, this.#segments, this.#types, skipped);
    const stored = (this.#stored ??= new StoredRows(this.#types, skipped));
    for (let i = 0; i < rows.length; i++) storeRow(this.#segments, rows[i] as number, stored);
    return stored.finish();
  }
}

/** @param row of a segment of bytes, or NO_ROW */
export function storeRow(segments: readonly Segment[], row: number, to: StoredRows): void {
  if (row === NO_ROW) to.add(null, 0, 0);
  else (segments[row >> ROW_BITS] as Bytes).store(row & ROW_MASK, to);
}
