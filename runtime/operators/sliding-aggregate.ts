// Aggregates rows by key into sliding windows, which are where rows are; the row path. Knows no kernel and no store.

import { SLIDING_WINDOWS_PER_ROW_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { type Column, valueAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { GroupKeys } from '../state/group-keys.ts';
import { GroupNames } from '../state/group-names.ts';
import { checkRoom, failedCall, type RowContext } from '../state/call-cells.ts';
import { firstFrom, SlidingTable, type SlidingWindow } from '../state/sliding-table.ts';
import { rowContext } from './aggregate-calls.ts';
import { LateRows } from './rarer-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { isUsable } from './usable-rows.ts';
import { isSlidingClosed } from './window-close.ts';
import { isOverNow } from './window-over.ts';
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
    this.schema = step.schema;
    this.#context = context;
    const { window, calls, keyTypes } = windowCalls(step, input, registry);
    this.#window = window;
    const bodies = calls.map(({ body }) => body);
    this.#calls = calls;
    const names = new GroupNames(input);
    const { state } = context;
    const reachMs = 2 * window.sizeMs;
    this.#table = new SlidingTable({ table: step.id, state, names, keyTypes, bodies, reachMs });
    this.#keys = new GroupKeys(names, this.#table.index);
    this.#rows = rowContext(step, context);
    this.#output = new WindowOutput(step.schema, window.sizeMs, names, calls, this.#rows);
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
    const table = this.#table;
    const windows = table.windows(group, Math.max(0, ms - 2 * sizeMs));
    const from = firstFrom(windows, Math.max(0, ms - sizeMs));
    const to = firstFrom(windows, ms + 1);
    if (to - from > SLIDING_WINDOWS_PER_ROW_MAX) {
      this.#refuse(row);
      return;
    }
    const made = this.#make(group, windows, from, to, ms);
    const openFromMs = this.#context.streamTime.ms - graceMs - sizeMs;
    let late = 0;
    let holding = 0;
    for (let at = from; at < to + made.length; at++) {
      const isClosed = (windows[at] as SlidingWindow).startMs < openFromMs;
      const window = table.changing(group, at, isClosed);
      // The window that begins behind the row is a copy.
      if (window.startMs <= ms) {
        this.#fold(window, row);
        holding++;
      }
      if (isClosed) late++;
      else {
        const op = made.includes(window) ? Op.Insert : Op.UpdateAfter;
        this.#output.add(batch, position, window, op, out);
      }
    }
    // The window that begins with the row can still come, and is open.
    if (late > 0) this.#late.add(batch.origin, position, late, holding + 1);
    table.forget(group, openFromMs - 2 * sizeMs);
  }

  /**
   * The windows that come about with the row, by start; they are put among the others as they are before it.
   * @param from the first of the known windows that can hold the row
   * @param to the first one behind those
   */
  #make(
    group: number,
    windows: readonly SlidingWindow[],
    from: number,
    to: number,
    ms: number,
  ): readonly SlidingWindow[] {
    const leftMs = Math.max(0, ms - this.#window.sizeMs);
    const made: SlidingWindow[] = [];
    const make = (at: number, startMs: number, before: SlidingWindow | undefined): void => {
      const window =
        before === undefined ? this.#empty(startMs) : this.#table.copyOf(before, startMs);
      this.#table.insert(group, at, window);
      made.push(window);
    };
    // The latest window that holds later rows than the row holds no others.
    const after = to > 0 ? windows[to - 1] : undefined;
    const hasLater = after !== undefined && after.rowtime > ms && windows[to]?.startMs !== ms + 1;
    // The latest window before the left one holds just the rows that the left one is to have, if it holds any of them.
    let before = windows[from];
    const isLeftThere = before?.startMs === leftMs;
    if (!isLeftThere) {
      before = from > 0 ? windows[from - 1] : undefined;
      if (before !== undefined && before.rowtime < leftMs) before = undefined;
      make(from, leftMs, before);
    }
    let end = isLeftThere ? to : to + 1;
    // The row before this one has a right window from now on, unless a row between them made it already.
    if (before !== undefined && before.rowtime < ms) {
      const nextMs = before.rowtime + 1;
      let at = end;
      while (at > from && (windows[at - 1] as SlidingWindow).startMs >= nextMs) at--;
      if (at === end || windows[at]?.startMs !== nextMs) {
        make(at, nextMs, undefined);
        end++;
      }
    }
    if (hasLater) make(end, ms + 1, after);
    return made;
  }

  #empty(startMs: number): SlidingWindow {
    const cells = this.#calls.map(({ body }) => body.initial());
    return { startMs, rowtime: -Infinity, cells, change: null, bytes: 0 };
  }

  #fold(window: SlidingWindow, { batch, position, ms, offset, values }: Taken): void {
    window.rowtime = Math.max(window.rowtime, ms);
    for (let call = 0; call < values.length; call++) {
      const cells = window.cells[call] as Value[];
      try {
        const given = values[call] as readonly Value[];
        checkRoom(cells, given);
        (this.#calls[call] as WindowCall).body.add(cells, given, offset);
      } catch (thrown) {
        failedCall(this.#rows, batch, position, call, thrown);
      }
    }
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

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (this.#table.changes(into, intoBlock, isOverNow(this.#window, this.#context)))
      this.#keys.reset(this.#table.index);
  }
}
