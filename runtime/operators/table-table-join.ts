// Joins two tables by their key into a changelog; knows no topic.

import { type Batch, Op } from '../data/batch.ts';
import { rowtimeOf } from '../data/row-cells.ts';
import type { Schema } from '../data/schema.ts';
import type { JoinType, TableTableJoinStep } from '../plan/join-step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import { RowTable } from '../state/row-table.ts';
import { JoinInput, JoinOutput } from './join-output.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { isGone } from './stream-table-join.ts';

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
  readonly #table: RowTable;
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
    this.#table = new RowTable([`${step.id}.left`, `${step.id}.right`], context.state);
    this.#keys = [
      new RowKeys(left, this.#table, options),
      new RowKeys(right, this.#table, options),
    ];
    this.#inputs = [new JoinInput(left), new JoinInput(right)];
    this.#output = new JoinOutput(step.schema, this.#inputs, context);
  }

  process(side: number, batch: Batch, out: Emit): void {
    this.processRows(side, batch, 0, batch.length, out);
  }

  processRows(side: number, batch: Batch, from: number, to: number, out: Emit): void {
    const { selection, rowtime, op } = batch;
    const ids = (this.#keys[side] as RowKeys).assign(batch);
    const input = this.#inputs[side] as JoinInput;
    const columns = input.columnsOf(batch);
    const table = this.#table;
    this.#output.begin(batch, side, out);
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || (op !== null && op[position] === Op.UpdateBefore)) continue;
      const gone = isGone(batch, position);
      const ms = rowtime[position] as number;
      const old = table.get(id, side);
      const other = table.get(id, 1 - side);
      if (!gone) table.set(id, input.cells.encode(columns, position, ms), side);
      else if (old !== null) table.set(id, null, side);
      this.#emit(this.#needs[side] as Needs, position, ms, { gone, known: old !== null, other });
    }
    this.#output.end();
  }

  #emit(
    { own, other: needsOther }: Needs,
    position: number,
    ms: number,
    row: { readonly gone: boolean; readonly known: boolean; readonly other: Uint8Array | null },
  ): void {
    const output = this.#output;
    const { gone, known, other } = row;
    if (other === null) {
      if (needsOther || (gone && !known)) return;
      if (gone) output.addGone(position, ms, Op.Delete);
      else output.add(position, null, ms, known ? Op.UpdateAfter : Op.Insert);
      return;
    }
    const later = Math.max(ms, rowtimeOf(other));
    if (!gone) output.add(position, other, later, known || !own ? Op.UpdateAfter : Op.Insert);
    else if (own) output.addGone(position, later, Op.Delete);
    else output.addWithoutOwn(position, other, later, Op.UpdateAfter);
  }

  settle(): void {
    this.#output.settle();
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    this.#table.changes(into, intoBlock);
    for (const keys of this.#keys) keys.reset();
  }
}
