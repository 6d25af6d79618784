// Aggregates rows by key into sliding windows, which are where rows are; the row path. Knows no kernel and no store.

import { InvariantError } from '../base/errors.ts';
import { SLIDING_WINDOWS_PER_ROW_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { type Column, valueAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { GroupKeys } from '../state/group-keys.ts';
import { GroupNames } from '../state/group-names.ts';
import { guardedCall, type RowContext } from '../state/call-cells.ts';
import { firstFrom, SlidingTable, type SlidingWindow } from '../state/sliding-table.ts';
import { rowContext } from './aggregate-calls.ts';
import { LateRows } from './rarer-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { isUsable } from './usable-rows.ts';
import { isSlidingClosed } from './window-close.ts';
import { type WindowCall, windowCalls, WindowOutput } from './window-output.ts';

/**
 * Windows of one size, both bounds inclusive, that lie so that rows are at their bounds. Each row has a window that ends at it, its left
 * one, and one that begins a ms after it, its right one, if there are rows in that. A row before the first whole window has the first
 * window as its left one, because no window begins before the epoch.
 *
 * Shape: in n rows [key..., value...] of a stream; out a row per accepted row and window that it changed or made, in the order of their starts
 * [key..., windowStart, windowEnd, result...], Insert the first time, else UpdateAfter. Its rowtime is the greatest of the window's rows.
 *
 * A row is late when no window that holds it can be open any more (window-close.ts). A closed window goes on to take rows unseen, because
 * windows that are still open may be made from it: so what a window shows is always what all rows give that came to it while it was open.
 * Cost: as many windows as there are times of rows within a size before the row; a row with more than the limit is refused.
 * Source: Kafka Streams, SlidingWindows; KIP-450.
 */
export function slidingAggregate(
  step: AggregateStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  return new SlidingAggregate(step, input, context, registry);
}

/** A row that is being taken. */
interface Taken {
  readonly batch: Batch;
  readonly position: number;
  readonly ms: number;
  readonly offset: number;
  /** The arguments of each call. */
  readonly values: readonly (readonly Value[])[];
}

class SlidingAggregate implements Operator {
  readonly name = 'slidingAggregate';
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #window: WindowSpec;
  readonly #calls: readonly WindowCall[];
  readonly #table: SlidingTable;
  readonly #keys: GroupKeys;
  readonly #output: WindowOutput;
  readonly #late: LateRows;
  readonly #rows: RowContext;

  constructor(
    step: AggregateStep,
    input: Schema,
    context: OperatorContext,
    registry: FunctionRegistry,
  ) {
    const { window } = step;
    if (window === null || step.old || step.over === 'table') {
      throw new InvariantError('sliding windows are of streams, and have no old rows');
    }
    this.schema = step.schema;
    this.#context = context;
    this.#window = window;
    const { calls, keyTypes, cellTypes } = windowCalls(step, input, registry);
    this.#calls = calls;
    const names = new GroupNames(input);
    const { state } = context;
    const reachMs = 2 * window.sizeMs;
    this.#table = new SlidingTable({ table: step.id, state, names, keyTypes, cellTypes, reachMs });
    this.#keys = new GroupKeys(names, this.#table.index);
    this.#rows = rowContext(step, context);
    this.#output = new WindowOutput(step.schema, names, calls, this.#rows);
    this.#late = new LateRows(context);
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
      // The last window that can hold it begins with it.
      if (isSlidingClosed(this.#window, ms + this.#window.sizeMs, streamTime.ms)) {
        this.#late.add(batch.origin, position, 1, 1);
      } else this.#take(group, this.#taken(batch, position, ms), out);
    }
    this.#output.flush(batch, out);
    this.#late.end();
  }

  #taken(batch: Batch, position: number, ms: number): Taken {
    const offset = this.#rows.offset(batch, position);
    const values = this.#calls.map(({ arguments: given }) =>
      given.map((index) => valueAt(batch.columns[index] as Column, position)),
    );
    return { batch, position, ms, offset, values };
  }

  #take(group: number, row: Taken, out: Emit): void {
    const { sizeMs, graceMs } = this.#window;
    const { batch, position, ms } = row;
    const windows = this.#table.windows(group, Math.max(0, ms - 2 * sizeMs));
    const from = firstFrom(windows, Math.max(0, ms - sizeMs));
    const to = firstFrom(windows, ms + 1);
    if (to - from > SLIDING_WINDOWS_PER_ROW_MAX) {
      this.#refuse(row);
      return;
    }
    const made = this.#made(windows, from, to, row);
    const openFromMs = this.#context.streamTime.ms - graceMs - sizeMs;
    let late = 0;
    let at = from;
    for (const window of made) {
      const { startMs } = window;
      while (at < to && (windows[at] as SlidingWindow).startMs < startMs) at++;
      if (startMs < openFromMs) {
        late++;
        continue;
      }
      const isNew = at === to || (windows[at] as SlidingWindow).startMs !== startMs;
      const shown = { startMs, endMs: startMs + sizeMs, cells: window.cells };
      const op = isNew ? Op.Insert : Op.UpdateAfter;
      this.#output.add(batch, position, shown, window.rowtime, op, out);
    }
    if (late > 0) {
      // The window that begins with the row can still come, and is open.
      const holding = made.filter(({ startMs }) => startMs <= ms).length;
      this.#late.add(batch.origin, position, late, holding + 1);
    }
    this.#table.put(group, made, openFromMs);
    this.#table.forget(group, openFromMs - 2 * sizeMs);
  }

  /**
   * The windows that the row changes or makes, by start.
   * @param from the first of the known windows that can hold the row
   * @param to the first one behind those
   */
  #made(
    windows: readonly SlidingWindow[],
    from: number,
    to: number,
    row: Taken,
  ): readonly SlidingWindow[] {
    const { ms } = row;
    const leftMs = Math.max(0, ms - this.#window.sizeMs);
    const made: SlidingWindow[] = [];
    // The latest window before the left one holds just the rows that the left one is to have, if it holds any of them.
    let before = windows[from];
    if (before?.startMs !== leftMs) {
      before = from > 0 ? windows[from - 1] : undefined;
      if (before !== undefined && before.rowtime < leftMs) before = undefined;
      made.push(this.#folded(leftMs, before, row));
    }
    // The row before this one has a right window from now on, unless a row between them made it already.
    const nextMs = before !== undefined && before.rowtime < ms ? before.rowtime + 1 : Infinity;
    let isNextThere = nextMs > ms;
    for (let at = from; at < to; at++) {
      const window = windows[at] as SlidingWindow;
      if (!isNextThere && window.startMs >= nextMs) {
        if (window.startMs > nextMs) made.push(this.#folded(nextMs, undefined, row));
        isNextThere = true;
      }
      made.push(this.#folded(window.startMs, window, row));
    }
    if (!isNextThere) made.push(this.#folded(nextMs, undefined, row));
    // The latest window that holds later rows than this one holds no others.
    const after = to > 0 ? windows[to - 1] : undefined;
    if (after !== undefined && after.rowtime > ms && windows[to]?.startMs !== ms + 1) {
      made.push({ ...after, startMs: ms + 1 });
    }
    return made;
  }

  /** The window with the row. @param before what it held; undefined: nothing */
  #folded(startMs: number, before: SlidingWindow | undefined, row: Taken): SlidingWindow {
    const { batch, position, ms, offset, values } = row;
    const cells = this.#calls.flatMap(({ body, at }, call) => {
      const own = before?.cells.slice(at, at + body.cells.length) ?? body.initial();
      const given = values[call] as readonly Value[];
      guardedCall(this.#rows, batch, position, call, () => body.add(own, given, offset));
      return own;
    });
    return { startMs, rowtime: Math.max(before?.rowtime ?? ms, ms), cells };
  }

  #refuse({ batch, position }: Taken): void {
    this.#context.count('dropped', 1);
    this.#context.report({
      code: 'LIMIT',
      origin: batch.origin?.[position] ?? null,
      field: 'ROWTIME',
      reason: `the row would change more than ${SLIDING_WINDOWS_PER_ROW_MAX} sliding windows: make SIZE shorter, or round the timestamps`,
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
