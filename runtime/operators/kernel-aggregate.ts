// Aggregates rows by key in the WebAssembly kernel: the kernel path, the same answers and state bytes as the row path.

import { assert } from '../base/assert.ts';
import { InvariantError, LimitError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { Kernel, type KernelColumn, type KernelOutput, NULL_GROUP } from '../kernel/instance.ts';
import type { ArgumentType, KernelProgram } from '../kernel/program.ts';
import type { AggregateCall, AggregateStep } from '../plan/step.ts';
import type { StateBlock, StateBytes } from '../ports/store.ts';
import { GroupNames } from '../state/group-names.ts';
import { KernelIds } from './kernel-ids.ts';
import { KernelState } from './kernel-state.ts';
import { LateRows } from './late-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { carriedOver, WindowColumns } from './output-columns.ts';
import { isRowtime } from './window-time.ts';

/**
 * As `aggregate`, for a stream, without old rows, unwindowed or tumbling, and for the calls of KERNEL_AGGREGATES.
 *
 * When the kernel has no room for a row, what it has changed is set aside and it is made anew with the groups that the rest of
 * the input needs: its memory bounds the groups of one batch, not those of the query.
 * Cost: copies the columns in and the results out once; no loop over rows in JavaScript but for the ids of groups.
 * @throws {LimitError} when the groups of one batch do not fit
 */
export function kernelAggregate(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  _registry: FunctionRegistry,
  module: WebAssembly.Module,
): Operator {
  return new KernelAggregate(step, input, context, module);
}

class KernelAggregate implements Operator {
  readonly name = 'kernelAggregate';
  readonly schema: Schema;
  readonly #module: WebAssembly.Module;
  readonly #context: OperatorContext;
  readonly #program: KernelProgram;
  readonly #windows: WindowColumns | null;
  readonly #resultTypes: readonly Type[];
  /** Positions of the program's arguments in the input. */
  readonly #arguments: readonly number[];
  readonly #names: GroupNames;
  readonly #state: KernelState;
  readonly #late: LateRows;
  #kernel: Kernel;
  #ids: KernelIds;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    module: WebAssembly.Module,
  ) {
    assert(
      !step.old && step.over === 'stream',
      'the kernel aggregates streams and keeps no old rows',
    );
    this.schema = step.schema;
    this.#module = module;
    this.#context = context;
    this.#arguments = argumentsOf(step.calls);
    this.#program = programOf(step, input, this.#arguments);
    this.#windows = step.window === null ? null : new WindowColumns(step.window.sizeMs);
    this.#resultTypes = step.calls.map((call) => call.type);
    this.#names = new GroupNames(input);
    this.#state = new KernelState(step.id, context.state, this.#names, step.window !== null);
    this.#late = new LateRows(context);
    this.#kernel = this.#start();
    this.#ids = new KernelIds(this.#names, this.#kernel);
  }

  #start(): Kernel {
    const kernel = new Kernel(this.#module, this.#program);
    kernel.advanceStreamTime(this.#context.streamTime.ms);
    return kernel;
  }

  process(_side: number, batch: Batch, out: Emit): void {
    let rest: Batch = batch;
    let isFresh = false;
    for (;;) {
      const consumed = this.#processSome(rest, out);
      if (consumed === rest.length) break;
      // A kernel that was just made and takes no row has no room for one.
      if (consumed === 0 && isFresh) {
        throw new LimitError(
          'KERNEL_MEMORY_BYTES_MAX',
          'the groups of one batch do not fit the kernel',
        );
      }
      this.#state.setAside(this.#kernel);
      this.#kernel = this.#start();
      this.#ids = new KernelIds(this.#names, this.#kernel);
      isFresh = true;
      rest = behind(rest, consumed);
    }
    this.#late.end();
  }

  /** Takes rows in until there is no room for one; how many. */
  #processSome(batch: Batch, out: Emit): number {
    const kernel = this.#kernel;
    const { selection, length, rowtime } = batch;
    try {
      const ids = this.#ids.assign(batch);
      const rows = { length, selection, ids, rowtime };
      this.#state.bring(kernel, rows);
      const args = this.#arguments.map((position) => kernelColumn(batch.columns[position]));
      const output = kernel.process({ ...rows, arguments: args });
      this.#context.streamTime.ms = Math.max(this.#context.streamTime.ms, kernel.streamTime);
      this.#reportRows(batch, output, this.#ids.current);
      if (output.length > 0) this.#emit(batch, output, out);
      return output.consumed;
    } catch (thrown) {
      if (thrown instanceof LimitError) return 0;
      throw thrown;
    }
  }

  #reportRows(batch: Batch, output: KernelOutput, ids: Uint32Array): void {
    for (const position of output.late) this.#late.add(batch.origin, position, 1, 1);
    if (output.invalid === 0 && !this.#ids.hasNulls) return;
    for (let i = 0; i < output.consumed; i++) {
      const position = batch.selection?.[i] ?? i;
      const ms = batch.rowtime[position] as number;
      if (ids[position] === NULL_GROUP) this.#late.drop(batch.origin, position, null);
      else if (!isRowtime(ms)) this.#late.drop(batch.origin, position, ms);
    }
  }

  #emit(batch: Batch, output: KernelOutput, out: Emit): void {
    const { length } = output;
    // Everything the kernel shows is a view that its next call overwrites: it is copied, or read, before that.
    const rows = output.rows as Uint32Array;
    const { keys, origin } = carriedOver(batch, this.#names.columns(batch), rows, false);
    const op = output.op.slice();
    const windows = this.#windows?.columns(output.windowStart, length) ?? [];
    const results = this.#kernel.results();
    const rowtime = results.rowtime.slice();
    const columns = results.columns.map((column, index) =>
      resultColumn(column, this.#resultTypes[index] as Type),
    );
    out({
      schema: this.schema,
      length,
      selection: null,
      columns: [...keys, ...windows, ...columns],
      valueNull: null,
      keyNull: null,
      rowtime,
      op,
      origin,
    });
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
    this.#kernel.advanceStreamTime(ms);
  }

  changes(
    into: (change: StateBytes) => void,
    intoBlock: ((block: StateBlock) => void) | null = null,
  ): void {
    this.#state.changes(this.#kernel, into, intoBlock);
    this.#kernel.expire();
  }
}

/** The rows behind the first `consumed`. */
function behind(batch: Batch, consumed: number): Batch {
  const left = batch.length - consumed;
  const selection =
    batch.selection?.subarray(consumed) ??
    Uint32Array.from({ length: left }, (_, i) => consumed + i);
  return { ...batch, selection, length: left };
}

/** Each argument column once: calls of one column share the kernel's work. */
function argumentsOf(calls: readonly AggregateCall[]): number[] {
  return [...new Set(calls.flatMap((call) => call.arguments))];
}

function programOf(
  step: AggregateStep,
  input: Schema,
  positions: readonly number[],
): KernelProgram {
  const { window } = step;
  assert(
    window === null || (window.type === 'TUMBLING' && window.advanceMs === window.sizeMs),
    'the kernel has tumbling windows',
  );
  return {
    arguments: positions.map((position) => argumentType(input.columns[position]?.type)),
    aggregates: step.calls.map((call) => ({
      function: kernelFunction(call),
      argument: call.arguments[0] === undefined ? null : positions.indexOf(call.arguments[0]),
    })),
    window: window === null ? null : { sizeMs: window.sizeMs, graceMs: window.graceMs },
    output: 'rows',
  };
}

function kernelFunction(call: AggregateCall): KernelProgram['aggregates'][number]['function'] {
  switch (call.function) {
    case 'COUNT':
    case 'SUM':
    case 'MIN':
    case 'MAX':
    case 'AVG':
      return call.function;
    default:
      throw new InvariantError(`the kernel has no ${call.signature}`);
  }
}

function argumentType(type: Type | undefined): ArgumentType {
  switch (type?.kind) {
    case 'INTEGER':
      return 'I32';
    case 'BIGINT':
      return 'I64';
    case 'DOUBLE':
      return 'F64';
    default:
      throw new InvariantError('the kernel aggregates INTEGER, BIGINT and DOUBLE');
  }
}

function kernelColumn(column: Column | undefined): KernelColumn {
  if (column?.storage === 'i32' || column?.storage === 'i64' || column?.storage === 'f64')
    return column;
  throw new InvariantError('the kernel takes i32, i64 and f64 columns');
}

/** A copy of a column of results. */
function resultColumn(column: KernelColumn, type: Type): Column {
  const validity = column.validity?.slice() ?? null;
  const { values } = column;
  if (values instanceof Float64Array)
    return { type, validity, storage: 'f64', values: values.slice() };
  if (values instanceof Int32Array)
    return { type, validity, storage: 'i32', values: values.slice() };
  return { type, validity, storage: 'i64', values: values.slice() };
}
