// Builds batches row by row for operators and tests; knows a schema, and no operator.

import { assert } from '../base/assert.ts';
import { grown } from '../base/grown.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch, Op } from './batch.ts';
import { type ColumnBuilder, columnBuilder } from './builder.ts';
import { type Bitmap, bitmap, setBit } from './column.ts';
import type { Schema } from './schema.ts';
import type { Value } from './type.ts';

/**
 * Builds batches of one schema. A row is appended either whole, by `append`, or by one append to each of `columns` and then
 * `endRow`. `finish` gives the batch and starts the next one.
 *
 * Whether a batch has `op` or `origin` follows from its rows: all of them have one or none has.
 */
export class BatchBuilder {
  readonly schema: Schema;
  /** One builder per column of the schema. */
  readonly columns: readonly ColumnBuilder[];
  #rows = 0;
  #rowtime = new Float64Array(8);
  #op: Uint8Array | null = null;
  #origin: Uint32Array | null = null;
  #valueNull: Bitmap | null = null;
  #keyNull: Bitmap | null = null;

  constructor(schema: Schema) {
    this.schema = schema;
    this.columns = schema.columns.map((column) => columnBuilder(column.type));
  }

  /** Whole rows so far. */
  get length(): number {
    return this.#rows;
  }

  /** True when the next row must go to another batch. */
  get isFull(): boolean {
    return this.#rows === BATCH_ROWS_MAX;
  }

  /** Appends one row: a value per column of the schema. */
  append(
    values: readonly Value[],
    rowtime: number,
    op: Op | null = null,
    origin: number | null = null,
  ): void {
    const columns = this.columns;
    for (let i = 0; i < columns.length; i++) columns[i]?.append(values[i] ?? null);
    this.endRow(rowtime, op, origin);
  }

  /** Ends a row whose values have been appended to `columns`. */
  endRow(rowtime: number, op: Op | null = null, origin: number | null = null): void {
    const row = this.#rows;
    assert(row < BATCH_ROWS_MAX, 'a batch holds no more than BATCH_ROWS_MAX rows');
    if (row === this.#rowtime.length) this.#rowtime = grown(this.#rowtime, row * 2);
    this.#rowtime[row] = rowtime;
    if (row === 0) {
      this.#op = op === null ? null : new Uint8Array(16);
      this.#origin = origin === null ? null : new Uint32Array(16);
    }
    assert((op === null) === (this.#op === null), 'all rows of a batch have an op or none has');
    if (op !== null && this.#op !== null) {
      if (row === this.#op.length) this.#op = grown(this.#op, row * 2);
      this.#op[row] = op;
    }
    assert((origin === null) === (this.#origin === null), 'all rows have an origin or none has');
    if (origin !== null && this.#origin !== null) {
      if (row === this.#origin.length) this.#origin = grown(this.#origin, row * 2);
      this.#origin[row] = origin;
    }
    this.#rows = row + 1;
  }

  /** Says that the value of the last row as a whole is null. */
  markValueNull(): void {
    setBit((this.#valueNull ??= bitmap(BATCH_ROWS_MAX)), this.#rows - 1);
  }

  /** Says that the key of the last row as a whole is null. */
  markKeyNull(): void {
    setBit((this.#keyNull ??= bitmap(BATCH_ROWS_MAX)), this.#rows - 1);
  }

  /** Takes back what was appended to `columns` since the last whole row. */
  rollback(): void {
    for (const column of this.columns) column.truncate(this.#rows);
  }

  /** The batch of the rows so far, or null when there are none; the builder is empty afterwards. */
  finish(): Batch | null {
    const rows = this.#rows;
    if (rows === 0) return null;
    for (const column of this.columns) {
      assert(column.length === rows, 'every column has a value for every row');
    }
    const bits = (rows + 7) >> 3;
    const batch: Batch = {
      schema: this.schema,
      length: rows,
      selection: null,
      columns: this.columns.map((column) => column.finish()),
      valueNull: this.#valueNull?.slice(0, bits) ?? null,
      keyNull: this.#keyNull?.slice(0, bits) ?? null,
      rowtime: this.#rowtime.subarray(0, rows),
      op: this.#op?.subarray(0, rows) ?? null,
      origin: this.#origin?.subarray(0, rows) ?? null,
    };
    this.#rows = 0;
    this.#rowtime = new Float64Array(Math.max(8, rows));
    this.#op = null;
    this.#origin = null;
    this.#valueNull = null;
    this.#keyNull = null;
    return batch;
  }
}
