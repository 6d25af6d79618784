// Builds the rows that a join emits: columns of the batch at hand beside rows out of the state; knows no rule of joining.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch, Op } from '../data/batch.ts';
import { type ColumnBuilder, columnBuilder } from '../data/builder.ts';
import { type Bitmap, bitmap, type Column, setBit } from '../data/column.ts';
import { gather, gatherColumn } from '../data/gather.ts';
import { RowCells } from '../data/row-cells.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import { nullWhere } from './null-values.ts';
import type { Emit } from './operator.ts';

/** The columns of one input of a join. */
export class JoinInput {
  /** Key columns, then window columns: what goes on as it is. */
  readonly keys: readonly number[];
  /** All others: what is padded with nulls. */
  readonly values: readonly number[];
  /** What is kept in the state: the values, behind the window columns where these are kept too. */
  readonly cells: RowCells;
  readonly windows: readonly number[];
  readonly #schema: Schema;

  /** @param keepsWindows true: the state must give the window columns back, which its keys do not hold whole */
  constructor(schema: Schema, keepsWindows = false) {
    this.#schema = schema;
    const isKey = schema.columns.map(({ role }) => role === 'key' || role === 'window');
    const positions = schema.columns.map((_, position) => position);
    this.keys = positions.filter((position) => isKey[position]);
    this.values = positions.filter((position) => !isKey[position]);
    this.windows = keepsWindows ? columnsWithRole(schema, 'window') : [];
    this.cells = new RowCells([...this.windows, ...this.values].map((at) => this.#typeAt(at)));
  }

  #typeAt(position: number): Type {
    return (this.#schema.columns[position] as SchemaColumn).type;
  }

  /** For the cells, where they become columns beside another side's row: its windows are the other side's. */
  builders(): (ColumnBuilder | null)[] {
    return [
      ...this.windows.map(() => null),
      ...this.values.map((position) => columnBuilder(this.#typeAt(position))),
    ];
  }

  /** The columns of the cells. */
  columnsOf(batch: Batch): Column[] {
    return [...this.windows, ...this.values].map((position) => batch.columns[position] as Column);
  }
}

type Builders = readonly (ColumnBuilder | null)[];

/**
 * Rows of one side's batch, each beside a stored row of the other side or nulls. Own columns are gathered when the output is
 * flushed, the other side's are built from their bytes.
 */
export class JoinOutput {
  readonly #schema: Schema;
  readonly #inputs: readonly [JoinInput, JoinInput];
  /** For each side what it is built in when the other one's batch is at hand. */
  readonly #builders: readonly [Builders, Builders];
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  #rowtime = new Float64Array(BATCH_ROWS_MAX);
  #op = new Uint8Array(BATCH_ROWS_MAX);
  #count = 0;
  /** Rows whose own side is null, and rows that are null altogether. */
  #ownNull: Bitmap | null = null;
  #valueNull: Bitmap | null = null;
  /** True while the rows so far are the first ones of the batch's arrays, each once. */
  #isPlain = true;
  #hasOps = false;
  #batch: Batch | null = null;
  #side = 0;
  #out: Emit = () => {};

  constructor(schema: Schema, inputs: readonly [JoinInput, JoinInput]) {
    this.#schema = schema;
    this.#inputs = inputs;
    this.#builders = [inputs[0].builders(), inputs[1].builders()];
  }

  /** Turns to a batch of one side: 0 left, 1 right. */
  begin(batch: Batch, side: number, out: Emit): void {
    this.#batch = batch;
    this.#side = side;
    this.#out = out;
  }

  /**
   * Adds the row at a position beside a stored row.
   * @param other null: the other side has none
   * @param op null in a stream
   */
  add(position: number, other: Uint8Array | null, rowtime: number, op: Op | null): void {
    if (this.#count === BATCH_ROWS_MAX) this.flush();
    const row = this.#count++;
    if (position !== row) this.#isPlain = false;
    this.#positions[row] = position;
    this.#rowtime[row] = rowtime;
    if (op !== null) {
      this.#op[row] = op;
      this.#hasOps = true;
    }
    const side = 1 - this.#side;
    const builders = this.#builders[side] as Builders;
    if (other !== null) (this.#inputs[side] as JoinInput).cells.append(other, builders);
    else for (let i = 0; i < builders.length; i++) builders[i]?.appendNull();
  }

  /** As `add`, for a row that is a tombstone: the own side is null. */
  addWithoutOwn(position: number, other: Uint8Array, rowtime: number, op: Op): void {
    this.add(position, other, rowtime, op);
    setBit((this.#ownNull ??= bitmap(BATCH_ROWS_MAX)), this.#count - 1);
  }

  /** Adds a tombstone. */
  addGone(position: number, rowtime: number, op: Op): void {
    this.add(position, null, rowtime, op);
    setBit((this.#ownNull ??= bitmap(BATCH_ROWS_MAX)), this.#count - 1);
    setBit((this.#valueNull ??= bitmap(BATCH_ROWS_MAX)), this.#count - 1);
  }

  /** Emits the rows so far. Call it before the batch ends, and before rows that come another way. */
  flush(): void {
    const batch = this.#batch;
    const count = this.#count;
    if (batch === null || count === 0) return;
    const positions = this.#positions.subarray(0, count);
    const input = this.#inputs[this.#side] as JoinInput;
    const isWhole = this.#isPlain && count === batch.rowtime.length;
    const take = (position: number): Column => {
      const column = batch.columns[position] as Column;
      return isWhole ? column : gatherColumn(column, positions);
    };
    const keys = input.keys.map(take);
    const nulls = this.#ownNull;
    const own = input.values.map((position) =>
      nulls === null ? take(position) : nullWhere(take(position), nulls, count),
    );
    const other = (this.#builders[1 - this.#side] as Builders).flatMap(
      (builder) => builder?.finish() ?? [],
    );
    const { origin } = batch;
    const emitted: Batch = {
      schema: this.#schema,
      length: count,
      selection: null,
      columns: this.#side === 0 ? [...keys, ...own, ...other] : [...keys, ...other, ...own],
      valueNull: this.#valueNull?.slice(0, (count + 7) >> 3) ?? null,
      keyNull: null,
      rowtime: this.#rowtime.slice(0, count),
      op: this.#hasOps ? this.#op.slice(0, count) : null,
      origin:
        origin === null || isWhole ? origin : gather(origin, new Uint32Array(count), positions),
    };
    this.#count = 0;
    this.#ownNull = null;
    this.#valueNull = null;
    this.#isPlain = true;
    this.#out(emitted);
  }
}
