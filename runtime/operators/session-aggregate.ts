// Aggregates rows by key into sessions, which grow and merge as rows come; the row path. Knows no kernel and no store.

import { InvariantError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { columnBuilder, type ColumnBuilder } from '../data/builder.ts';
import { bitAt, bitmap, type Bitmap, type Column, setBit, valueAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { BIGINT, type Value } from '../data/type.ts';
import type { AggregateBody, FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { GroupKeys, NO_GROUP } from '../state/group-keys.ts';
import { GroupNames } from '../state/group-names.ts';
import { guardedCall, type RowContext } from '../state/generic-accumulators.ts';
import { type Session, SessionTable } from '../state/session-table.ts';
import { aggregateCalls, rowContext } from './aggregate-calls.ts';
import { carriedOver } from './output-columns.ts';
import { LateRows } from './late-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { isSessionClosed } from './window-close.ts';
import { isRowtime } from './window-time.ts';

/** Rows that one row can make: two sessions go, one comes. */
const ROWS_OUT_MAX = 3;

/**
 * A row joins the sessions that are within a gap of it, which become one; else it begins a session.
 *
 * Shape: in n rows [key..., value...] of a stream; out for each accepted row a Delete of every session that went, then the new one
 * [key..., windowStart, windowEnd, result...], an Insert; only where the session keeps its bounds and those are the row's own, an UpdateAfter
 * alone. windowEnd is inclusive, the rowtime of the session's last row, and the rowtime of the rows put out.
 *
 * A row is late when the session that it would make has closed (see window-close.ts). Without a RETENTION beyond the gap and grace,
 * a session that has closed never changes.
 * Source: Kafka Streams, KStreamSessionWindowAggregate.
 */
export function sessionAggregate(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  return new SessionAggregate(step, input, context, registry);
}

interface Call {
  readonly body: AggregateBody;
  readonly merge: NonNullable<AggregateBody['merge']>;
  readonly arguments: readonly number[];
  /** Where its cells begin among those of a session. */
  readonly at: number;
}

class SessionAggregate implements Operator {
  readonly name = 'sessionAggregate';
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #window: WindowSpec;
  readonly #calls: readonly Call[];
  readonly #table: SessionTable;
  readonly #keys: GroupKeys;
  readonly #output: SessionOutput;
  readonly #late: LateRows;
  readonly #rows: RowContext;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    registry: FunctionRegistry,
  ) {
    if (step.window === null || step.old || step.over === 'table') {
      throw new InvariantError('sessions are of streams, and have no old rows');
    }
    this.schema = step.schema;
    this.#context = context;
    this.#window = step.window;
    this.#calls = callsOf(step, input, registry);
    const names = new GroupNames(input);
    const keyTypes = input.columns.flatMap(({ role, type }) => (role === 'key' ? [type] : []));
    const cellTypes = this.#calls.flatMap(({ body }) => body.cells);
    const { state } = context;
    this.#table = new SessionTable({ table: step.id, state, names, keyTypes, cellTypes });
    this.#keys = new GroupKeys(names, this.#table.index);
    this.#rows = rowContext(step, context);
    this.#output = new SessionOutput(step.schema, names, this.#calls, this.#rows);
    this.#late = new LateRows(context);
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const groups = this.#keys.assign(batch);
    const { streamTime } = this.#context;
    for (let i = 0; i < batch.length; i++) {
      const group = groups[i] as number;
      const position = positionOf(batch, i);
      const ms = batch.rowtime[position] as number;
      const isNull = batch.valueNull !== null && bitAt(batch.valueNull, position);
      if (group === NO_GROUP || isNull || !isRowtime(ms)) {
        this.#late.drop(batch.origin, position, group === NO_GROUP || isNull ? null : ms);
        continue;
      }
      streamTime.ms = Math.max(streamTime.ms, ms);
      if (this.#output.isFull) this.#output.flush(batch, out);
      this.#take(batch, group, position, ms);
    }
    this.#output.flush(batch, out);
    this.#late.end();
  }

  #take(batch: Batch, group: number, position: number, ms: number): void {
    const { sizeMs: gapMs, retentionMs } = this.#window;
    const now = this.#context.streamTime.ms;
    // A session whose retention is over is gone, whether or not the store still has it.
    const near = this.#table
      .sessions(group, now - retentionMs)
      .filter(({ startMs, endMs }) => startMs <= ms + gapMs && endMs >= ms - gapMs);
    let startMs = ms;
    let endMs = ms;
    for (const session of near) {
      startMs = Math.min(startMs, session.startMs);
      endMs = Math.max(endMs, session.endMs);
    }
    if (isSessionClosed(this.#window, endMs, now)) {
      this.#late.add(batch.origin, position, 1, 1);
      return;
    }
    const made = { startMs, endMs, cells: this.#folded(batch, position, near) };
    const isSame = near.length > 0 && startMs === ms && endMs === ms;
    if (!isSame) for (const session of near) this.#output.add(batch, position, session, Op.Delete);
    this.#output.add(batch, position, made, isSame ? Op.UpdateAfter : Op.Insert);
    this.#table.replace(group, near, made);
  }

  /** The cells of all of them together, and the row. */
  #folded(batch: Batch, position: number, sessions: readonly Session[]): Value[] {
    const offset = this.#rows.offset(batch, position);
    return this.#calls.flatMap(({ body, merge, arguments: given, at }, call) => {
      const cells = body.initial();
      for (const session of sessions) merge(cells, session.cells.slice(at, at + cells.length));
      const values = given.map((index) => valueAt(batch.columns[index] as Column, position));
      guardedCall(this.#rows, batch, position, call, () => body.add(cells, values, offset));
      return cells;
    });
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
  }

  changes(into: (change: StateBytes) => void): void {
    if (this.#table.changes(into)) this.#keys.reset(this.#table.index);
  }
}

function callsOf(step: AggregateStep, input: Schema, registry: FunctionRegistry): Call[] {
  let at = 0;
  return aggregateCalls(step, input, registry).map(({ body, arguments: given }, index) => {
    const { merge } = body;
    if (merge === null) {
      throw new InvariantError(
        `${step.calls[index]?.signature} cannot be merged, so not per session`,
      );
    }
    const call = { body, merge, arguments: given, at };
    at += body.cells.length;
    return call;
  });
}

/** The rows put out for rows of one batch. */
class SessionOutput {
  readonly #schema: Schema;
  readonly #names: GroupNames;
  readonly #calls: readonly Call[];
  readonly #results: readonly ColumnBuilder[];
  readonly #positions = new Uint32Array(BATCH_ROWS_MAX);
  readonly #rowtime = new Float64Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  readonly #starts = new BigInt64Array(BATCH_ROWS_MAX);
  readonly #ends = new BigInt64Array(BATCH_ROWS_MAX);
  readonly #context: RowContext;
  #valueNull: Bitmap | null = null;
  #rows = 0;

  constructor(schema: Schema, names: GroupNames, calls: readonly Call[], context: RowContext) {
    this.#context = context;
    this.#schema = schema;
    this.#names = names;
    this.#calls = calls;
    this.#results = schema.columns.flatMap(({ role, type }) =>
      role === 'value' ? [columnBuilder(type)] : [],
    );
  }

  /** True when a row may need more room than there is. */
  get isFull(): boolean {
    return this.#rows + ROWS_OUT_MAX > BATCH_ROWS_MAX;
  }

  /** The session as the row at `position` has left it; a Delete has its key alone. */
  add(batch: Batch, position: number, { startMs, endMs, cells }: Session, op: Op): void {
    const row = this.#rows++;
    this.#positions[row] = position;
    this.#rowtime[row] = endMs;
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
