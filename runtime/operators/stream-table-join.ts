// Joins the rows of a stream with the row that a table has for their key; knows no topic.

import { type Batch, Op } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { StreamTableJoinStep } from '../plan/join-step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import { KeptTable } from '../state/kept-table.ts';
import { indexOf, NO_KEY, RowKeys } from '../state/row-keys.ts';
import { isGone } from './gone.ts';
import { JoinInput, JoinOutput } from './join-output.ts';
import { lookupRuns } from './join-runs.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/**
 * Shape: input 0 the stream; out its rows beside the table's row of their key: all with LEFT, else those that have one. Input 1 the
 * table, as a changelog with or without old rows: emits nothing. Stream rows without a key or a value are dropped and counted.
 * Cost: one look-up a row.
 */
export class StreamTableJoin implements Operator {
  readonly name = 'streamTableJoin';
  readonly schema: Schema;
  readonly processRuns: Operator['processRuns'];
  readonly #context: OperatorContext;
  readonly #isInner: boolean;
  readonly #table: KeptTable;
  readonly #keys: readonly [RowKeys, RowKeys];
  readonly #right: JoinInput;
  readonly #output: JoinOutput;

  constructor(
    step: StreamTableJoinStep,
    [left, right]: readonly [Schema, Schema],
    context: OperatorContext,
    options: { readonly session: boolean },
  ) {
    this.schema = step.schema;
    this.#context = context;
    this.#isInner = step.type === 'INNER';
    this.#right = new JoinInput(right);
    const rows = [{ table: step.id, rows: this.#right.kept() }];
    const table = new KeptTable(rows, context.state, indexOf(left, right));
    this.#table = table;
    this.#keys = [new RowKeys(left, table, options), new RowKeys(right, table, options)];
    const inputs = [new JoinInput(left), this.#right] as const;
    const kept = { columnsOf: (rows: Int32Array) => table.columnsOf(rows, 0) };
    const output = new JoinOutput(step.schema, inputs, kept, context);
    this.#output = output;
    this.processRuns = lookupRuns({
      context,
      table,
      output,
      isInner: this.#isInner,
      begin: (side, batch, from) => this.#begin(side, batch, from),
    });
  }

  process(side: number, batch: Batch, out: Emit): void {
    this.processRows(side, batch, 0, batch.length, out);
  }

  processRows(side: number, batch: Batch, from: number, to: number, out: Emit): void {
    if (side === 0) this.#join(batch, from, to, out);
    else this.#keep(batch, from, to);
  }

  #join(batch: Batch, from: number, to: number, out: Emit): void {
    const ids = this.#begin(0, batch, from);
    const { selection, rowtime, valueNull } = batch;
    const table = this.#table;
    const output = this.#output;
    let dropped = 0;
    output.begin(batch, 0, out);
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || (valueNull !== null && bitAt(valueNull, position))) {
        dropped++;
        continue;
      }
      const found = table.get(id, 0);
      if (found !== NO_ROW || !this.#isInner)
        output.add(position, found, rowtime[position] as number, null);
    }
    output.end();
    if (dropped > 0) this.#context.count('dropped', dropped);
  }

  /** Takes the changes of a changelog into the table. */
  #keep(batch: Batch, from: number, to: number): void {
    const ids = this.#begin(1, batch, from);
    const { selection, rowtime, op } = batch;
    const table = this.#table;
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || (op !== null && op[position] === Op.UpdateBefore)) continue;
      if (!isGone(batch, position)) table.set(id, 0, i, position, rowtime[position] as number);
      else if (table.get(id, 0) !== NO_ROW) table.remove(id, 0);
    }
  }

  /** @returns the numbers of the keys */
  #begin(side: 0 | 1, batch: Batch, from: number): Int32Array {
    const table = this.#table;
    if (side === 1) {
      if (table.isUntidy) {
        this.#output.flush();
        table.tidy();
      }
      table.begin(0, batch, this.#right.columnsOf(batch), from);
    }
    return this.#keys[side].assign(batch);
  }

  settle(): void {
    this.#output.settle();
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (this.#table.changes(into, intoBlock)) for (const keys of this.#keys) keys.reset();
  }
}
