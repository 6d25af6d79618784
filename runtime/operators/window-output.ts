// The rows that an aggregation puts out for windows whose cells it folds one by one; knows no window's rule and no state.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import { bitmap, type Bitmap, type Column, setBit } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { BIGINT, type Type, type Value } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep } from '../plan/step.ts';
import type { GroupNames } from '../state/group-names.ts';
import { type GenericCall, guardedCall, type RowContext } from '../state/generic-accumulators.ts';
import { aggregateCalls } from './aggregate-calls.ts';
import type { Emit } from './operator.ts';
import { carriedOver } from './output-columns.ts';

/** A call whose cells stand among those of the others. */
export interface WindowCall extends GenericCall {
  /** Where its cells begin. */
  readonly at: number;
}

/** The calls of a step, and what its state is of. */
interface WindowCalls {
  readonly calls: readonly WindowCall[];
  readonly keyTypes: readonly Type[];
  /** Of the cells of all calls, one after the other. */
  readonly cellTypes: readonly Type[];
}

/** @throws {InvariantError} for calls that no planner makes */
export function windowCalls(
  step: AggregateStep,
  input: Schema,
  registry: FunctionRegistry,
): WindowCalls {
  let at = 0;
  const calls = aggregateCalls(step, input, registry).map((call) => {
    const placed = { ...call, at };
    at += call.body.cells.length;
    return placed;
  });
  const keyTypes = input.columns.flatMap(({ role, type }) => (role === 'key' ? [type] : []));
  return { calls, keyTypes, cellTypes: calls.flatMap(({ body }) => body.cells) };
}

/** What is shown of a window of the row's group. */
export interface ShownWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly rowtime: number;
  /** The cells of all calls, one after the other. */
  readonly cells: readonly Value[];
}

export class WindowOutput {
  readonly #schema: Schema;
  readonly #names: GroupNames;
  readonly #calls: readonly WindowCall[];
  readonly #context: RowContext;
  readonly #results: readonly ColumnBuilder[];
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  readonly #rowtime = new Float64Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  readonly #starts = new BigInt64Array(BATCH_ROWS_MAX);
  readonly #ends = new BigInt64Array(BATCH_ROWS_MAX);
  #valueNull: Bitmap | null = null;
  #rows = 0;

  constructor(
    schema: Schema,
    names: GroupNames,
    calls: readonly WindowCall[],
    context: RowContext,
  ) {
    this.#schema = schema;
    this.#names = names;
    this.#calls = calls;
    this.#context = context;
    this.#results = calls.map(({ type }) => columnBuilder(type));
  }

  /** A window as the row at `position` has left it; a Delete has its key alone. Emits first what there is no more room beside. */
  add(batch: Batch, position: number, window: ShownWindow, op: Op, out: Emit): void {
    if (this.#rows === BATCH_ROWS_MAX) this.flush(batch, out);
    const { startMs, endMs, rowtime, cells } = window;
    const row = this.#rows++;
    this.#positions[row] = position;
    this.#rowtime[row] = rowtime;
    this.#op[row] = op;
    this.#starts[row] = BigInt(startMs);
    this.#ends[row] = BigInt(endMs);
    if (op === Op.Delete) setBit((this.#valueNull ??= bitmap(BATCH_ROWS_MAX)), row);
    this.#calls.forEach(({ body, at }, index) => {
      const own = cells.slice(at, at + body.cells.length);
      const result = (): Value => body.result(own);
      this.#results[index]?.append(
        op === Op.Delete ? null : guardedCall(this.#context, batch, position, index, result),
      );
    });
  }

  /** Emits the rows added since the last call, which are rows of this batch. */
  flush(batch: Batch, out: Emit): void {
    const rows = this.#rows;
    if (rows === 0) return;
    const columns = this.#names.columns(batch);
    const { keys, origin } = carriedOver(batch, columns, this.#positions.slice(0, rows), true);
    const bounds = [this.#starts, this.#ends].map((values): Column => ({
      type: BIGINT,
      validity: null,
      storage: 'i64',
      values: values.slice(0, rows),
    }));
    const valueNull = this.#valueNull?.slice(0, (rows + 7) >> 3) ?? null;
    this.#rows = 0;
    this.#valueNull = null;
    out({
      schema: this.#schema,
      length: rows,
      selection: null,
      columns: [...keys, ...bounds, ...this.#results.map((results) => results.finish())],
      valueNull,
      keyNull: null,
      rowtime: this.#rowtime.slice(0, rows),
      op: this.#op.slice(0, rows),
      origin,
    });
  }
}
