// Keeps the last row of each key and hands them over once a period: EMIT CHANGES EVERY. Knows no window and no sink.

import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { CoalesceStep } from '../plan/step.ts';
import type { StateBytes } from '../ports/store.ts';
import { OrderedTable } from '../state/ordered-table.ts';
import { LatestRows } from './latest-rows.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

const ONLY_KEY = Uint8Array.of(0);

/**
 * Shape: in a changelog; out, at a tick, the last row of each key that changed since the last hand-over, in the order of the keys, as
 * UpdateAfter or, for a key that is gone, Delete. Old rows are left out.
 *
 * The first rows are handed over at once; what follows waits until a period has passed since. What waits is state, and so is the time of
 * the last hand-over: a restart neither loses an update nor makes one too many.
 */
export function coalesce(
  step: CoalesceStep,
  input: Schema,
  context: OperatorContext,
  _registry: FunctionRegistry,
): Operator {
  return new Coalesce(step, input, context);
}

class Coalesce implements Operator {
  readonly name = 'coalesce';
  readonly schema: Schema;
  readonly #everyMs: number;
  readonly #table: OrderedTable;
  readonly #rows: LatestRows;
  readonly #timeTable: string;
  #isWaiting: boolean;
  #lastMs: number;
  #isTimeChanged = false;

  constructor({ id, schema, everyMs }: CoalesceStep, input: Schema, { state }: OperatorContext) {
    this.schema = schema;
    this.#everyMs = everyMs;
    this.#table = new OrderedTable(id, state);
    this.#rows = new LatestRows(this.#table, input, 'behind');
    this.#timeTable = `${id}.last`;
    const last = state.get(this.#timeTable, ONLY_KEY);
    this.#lastMs = last === null ? -Infinity : new ByteReader(last).f64();
    const [first] = this.#table.scan({ from: null, to: null });
    this.#isWaiting = first !== undefined;
  }

  process(_side: number, batch: Batch): void {
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (batch.op?.[position] === Op.UpdateBefore) continue;
      this.#rows.note(batch, position);
      this.#isWaiting = true;
    }
    this.#rows.write(batch);
  }

  /** When the period is over, in ms of the wall clock; Infinity when nothing waits. */
  dueAtMs(): number {
    return this.#isWaiting ? this.#lastMs + this.#everyMs : Infinity;
  }

  tick(nowMs: number, out: Emit): void {
    // What waits must not wait for as long as a clock that was set back had been ahead.
    this.#lastMs = Math.min(this.#lastMs, nowMs);
    if (nowMs < this.dueAtMs()) return;
    for (const { key, value } of this.#table.scan({ from: null, to: null })) {
      this.#rows.append(key, value, Op.UpdateAfter, out);
      this.#table.set(key, null);
    }
    this.#rows.flush(out);
    this.#isWaiting = false;
    this.#lastMs = nowMs;
    this.#isTimeChanged = true;
  }

  changes(into: (change: StateBytes) => void): void {
    this.#table.changes(into);
    if (!this.#isTimeChanged) return;
    this.#isTimeChanged = false;
    const value = new ByteWriter(8);
    value.f64(this.#lastMs);
    into({ table: this.#timeTable, key: ONLY_KEY, value: value.finish() });
  }
}
