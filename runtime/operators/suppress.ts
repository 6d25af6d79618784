// Holds the rows of windows back until they close, and emits each once: EMIT FINAL. Knows no aggregate.

import { InvariantError } from '../base/errors.ts';
import { ByteWriter } from '../base/bytes.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { type Column, valueAt } from '../data/column.ts';
import { readMs, writeMs } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { SuppressStep } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { OrderedTable } from '../state/ordered-table.ts';
import { isTombstone, LatestRows } from './latest-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { closedBeforeMs, dueAtMs } from './window-close.ts';

/**
 * Shape: in the changelog of a windowed aggregation; out one Insert a window and key, its last row, once stream time has passed the
 * window's end and grace. A session that was merged away leaves without a trace; a final row is never taken back.
 *
 * The state is what is held back, by window end, start and key, so that what has closed lies side by side, and a restart goes on.
 * A row is held until its window closes, however far stream time jumps: none is lost. Memory holds what the last commit has not.
 */
export function suppress(
  step: SuppressStep,
  input: Schema,
  context: OperatorContext,
  _registry: FunctionRegistry,
): Operator {
  return new Suppress(step, input, context);
}

class Suppress implements Operator {
  readonly name = 'suppress';
  readonly schema: Schema;
  readonly #window: SuppressStep['window'];
  readonly #context: OperatorContext;
  readonly #table: OrderedTable;
  readonly #rows: LatestRows;
  readonly #endAt: number;
  readonly #scratch = new ByteWriter(8);
  /** Nothing is held back below this key. */
  #floor: Uint8Array | null = null;
  /** No window that is held back ends before this. */
  #nextEndMs: number;

  constructor(step: SuppressStep, input: Schema, context: OperatorContext) {
    this.schema = step.schema;
    this.#window = step.window;
    this.#context = context;
    this.#table = new OrderedTable(step.id, context.state);
    this.#rows = new LatestRows(this.#table, input, 'before');
    const endAt = columnsWithRole(input, 'window')[1];
    if (endAt === undefined) throw new InvariantError('only windows have final rows');
    this.#endAt = endAt;
    this.#nextEndMs = this.#firstEndMs();
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const ends = batch.columns[this.#endAt] as Column;
    const { streamTime } = this.#context;
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      this.#rows.note(batch, position);
      if (!isTombstone(batch, position)) {
        this.#nextEndMs = Math.min(this.#nextEndMs, Number(valueAt(ends, position)));
      }
      const ms = batch.rowtime[position] as number;
      if (ms <= streamTime.ms) continue;
      streamTime.ms = ms;
      if (this.dueAtStreamMs() > ms) continue;
      this.#rows.write(batch, true);
      this.#emitClosed(batch.origin?.[position] ?? null, out);
    }
    this.#rows.write(batch, true);
    this.#rows.flush(out);
  }

  /** Where stream time closes the first window that is held back; Infinity when none is. */
  dueAtStreamMs(): number {
    return dueAtMs(this.#window, this.#nextEndMs);
  }

  #emitClosed(origin: number | null, out: Emit): void {
    const to = this.#keyOf(closedBeforeMs(this.#window, this.#context.streamTime.ms));
    for (const { key, value } of this.#table.scan({ from: this.#floor, to })) {
      this.#rows.append(key, value, Op.Insert, origin, out);
      this.#table.set(key, null);
    }
    this.#floor = to;
    this.#nextEndMs = this.#firstEndMs();
  }

  #keyOf(endMs: number): Uint8Array {
    this.#scratch.truncate(0);
    writeMs(this.#scratch, endMs);
    return this.#scratch.finish();
  }

  #firstEndMs(): number {
    for (const { key } of this.#table.scan({ from: this.#floor, to: null })) {
      return readMs(new DataView(key.buffer, key.byteOffset, 8));
    }
    return Infinity;
  }

  advance(ms: number, out: Emit): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
    if (this.dueAtStreamMs() > streamTime.ms) return;
    this.#emitClosed(null, out);
    this.#rows.flush(out);
  }

  changes(into: (change: StateBytes) => void): void {
    this.#table.changes(into);
  }
}
