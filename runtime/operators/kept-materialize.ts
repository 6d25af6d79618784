// Keeps the rows of a table as columns and gives each change its old row, for hosts with a whole kernel; knows no format and no topic.

import { ByteWriter } from '../base/bytes.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { bitmap, type Bitmap, type Column, setBit, valueAt } from '../data/column.ts';
import { gather, gatherColumn } from '../data/dense.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { writeKey, writeWindow } from '../data/key-writer.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { keptRows, NO_ROW } from '../state/kept-rows.ts';
import { KeptTable } from '../state/kept-table.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { isGone } from './stream-table-join.ts';

/**
 * As `materialize`, of a table whose windows are no sessions; its rows are kept as the columns in which they came.
 * Cost: a look-up a row; columns are copied once, and not at all where no key is known.
 */
export function keptMaterialize(table: string, input: Schema, context: OperatorContext): Operator {
  return new KeptMaterialize(table, input, context);
}

/** Where the values of a row put out stand: in the batch at hand, or among the rows that were kept. */
const OWN = 0;
const KEPT = 1;

class KeptMaterialize implements Operator {
  readonly name = 'materialize';
  readonly schema: Schema;
  readonly #table: KeptTable;
  readonly #numbers: RowKeys;
  readonly #keys: readonly number[];
  readonly #windows: readonly number[];
  readonly #scratch = new ByteWriter(64);
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

  constructor(table: string, schema: Schema, context: OperatorContext) {
    this.schema = schema;
    this.#cells = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    const types = this.#cells.map((at) => (schema.columns[at] as SchemaColumn).type);
    this.#table = new KeptTable([{ table, rows: keptRows(types) }], context.state);
    this.#numbers = new RowKeys(schema, this.#table, { session: false });
    this.#keys = columnsWithRole(schema, 'key');
    this.#windows = columnsWithRole(schema, 'window').slice(0, 1);
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const table = this.#table;
    const ids = this.#numbers.assign(batch);
    if (table.isUntidy) table.tidy();
    table.begin(
      0,
      batch,
      this.#cells.map((at) => batch.columns[at] as Column),
      0,
    );
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      const known = ids[i] as number;
      const id = known === NO_KEY ? this.#locateNulls(batch, position) : known;
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

  /** The number of a key that has nulls: to a table it is one as others are. */
  #locateNulls({ columns }: Batch, position: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    writeKey(
      scratch,
      this.#keys.map((at) => columns[at] as Column),
      position,
    );
    for (const at of this.#windows)
      writeWindow(scratch, Number(valueAt(columns[at] as Column, position)), null);
    return this.#table.locate(scratch.buffer, 0, scratch.position);
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
    if (this.#table.changes(into, intoBlock)) this.#numbers.reset();
  }
}
