// Joins two tables by their key into a changelog; knows no topic.

import { type Batch, Op } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { JoinType, TableTableJoinStep } from '../plan/join-step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { type KeptRows, NO_ROW } from '../state/kept-rows.ts';
import { KeptTable } from '../state/kept-table.ts';
import { indexOf, NO_KEY, RowKeys } from '../state/row-keys.ts';
import { isGone } from './gone.ts';
import { JoinInput, JoinOutput } from './join-output.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/** What a join needs to have a result: a row of this side, of both, or of either. */
export interface Needs {
  readonly own: boolean;
  readonly other: boolean;
}

/** What the join of that type needs, as seen from a side. */
export function needs(type: JoinType, side: number): Needs {
  const left = type === 'INNER' || type === 'LEFT';
  const right = type === 'INNER' || type === 'RIGHT';
  return side === 0 ? { own: left, other: right } : { own: right, other: left };
}

/**
 * Shape: inputs changelogs with or without old rows; out a changelog without them: Insert where there was no result, else UpdateAfter,
 * Delete where there is none any more. Rowtime: the later of the two rows.
 *
 * A row that goes is passed on as a Delete, known or not, where the other side has a row; where neither side has one, only a known one is.
 * A row of the other side that LEFT, RIGHT or FULL keep stays, padded with nulls. Source: Kafka Streams KTableKTable*Join.
 * Cost: one look-up a row for both sides.
 */
export class TableTableJoin implements Operator {
  readonly name = 'tableTableJoin';
  readonly schema: Schema;
  readonly #needs: readonly [Needs, Needs];
  readonly #table: KeptTable;
  readonly #keys: readonly [RowKeys, RowKeys];
  readonly #inputs: readonly [JoinInput, JoinInput];
  readonly #output: JoinOutput;

  constructor(
    step: TableTableJoinStep,
    [left, right]: readonly [Schema, Schema],
    context: OperatorContext,
    options: { readonly session: boolean },
  ) {
    this.schema = step.schema;
    this.#needs = [needs(step.type, 0), needs(step.type, 1)];
    this.#inputs = [new JoinInput(left), new JoinInput(right)];
    const [lefts, rights] = this.#inputs.map((input) => input.kept()) as [KeptRows, KeptRows];
    const sides = [
      { table: `${step.id}.left`, rows: lefts },
      { table: `${step.id}.right`, rows: rights },
    ];
    this.#table = new KeptTable(sides, context.state, indexOf(left, right));
    this.#keys = [
      new RowKeys(left, this.#table, options),
      new RowKeys(right, this.#table, options),
    ];
    this.#output = new JoinOutput(step.schema, this.#inputs, this.#table, context);
  }

  process(side: number, batch: Batch, out: Emit): void {
    this.processRows(side, batch, 0, batch.length, out);
  }

  processRows(side: number, batch: Batch, from: number, to: number, out: Emit): void {
    const { selection, rowtime, op } = batch;
    const ids = (this.#keys[side] as RowKeys).assign(batch);
    const table = this.#table;
    if (table.isUntidy) {
      this.#output.flush();
      table.tidy();
    }
    table.begin(side, batch, (this.#inputs[side] as JoinInput).columnsOf(batch), from);
    this.#output.begin(batch, side, out);
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || (op !== null && op[position] === Op.UpdateBefore)) continue;
      const gone = isGone(batch, position);
      const ms = rowtime[position] as number;
      const old = table.get(id, side);
      const other = table.get(id, 1 - side);
      if (!gone) table.set(id, side, i, position, ms);
      else if (old !== NO_ROW) table.remove(id, side);
      this.#emit(side, position, ms, { gone, known: old !== NO_ROW, other });
    }
    this.#output.end();
  }

  #emit(
    side: number,
    position: number,
    ms: number,
    row: { readonly gone: boolean; readonly known: boolean; readonly other: number },
  ): void {
    const output = this.#output;
    const { own, other: needsOther } = this.#needs[side] as Needs;
    const { gone, known, other } = row;
    if (other === NO_ROW) {
      if (needsOther || (gone && !known)) return;
      if (gone) output.addGone(position, ms, Op.Delete);
      else output.add(position, NO_ROW, ms, known ? Op.UpdateAfter : Op.Insert);
      return;
    }
    const later = Math.max(ms, this.#table.rowtime(other, 1 - side));
    if (!gone) output.add(position, other, later, known || !own ? Op.UpdateAfter : Op.Insert);
    else if (own) output.addGone(position, later, Op.Delete);
    else output.addWithoutOwn(position, other, later, Op.UpdateAfter);
  }

  settle(): void {
    this.#output.settle();
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (this.#table.changes(into, intoBlock)) for (const keys of this.#keys) keys.reset();
  }
}
