// Whole rows of a table in the store, by key, as values; knows no operator.

import { ByteWriter } from '../base/bytes.ts';
import { InvariantError, PortError, TaskCorrupted } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { type Column, valueAt } from '../data/column.ts';
import { writeKey, writeWindow } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { StateBytes } from '../ports/store.ts';
import { RowTable } from '../state/row-table.ts';
import type { OperatorContext } from './operator.ts';

/** The key bytes of rows, window included. */
export class RowKeyBytes {
  readonly #keys: readonly number[];
  readonly #windows: readonly number[];
  readonly #isSession: boolean;
  readonly #scratch = new ByteWriter(64);

  /** @param isSession true: a window is known by both of its bounds, not by its start alone */
  constructor(schema: Schema, isSession: boolean) {
    this.#keys = columnsWithRole(schema, 'key');
    this.#windows = columnsWithRole(schema, 'window');
    this.#isSession = isSession;
  }

  /** The number that a table gives the row's key. */
  locate(
    { columns }: Batch,
    position: number,
    table: { locate(bytes: Uint8Array, from: number, to: number): number },
  ): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeKey(
      scratch,
      this.#keys.map((key) => columns[key] as Column),
      position,
    );
    const [start, end] = this.#windows;
    if (start !== undefined) {
      const bound = (window: number): number =>
        Number(valueAt(columns[window] as Column, position));
      const endMs = this.#isSession && end !== undefined ? bound(end) : null;
      writeWindow(scratch, bound(start), endMs);
    }
    return table.locate(scratch.buffer, 0, scratch.position);
  }
}

/** Whole rows of a table in the store, by key and window; the cells are all columns that are neither. */
export class StoredRows {
  readonly #table: RowTable;
  readonly #keys: RowKeyBytes;
  /** Positions of the stored columns, and their types. */
  readonly #cells: readonly number[];
  readonly #types: readonly Type[];

  /** @param isSession true: a window is known by both of its bounds, not by its start alone */
  constructor(table: string, schema: Schema, context: OperatorContext, isSession = false) {
    this.#table = new RowTable(table, context.state);
    this.#keys = new RowKeyBytes(schema, isSession);
    this.#cells = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    this.#types = this.#cells.map((position) => typeAt(schema, position));
  }

  /** A number for the row's key. */
  locate(batch: Batch, position: number): number {
    return this.#keys.locate(batch, position, this.#table);
  }

  /** As `locate`, of a key's bytes. */
  locateKey(bytes: Uint8Array, from: number, to: number): number {
    return this.#table.locate(bytes, from, to);
  }

  /** Whether the table has such a row. */
  has(id: number): boolean {
    return this.#table.get(id) !== null;
  }

  /** The stored values by column position, or null when the table has no such row. */
  get(id: number): Value[] | null {
    const bytes = this.#table.get(id);
    if (bytes === null) return null;
    const values: Value[] = [];
    this.#decode(bytes).forEach((value, index) => {
      values[this.#cells[index] as number] = value;
    });
    return values;
  }

  #decode(bytes: Uint8Array): Value[] {
    try {
      return decodeCells(this.#types, bytes).values;
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a stored row: ${thrown.message}`, { cause: thrown });
    }
  }

  set(id: number, batch: Batch, position: number, values: readonly Value[]): void {
    const cells = this.#cells.map((at) => values[at] ?? null);
    this.#table.set(id, encodeCells(this.#types, batch.rowtime[position] ?? 0, cells));
  }

  remove(id: number): void {
    this.#table.set(id, null);
  }

  changes(into: (change: StateBytes) => void): void {
    this.#table.changes(into);
  }
}

function typeAt(schema: Schema, position: number): Type {
  const column = schema.columns[position];
  if (column === undefined) throw new InvariantError(`the schema has no column ${position}`);
  return column.type;
}
