// The last row of each key of a batch, as bytes, and back; what operators that hold rows back share. Knows no time.

import { ByteWriter } from '../base/bytes.ts';
import { InvariantError, PortError, TaskCorrupted } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import { type Cells, decodeCells, encodeCells } from '../data/cells.ts';
import { type Column, valueAt } from '../data/column.ts';
import { decodeKey, type DecodedKey } from '../data/key.ts';
import { writeKey } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { OrderedTable } from '../state/ordered-table.ts';
import { isGone } from './gone.ts';
import type { Emit } from './operator.ts';

/** A row without a value is stored as its rowtime and a zero byte: no cells have that length. */
const TOMBSTONE_BYTES = 9;
const WINDOW_BYTES = 8;

/** Where a state key has its window: before the key's columns, or behind them. Both bounds, the end first. */
export type WindowPlace = 'before' | 'behind';

/** Writes rows of one schema to an ordered table, and makes batches of what the table holds. */
export class LatestRows {
  readonly #table: OrderedTable;
  readonly #place: WindowPlace;
  readonly #keys: readonly number[];
  readonly #windows: readonly number[];
  /** Positions of the stored columns, and their types. */
  readonly #cells: readonly number[];
  readonly #keyTypes: readonly Type[];
  readonly #cellTypes: readonly Type[];
  readonly #scratch = new ByteWriter(64);
  readonly #builder: BatchBuilder;
  /** Position in the current batch by located key, and the keys that have one. */
  #positions: number[] = [];
  #touched: number[] = [];

  constructor(table: OrderedTable, schema: Schema, place: WindowPlace) {
    this.#table = table;
    this.#place = place;
    this.#keys = columnsWithRole(schema, 'key');
    this.#windows = columnsWithRole(schema, 'window');
    this.#cells = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    const typeAt = (position: number): Type => schema.columns[position]?.type as Type;
    this.#keyTypes = this.#keys.map(typeAt);
    this.#cellTypes = this.#cells.map(typeAt);
    this.#builder = new BatchBuilder(schema);
  }

  /** Notes the row at a position as its key's last one. It is written by `write`, before the batch is gone. */
  note(batch: Batch, position: number): void {
    const id = this.#locate(batch, position);
    if ((this.#positions[id] ?? -1) < 0) this.#touched.push(id);
    this.#positions[id] = position;
  }

  #locate(batch: Batch, position: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    if (this.#place === 'before') this.#writeWindow(batch, position);
    writeKey(scratch, this.#columns(batch, this.#keys), position);
    if (this.#place === 'behind') this.#writeWindow(batch, position);
    return this.#table.locate(scratch.buffer, 0, scratch.position);
  }

  #columns(batch: Batch, positions: readonly number[]): Column[] {
    return positions.map((position) => batch.columns[position] as Column);
  }

  #writeWindow(batch: Batch, position: number): void {
    const [start, end] = this.#columns(batch, this.#windows).map((column) =>
      valueAt(column, position),
    );
    if (start === undefined) return;
    if (typeof start !== 'bigint' || typeof end !== 'bigint') {
      throw new InvariantError('a window has two bounds');
    }
    // As writeMs writes it.
    for (const bound of [end, start]) this.#scratch.i64BE(bound ^ -0x8000_0000_0000_0000n);
  }

  /** Writes the noted rows to the table, one without a value as a tombstone. */
  write(batch: Batch): void {
    for (const id of this.#touched) {
      const position = this.#positions[id] as number;
      this.#positions[id] = -1;
      const value = isGone(batch, position)
        ? this.#tombstone(batch, position)
        : this.#value(batch, position);
      this.#table.set(this.#table.key(id), value);
    }
    this.#touched = [];
  }

  /** Writes a row to the table; one without a value removes its key. */
  put(batch: Batch, position: number): void {
    const id = this.#locate(batch, position);
    const value = isGone(batch, position) ? null : this.#value(batch, position);
    this.#table.set(this.#table.key(id), value);
  }

  #value(batch: Batch, position: number): Uint8Array {
    const cells = this.#columns(batch, this.#cells).map((column) => valueAt(column, position));
    return encodeCells(this.#cellTypes, batch.rowtime[position] as number, cells);
  }

  #tombstone(batch: Batch, position: number): Uint8Array {
    this.#scratch.truncate(0);
    this.#scratch.f64(batch.rowtime[position] as number);
    this.#scratch.u8(0);
    return this.#scratch.finish();
  }

  /** Appends what the table holds under a key as a row of no record, emitting what was appended before when there is no room. */
  append(key: Uint8Array, value: Uint8Array, op: Op, out: Emit): void {
    const builder = this.#builder;
    if (builder.length === BATCH_ROWS_MAX) this.flush(out);
    const isTombstone = value.length === TOMBSTONE_BYTES;
    const { rowtime, values } = isTombstone
      ? { rowtime: new DataView(value.buffer, value.byteOffset).getFloat64(0, true), values: [] }
      : this.#decoded(() => decodeCells(this.#cellTypes, value));
    const row: Value[] = this.#keyOf(key);
    this.#cells.forEach((at, index) => {
      row[at] = values[index] ?? null;
    });
    builder.append(row, rowtime, isTombstone ? Op.Delete : op, null);
    if (isTombstone) builder.markValueNull();
  }

  #keyOf(key: Uint8Array): Value[] {
    const isBefore = this.#place === 'before';
    const view = new DataView(key.buffer, key.byteOffset, key.length);
    const bounds = isBefore
      ? [WINDOW_BYTES, 0].map((at) =>
          BigInt.asIntN(64, view.getBigInt64(at) ^ -0x8000_0000_0000_0000n),
        )
      : [];
    const rest = isBefore ? key.subarray(2 * WINDOW_BYTES) : key;
    const decoded = this.#decoded((): DecodedKey => decodeKey(this.#keyTypes, rest));
    const { values, windowStart, windowEnd } = decoded;
    if (windowStart !== null && windowEnd !== null) bounds.push(windowStart, windowEnd);
    return [...values, ...bounds];
  }

  #decoded<T extends Cells | DecodedKey>(decode: () => T): T {
    try {
      return decode();
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a row held back: ${thrown.message}`, { cause: thrown });
    }
  }

  /** Emits what was appended. */
  flush(out: Emit): void {
    const batch = this.#builder.finish();
    if (batch !== null) out(batch);
  }
}
