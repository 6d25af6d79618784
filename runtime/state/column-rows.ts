// Rows that joins keep in memory, what came as one batch as its columns; knows no key and no table.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { RowCells } from '../data/row-cells.ts';
import { StoredRows } from '../data/stored-rows.ts';
import type { Type } from '../data/type.ts';
import { chosen, gathered, keptColumns, packed } from './kept-columns.ts';
import {
  Bytes,
  type KeptRows,
  type PackedRows,
  ROW_BITS,
  ROW_MASK,
  type Segment,
} from './kept-rows.ts';

/**
 * What keeps rows of those types.
 * @param skipped columns at the front that `columnsOf` leaves out
 */
export function keptRows(types: readonly Type[], skipped = 0): KeptRows {
  return new ColumnRows(types, skipped);
}

/** Rows that come one by one, and those of short batches or with nested values, are bytes. */
export class ColumnRows implements KeptRows {
  readonly #types: readonly Type[];
  readonly #skipped: number;
  readonly #cells: RowCells;
  readonly #segments: Segment[] = [];
  #stored: StoredRows | null = null;
  /** What takes in rows that come one by one, and where it stands. */
  #open: Bytes | null = null;
  #openAt = 0;
  /** Of all segments but that one. */
  #bytesHeld = 0;
  /** What came last. */
  #batch: Batch | null = null;
  #columns: readonly Column[] = [];
  base: number | null = null;
  size = 0;

  constructor(types: readonly Type[], skipped: number) {
    this.#types = types;
    this.#skipped = skipped;
    this.#cells = new RowCells(types);
  }

  of(rows: Int32Array): KeptRows {
    const kept = new ColumnRows(this.#types, this.#skipped);
    for (let from = 0; from < rows.length; from += BATCH_ROWS_MAX) {
      const some = rows.subarray(from, from + BATCH_ROWS_MAX);
      const whole = chosen(some, this.#segments, this.#types);
      if (whole !== null) kept.#push(whole);
      else for (let i = 0; i < some.length; i++) kept.add(this.bytes(some[i] as number));
    }
    return kept;
  }

  packed(rows: Int32Array): PackedRows {
    return packed(rows, this.#segments, this.#types) ?? this.of(rows);
  }

  begin(batch: Batch, columns: readonly Column[], from: number): void {
    if (batch === this.#batch) return;
    this.#batch = batch;
    this.#columns = columns;
    const segment = this.keep(batch, columns, from);
    this.base = segment === null ? null : this.#push(segment) * BATCH_ROWS_MAX - from;
  }

  /** The rows of a batch from `from` on as columns; null: they are to be kept as bytes. */
  keep(batch: Batch, columns: readonly Column[], from: number): Segment | null {
    return keptColumns(batch, columns, from);
  }

  take(i: number, position: number, ms: number): number {
    if (this.base !== null) return this.base + i;
    const length = this.#cells.write(this.#columns, position, ms);
    return this.add(this.#cells.written, length);
  }

  add(row: Uint8Array, length: number = row.length): number {
    if (this.#open === null || this.#open.size === BATCH_ROWS_MAX) {
      this.#bytesHeld += this.#open?.bytesHeld ?? 0;
      this.#open = new Bytes();
      this.#openAt = this.#segments.push(this.#open) - 1;
    }
    this.size++;
    return this.#openAt * BATCH_ROWS_MAX + this.#open.add(row, length);
  }

  /** @returns its number */
  #push(segment: Segment): number {
    this.size += segment.size;
    this.#bytesHeld += segment.bytesHeld;
    return this.#segments.push(segment) - 1;
  }

  get valueBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.valueBytes(0, segment.size), 0);
  }

  get bytesHeld(): number {
    return this.#bytesHeld + (this.#open?.bytesHeld ?? 0);
  }

  #segmentOf(row: number): Segment {
    return this.#segments[row >> ROW_BITS] as Segment;
  }

  segmentSize(row: number): number {
    return this.#segmentOf(row).size;
  }

  timesOf(row: number): Float64Array | undefined {
    return this.#segmentOf(row).times;
  }

  rowtime(row: number): number {
    return this.#segmentOf(row).rowtime(row & ROW_MASK);
  }

  bytes(row: number): Uint8Array {
    return this.#segmentOf(row).row(row & ROW_MASK, this.#cells);
  }

  columnsOf(rows: Int32Array): readonly Column[] {
    // Of a side that has nothing but its key.
    if (this.#skipped === this.#types.length) return [];
    const stored = () => (this.#stored ??= new StoredRows(this.#types, this.#skipped));
    return gathered(rows, this.#segments, this.#types, this.#skipped, stored);
  }
}
