// Joins the rows of two streams that are of one key and near each other in time; knows no topic.

import type { Batch } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { StreamStreamJoinStep } from '../plan/join-step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import { indexOf, NO_KEY, RowKeys } from '../state/row-keys.ts';
import { type Bounds, WaitingRows } from '../state/waiting-rows.ts';
import { WindowRows } from '../state/window-rows.ts';
import { JoinInput, JoinOutput } from './join-output.ts';
import { windowRuns } from './join-runs.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { needs } from './table-table-join.ts';

/** How long rows may be late where the statement gives no grace. */
const DEFAULT_GRACE_MS = 86_400_000;

/** What a side looks for, and how long. */
export interface SideTimes {
  /** Rows of the other side from `ms - beforeMs` to `ms + afterMs`. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** True: its rows without a partner are emitted. */
  readonly isPadded: boolean;
}

/**
 * Shape: out, per row, a row for each partner that the other side has, in the order of their rowtimes; rowtime: the later of the two.
 * Rows of a padded side without a partner come beside nulls: at once where the step has no grace, else when stream time has passed the
 * end of their window and the grace, in the order of their rowtimes, before the row that moved stream time on. A row whose window had
 * ended when it came is not held back. Source: Kafka Streams KStreamKStreamJoin; its stores may let go of a row one ms
 * sooner, though a row that is not late can still reach it.
 *
 * A row is kept until it is older than both ends of the window and the grace, counted from the greatest rowtime of its own side; a row that
 * comes later than that still looks for partners, but is not kept. Rows without a key or a value are dropped and counted.
 * Cost: a look-up a row and a copy of what is kept; no object.
 */
export class StreamStreamJoin implements Operator {
  readonly name = 'streamStreamJoin';
  readonly schema: Schema;
  readonly processRuns: Operator['processRuns'];
  readonly #context: OperatorContext;
  readonly #times: readonly [SideTimes, SideTimes];
  readonly #graceMs: number;
  readonly #rows: WindowRows;
  readonly #keys: readonly [RowKeys, RowKeys];
  readonly #inputs: readonly [JoinInput, JoinInput];
  readonly #output: JoinOutput;
  /** By side, until the next commit. */
  #begun: ({ readonly batch: Batch; readonly ids: Int32Array } | undefined)[] = [];
  /** Of the row at hand, the latest first. */
  readonly #partners: number[] = [];
  /** null: rows without a partner are emitted at once, or never. */
  readonly #waiting: WaitingRows | null;

  constructor(
    step: StreamStreamJoinStep,
    [left, right]: readonly [Schema, Schema],
    context: OperatorContext,
    options: { readonly session: boolean },
  ) {
    const { beforeMs, afterMs, type, graceMs, id } = step;
    this.schema = step.schema;
    this.#context = context;
    this.#times = [
      { beforeMs, afterMs, isPadded: !needs(type, 0).other },
      { beforeMs: afterMs, afterMs: beforeMs, isPadded: !needs(type, 1).other },
    ];
    this.#graceMs = graceMs ?? DEFAULT_GRACE_MS;
    this.#inputs = [new JoinInput(left, true), new JoinInput(right, true)];
    const isHeldBack = graceMs !== null && type !== 'INNER';
    const rows = new WindowRows({
      table: id,
      state: context.state,
      kept: [this.#inputs[0].kept(), this.#inputs[1].kept()],
      retentionMs: beforeMs + afterMs + this.#graceMs,
      isWaiting: (...row) => this.#waiting?.has(...row) === true,
      index: indexOf(left, right),
      isPrivate: context.isPrivate,
    });
    this.#rows = rows;
    this.#waiting = isHeldBack ? new WaitingRows(`${id}.waiting`, context.state, rows) : null;
    const output = new JoinOutput(step.schema, this.#inputs, rows, context);
    this.#output = output;
    this.#keys = [new RowKeys(left, rows, options), new RowKeys(right, rows, options)];
    this.processRuns = windowRuns({
      context,
      rows,
      output,
      times: this.#times,
      waiting: this.#waiting,
      begin: (side, batch, from) => this.#begin(side, batch, from),
      late: (batch, position) => this.#late(batch, position),
      due: (...row) => this.#emitWaiting(...row),
      join: (...row) => this.#join(...row),
    });
  }

  process(side: number, batch: Batch, out: Emit): void {
    this.processRows(side, batch, 0, batch.length, out);
  }

  processRows(side: number, batch: Batch, from: number, to: number, out: Emit): void {
    const { selection, rowtime, valueNull } = batch;
    const { streamTime } = this.#context;
    const ids = this.#begin(side, batch, from);
    let dropped = 0;
    this.#output.begin(batch, side, out);
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || (valueNull !== null && bitAt(valueNull, position))) {
        dropped++;
        continue;
      }
      const ms = rowtime[position] as number;
      if (ms > streamTime.ms) {
        streamTime.ms = ms;
        if (this.#waiting !== null) this.#emitWaiting(this.#waiting, ms, position);
      }
      const row = this.#rows.put(side, id, ms, i, position);
      if (row === NO_ROW) this.#late(batch, position);
      this.#join(side, id, position, ms, row);
    }
    this.#output.end();
    if (dropped > 0) this.#context.count('dropped', dropped);
  }

  /** @returns the numbers of the keys; what sides give in turns is looked at once */
  #begin(side: number, batch: Batch, from: number): Int32Array {
    const known = this.#begun[side];
    if (known?.batch === batch) return known.ids;
    const ids = (this.#keys[side] as RowKeys).assign(batch);
    this.#rows.begin(side, batch, (this.#inputs[side] as JoinInput).columnsOf(batch), from);
    this.#begun[side] = { batch, ids };
    return ids;
  }

  #join(side: number, id: number, position: number, ms: number, row: number): void {
    const { beforeMs, afterMs, isPadded } = this.#times[side] as SideTimes;
    const rows = this.#rows;
    const other = 1 - side;
    const to = ms + afterMs;
    const links = rows.links(other);
    const from = Math.max(ms - beforeMs, rows.firstMs(other));
    const partners = this.#partners;
    let found = rows.last(other, id);
    for (; found >= 0 && links.ms(found) >= from; found = links.before(found))
      if (links.ms(found) <= to) partners.push(found);
    if (partners.length > 0) {
      for (let i = partners.length - 1; i >= 0; i--)
        this.#pair(other, id, position, ms, partners[i] as number);
      partners.length = 0;
      return;
    }
    if (!isPadded) return;
    if (this.#waiting === null || row === NO_ROW || to < this.#context.streamTime.ms)
      this.#output.add(position, NO_ROW, ms, null);
    else this.#waiting.add(side, row);
  }

  #pair(other: number, id: number, position: number, ms: number, found: number): void {
    const rows = this.#rows;
    this.#waiting?.joined(other, id, found);
    this.#output.add(position, found, Math.max(ms, rows.links(other).ms(found)), null);
  }

  /** Emits the rows whose windows have closed; they count as made by the row at the position. */
  #emitWaiting(waiting: WaitingRows, nowMs: number, position: number): void {
    const openMs = nowMs - this.#graceMs;
    const bounds: Bounds = [openMs - this.#times[0].afterMs, openMs - this.#times[1].afterMs];
    if (!waiting.mayHave(bounds)) return;
    const rows = this.#rows;
    waiting.take(bounds, (side, row) => {
      const links = rows.links(side);
      this.#output.addKept(position, side, row, links.ms(row), rows.key(links.key(row)));
    });
  }

  #late({ origin, rowtime }: Batch, position: number): void {
    this.#context.count('late', 1);
    this.#context.report({
      code: 'LATE',
      origin: origin?.[position] ?? null,
      field: '',
      reason: `the row of ${rowtime[position]} came after the grace of the join and is not kept`,
    });
  }

  settle(): void {
    this.#output.settle();
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    this.#waiting?.store();
    const forgets = this.#rows.changes(into, intoBlock);
    this.#waiting?.changes(into, forgets);
    if (!forgets) return;
    for (const keys of this.#keys) keys.reset();
    this.#begun = [];
  }
}
