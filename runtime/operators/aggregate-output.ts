// Gathers the accepted rows of an aggregation, folds them column by column and emits the results; knows no time.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { AggregateStep } from '../plan/step.ts';
import type { Accumulators } from '../state/accumulators.ts';
import type { GroupNames } from '../state/group-names.ts';
import type { Emit } from './operator.ts';
import { carriedOver, WindowColumns } from './output-columns.ts';

/** What a row does to its group: adds and shows the result, or takes back, with or without showing it. */
export const Fold = { add: 0, undo: 1, undoSilently: 2 } as const;
export type Fold = (typeof Fold)[keyof typeof Fold];

/**
 * Rows are added one by one and folded together, each call over its own column: so every loop is over one kind of array and no
 * object is made per row. The result of a row is read in the same loop, after that row, so that it is the same as folding
 * row by row.
 */
export class AggregateOutput {
  readonly #schema: Schema;
  readonly #accumulators: Accumulators;
  readonly #names: GroupNames;
  /** True: a row can have several output rows. */
  readonly #repeats: boolean;
  readonly #windowColumns: WindowColumns | null;
  readonly #old: boolean;
  readonly #slots = new Int32Array(BATCH_ROWS_MAX);
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  readonly #starts = new Float64Array(BATCH_ROWS_MAX);
  readonly #undo = new Uint8Array(BATCH_ROWS_MAX);
  readonly #before = new Int32Array(BATCH_ROWS_MAX);
  readonly #after = new Int32Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  #count = 0;
  #rowsOut = 0;
  /** True while each folded row has exactly one output row and none is taken back. */
  #isPlain = true;
  /** The old row of a row taken back silently stands open until the row that follows it shows the new one. */
  #isOpen = false;

  constructor(step: AggregateStep, names: GroupNames, accumulators: Accumulators) {
    this.#schema = step.schema;
    this.#accumulators = accumulators;
    this.#names = names;
    this.#repeats = step.window !== null && step.window.advanceMs !== step.window.sizeMs;
    this.#windowColumns = step.window === null ? null : new WindowColumns(step.window.sizeMs);
    this.#old = step.old;
  }

  /** True when a row may need more room than there is: flush before it. Never between an old row and its new one. */
  get isFull(): boolean {
    return this.#count === BATCH_ROWS_MAX || this.#rowsOut + (this.#old ? 2 : 1) > BATCH_ROWS_MAX;
  }

  /**
   * Adds a row.
   * @param fresh true when the group had no rows before
   */
  add(slot: number, position: number, startMs: number, fresh: boolean, fold: Fold): void {
    const k = this.#count++;
    this.#slots[k] = slot;
    this.#positions[k] = position;
    this.#starts[k] = startMs;
    if (fold === Fold.add && !this.#old) {
      this.#undo[k] = 0;
      this.#before[k] = -1;
      this.#after[k] = this.#rowsOut;
      this.#op[this.#rowsOut++] = fresh ? Op.Insert : Op.UpdateAfter;
    } else this.#addSpecial(k, fresh, fold);
  }

  #addSpecial(k: number, fresh: boolean, fold: Fold): void {
    this.#isPlain = false;
    this.#undo[k] = fold === Fold.add ? 0 : 1;
    const showsOld = this.#old && !fresh && !this.#isOpen;
    this.#before[k] = showsOld ? this.#rowsOut : -1;
    if (showsOld) this.#op[this.#rowsOut++] = Op.UpdateBefore;
    const showsNew = fold !== Fold.undoSilently;
    this.#after[k] = showsNew ? this.#rowsOut : -1;
    if (showsNew) this.#op[this.#rowsOut++] = fresh ? Op.Insert : Op.UpdateAfter;
    this.#isOpen = showsOld && !showsNew;
  }

  /** Folds the rows added since the last call, which are rows of this batch, and emits the results. */
  flush(batch: Batch, out: Emit): void {
    const count = this.#count;
    const rowsOut = this.#rowsOut;
    if (count === 0) return;
    const isPlain = this.#isPlain;
    const fold = {
      count,
      slots: this.#slots,
      positions: this.#positions,
      undo: isPlain ? null : this.#undo,
      before: isPlain ? null : this.#before,
      after: isPlain ? null : this.#after,
      rowsOut,
    };
    const rowtime = this.#accumulators.foldRowtimes(batch, fold);
    const results = this.#accumulators.fold(batch, fold);
    this.#count = 0;
    this.#rowsOut = 0;
    this.#isPlain = true;
    if (rowsOut === 0) return;
    const rows = isPlain
      ? this.#positions.subarray(0, count)
      : this.#outputRows(count, rowsOut, this.#positions);
    const { keys, origin } = carriedOver(
      batch,
      this.#names.columns(batch),
      rows,
      !isPlain || this.#repeats,
    );
    out({
      schema: this.#schema,
      length: rowsOut,
      selection: null,
      columns: [...keys, ...this.#windows(count, rowsOut, isPlain), ...results],
      valueNull: null,
      keyNull: null,
      rowtime,
      op: this.#op.slice(0, rowsOut),
      origin,
    });
  }

  /** For each output row what `values` holds for the row it shows. */
  #outputRows<T extends Uint32Array | Float64Array>(count: number, rowsOut: number, values: T): T {
    const rows = values.slice(0, rowsOut) as T;
    for (let k = 0; k < count; k++) {
      const before = this.#before[k] as number;
      const after = this.#after[k] as number;
      if (before >= 0) rows[before] = values[k] as number;
      if (after >= 0) rows[after] = values[k] as number;
    }
    return rows;
  }

  #windows(count: number, rowsOut: number, isPlain: boolean): Column[] {
    if (this.#windowColumns === null) return [];
    const starts = isPlain ? this.#starts : this.#outputRows(count, rowsOut, this.#starts);
    return this.#windowColumns.columns(starts, rowsOut);
  }
}
