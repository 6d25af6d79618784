// The rows that an aggregation puts out for windows whose cells it folds one by one; knows no window's rule and no state.

import { assert } from '../base/assert.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch, Op } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import type { Schema } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { GroupNames } from '../state/group-names.ts';
import { failedCall, type GenericCall, type RowContext } from '../state/call-cells.ts';
import type { SlidingWindow } from '../state/sliding-table.ts';
import { aggregateCalls } from './aggregate-calls.ts';
import type { Emit } from './operator.ts';
import { carriedOver, writeMs, writtenBounds } from './output-columns.ts';

/** A call whose cells stand among those of the others. */
export interface WindowCall extends GenericCall {
  /** Where its cells begin. */
  readonly at: number;
}

/** The window and the calls of a step, and what its state is of. */
interface WindowCalls {
  readonly window: WindowSpec;
  readonly calls: readonly WindowCall[];
  readonly keyTypes: readonly Type[];
  /** Of the cells of all calls, one after the other. */
  readonly cellTypes: readonly Type[];
}

/** @throws {InvariantError} for steps and calls that no planner makes */
export function windowCalls(
  step: AggregateStep,
  input: Schema,
  registry: FunctionRegistry,
): WindowCalls {
  const { window } = step;
  assert(
    window !== null && !step.old && step.over !== 'table',
    'windows are of streams, and have no old rows',
  );
  let at = 0;
  const calls = aggregateCalls(step, input, registry).map((call) => {
    const placed = { ...call, at };
    at += call.body.cells.length;
    return placed;
  });
  const keyTypes = input.columns.flatMap(({ role, type }) => (role === 'key' ? [type] : []));
  return { window, calls, keyTypes, cellTypes: calls.flatMap(({ body }) => body.cells) };
}

export class WindowOutput {
  readonly #schema: Schema;
  readonly #sizeMs: number;
  readonly #names: GroupNames;
  readonly #calls: readonly WindowCall[];
  readonly #context: RowContext;
  readonly #results: readonly ColumnBuilder[];
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  readonly #rowtime = new Float64Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  /** Two words a time, the lower first, so that no bigint is made. */
  readonly #starts = new Int32Array(BATCH_ROWS_MAX * 2);
  readonly #ends = new Int32Array(BATCH_ROWS_MAX * 2);
  #rows = 0;

  constructor(
    schema: Schema,
    sizeMs: number,
    names: GroupNames,
    calls: readonly WindowCall[],
    context: RowContext,
  ) {
    this.#schema = schema;
    this.#sizeMs = sizeMs;
    this.#names = names;
    this.#calls = calls;
    this.#context = context;
    this.#results = calls.map(({ type }) => columnBuilder(type));
  }

  /** A window as the row at `position` has left it. Emits first what there is no more room beside. */
  add(
    batch: Batch,
    position: number,
    { startMs, rowtime, cells }: SlidingWindow,
    op: Op,
    out: Emit,
  ): void {
    if (this.#rows === BATCH_ROWS_MAX) this.flush(batch, out);
    const row = this.#rows++;
    this.#positions[row] = position;
    this.#rowtime[row] = rowtime;
    this.#op[row] = op;
    writeMs(this.#starts, row, startMs);
    writeMs(this.#ends, row, startMs + this.#sizeMs);
    for (let index = 0; index < cells.length; index++)
      (this.#results[index] as ColumnBuilder).append(
        this.#result(batch, position, index, cells[index] as Value[]),
      );
  }

  #result(batch: Batch, position: number, index: number, cells: readonly Value[]): Value {
    try {
      return (this.#calls[index] as WindowCall).body.result(cells);
    } catch (thrown) {
      return failedCall(this.#context, batch, position, index, thrown);
    }
  }

  /** Emits the rows added since the last call, which are rows of this batch. */
  flush(batch: Batch, out: Emit): void {
    const rows = this.#rows;
    if (rows === 0) return;
    const columns = this.#names.columns(batch);
    const { keys, origin } = carriedOver(batch, columns, this.#positions.slice(0, rows), true);
    const bounds = writtenBounds(this.#starts, this.#ends, rows);
    this.#rows = 0;
    out({
      schema: this.#schema,
      length: rows,
      selection: null,
      columns: [...keys, ...bounds, ...this.#results.map((results) => results.finish())],
      valueNull: null,
      keyNull: null,
      rowtime: this.#rowtime.slice(0, rows),
      op: this.#op.slice(0, rows),
      origin,
    });
  }
}

/** The cells of one call among those of all. Not to be changed. */
export function ownCells(cells: readonly Value[], at: number, count: number): Value[] {
  return cells.slice(at, at + count);
}
