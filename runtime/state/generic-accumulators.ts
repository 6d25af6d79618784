// Accumulators of any aggregates, as tuples of values a slot; the general way. Knows no window and no store.

import { PortError, RecordError, TaskCorrupted } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { type Column, valueAt } from '../data/column.ts';
import type { Type, Value } from '../data/type.ts';
import type { AggregateBody } from '../functions/registry.ts';
import type { Accumulators, Fold } from './accumulators.ts';

/** One call: its body, where its arguments stand in the input, and the type of its result. */
export interface GenericCall {
  readonly body: AggregateBody;
  readonly arguments: readonly number[];
  readonly type: Type;
}

/** What folding a row asks and tells about it. */
export interface RowContext {
  /** The offset of the record that made the row at that position. */
  offset(batch: Batch, position: number): number;
  /** The call failed on the row at that position, which counts nothing for it; or its result did, which is null. */
  failed(batch: Batch, position: number, call: number, reason: string): void;
}

/** What is computed, or null where the call fails on the row, which is told. */
export function guardedCall<T>(
  rows: RowContext,
  batch: Batch,
  position: number,
  call: number,
  compute: () => T,
): T | null {
  try {
    return compute();
  } catch (thrown) {
    if (!(thrown instanceof RecordError)) throw thrown;
    rows.failed(batch, position, call, thrown.message);
    return null;
  }
}

interface Slot {
  rowtime: number;
  /** The cells of each call. */
  readonly cells: Value[][];
}

export class GenericAccumulators implements Accumulators {
  readonly #calls: readonly GenericCall[];
  readonly #types: readonly Type[];
  readonly #rows: RowContext;
  readonly #slots: Slot[] = [];

  constructor(calls: readonly GenericCall[], rows: RowContext) {
    this.#calls = calls;
    this.#rows = rows;
    this.#types = calls.flatMap((call) => call.body.cells);
  }

  reserve(): void {
    // Slots are made when they are set.
  }

  reset(slot: number): void {
    this.#slots[slot] = {
      rowtime: -Infinity,
      cells: this.#calls.map((call) => call.body.initial()),
    };
  }

  load(slot: number, bytes: Uint8Array): void {
    const { rowtime, values } = this.#decode(bytes);
    let at = 0;
    const cells = this.#calls.map((call) => values.slice(at, (at += call.body.cells.length)));
    this.#slots[slot] = { rowtime, cells };
  }

  #decode(bytes: Uint8Array): { readonly rowtime: number; readonly values: Value[] } {
    try {
      return decodeCells(this.#types, bytes);
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a state value of an aggregate: ${thrown.message}`, {
        cause: thrown,
      });
    }
  }

  encode(slot: number): Uint8Array {
    const { rowtime, cells } = this.#at(slot);
    return encodeCells(this.#types, rowtime, cells.flat());
  }

  move(from: number, to: number): void {
    this.#slots[to] = this.#at(from);
  }

  #at(slot: number): Slot {
    return this.#slots[slot] as Slot;
  }

  foldRowtimes(batch: Batch, fold: Fold): Float64Array {
    const out = new Float64Array(fold.rowsOut);
    for (let k = 0; k < fold.count; k++) {
      const slot = this.#at(fold.slots[k] as number);
      slot.rowtime = Math.max(slot.rowtime, batch.rowtime[fold.positions[k] as number] as number);
      const before = fold.before?.[k] ?? -1;
      const after = fold.after === null ? k : (fold.after[k] as number);
      // A row of -1 is outside the array, where writing does nothing.
      out[before] = slot.rowtime;
      out[after] = slot.rowtime;
    }
    return out;
  }

  fold(batch: Batch, fold: Fold): Column[] {
    return this.#calls.map((call, index) => {
      const columns = call.arguments.map((position) => batch.columns[position] as Column);
      const results = columnBuilder(call.type);
      const run = { batch, fold, call, index, columns, results };
      // Output rows come in order: a row's own before its results, each once.
      for (let k = 0; k < fold.count; k++) this.#foldRow(run, k);
      return results.finish();
    });
  }

  #foldRow({ batch, fold, call, index, columns, results }: CallRun, k: number): void {
    const cells = this.#at(fold.slots[k] as number).cells[index] as Value[];
    const position = fold.positions[k] as number;
    const values = columns.map((column) => valueAt(column, position));
    const { body } = call;
    const rows = this.#rows;
    const result = (): Value => guardedCall(rows, batch, position, index, () => body.result(cells));
    if ((fold.before?.[k] ?? -1) >= 0) results.append(result());
    const isUndo = fold.undo !== null && fold.undo[k] === 1;
    guardedCall(rows, batch, position, index, () => {
      if (isUndo) body.undo?.(cells, values);
      else body.add(cells, values, rows.offset(batch, position));
    });
    if (fold.after === null || (fold.after[k] as number) >= 0) results.append(result());
  }
}

/** One call folding the rows of one batch. */
interface CallRun {
  readonly batch: Batch;
  readonly fold: Fold;
  readonly call: GenericCall;
  readonly index: number;
  readonly columns: readonly Column[];
  readonly results: ColumnBuilder;
}
