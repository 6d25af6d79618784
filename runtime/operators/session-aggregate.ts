// Aggregates rows by key into sessions, which grow and merge as rows come; the row path. Knows no store, and of the kernel where its path begins.

import { assert } from '../base/assert.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { AggregateBody, FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { GroupKeys } from '../state/group-keys.ts';
import { GroupNames } from '../state/group-names.ts';
import type { Accumulators } from '../state/accumulators.ts';
import { SessionTable } from '../state/session-table.ts';
import { accumulatorsOf } from './accumulators.ts';
import { rowContext } from './aggregate-calls.ts';
import { WHOLE_KERNEL } from './parts.ts';
import { LateRows } from './rarer-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { SessionOutput } from './session-output.ts';
import { isUsable } from './usable-rows.ts';
import { isSessionClosed } from './window-close.ts';
import { isOverNow } from './window-over.ts';
import { ownCells, type WindowCall, windowCalls } from './window-output.ts';

/**
 * A row joins the sessions that are within a gap of it, which become one; else it begins a session.
 *
 * Shape: in n rows [key..., value...] of a stream; out for each accepted row a Delete of every session that went, then the new one
 * [key..., windowStart, windowEnd, result...], an Insert; only where the session keeps its bounds and those are the row's own, an UpdateAfter
 * alone. windowEnd is inclusive, the rowtime of the session's last row, and the rowtime of the rows put out.
 *
 * A row is late when the session that it would make has closed (see window-close.ts). Without a RETENTION beyond the gap and grace,
 * a session that has closed never changes.
 * Cost: a look-up a row, then one typed loop a call; no object a row.
 * @param kernel a whole one, where the step is to run there
 * Source: Kafka Streams, KStreamSessionWindowAggregate.
 */
export function sessionAggregate(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
  kernel: WebAssembly.Module | null = null,
): Operator {
  const byRows = (given: OperatorContext): Operator =>
    new SessionAggregate(step, input, given, registry);
  return kernel !== null && step.run.path === 'kernel'
    ? WHOLE_KERNEL.code.kernelSessions(step, input, context, kernel, byRows)
    : byRows(context);
}

class SessionAggregate implements Operator {
  readonly name = 'sessionAggregate';
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #window: WindowSpec;
  readonly #calls: readonly WindowCall[];
  readonly #cellTypes: readonly Type[];
  readonly #accumulators: Accumulators;
  readonly #table: SessionTable;
  readonly #keys: GroupKeys;
  readonly #output: SessionOutput;
  readonly #late: LateRows;
  /** Nobody asks for sessions that are over. */
  readonly #isPrivate: boolean;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    registry: FunctionRegistry,
  ) {
    this.schema = step.schema;
    this.#context = context;
    const { window, calls, keyTypes, cellTypes } = windowCalls(step, input, registry);
    this.#window = window;
    this.#calls = calls;
    this.#cellTypes = cellTypes;
    const names = new GroupNames(input);
    const { state } = context;
    const accumulators = accumulatorsOf(step, input, calls, rowContext(step, context));
    this.#accumulators = accumulators;
    this.#table = new SessionTable({ table: step.id, state, names, keyTypes, accumulators });
    this.#keys = new GroupKeys(names, this.#table.index);
    this.#output = new SessionOutput(step.schema, names, accumulators);
    this.#late = new LateRows(context);
    this.#isPrivate = isOverNow(this.#window, context) !== null;
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const groups = this.#keys.assign(batch);
    const { streamTime } = this.#context;
    for (let i = 0; i < batch.length; i++) {
      const group = groups[i] as number;
      const position = positionOf(batch, i);
      if (!isUsable(batch, group, position, this.#late)) continue;
      const ms = batch.rowtime[position] as number;
      streamTime.ms = Math.max(streamTime.ms, ms);
      this.#take(batch, group, position, ms, out);
    }
    this.#flush(batch, out);
    this.#late.end();
  }

  #flush(batch: Batch, out: Emit): void {
    this.#output.flush(batch, out);
    this.#table.folded();
  }

  #take(batch: Batch, group: number, position: number, ms: number, out: Emit): void {
    const { sizeMs: gapMs, retentionMs } = this.#window;
    const now = this.#context.streamTime.ms;
    // A session whose retention is over is gone, whether or not the store still has it.
    const fromMs = Math.max(0, now - retentionMs, ms - gapMs);
    const table = this.#table;
    const near = table.near(group, ms, fromMs, ms + gapMs);
    let startMs = ms;
    let endMs = ms;
    for (let i = 0; i < near; i++) {
      const slot = table.slot(i);
      startMs = Math.min(startMs, table.startMs(slot));
      endMs = Math.max(endMs, table.endMs(slot));
    }
    if (isSessionClosed(this.#window, endMs, now)) {
      this.#late.add(batch.origin, position, 1, 1);
      return;
    }
    const output = this.#output;
    if (near > 1 || output.lacksRoom(near + 1)) this.#flush(batch, out);
    const isSame = near > 0 && startMs === ms && endMs === ms;
    if (!isSame)
      for (let i = 0; i < near; i++) {
        const slot = table.slot(i);
        output.addGone(position, table.startMs(slot), table.endMs(slot));
      }
    if (near > 1) this.#merge(near, endMs);
    const overMs = this.#isPrivate ? now - retentionMs : -Infinity;
    const slot = table.put(group, near, startMs, endMs, overMs);
    output.add(slot, position, startMs, endMs, isSame ? Op.UpdateAfter : Op.Insert);
  }

  /** Makes the cells of the first of several near sessions those of all of them together; it is rare. */
  #merge(near: number, endMs: number): void {
    const types = this.#cellTypes;
    const accumulators = this.#accumulators;
    const sessions = Array.from(
      { length: near },
      (_, i) => decodeCells(types, accumulators.encode(this.#table.slot(i))).values,
    );
    const merged = this.#calls.flatMap(({ body, at }) => {
      const cells = body.initial();
      for (const session of sessions) mergeOf(body)(cells, ownCells(session, at, cells.length));
      return cells;
    });
    accumulators.load(this.#table.slot(0), encodeCells(types, endMs, merged));
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (this.#table.changes(into, intoBlock, isOverNow(this.#window, this.#context)))
      this.#keys.reset(this.#table.index);
  }
}

/** @throws {InvariantError} for a call that the analysis would have refused */
function mergeOf({ merge }: AggregateBody): NonNullable<AggregateBody['merge']> {
  assert(merge !== null, 'an aggregate of sessions can be merged');
  return merge;
}
