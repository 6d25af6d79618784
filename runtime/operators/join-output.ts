// Builds the rows that a join emits: columns of the batch at hand beside rows that are kept; knows no rule of joining.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch, Op } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import { type Bitmap, bitmap, type Column, setBit } from '../data/column.ts';
import { gather, gatherColumn } from '../data/dense.ts';
import { decodeKey } from '../data/key.ts';
import { RowCells } from '../data/row-cells.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import { keptRows } from '../state/column-rows.ts';
import { type KeptRows, NO_ROW } from '../state/kept-rows.ts';
import { across, goesOn } from './join-across.ts';
import { nullWhere } from './rarer-rows.ts';
import type { Emit, Holding, Moment } from './operator.ts';

/** The columns of one input of a join. */
export class JoinInput {
  /** Key columns, then window columns: what goes on as it is. */
  readonly keys: readonly number[];
  /** All others: what is padded with nulls. */
  readonly values: readonly number[];
  /** What is kept in the state: the values, behind the window columns where these are kept too. */
  readonly cells: RowCells;
  readonly windows: readonly number[];
  readonly #types: readonly Type[];
  #batchColumns: readonly Column[] | null = null;
  #columns: readonly Column[] = [];

  /** @param keepsWindows true: the state must give the window columns back, which its keys do not hold whole */
  constructor(schema: Schema, keepsWindows = false) {
    const windows = columnsWithRole(schema, 'window');
    this.keys = [...columnsWithRole(schema, 'key'), ...windows];
    this.values = [...schema.columns.keys()].slice(this.keys.length);
    this.windows = keepsWindows ? windows : [];
    this.#types = [...this.windows, ...this.values].map(
      (position) => (schema.columns[position] as SchemaColumn).type,
    );
    this.cells = new RowCells(this.#types);
  }

  /** For the cells, whose columns stand beside another side's row: its windows are the other side's. */
  kept(): KeptRows {
    return keptRows(this.#types, this.windows.length);
  }

  /** The columns of the cells. */
  columnsOf({ columns }: Batch): readonly Column[] {
    // Short runs are cut from one batch.
    if (columns !== this.#batchColumns) {
      this.#batchColumns = columns;
      this.#columns = [...this.windows, ...this.values].map((at) => columns[at] as Column);
    }
    return this.#columns;
  }
}

/** Gives the columns of rows that a side has kept. */
export interface KeptColumns {
  columnsOf(rows: Int32Array, side: number): readonly Column[];
  /** The row as a state value, where `addKept` is used: a view that is good until the next call. */
  bytes?(side: number, row: number): Uint8Array;
}

/**
 * Rows of one side's batch, each beside a kept row of the other side or nulls. The columns of both are gathered when the output is
 * flushed. Rows are held back over batches, where the context lets it (join-across.ts, to which its fields are open).
 */
export class JoinOutput {
  readonly #schema: Schema;
  readonly inputs: readonly [JoinInput, JoinInput];
  readonly kept: KeptColumns;
  /** Of the other side. */
  readonly others = new Int32Array(BATCH_ROWS_MAX);
  readonly positions = new Uint32Array(BATCH_ROWS_MAX);
  readonly rowtime = new Float64Array(BATCH_ROWS_MAX);
  #op = new Uint8Array(BATCH_ROWS_MAX);
  count = 0;
  /** Rows whose own side is null, and rows that are null altogether. */
  ownNull: Bitmap | null = null;
  #valueNull: Bitmap | null = null;
  /** Rows that are kept ones beside nulls: where they stand, for each its number or, of the other side, NO_ROW, and their keys. */
  keptAt: number[] = [];
  keptRows: number[] = [];
  keptKeys: readonly ColumnBuilder[] | null = null;
  /** True while the rows so far are the first ones of the batch's arrays, each once. */
  isPlain = true;
  #hasOps = false;
  /** What the rows so far are of. */
  spans: Span[] = [];
  /** What the last one is of; null: there are none. */
  #at: Turn | null = null;
  /** What is at hand. */
  #next: Turn | null = null;
  /** What was at hand last, by side: sides take turns. */
  readonly #turns: (Turn | null)[] = [null, null];
  #out: Emit = () => {};
  readonly holding: Holding | null;

  constructor(
    schema: Schema,
    inputs: readonly [JoinInput, JoinInput],
    kept: KeptColumns,
    { holding = null }: { readonly holding?: Holding | null | undefined },
  ) {
    this.#schema = schema;
    this.inputs = inputs;
    this.holding = holding;
    this.kept = kept;
  }

  /** Turns to a batch of one side: 0 left, 1 right. */
  begin(batch: Batch, side: number, out: Emit): void {
    const moment = this.holding?.moment ?? null;
    this.#out = out;
    const before = this.#turns[side] as Turn | null;
    const goesOn = before !== null && before.moment === moment && isCutFrom(batch, before.batch);
    this.#next = goesOn ? before : { batch, side, moment };
    this.#turns[side] = this.#next;
  }

  /** Turns to the batch of a side that was begun last. */
  turnTo(side: number): void {
    this.#next = this.#turns[side] as Turn;
  }

  /**
   * Adds the row at a position beside a kept row.
   * @param other NO_ROW: the other side has none
   * @param op null in a stream
   */
  add(position: number, other: number, rowtime: number, op: Op | null): void {
    if (this.count === BATCH_ROWS_MAX || this.#at !== this.#next) this.#turn();
    const row = this.count++;
    if (position !== row) this.isPlain = false;
    this.positions[row] = position;
    this.rowtime[row] = rowtime;
    if (op !== null) {
      this.#op[row] = op;
      this.#hasOps = true;
    }
    this.others[row] = other;
  }

  /** As `add`, for a row that is a tombstone: the own side is null. */
  addWithoutOwn(position: number, other: number, rowtime: number, op: Op): void {
    this.add(position, other, rowtime, op);
    setBit((this.ownNull ??= bitmap(BATCH_ROWS_MAX)), this.count - 1);
  }

  /** Adds a tombstone. */
  addGone(position: number, rowtime: number, op: Op): void {
    this.addWithoutOwn(position, NO_ROW, rowtime, op);
    setBit((this.#valueNull ??= bitmap(BATCH_ROWS_MAX)), this.count - 1);
  }

  /**
   * Adds a kept row of any side beside nulls, as made by the row at a position.
   * @param key its bytes
   */
  addKept(position: number, side: number, row: number, rowtime: number, key: Uint8Array): void {
    const isOwn = side === this.#next?.side;
    this.add(position, isOwn ? NO_ROW : row, rowtime, null);
    this.isPlain = false;
    this.keptAt.push(this.count - 1);
    this.keptRows.push(isOwn ? row : NO_ROW);
    const { keys, windows, cells } = this.inputs[side] as JoinInput;
    this.keptKeys ??= this.#schema.columns
      .slice(0, keys.length)
      .map(({ type }) => columnBuilder(type));
    const builders = this.keptKeys;
    const types = builders.slice(0, keys.length - windows.length).map(({ type }) => type);
    decodeKey(types, key).values.forEach((value, i) => builders[i]?.append(value));
    if (windows.length > 0)
      cells.append(this.kept.bytes?.(side, row) as Uint8Array, builders.slice(types.length));
  }

  /** Ends a batch: its rows are emitted, or held back. */
  end(): void {
    if (this.holding === null) this.settle();
    else this.#next = null;
  }

  /** Emits the rows so far, behind the last batch. */
  settle(): void {
    this.flush();
    this.#next = null;
  }

  #turn(): void {
    const turn = this.#next as Turn;
    if (this.count === BATCH_ROWS_MAX || !goesOn(this, turn)) this.flush();
    this.#at = turn;
    this.spans.push({ turn, from: this.count });
  }

  /** Emits the rows so far. Call it before rows that come another way. */
  flush(): void {
    const [first] = this.spans;
    this.#at = null;
    if (first === undefined) return;
    const { count } = this;
    const { columns, origin, moment } = across(this) ?? this.#gathered(first.turn);
    const emitted: Batch = {
      schema: this.#schema,
      length: count,
      selection: null,
      columns,
      valueNull: this.#valueNull?.slice(0, (count + 7) >> 3) ?? null,
      keyNull: null,
      rowtime: this.rowtime.slice(0, count),
      op: this.#hasOps ? this.#op.slice(0, count) : null,
      origin,
    };
    this.spans = [];
    this.keptAt = [];
    this.keptRows = [];
    this.count = 0;
    this.ownNull = null;
    this.#valueNull = null;
    this.isPlain = true;
    if (moment === null) this.#out(emitted);
    else this.holding?.emit(moment, emitted, this.#out);
  }

  /** The rows of one batch. */
  #gathered({ batch, side, moment }: Turn): Gathered {
    const { count } = this;
    const positions = this.positions.subarray(0, count);
    const input = this.inputs[side] as JoinInput;
    const isWhole = this.isPlain && count === batch.rowtime.length;
    const take = (position: number): Column => {
      const column = batch.columns[position] as Column;
      return isWhole ? column : gatherColumn(column, positions);
    };
    const nulls = this.ownNull;
    const isKept = this.keptAt.length > 0;
    const keys = isKept
      ? (this.keptKeys ?? []).map((column) => column.finish())
      : input.keys.map(take);
    const own = isKept
      ? this.kept.columnsOf(new Int32Array(this.keptRows), side)
      : input.values.map((position) =>
          nulls === null ? take(position) : nullWhere(take(position), nulls, count),
        );
    const other = this.kept.columnsOf(this.others.subarray(0, count), 1 - side);
    const { origin } = batch;
    return {
      columns: side === 0 ? [...keys, ...own, ...other] : [...keys, ...other, ...own],
      origin:
        origin === null || isWhole ? origin : gather(origin, new Uint32Array(count), positions),
      moment,
    };
  }
}

/** What a batch is made of beside what its rows have of their own. */
export interface Gathered {
  readonly columns: readonly Column[];
  readonly origin: Uint32Array | null;
  readonly moment: Moment | null;
}

/** Rows of one turn, from a row of the output on. */
export interface Span {
  readonly turn: Turn;
  readonly from: number;
}

/** A batch of a side, and what its rows belong to where rows are held back. */
export interface Turn {
  readonly batch: Batch;
  readonly side: number;
  readonly moment: Moment | null;
}

/** True when both are rows of the same arrays. */
function isCutFrom(batch: Batch, other: Batch): boolean {
  if (batch === other) return true;
  if (batch.rowtime !== other.rowtime || batch.origin !== other.origin) return false;
  return batch.columns.every((column, position) => column === other.columns[position]);
}
