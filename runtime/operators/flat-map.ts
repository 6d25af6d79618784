// Makes several rows of one by table functions, zipped; knows no table and no state.

import { RecordError, StatementError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import { bitAt, type Column, valueAt } from '../data/column.ts';
import { gather, gatherBitmap, gatherColumn } from '../data/dense.ts';
import type { Schema } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import { compile } from '../expr/evaluate.ts';
import type { FunctionRegistry, TableBody } from '../functions/registry.ts';
import type { FlatMapStep, TableCall } from '../plan/step.ts';
import { RowEvaluation } from './evaluation.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/**
 * Each row becomes as many as the longest of its table functions gives; a shorter one has null in the rows that it lacks. A function that
 * fails gives none, and the failure is a problem of the row. Rows whose value is null make none: they are no rows to SQL.
 *
 * Shape: in n rows; out any number of rows [carried..., one column a call] with the row's key, rowtime, operation and origin.
 * Cost: the carried columns are gathered, the others built value by value.
 */
export function flatMap(
  step: FlatMapStep,
  _input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  const first = step.carried.length;
  const calls = step.calls.map((call, index) => {
    const field = step.schema.columns[first + index]?.name ?? '';
    return new RowsOf(call, { context, registry, field, place: `${step.id}.${index}` });
  });
  const output = new Output(step, calls.length);
  return {
    name: 'flatMap',
    schema: step.schema,
    process(_side, batch, out) {
      const rowsAt = calls.map((call) => call.of(batch));
      for (let i = 0; i < batch.length; i++) {
        const position = positionOf(batch, i);
        if (batch.valueNull !== null && bitAt(batch.valueNull, position)) continue;
        const rows = rowsAt.map((at) => at(position));
        for (;;) {
          const values = rows.map((next) => next());
          if (values.every((value) => value === undefined)) break;
          output.add(batch, position, values, out);
        }
      }
      output.flush(batch, out);
      for (const call of calls) call.end();
    },
  };
}

/** Gives one row's next value; undefined when there is none any more. */
type Next = () => Value | undefined;

interface CallOptions {
  readonly context: OperatorContext;
  readonly registry: FunctionRegistry;
  readonly field: string;
  /** Tells the calls of a task apart. */
  readonly place: string;
}

/** One table function over the rows of a batch. */
class RowsOf {
  readonly #arguments;
  readonly #nullPropagating: boolean;
  readonly #body: TableBody;
  readonly #evaluation: RowEvaluation;

  constructor(call: TableCall, { context, registry, field, place }: CallOptions) {
    const found = registry.bySignature(call.function, call.signature);
    if (found?.kind !== 'table') {
      throw new StatementError('UNKNOWN_FUNCTION', `there is no table function ${call.signature}`);
    }
    this.#nullPropagating = found.nullPropagating;
    this.#body = found.body(call.arguments.map((argument) => argument.type));
    this.#evaluation = new RowEvaluation(context, field, place);
    this.#arguments = call.arguments.map((argument, index) => ({
      compute: compile(argument, registry),
      evaluation: new RowEvaluation(context, field, `${place}.${index}`),
    }));
  }

  of(batch: Batch): (position: number) => Next {
    const evaluation = this.#evaluation.of(batch);
    const columns = this.#arguments.map((argument) =>
      argument.evaluation.over(batch, argument.compute),
    );
    return (position) => {
      const guarded = <T>(compute: () => T): T | undefined => {
        try {
          return compute();
        } catch (thrown) {
          if (!(thrown instanceof RecordError)) throw thrown;
          evaluation.failed(position, thrown.message);
          return undefined;
        }
      };
      let rows = guarded(() => this.#rows(columns, position));
      return () => {
        const next = guarded(() => rows?.next());
        if (next !== undefined && next.done !== true) return next.value;
        rows = undefined;
        return undefined;
      };
    };
  }

  /** Behind the last row of the batch. */
  end(): void {
    this.#evaluation.of(null);
  }

  #rows(columns: readonly Column[], position: number): Iterator<Value> {
    const values = columns.map((column) => valueAt(column, position));
    const rows = this.#nullPropagating && values.includes(null) ? [] : this.#body(values);
    return rows[Symbol.iterator]();
  }
}

/** Gathers rows up to a batch. */
class Output {
  readonly #step: FlatMapStep;
  readonly #builders: readonly ColumnBuilder[];
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  #rows = 0;

  constructor(step: FlatMapStep, calls: number) {
    this.#step = step;
    this.#builders = step.calls.slice(0, calls).map((call) => columnBuilder(call.type));
  }

  add(batch: Batch, position: number, values: readonly (Value | undefined)[], out: Emit): void {
    this.#positions[this.#rows++] = position;
    this.#builders.forEach((builder, index) => builder.append(values[index] ?? null));
    if (this.#rows === BATCH_ROWS_MAX) this.flush(batch, out);
  }

  flush(batch: Batch, out: Emit): void {
    const rows = this.#rows;
    if (rows === 0) return;
    this.#rows = 0;
    const positions = this.#positions.subarray(0, rows);
    const carried = this.#step.carried.map((at) =>
      gatherColumn(batch.columns[at] as Column, positions),
    );
    out({
      schema: this.#step.schema,
      length: rows,
      selection: null,
      columns: [...carried, ...this.#builders.map((builder) => builder.finish())],
      valueNull: null,
      keyNull: gatherBitmap(batch.keyNull, positions),
      rowtime: gather(batch.rowtime, new Float64Array(rows), positions),
      op: batch.op && gather(batch.op, new Uint8Array(rows), positions),
      origin: batch.origin && gather(batch.origin, new Uint32Array(rows), positions),
    });
  }
}
