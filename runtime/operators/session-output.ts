// The rows that an aggregation puts out for sessions: those that went, and what the rows of a batch have left; knows no rule of sessions.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import { bitmap, type Bitmap, type Column, setBit } from '../data/column.ts';
import { gatherColumn } from '../data/dense.ts';
import type { Schema } from '../data/schema.ts';
import type { Accumulators } from '../state/accumulators.ts';
import type { GroupNames } from '../state/group-names.ts';
import { nullWhere } from './null-values.ts';
import type { Emit } from './operator.ts';
import { carriedOver, writeMs, writtenBounds } from './output-columns.ts';

/**
 * Rows are added one by one and folded together, each call over its own column. What a session's slot holds is read in the same loop, after
 * its row: so slots must not be merged before `flush`.
 */
export class SessionOutput {
  readonly #schema: Schema;
  readonly #names: GroupNames;
  readonly #accumulators: Accumulators;
  /** Of the rows to fold. */
  readonly #slots = new Int32Array(BATCH_ROWS_MAX);
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  #folds = 0;
  /** Of the rows put out: the position of the row that made it, and the fold whose result it shows. */
  readonly #madeBy = new Uint32Array(BATCH_ROWS_MAX);
  readonly #shows = new Uint32Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  readonly #endMs = new Float64Array(BATCH_ROWS_MAX);
  /** Two words a time, the lower first, so that no bigint is made. */
  readonly #starts = new Int32Array(BATCH_ROWS_MAX * 2);
  readonly #ends = new Int32Array(BATCH_ROWS_MAX * 2);
  #gone: Bitmap | null = null;
  #rows = 0;

  constructor(schema: Schema, names: GroupNames, accumulators: Accumulators) {
    this.#schema = schema;
    this.#names = names;
    this.#accumulators = accumulators;
  }

  /** True when so many rows more have no room: flush before them. */
  lacksRoom(rows: number): boolean {
    return this.#rows + rows > BATCH_ROWS_MAX;
  }

  /** A session went, because of the row at that position. */
  addGone(position: number, startMs: number, endMs: number): void {
    setBit((this.#gone ??= bitmap(BATCH_ROWS_MAX)), this.#rows);
    this.#add(position, startMs, endMs, Op.Delete);
  }

  /** Folds the row at that position into the slot of a session, which is put out as it is then. */
  add(slot: number, position: number, startMs: number, endMs: number, op: Op): void {
    this.#add(position, startMs, endMs, op);
    const fold = this.#folds++;
    this.#slots[fold] = slot;
    this.#positions[fold] = position;
  }

  #add(position: number, startMs: number, endMs: number, op: Op): void {
    const row = this.#rows++;
    this.#madeBy[row] = position;
    this.#shows[row] = this.#folds;
    this.#op[row] = op;
    this.#endMs[row] = endMs;
    writeMs(this.#starts, row, startMs);
    writeMs(this.#ends, row, endMs);
  }

  /** Folds and emits what was added since the last call, for rows of this batch. */
  flush(batch: Batch, out: Emit): void {
    const rows = this.#rows;
    if (rows === 0) return;
    const accumulators = this.#accumulators;
    const count = this.#folds;
    const gone = this.#gone;
    const fold = {
      count,
      slots: this.#slots,
      positions: this.#positions,
      undo: null,
      before: null,
      after: null,
      rowsOut: count,
    };
    accumulators.foldRowtimes(batch, fold);
    const shows = this.#shows.subarray(0, rows);
    const shown = (column: Column): Column =>
      gone === null ? column : nullWhere(gatherColumn(column, shows), gone, rows);
    const results = accumulators.fold(batch, fold).map(shown);
    const columns = this.#names.columns(batch);
    const { keys, origin } = carriedOver(batch, columns, this.#madeBy.subarray(0, rows), true);
    const bounds = writtenBounds(this.#starts, this.#ends, rows);
    this.#rows = 0;
    this.#folds = 0;
    this.#gone = null;
    out({
      schema: this.#schema,
      length: rows,
      selection: null,
      columns: [...keys, ...bounds, ...results],
      valueNull: gone?.slice(0, (rows + 7) >> 3) ?? null,
      keyNull: null,
      rowtime: this.#endMs.slice(0, rows),
      op: this.#op.slice(0, rows),
      origin,
    });
  }
}
