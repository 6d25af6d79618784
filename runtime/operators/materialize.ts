// Keeps the rows of a table and gives each change its old row; knows no format and no topic.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { bitmap, type Bitmap, type Column, setBit } from '../data/column.ts';
import { gather, gatherColumn } from '../data/dense.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { MaterializeStep, SourceStep } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { keptRows, NO_ROW } from '../state/kept-rows.ts';
import { KeptTable } from '../state/kept-table.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { RowKeyBytes } from './stored-rows.ts';
import { isGone } from './stream-table-join.ts';

/**
 * A source table's rows by key.
 *
 * Shape: in rows of the source, a null value or a Delete being a tombstone; out a changelog with old rows: Insert for a new key,
 * UpdateBefore and UpdateAfter for a known one, Delete with the old values for a known key's tombstone. A tombstone of an
 * unknown key goes on as a Delete with a null value, as Kafka Streams forwards it.
 * Cost: a look-up a row; columns are copied once, and not at all where no key is known.
 */
export function materialize(
  step: SourceStep | MaterializeStep,
  input: Schema,
  context: OperatorContext,
  _registry: FunctionRegistry,
): Operator {
  // Joined tables have no windows.
  const isSession = step.step === 'source' && step.window?.type === 'SESSION';
  return new Materialize(step.id, input, context, isSession);
}

/** Where the values of a row put out stand: in the batch at hand, or among the rows that were kept. */
const OWN = 0;
const KEPT = 1;

class Materialize implements Operator {
  readonly name = 'materialize';
  readonly schema: Schema;
  readonly #table: KeptTable;
  /** Null where windows are sessions. */
  readonly #numbers: RowKeys | null;
  readonly #keys: RowKeyBytes;
  /** Positions of the columns that are kept. */
  readonly #cells: readonly number[];
  // Of the rows to be put out: the row of the batch that made each, where its values are, and which of those.
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  readonly #sources = new Uint32Array(BATCH_ROWS_MAX);
  readonly #places = new Uint32Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  #count = 0;
  /** The kept rows that are put out; NO_ROW: nulls. */
  readonly #kept = new Int32Array(BATCH_ROWS_MAX);
  #keptCount = 0;
  #valueNull: Bitmap | null = null;

  /** @param isSession a window is known by both of its bounds, not by its start alone */
  constructor(table: string, schema: Schema, context: OperatorContext, isSession: boolean) {
    this.schema = schema;
    this.#cells = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    const types = this.#cells.map((at) => (schema.columns[at] as SchemaColumn).type);
    this.#table = new KeptTable([{ table, rows: keptRows(types) }], context.state);
    this.#numbers = isSession ? null : new RowKeys(schema, this.#table, { session: false });
    this.#keys = new RowKeyBytes(schema, isSession);
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const table = this.#table;
    const ids = this.#numbers?.assign(batch);
    if (table.isUntidy) table.tidy();
    table.begin(
      0,
      batch,
      this.#cells.map((at) => batch.columns[at] as Column),
      0,
    );
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      let id = ids?.[i] ?? NO_KEY;
      // A key that has nulls is one.
      if (id === NO_KEY) id = this.#keys.locate(batch, position, table);
      const old = table.get(id, 0);
      const gone = isGone(batch, position);
      // An old row is never parted from its new one.
      const more = old === NO_ROW || gone ? 1 : 2;
      if (this.#count + more > BATCH_ROWS_MAX) this.#flush(batch, out);
      if (gone) {
        if (old !== NO_ROW) table.remove(id, 0);
        this.#addKept(position, Op.Delete, old);
        continue;
      }
      table.set(id, 0, i, position, batch.rowtime[position] as number);
      if (old !== NO_ROW) this.#addKept(position, Op.UpdateBefore, old);
      this.#add(position, old === NO_ROW ? Op.Insert : Op.UpdateAfter, OWN, position);
    }
    this.#flush(batch, out);
  }

  #addKept(position: number, op: Op, row: number): void {
    if (row === NO_ROW) setBit((this.#valueNull ??= bitmap(BATCH_ROWS_MAX)), this.#count);
    this.#kept[this.#keptCount] = row;
    this.#add(position, op, KEPT, this.#keptCount++);
  }

  #add(position: number, op: Op, source: number, place: number): void {
    const row = this.#count++;
    this.#positions[row] = position;
    this.#sources[row] = source;
    this.#places[row] = place;
    this.#op[row] = op;
  }

  /** Emits the rows so far, which are of that batch. */
  #flush(batch: Batch, out: Emit): void {
    const count = this.#count;
    if (count === 0) return;
    const { rowtime, origin, selection } = batch;
    const op = this.#op.slice(0, count);
    const keptCount = this.#keptCount;
    const valueNull = this.#valueNull?.slice(0, (count + 7) >> 3) ?? null;
    this.#count = 0;
    this.#keptCount = 0;
    this.#valueNull = null;
    if (keptCount === 0 && selection === null && count === batch.length) {
      out({ ...batch, op, valueNull, keyNull: null });
      return;
    }
    const positions = this.#positions.subarray(0, count);
    const places = {
      batches: this.#sources.subarray(0, count),
      positions: this.#places.subarray(0, count),
    };
    const kept = keptCount === 0 ? [] : this.#table.columnsOf(this.#kept.subarray(0, keptCount), 0);
    out({
      schema: this.schema,
      length: count,
      selection: null,
      columns: batch.columns.map((column, at) => {
        const cell = this.#cells.indexOf(at);
        if (cell < 0) return gatherColumn(column, positions);
        return gatherAcross([column, ...kept.slice(cell, cell + 1)], places);
      }),
      valueNull,
      keyNull: null,
      rowtime: gather(rowtime, new Float64Array(count), positions),
      op,
      origin: origin && gather(origin, new Uint32Array(count), positions),
    });
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (this.#table.changes(into, intoBlock)) this.#numbers?.reset();
  }
}
