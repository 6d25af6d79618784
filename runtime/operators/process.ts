// Runs a processor in code on the records of a task: its calls, what it may see and what it emits; knows no catalog and no topic.

import { existing } from '../base/assert.ts';
import { messageOf, StatementError } from '../base/errors.ts';
import { PROCESSOR_ROWS_MAX } from '../base/limits.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import { valueAt } from '../data/column.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import { Draws } from '../expr/draws.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { EmitOptions, EmittedRow, Processor } from '../functions/user-processor.ts';
import { checked } from '../functions/user-values.ts';
import type { OutputStep, ProcessStep, Step } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { isGone } from './gone.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { CodeTable } from './process-table.ts';

export interface ProcessSurroundings {
  readonly context: OperatorContext;
  readonly registry: FunctionRegistry;
  /** The steps of the sub-topology. */
  readonly steps: readonly Step[];
}

/**
 * A processor in code, or one of its outputs.
 *
 * Shape: in rows of each input (key, window and value columns, then ROWPARTITION, ROWOFFSET and all headers); out rows of its outputs, each
 * batch with the schema of its `output` step, which lets no others pass.
 * @param inputs schemas of the inputs
 * @throws {StatementError} INVALID when the processor was not given, or is declared otherwise than when its query was made
 */
export function processing(
  step: ProcessStep | OutputStep,
  inputs: readonly Schema[],
  { context, registry, steps }: ProcessSurroundings,
): Operator {
  if (step.step === 'output') {
    const { schema } = step;
    return {
      name: 'output',
      schema,
      process: (_input, batch, out) => {
        if (batch.schema === schema) out(batch);
      },
    };
  }
  const outputs = steps.filter((of) => of.step === 'output' && of.input === step.id);
  return new CodeOperator(
    step,
    inputs,
    outputs as readonly OutputStep[],
    context,
    codeOf(step, registry),
  );
}

/** @throws {StatementError} INVALID */
function codeOf(
  { processor: name, declaration }: ProcessStep,
  registry: FunctionRegistry,
): Processor {
  const found = registry.processors.find((of) => of.name === name);
  if (found === undefined) {
    throw new StatementError(
      'INVALID',
      `the code of the processor ${name} is not here`,
      null,
      'Bring it along again and RESUME its query, which goes on where it was, or TERMINATE it.',
    );
  }
  for (const part of ['inputs', 'outputs', 'state'] as const) {
    const before = JSON.stringify(declaration[part]);
    const now = JSON.stringify(found.declaration[part]);
    if (before === now) continue;
    throw new StatementError(
      'INVALID',
      `the ${part} of the processor ${name} were ${before} and are declared as ${now}`,
      null,
      'Declare it as before and RESUME its query, or give it another name and TERMINATE the old one.',
    );
  }
  return found;
}

/** Makes an object of the columns of one role. */
type Shape = readonly { readonly property: string; readonly at: number }[];

class CodeOperator implements Operator {
  readonly name = 'process';
  readonly schema: Schema;
  readonly #code: Processor;
  readonly #context: OperatorContext;
  readonly #inputs: readonly InputRows[];
  readonly #outputs: readonly BatchBuilder[];
  readonly #tables: readonly CodeTable[];
  readonly #given: object;
  readonly #timeDraws: Draws;
  /** Where emitted batches go during a call of `process`. */
  #out: Emit = () => undefined;
  /** The rowtime and origin of what a call emits. */
  #rowtime = 0;
  #origin: number | null = null;
  #emitted = 0;
  #isCalled = false;
  /** What went wrong in ours while code was called, which may have caught it. */
  #fault: unknown = null;
  /** The next random number of the call. */
  #random: () => number = () => 0;

  constructor(
    step: ProcessStep,
    inputs: readonly Schema[],
    outputs: readonly OutputStep[],
    context: OperatorContext,
    code: Processor,
  ) {
    this.schema = step.schema;
    this.#code = code;
    this.#context = context;
    this.#inputs = inputs.map((schema, input) => new InputRows(schema, code, input, step.id));
    this.#outputs = code.outputs.map(({ property }) => {
      const found = outputs.find((of) => of.output === property);
      return new BatchBuilder(existing(found, 'output').schema);
    });
    const access = {
      rowtime: () => this.#rowtime,
      guarded: <T>(work: () => T): T => this.#guarded(work),
    };
    this.#tables = code.state.map(
      (of) => new CodeTable(`${step.id}.${of.name}`, of, context.state, access),
    );
    this.#timeDraws = new Draws(`${step.id} time`);
    this.#given = this.#contextOfCode();
  }

  #contextOfCode(): object {
    const { outputs, state } = this.#code;
    const read = <T>(work: () => T) => this.#guarded(work);
    const emit = outputs.map(({ property, sink }, index) => {
      const appends = new Appends(sink, this.#outputs[index] as BatchBuilder);
      const emitter = (row: EmittedRow, options: EmitOptions = {}): void =>
        this.#guarded(() => this.#emit(appends, row, options));
      return [property, emitter] as const;
    });
    const context = this.#context;
    const stream = () => context.streamTime.ms;
    const random = () => this.#guarded(() => this.#random());
    return Object.freeze({
      state: Object.freeze(
        Object.fromEntries(
          state.map(({ property }, index) => [property, this.#tables[index]?.given]),
        ),
      ),
      emit: Object.freeze(Object.fromEntries(emit)),
      get now() {
        return read(() => context.time().now);
      },
      get streamTime() {
        return read(stream);
      },
      random,
    });
  }

  process(input: number, batch: Batch, out: Emit): void {
    const rows = existing(this.#inputs[input], 'input');
    this.#out = out;
    for (let i = 0; i < batch.length; i++) {
      const at = positionOf(batch, i);
      const rowtime = batch.rowtime[at] ?? 0;
      this.#origin = batch.origin?.[at] ?? null;
      this.#advanceTo(rowtime);
      this.#random = () => rows.draws.draw(this.#context.time(), batch, at);
      this.#rowtime = rowtime;
      const record = rows.record(batch, at, rowtime);
      this.#call('process', () => this.#code.process(record, this.#given));
    }
    for (const builder of this.#outputs) this.#flush(builder);
  }

  /** Moves stream time and, where it comes to one of its turns, tells the code. */
  #advanceTo(ms: number): void {
    const { streamTime, time } = this.#context;
    const { onTimeEveryMs } = this.#code;
    const before = streamTime.ms;
    if (ms <= before) return;
    streamTime.ms = ms;
    if (onTimeEveryMs === null || before === -Infinity) return;
    const due = Math.floor(ms / onTimeEveryMs) * onTimeEveryMs;
    if (due <= before) return;
    // As for a row that no record triggered, whichever record it was that moved the time.
    const moment = { origin: null, rowtime: Float64Array.of(due) };
    this.#random = () => this.#timeDraws.draw(time(), moment, 0);
    this.#rowtime = due;
    this.#call('onTime', () => this.#code.onTime(due, this.#given));
  }

  /** Whatever code throws is the record's fault: nothing that it throws passes for an error of ours. */
  #call(what: string, work: () => unknown): void {
    this.#isCalled = true;
    this.#emitted = 0;
    this.#fault = null;
    try {
      refuseLater(work());
    } catch (thrown) {
      if (thrown !== this.#fault) {
        const message = `${what} of the processor ${this.#code.name} failed: ${messageOf(thrown)}`;
        this.#fault ??= new Error(message, { cause: thrown });
      }
    } finally {
      this.#isCalled = false;
    }
    if (this.#fault !== null) throw this.#fault;
  }

  /** Lets code use what it was given while it is called. Faults of ours are kept, because code may catch what it was not meant to. */
  #guarded<T>(work: () => T): T {
    if (!this.#isCalled)
      throw new TypeError(
        `the context of ${this.#code.name} is used after the call that it was for`,
      );
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof TypeError || thrown instanceof RangeError)) this.#fault ??= thrown;
      throw thrown;
    }
  }

  #emit(appends: Appends, row: EmittedRow, options: EmitOptions): void {
    const rowtime = options.rowtime ?? this.#rowtime;
    if (!Number.isSafeInteger(rowtime) || rowtime < 0)
      throw new RangeError(`${rowtime} is no rowtime: it is a whole number of ms from 1970 on`);
    const values = appends.valuesOf(row);
    this.#emitted += 1;
    if (this.#emitted > PROCESSOR_ROWS_MAX)
      throw new RangeError(`a call emits at most ${PROCESSOR_ROWS_MAX} rows (PROCESSOR_ROWS_MAX)`);
    if (appends.builder.isFull) this.#flush(appends.builder);
    appends.builder.append(values, rowtime, null, this.#origin);
  }

  #flush(builder: BatchBuilder): void {
    const batch = builder.finish();
    if (batch !== null) this.#out(batch);
  }

  changes(into: (change: StateBytes) => void): void {
    for (const table of this.#tables) table.changes(into);
  }
}

/** A promise would be kept after the commit: what it does could not be undone nor repeated. */
function refuseLater(result: unknown): void {
  if (typeof result !== 'object' || result === null || !('then' in result)) return;
  const { then } = result;
  if (typeof then !== 'function') return;
  // What it comes to is of no interest any more, and nobody else would catch it.
  then.call(result, undefined, () => undefined);
  throw new TypeError('it gave a promise: a processor is synchronous');
}

/** The records of one input as code sees them. */
class InputRows {
  readonly draws: Draws;
  readonly #source: string;
  readonly #keys: Shape;
  readonly #values: Shape;
  readonly #places: readonly [number, number, number];

  constructor(schema: Schema, { inputs }: Processor, input: number, step: string) {
    const declared = existing(inputs[input], 'input');
    // Several inputs may be of one topic: the same record draws other numbers in each.
    this.draws = new Draws(`${step} ${input}`);
    this.#source = declared.property;
    const { columns } = schema;
    const known = (of: SchemaColumn) =>
      declared.columns?.[of.role === 'value' ? 'value' : 'key'].find(
        ({ name }) => name === of.name,
      );
    const shape = (isOf: (column: SchemaColumn) => boolean): Shape => {
      const own = columns.filter(isOf);
      return own.map((column) => ({
        property: known(column)?.property ?? propertyOf(column.name, own),
        at: columns.indexOf(column),
      }));
    };
    this.#keys = shape(({ role }) => role === 'key' || role === 'window');
    this.#values = shape(({ role }) => role === 'value');
    this.#places = [columns.length - 3, columns.length - 2, columns.length - 1];
  }

  record(batch: Batch, at: number, rowtime: number): object {
    const [partition, offset, headers] = this.#places;
    const headerValues = cell(batch, headers, at) as readonly Value[] | null;
    return {
      source: this.#source,
      key: rowOf(batch, at, this.#keys),
      value: isGone(batch, at) ? null : rowOf(batch, at, this.#values),
      rowtime,
      partition: Number(cell(batch, partition, at)),
      offset: Number(cell(batch, offset, at)),
      headers: (headerValues ?? []).map((header) => {
        const [name, value] = header as readonly [string, Uint8Array | null];
        return { name, value };
      }),
    };
  }
}

/** In lower case where SQL needs no quotes for the name, and no other column is called so. */
function propertyOf(name: string, columns: readonly SchemaColumn[]): string {
  const lower = name.toLowerCase();
  const isPlain = /^[A-Z_][A-Z0-9_]*$/.test(name) && !columns.some((of) => of.name === lower);
  return isPlain ? lower : name;
}

function cell(batch: Batch, column: number, at: number): Value {
  return valueAt(existing(batch.columns[column], 'column'), at);
}

function rowOf(batch: Batch, at: number, shape: Shape): Readonly<Record<string, Value>> {
  const row: Record<string, Value> = {};
  for (const { property, at: column } of shape) row[property] = cell(batch, column, at);
  return row;
}

/** Where rows of one output are built. */
class Appends {
  readonly builder: BatchBuilder;
  readonly #sink: string;
  readonly #columns: ReadonlyMap<string, number>;

  constructor(sink: string, builder: BatchBuilder) {
    this.builder = builder;
    this.#sink = sink;
    this.#columns = new Map(builder.schema.columns.map(({ name }, index) => [name, index]));
  }

  /** @throws {TypeError} for a column that the stream does not have, or a value that is not of its type */
  valuesOf(row: EmittedRow): readonly Value[] {
    const { columns } = this.builder.schema;
    const values: Value[] = columns.map(() => null);
    for (const [property, value] of Object.entries(row)) {
      const at = this.#columns.get(property) ?? this.#columns.get(property.toUpperCase());
      const column = at === undefined ? undefined : columns[at];
      if (at === undefined || column === undefined)
        throw new TypeError(`${this.#sink} has no column ${property}`);
      values[at] = valueOf(`${this.#sink}.${column.name}`, column, value);
    }
    return values;
  }
}

function valueOf(name: string, { type }: SchemaColumn, value: Value): Value {
  try {
    return checked(name, type, value);
  } catch (thrown) {
    throw new TypeError(messageOf(thrown), { cause: thrown });
  }
}
