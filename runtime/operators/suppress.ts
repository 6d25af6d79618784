// Holds the rows of windows back until they close, and emits each once: EMIT FINAL. Knows no aggregate.

import { ByteWriter } from '../base/bytes.ts';
import { HELD_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { readMs, writeMs } from '../data/key-writer.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { SuppressStep } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { OrderedTable } from '../state/ordered-table.ts';
import { HeldRows } from './held-rows.ts';
import { LatestRows } from './latest-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { closedBeforeMs, dueAtMs } from './window-close.ts';

/**
 * Shape: in the changelog of a windowed aggregation, or of what each batch changed the last rows alone; out one Insert a window and key, its last row,
 * once stream time has passed the window's end and grace. No record triggered it: it has no origin. A session that was merged away leaves without a
 * trace; a final row is never taken back.
 *
 * Of tumbling, hopping and sliding windows all rows of a batch are held before stream time moves: no row of a window comes behind the one that
 * closes it, and windows close by their ends, so that this gives what row by row gives, in the same order. A session that has closed may still be
 * merged into one that is open, so that sessions go row by row.
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
  /** What no commit has seen. */
  readonly #held: HeldRows;
  readonly #scratch = new ByteWriter(8);
  /** The table holds nothing below this key, */
  #floor: Uint8Array | null = null;
  /** and no window that ends before this. */
  #tableEndMs: number;

  constructor(step: SuppressStep, input: Schema, context: OperatorContext) {
    this.schema = step.schema;
    this.#window = step.window;
    this.#context = context;
    this.#table = new OrderedTable(step.id, context.state);
    this.#rows = new LatestRows(this.#table, input, 'before');
    this.#held = new HeldRows(step.schema);
    this.#tableEndMs = this.#firstEndMs();
  }

  process(_side: number, batch: Batch, out: Emit): void {
    const note = this.#held.add(batch);
    const isRowByRow = this.#window.type === 'SESSION';
    let { ms } = this.#context.streamTime;
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      note(i, position);
      ms = Math.max(ms, batch.rowtime[position] as number);
      if (isRowByRow) this.#moveTo(ms, out);
    }
    this.advance(ms, out);
    if (this.#held.size <= HELD_ROWS_MAX) return;
    this.#writeHeld(Infinity);
    this.#held.letGo();
  }

  /** Where stream time closes the first window that is held back; Infinity when none is. */
  dueAtStreamMs(): number {
    return dueAtMs(this.#window, Math.min(this.#tableEndMs, this.#held.firstEndMs));
  }

  #emitClosed(out: Emit): void {
    const beforeMs = closedBeforeMs(this.#window, this.#context.streamTime.ms);
    if (this.#tableEndMs >= beforeMs) {
      this.#held.putOut(beforeMs, out);
      return;
    }
    this.#held.flush(out);
    // Rows of both are of the same windows, and one may stand in the other's place.
    this.#writeHeld(beforeMs);
    const to = this.#keyOf(beforeMs);
    for (const { key, value } of this.#table.scan({ from: this.#floor, to })) {
      this.#rows.append(key, value, Op.Insert, out);
      this.#table.set(key, null);
    }
    this.#rows.flush(out);
    this.#floor = to;
    this.#tableEndMs = this.#firstEndMs();
  }

  /** Makes entries of the table of what is held of windows that end before a time. */
  #writeHeld(beforeMs: number): void {
    this.#tableEndMs = Math.min(this.#tableEndMs, this.#held.firstEndMs);
    this.#held.write(beforeMs, (batch, position) => this.#rows.put(batch, position));
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
    this.#moveTo(ms, out);
    this.#held.flush(out);
  }

  /** Makes stream time at least that, and puts out what it closes. */
  #moveTo(ms: number, out: Emit): void {
    const { streamTime } = this.#context;
    streamTime.ms = Math.max(streamTime.ms, ms);
    if (this.dueAtStreamMs() <= streamTime.ms) this.#emitClosed(out);
  }

  changes(into: (change: StateBytes) => void): void {
    this.#writeHeld(Infinity);
    this.#held.letGo();
    this.#table.changes(into);
  }
}
