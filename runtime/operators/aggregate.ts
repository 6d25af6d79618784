// Aggregates rows by key, with or without windows, row by row; the row path. Knows no kernel.

import { type Batch, Op } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { AggregateTable } from '../state/aggregate-table.ts';
import { GroupKeys, NO_GROUP } from '../state/group-keys.ts';
import { GroupNames } from '../state/group-names.ts';
import { accumulatorsOf } from './accumulators.ts';
import { aggregateCalls, rowContext } from './aggregate-calls.ts';
import { AggregateOutput, Fold } from './aggregate-output.ts';
import { LateRows } from './rarer-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { isUsable } from './usable-rows.ts';
import { isOverNow } from './window-over.ts';
import { firstWindowStart, isClosed, isRowtime, type TimeWindow } from './window-time.ts';

/**
 * Folds each row into its group, per window where the step has windows, and emits the group's results after that row.
 *
 * Shape: in n rows [key..., value...]; out a row per accepted row and window [key..., windowStart, windowEnd, result...], Insert
 * the first time, else UpdateAfter, after an UpdateBefore with the old results where the step asks for it. Over a table, a
 * row's op says what it does: Insert and UpdateAfter add, Delete takes back, and UpdateBefore takes back without an output of
 * its own, because its UpdateAfter follows.
 *
 * Rows without a key or without a value are dropped and counted; late ones too (see window-time.ts).
 * Cost: one look-up of the group a row, then one typed loop a call; no object a row.
 */
export function aggregate(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  return new Aggregate(step, input, context, registry);
}

/** The one window of rows without windows: it begins at the epoch. */
const ALWAYS = { sizeMs: Infinity, graceMs: 0 };

class Aggregate implements Operator {
  readonly name = 'aggregate';
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #window: WindowSpec | null;
  readonly #isTumbling: boolean;
  readonly #overTable: boolean;
  readonly #table: AggregateTable;
  readonly #keys: GroupKeys;
  readonly #output: AggregateOutput;
  readonly #late: LateRows;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    registry: FunctionRegistry,
  ) {
    const calls = aggregateCalls(step, input, registry);
    const accumulators = accumulatorsOf(step, input, calls, rowContext(step, context));
    this.schema = step.schema;
    this.#context = context;
    this.#window = step.window;
    this.#isTumbling = step.window !== null && step.window.sizeMs === step.window.advanceMs;
    this.#overTable = step.over === 'table';
    const names = new GroupNames(input);
    this.#table = new AggregateTable({
      names,
      table: step.id,
      state: context.state,
      accumulators,
      windowed: step.window !== null,
    });
    this.#keys = new GroupKeys(names, this.#table.index);
    this.#output = new AggregateOutput(step, names, accumulators);
    this.#late = new LateRows(context);
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const groups = this.#keys.assign(batch);
    const window = this.#window;
    if (this.#overTable || batch.valueNull !== null || (window !== null && !this.#isTumbling)) {
      this.#processAny(batch, groups, out);
    } else this.#processTumbling(batch, groups, window ?? ALWAYS, out);
    this.#output.flush(batch, out);
    this.#late.end();
  }

  /** The common case: a stream, tumbling windows or none. The pane of the last row is kept at hand. */
  #processTumbling(
    batch: Batch,
    groups: Int32Array,
    window: Pick<TimeWindow, 'sizeMs' | 'graceMs'>,
    out: Emit,
  ): void {
    const { selection, length, rowtime, origin } = batch;
    const { streamTime } = this.#context;
    const { sizeMs, graceMs } = window;
    const table = this.#table;
    const output = this.#output;
    let pane = null;
    let startMs = Infinity;
    let endMs = -Infinity;
    let now = streamTime.ms;
    for (let i = 0; i < length; i++) {
      const group = groups[i] as number;
      const position = selection === null ? i : (selection[i] as number);
      const ms = rowtime[position] as number;
      if (group === NO_GROUP || !isRowtime(ms)) {
        this.#late.drop(origin, position, group === NO_GROUP ? null : ms);
        continue;
      }
      if (ms > now) now = ms;
      if (!(ms >= startMs && ms < endMs)) {
        startMs = ms - (ms % sizeMs);
        endMs = startMs + sizeMs;
        pane = null;
      }
      if (endMs <= now - graceMs) {
        this.#late.add(origin, position, 1, 1);
        continue;
      }
      pane ??= table.pane(startMs);
      if (output.isFull) output.flush(batch, out);
      const slot = table.slot(pane, group);
      output.add(slot, position, startMs, table.touch(slot), Fold.add);
    }
    streamTime.ms = now;
  }

  /** Every case: changelogs, null values, hopping windows. */
  #processAny(batch: Batch, groups: Int32Array, out: Emit): void {
    const { streamTime } = this.#context;
    for (let i = 0; i < batch.length; i++) {
      const group = groups[i] as number;
      const position = batch.selection?.[i] ?? i;
      if (!isUsable(batch, group, position, this.#late)) continue;
      streamTime.ms = Math.max(streamTime.ms, batch.rowtime[position] as number);
      const fold = this.#overTable ? foldOf(batch, position) : Fold.add;
      if (this.#window === null) this.#add(batch, 0, group, position, fold, out);
      else this.#addWindows(batch, this.#window, group, position, fold, out);
    }
  }

  #addWindows(
    batch: Batch,
    window: TimeWindow,
    group: number,
    position: number,
    fold: Fold,
    out: Emit,
  ): void {
    const ms = batch.rowtime[position] as number;
    const now = this.#context.streamTime.ms;
    let windows = 0;
    let late = 0;
    for (let start = firstWindowStart(window, ms); start <= ms; start += window.advanceMs) {
      windows++;
      if (isClosed(window, start, now)) late++;
      else this.#add(batch, start, group, position, fold, out);
    }
    if (late > 0) this.#late.add(batch.origin, position, late, windows);
  }

  #add(
    batch: Batch,
    startMs: number,
    group: number,
    position: number,
    fold: Fold,
    out: Emit,
  ): void {
    const output = this.#output;
    if (output.isFull) output.flush(batch, out);
    const slot = this.#table.slot(this.#table.pane(startMs), group);
    output.add(slot, position, startMs, this.#table.touch(slot), fold);
  }

  advance(ms: number): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    const window = this.#window;
    const now = this.#context.streamTime.ms;
    const closed = (startMs: number): boolean => window !== null && isClosed(window, startMs, now);
    if (this.#table.changes(into, closed, intoBlock, isOverNow(this.#window, this.#context)))
      this.#keys.reset(this.#table.index);
  }
}

function foldOf(batch: Batch, position: number): Fold {
  const op = batch.op?.[position];
  if (op === Op.UpdateBefore) return Fold.undoSilently;
  return op === Op.Delete ? Fold.undo : Fold.add;
}
