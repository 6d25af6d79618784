// Keeps the rows of a table and gives each change its old row; knows no format and no topic.

import { PortError, TaskCorrupted } from '../base/errors.ts';
import { ByteWriter } from '../base/bytes.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { type Column, valueAt } from '../data/column.ts';
import { writeKey, writeWindow } from '../data/key-writer.ts';
import { columnsWithRole, type Schema, typeAt } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { MaterializeStep, SourceStep } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { RowTable } from '../state/row-table.ts';
import { ChangelogBuilder } from './changelog.ts';
import { isGone } from './gone.ts';
import { keptMaterialize } from './kept-tables.ts';
import type { Operator, OperatorContext } from './operator.ts';

/**
 * A source table's rows by key.
 *
 * Shape: in rows of the source, a null value or a Delete being a tombstone; out a changelog with old rows: Insert for a new key,
 * UpdateBefore and UpdateAfter for a known one, Delete with the old values for a known key's tombstone. A tombstone of an
 * unknown key goes on as a Delete with a null value, as Kafka Streams forwards it.
 */
export function materialize(
  step: SourceStep | MaterializeStep,
  input: Schema,
  context: OperatorContext,
  _registry: FunctionRegistry,
): Operator {
  // Joined tables have no windows.
  const isSession = step.step === 'source' && step.window?.type === 'SESSION';
  if (!isSession) return keptMaterialize(step.id, input, context);
  const rows = new StoredRows(step.id, input, context, isSession);
  const changelog = new ChangelogBuilder(input);
  return {
    name: 'materialize',
    schema: input,
    process(_side, batch, out) {
      for (let i = 0; i < batch.length; i++) {
        const position = positionOf(batch, i);
        changelog.makeRoom(out);
        change(rows, changelog, batch, position);
      }
      changelog.flush(out);
    },
    changes: (into) => rows.changes(into),
  };
}

function change(
  rows: StoredRows,
  changelog: ChangelogBuilder,
  batch: Batch,
  position: number,
): void {
  const id = rows.locate(batch, position);
  const old = rows.get(id);
  if (isGone(batch, position)) {
    if (old !== null) rows.remove(id);
    changelog.add(batch, position, Op.Delete, old);
    return;
  }
  const fresh = batch.columns.map((column) => valueAt(column, position));
  rows.set(id, batch, position, fresh);
  if (old !== null) changelog.add(batch, position, Op.UpdateBefore, old);
  changelog.add(batch, position, old === null ? Op.Insert : Op.UpdateAfter, fresh);
}

/** Whole rows of a table in the store, by key and window; the cells are all columns that are neither. */
export class StoredRows {
  readonly #table: RowTable;
  readonly #keys: readonly number[];
  readonly #windows: readonly number[];
  readonly #isSession: boolean;
  /** Positions of the stored columns, and their types. */
  readonly #cells: readonly number[];
  readonly #types: readonly Type[];
  readonly #scratch = new ByteWriter(64);

  /** @param isSession true: a window is known by both of its bounds, not by its start alone */
  constructor(table: string, schema: Schema, context: OperatorContext, isSession = false) {
    this.#isSession = isSession;
    this.#table = new RowTable(table, context.state);
    this.#keys = columnsWithRole(schema, 'key');
    this.#windows = columnsWithRole(schema, 'window');
    this.#cells = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    this.#types = this.#cells.map((position) => typeAt(schema, position));
  }

  /** A number for the row's key. */
  locate(batch: Batch, position: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    const columns = this.#keys.map((key) => batch.columns[key] as Column);
    writeKey(scratch, columns, position);
    const [start, end] = this.#windows;
    if (start !== undefined) {
      const bound = (window: number): number =>
        Number(valueAt(batch.columns[window] as Column, position));
      const endMs = this.#isSession && end !== undefined ? bound(end) : null;
      writeWindow(scratch, bound(start), endMs);
    }
    return this.#table.locate(scratch.buffer, 0, scratch.position);
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
