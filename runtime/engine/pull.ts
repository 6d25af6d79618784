// Answers pull queries from committed state: finds rows by key and window, finishes them, filters and projects; knows no task in memory.

import { InvariantError, LimitError } from '../base/errors.ts';
import { BATCH_ROWS_MAX, PULL_ROWS_MAX } from '../base/limits.ts';
import { ByteWriter, concatBytes } from '../base/bytes.ts';
import { partitionOf } from '../base/hash.ts';
import type { Range } from '../analyze/analysis.ts';
import { type Batch, select, slice } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import { columnOf } from './insert-rows.ts';
import { decodeCells } from '../data/cells.ts';
import type { Column } from '../data/column.ts';
import { decodeKey, encodeKey, windowKey, windowRange } from '../data/key.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { BIGINT, INTEGER, type Type, type Value } from '../data/type.ts';
import { compile, compilePredicate, type Evaluation } from '../expr/evaluate.ts';
import type { Formats } from '../formats/serde.ts';
import { bodyOfCall, resultOrNull } from '../functions/aggregate-call.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { filter } from '../operators/filter.ts';
import type { Operator, OperatorContext } from '../operators/operator.ts';
import { project } from '../operators/project.ts';
import type { PullPlan } from '../plan/pull.ts';
import { type AggregateStep, type Plan, type Step, stepById } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entry, KeyRange, StateReader, TaskId } from '../ports/store.ts';
import { subtopologyOf, taskId } from '../task/topology.ts';
import { withParts } from '../task/with-parts.ts';
import { asAnswer } from './query-rows.ts';

export interface PullOptions {
  readonly pull: PullPlan;
  /** The plan of the query whose state is asked. */
  readonly plan: Plan;
  /** Committed state of one task; null when it never committed. */
  readonly reader: (task: TaskId) => Promise<StateReader | null>;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly clock: Clock;
}

export interface PullAnswer {
  /** Columns in the order of the SELECT. */
  readonly schema: Schema;
  readonly batches: readonly Batch[];
}

/**
 * Reads the answer. All of it shows one committed state of each partition.
 * @throws {LimitError} PULL_ROWS_MAX, when more rows answer
 */
export async function answerPull(options: PullOptions): Promise<PullAnswer> {
  const { pull } = options;
  const { finish, finder, asked } = await withParts(() => ({
    finish: new Finish(options),
    finder: new Finder(options),
    asked: partitionsToAsk(options),
  }));
  const batches: Batch[] = [];
  let rows = 0;
  for (const [partition, keys] of asked) {
    const task = taskId({ query: pull.query, subtopology: pull.table.subtopology, partition });
    const reader = await options.reader(task);
    if (reader === null) continue;
    for (const found of finder.find(reader, keys)) {
      const wanted = Math.min(PULL_ROWS_MAX + 1, pull.limit ?? Infinity) - rows;
      const answered = finish.apply(found, partition);
      const kept = answered === null ? null : slice(answered, 0, wanted);
      if (kept === null) continue;
      rows += kept.length;
      batches.push(kept);
      if (rows > PULL_ROWS_MAX) {
        throw new LimitError(
          'PULL_ROWS_MAX',
          `more than ${PULL_ROWS_MAX} rows answer; add LIMIT, or ask for keys`,
        );
      }
      if (rows === pull.limit) return { schema: finish.schema, batches };
    }
  }
  return { schema: finish.schema, batches };
}

type Keys = readonly (readonly Value[])[] | null;

/** Which partitions hold the keys, and which keys each; null keys: all rows. */
function partitionsToAsk({ pull, plan, formats }: PullOptions): ReadonlyMap<number, Keys> {
  const { partitions } = subtopologyOf(plan, pull.table.subtopology);
  const asked = new Map<number, (readonly Value[])[] | null>();
  if (pull.access === 'scan') {
    for (let partition = 0; partition < partitions; partition++) asked.set(partition, null);
    return asked;
  }
  const columns = pull.table.schema.columns.filter((column) => column.role === 'key');
  const encoder = formats.get(pull.table.keyFormat.format)?.encoder(columns, pull.table.keyFormat);
  if (encoder === undefined)
    throw new InvariantError(`there is no format ${pull.table.keyFormat.format}`);
  const bytes = new ByteWriter();
  for (const key of pull.keys) {
    const cells = columns.map(({ type }, index) => columnOf(type, key[index] ?? null));
    bytes.truncate(0);
    const partition = encoder.encode(cells, 0, bytes)
      ? partitionOf(bytes.buffer, partitions, 0, bytes.position)
      : 0;
    const known = asked.get(partition);
    if (known === undefined || known === null) asked.set(partition, [key]);
    else known.push(key);
  }
  return asked;
}

/** Finds rows of the state table and decodes them to its schema. */
class Finder {
  readonly #pull: PullPlan;
  readonly #keyTypes: readonly Type[];
  readonly #decode: (bytes: Uint8Array) => { rowtime: number; values: readonly Value[] };
  readonly #values: readonly number[];

  constructor({ pull, plan, registry }: PullOptions) {
    const { schema, holds, table } = pull.table;
    this.#pull = pull;
    this.#keyTypes = columnsWithRole(schema, 'key').map((at) => typeAt(schema, at));
    this.#values = [...columnsWithRole(schema, 'value'), ...columnsWithRole(schema, 'pseudo')];
    if (holds === 'row') {
      const types = this.#values.map((at) => typeAt(schema, at));
      this.#decode = (bytes) => decodeCells(types, bytes);
    } else {
      this.#decode = resultsOf(aggregateStep(plan, table), plan, registry);
    }
  }

  *find(reader: StateReader, keys: Keys): Iterable<Batch> {
    const builder = new BatchBuilder(this.#pull.table.schema);
    const { pending } = this.#pull.table;
    for (const { key, value } of this.#entries(reader, keys)) {
      if (pending !== undefined && reader.get(pending, this.#pendingKey(key)) !== null) continue;
      if (!this.#append(builder, key, value) || builder.length < BATCH_ROWS_MAX) continue;
      const batch = builder.finish();
      if (batch !== null) yield batch;
    }
    const rest = builder.finish();
    if (rest !== null) yield rest;
  }

  *#entries(reader: StateReader, keys: Keys): Iterable<Entry> {
    const { table, windowStart, windowEnd } = this.#pull;
    const { fromMs, toMs } = table.window?.type === 'SESSION' ? windowEnd : windowStart;
    const isWindowed = columnsWithRole(table.schema, 'window').length > 0;
    if (keys === null) {
      yield* reader.scan(table.table, ALL);
      return;
    }
    for (const key of keys) {
      const bytes = encodeKey(this.#keyTypes, key);
      if (isWindowed) {
        yield* reader.scan(table.table, windowRange(bytes, fromMs, toMs));
      } else {
        const value = reader.get(table.table, bytes);
        if (value !== null) yield { key: bytes, value };
      }
    }
  }

  /** The key under which a row of the state table is held back while its window is open: window end, start, then the key's columns. */
  #pendingKey(key: Uint8Array): Uint8Array {
    const { window } = this.#pull.table;
    const { windowStart, windowEnd } = decodeKey(this.#keyTypes, key);
    const start = Number(windowStart);
    const end = windowEnd === null ? start + (window?.sizeMs ?? 0) : Number(windowEnd);
    const bounds = windowKey(new Uint8Array(0), start, end);
    const columns = key.subarray(0, key.length - (windowEnd === null ? 8 : 16));
    return concatBytes([bounds, columns]);
  }

  /** @returns false when the row's window is not asked for */
  #append(builder: BatchBuilder, key: Uint8Array, value: Uint8Array): boolean {
    const { table, windowStart, windowEnd } = this.#pull;
    const decoded = decodeKey(this.#keyTypes, key);
    const row: Value[] = [...decoded.values];
    const windows = columnsWithRole(table.schema, 'window');
    if (windows.length > 0) {
      const start = decoded.windowStart ?? 0n;
      const end = decoded.windowEnd ?? start + BigInt(table.window?.sizeMs ?? 0);
      if (!isWithin(windowStart, Number(start)) || !isWithin(windowEnd, Number(end))) return false;
      row.push(start, end);
    }
    const { rowtime, values } = this.#decode(value);
    this.#values.forEach((at, index) => {
      row[at] = values[index] ?? null;
    });
    builder.append(row, rowtime);
    return true;
  }
}

const ALL: KeyRange = { from: null, to: null };

function isWithin({ fromMs, toMs }: Range, ms: number): boolean {
  return (fromMs === null || ms >= fromMs) && (toMs === null || ms <= toMs);
}

function aggregateStep(plan: Plan, id: string): AggregateStep {
  const step = stepById(plan, id);
  if (step?.step !== 'aggregate') throw new InvariantError(`step ${id} is no aggregation`);
  return step;
}

/** From the accumulator cells of a group to the results of its calls. */
function resultsOf(step: AggregateStep, plan: Plan, registry: FunctionRegistry) {
  const input = stepById(plan, step.input)?.schema;
  const bodies = step.calls.map((call) => {
    if (input === undefined) throw new InvariantError(`step ${step.id} has no input`);
    const types = call.arguments.map((at) => typeAt(input, at));
    return bodyOfCall(call, types, registry);
  });
  const types = bodies.flatMap((body) => body.cells);
  return (bytes: Uint8Array) => {
    const { rowtime, values } = decodeCells(types, bytes);
    let from = 0;
    const results = bodies.map((body) => {
      const cells = values.slice(from, (from += body.cells.length));
      return resultOrNull(body, cells);
    });
    return { rowtime, values: results };
  };
}

/** From rows of the state table to rows of the answer. */
class Finish {
  readonly schema: Schema;
  readonly #pull: PullPlan;
  readonly #steps: readonly Operator[];
  readonly #evaluation: Evaluation;
  readonly #predicate: ((batch: Batch) => Uint32Array) | null;
  readonly #columns: readonly ((batch: Batch) => Column)[];

  constructor({ pull, registry, clock }: PullOptions) {
    const { order, schema, expressions } = pull.projection;
    this.#pull = pull;
    this.schema = { columns: order.flatMap((index) => schema.columns[index] ?? []) };
    const now = clock.now();
    // A question leaves no trace: what fails is null in its answer.
    const failed = (): void => undefined;
    const context = { now, random: () => Math.random(), itemFailed: failed };
    const evaluation: Evaluation = { at: () => context, failed };
    this.#evaluation = evaluation;
    this.#steps = pull.steps.map((step) => operatorOf(step, pull.table.schema, registry, now));
    const predicate = pull.filter === null ? null : compilePredicate(pull.filter, registry);
    this.#predicate = predicate === null ? null : (batch) => predicate(batch, evaluation);
    this.#columns = expressions.map((expression) => {
      const compute = compile(expression, registry);
      return (batch: Batch) => compute(batch, this.#evaluation);
    });
  }

  apply(found: Batch, partition: number): Batch | null {
    let batch: Batch | null = found;
    for (const step of this.#steps) batch = batch === null ? null : only(step, batch);
    if (batch === null) return null;
    const row: Batch | null = withPseudoColumns(batch, this.#pull.row, partition);
    const passed = this.#predicate === null ? row : select(row, this.#predicate(row));
    if (passed === null) return null;
    const { projection } = this.#pull;
    const columns = this.#columns.map((compute) => compute(passed));
    return asAnswer(
      { ...passed, schema: projection.schema, columns },
      this.schema,
      projection.order,
    );
  }
}

/** Stateless steps emit at most one batch for one. */
function only(step: Operator, batch: Batch): Batch | null {
  let emitted: Batch | null = null;
  step.process(0, batch, (out) => {
    emitted = out;
  });
  return emitted;
}

function operatorOf(step: Step, input: Schema, registry: FunctionRegistry, now: number): Operator {
  const context: OperatorContext = {
    state: { get: () => null, scan: () => [] },
    streamTime: { ms: -Infinity },
    report: () => undefined,
    count: () => undefined,
    time: () => ({ now, seed: 0 }),
  };
  if (step.step === 'project') return project(step, input, context, registry);
  // What a table filter keeps is what passes: its own state only serves to tell what had passed before.
  if (step.step === 'tableFilter')
    return filter({ ...step, step: 'filter' }, input, context, registry);
  if (step.step === 'filter') return filter(step, input, context, registry);
  throw new InvariantError(`a ${step.step} does not stand behind a state table`);
}

/** The columns of the source, then ROWTIME, ROWPARTITION and ROWOFFSET; rows of a table have no offset. */
function withPseudoColumns(batch: Batch, row: Schema, partition: number): Batch {
  const rows = batch.rowtime.length;
  const columns = row.columns.map((column, index): Column => {
    if (column.role !== 'pseudo') {
      const found = batch.columns[index];
      if (found === undefined) throw new InvariantError(`the state has no column ${column.name}`);
      return found;
    }
    switch (column.name) {
      case 'ROWTIME':
        return {
          type: BIGINT,
          validity: null,
          storage: 'i64',
          values: BigInt64Array.from(batch.rowtime, (ms) => BigInt(Math.trunc(ms) || 0)),
        };
      case 'ROWPARTITION':
        return {
          type: INTEGER,
          validity: null,
          storage: 'i32',
          values: new Int32Array(rows).fill(partition),
        };
      default:
        return {
          type: column.type,
          validity: new Uint8Array((rows + 7) >> 3),
          storage: 'i64',
          values: new BigInt64Array(rows),
        };
    }
  });
  return { ...batch, schema: row, columns };
}

function typeAt(schema: Schema, at: number): Type {
  const column = schema.columns[at];
  if (column === undefined) throw new InvariantError(`there is no column ${at}`);
  return column.type;
}
