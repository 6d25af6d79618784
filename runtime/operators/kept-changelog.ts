// The rows of a table, kept as the columns in which they came, and a changelog that shows them again; knows no operator.

import { ByteWriter } from '../base/bytes.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import { bitmap, type Bitmap, type Column, setBit, valueAt } from '../data/column.ts';
import { gather, gatherColumn } from '../data/dense.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { writeKey, writeWindow } from '../data/key-writer.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import type { IntoBlock, StateBytes, TableId } from '../ports/store.ts';
import { keptRows } from '../state/column-rows.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import { KeptTable } from '../state/kept-table.ts';
import { NO_KEY, indexOf, RowKeys } from '../state/row-keys.ts';
import type { Emit, OperatorContext } from './operator.ts';

/** Where the values of a row put out stand: in the batch at hand, or among the rows that were kept. */
const OWN = 0;
const KEPT = 1;

/**
 * Whole rows by key, and by the start of their window, in the state that StoredRows has; and what is put out of one batch after another: for each
 * row of it `begin`, then `at`, then `put`, `drop` or nothing, and `flush`.
 * Cost: a look-up a row; columns are copied once, and not at all where all rows of a batch go on alone.
 */
export class KeptChangelog {
  readonly #schema: Schema;
  readonly #table: KeptTable;
  readonly #numbers: RowKeys;
  readonly #keys: readonly number[];
  readonly #windows: readonly number[];
  readonly #scratch = new ByteWriter(64);
  /** Positions of the columns that are kept. */
  readonly #cells: readonly number[];
  /** Of the batch at hand, and of the row at hand its number. */
  #ids: Int32Array = new Int32Array(0);
  #id = 0;
  #batch: Batch | null = null;
  #out: Emit = () => {};
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

  constructor(table: TableId, schema: Schema, context: OperatorContext) {
    this.#schema = schema;
    this.#cells = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    const types = this.#cells.map((at) => (schema.columns[at] as SchemaColumn).type);
    const sides = [{ table, rows: keptRows(types) }];
    this.#table = new KeptTable(sides, context.state, indexOf(schema));
    this.#numbers = new RowKeys(schema, this.#table, { session: false });
    this.#keys = columnsWithRole(schema, 'key');
    this.#windows = columnsWithRole(schema, 'window').slice(0, 1);
  }

  /** Turns to a batch. */
  begin(batch: Batch, out: Emit): void {
    const table = this.#table;
    this.#batch = batch;
    this.#out = out;
    this.#ids = this.#numbers.assign(batch);
    if (table.isUntidy) table.tidy();
    const columns = this.#cells.map((at) => batch.columns[at] as Column);
    table.begin(0, batch, columns, 0);
  }

  /** Turns to row `i` of the batch, which stands at that position. @returns the row that its key has, or NO_ROW; good until `flush` */
  at(i: number, position: number): number {
    const known = this.#ids[i] as number;
    this.#id = known === NO_KEY ? this.#locateNulls(position) : known;
    return this.#table.get(this.#id, 0);
  }

  /** The number of a key that has nulls: to a table it is one as others are. */
  #locateNulls(position: number): number {
    const { columns } = this.#batch as Batch;
    const scratch = this.#scratch;
    scratch.truncate(0);
    const keys = this.#keys.map((at) => columns[at] as Column);
    writeKey(scratch, keys, position);
    for (const at of this.#windows)
      writeWindow(scratch, Number(valueAt(columns[at] as Column, position)), null);
    return this.#table.locate(scratch.buffer, 0, scratch.position);
  }

  /**
   * Sets the key's row to the row at hand, which is put out.
   * @param old what `at` has given; with `showsOld` it is put out before
   */
  put(i: number, position: number, old: number, showsOld: boolean): void {
    const { rowtime } = this.#batch as Batch;
    const withOld = showsOld && old !== NO_ROW;
    // An old row is never parted from its new one.
    if (this.#count + (withOld ? 2 : 1) > BATCH_ROWS_MAX) this.flush();
    this.#table.set(this.#id, 0, i, position, rowtime[position] as number);
    if (withOld) this.#addKept(position, Op.UpdateBefore, old);
    this.#add(position, old === NO_ROW ? Op.Insert : Op.UpdateAfter, OWN, position);
  }

  /** Removes the key's row, and puts a Delete out. @param shown the row that it shows; NO_ROW: a null value */
  drop(position: number, old: number, shown: number): void {
    if (this.#count === BATCH_ROWS_MAX) this.flush();
    if (old !== NO_ROW) this.#table.remove(this.#id, 0);
    this.#addKept(position, Op.Delete, shown);
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

  /** Emits the rows so far, which are of the batch at hand. */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    const batch = this.#batch as Batch;
    const { rowtime, origin } = batch;
    const op = this.#op.slice(0, count);
    const keptCount = this.#keptCount;
    const valueNull = this.#valueNull?.slice(0, (count + 7) >> 3) ?? null;
    this.#count = 0;
    this.#keptCount = 0;
    this.#valueNull = null;
    if (keptCount === 0) {
      this.#emitOwn(batch, count, op);
      return;
    }
    const positions = this.#positions.subarray(0, count);
    const places = {
      batches: this.#sources.subarray(0, count),
      positions: this.#places.subarray(0, count),
    };
    const kept = this.#table.columnsOf(this.#kept.subarray(0, keptCount), 0);
    this.#out({
      schema: this.#schema,
      length: count,
      selection: null,
      columns: batch.columns.map((column, at) => {
        const cell = this.#cells.indexOf(at);
        if (cell < 0) return gatherColumn(column, positions);
        return gatherAcross([column, kept[cell] as Column], places);
      }),
      valueNull,
      keyNull: null,
      rowtime: gather(rowtime, new Float64Array(count), positions),
      op,
      origin: origin && gather(origin, new Uint32Array(count), positions),
    });
  }

  /** Emits `count` rows of the batch as they stand. */
  #emitOwn(batch: Batch, count: number, op: Uint8Array): void {
    const { length } = batch.rowtime;
    const isAll = count === length;
    const positions = this.#positions.subarray(0, count);
    const ops = isAll ? op : new Uint8Array(length);
    if (!isAll) for (let i = 0; i < count; i++) ops[positions[i] as number] = op[i] as number;
    this.#out({
      ...batch,
      schema: this.#schema,
      length: count,
      selection: isAll ? null : positions.slice(),
      valueNull: null,
      keyNull: null,
      op: ops,
    });
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (this.#table.changes(into, intoBlock)) this.#numbers.reset();
  }
}
