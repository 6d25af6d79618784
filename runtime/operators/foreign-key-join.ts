// The left table's end of a foreign-key join: puts its rows and the answers to them together; knows no topic.

import { assert } from '../base/assert.ts';
import { bytesEqual } from '../base/byte-arrays.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import { type Column, valueAt } from '../data/column.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { ForeignKeyJoinStep } from '../plan/join-step.ts';
import type { StateBytes } from '../ports/store.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import { RowTable } from '../state/row-table.ts';
import { isGone } from './gone.ts';
import { Answer, NO_ROW, readMessage, versionOf } from './foreign-key.ts';
import { JoinInput } from './join-output.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/** The state of a primary key: one byte, 1 while a result stands, then the left row, if there is one. */
const STANDS = Uint8Array.of(1);
const ROW_AT = 1;

/**
 * Shape: input 0 the left changelog: emits nothing; input 1 answers: out a changelog without old rows, a row per answer to the row as it
 * is now: the left row beside the right one; with LEFT beside nulls where there is none; else, or where the left row is gone, a Delete.
 * Answers to older versions are dropped: another one is on its way. Rowtime: the answer's. Cost: a look-up a row.
 */
export class ForeignKeyJoin implements Operator {
  readonly name = 'foreignKeyJoin';
  readonly schema: Schema;
  readonly #isLeft: boolean;
  readonly #table: RowTable;
  readonly #keys: readonly [RowKeys, RowKeys];
  readonly #left: JoinInput;
  /** Positions in the answers of the primary key, of the message, and of what is the right row's. */
  readonly #primary: readonly number[];
  readonly #message: number;
  readonly #answered: readonly number[];
  readonly #builder: BatchBuilder;
  readonly #leftColumns: readonly ColumnBuilder[];
  readonly #rightColumns: readonly ColumnBuilder[];

  constructor(
    step: ForeignKeyJoinStep,
    [left, answers]: readonly [Schema, Schema],
    context: OperatorContext,
  ) {
    const { id, schema, type } = step;
    this.schema = schema;
    this.#isLeft = type === 'LEFT';
    this.#table = new RowTable(id, context.state);
    const options = { session: false };
    this.#keys = [
      new RowKeys(left, this.#table, options),
      new RowKeys(answers, this.#table, options),
    ];
    this.#left = new JoinInput(left);
    this.#primary = columnsWithRole(answers, 'key');
    this.#message = this.#primary.length;
    this.#answered = columnsWithRole(answers, 'value').slice(1);
    this.#builder = new BatchBuilder(schema);
    const leftEnd = this.#primary.length + this.#left.values.length;
    this.#leftColumns = this.#builder.columns.slice(this.#primary.length, leftEnd);
    this.#rightColumns = this.#builder.columns.slice(leftEnd);
    assert(
      this.#rightColumns.length === this.#answered.length,
      'an answer has the columns of the row',
    );
  }

  process(side: number, batch: Batch, out: Emit): void {
    const ids = (this.#keys[side] as RowKeys).assign(batch);
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      const id = ids[i] as number;
      if (id === NO_KEY) continue;
      if (side === 1) this.#answer(batch, position, id, out);
      else if (batch.op?.[position] !== Op.UpdateBefore) this.#keep(batch, position, id);
    }
    this.#flush(out);
  }

  #flush(out: Emit): void {
    const batch = this.#builder.finish();
    if (batch !== null) out(batch);
  }

  #keep(batch: Batch, position: number, id: number): void {
    const { cells } = this.#left;
    const before = this.#table.get(id);
    const stands = before?.[0] === 1;
    if (isGone(batch, position)) {
      if (before !== null) this.#table.set(id, stands ? STANDS : null);
      return;
    }
    const row = cells.encode(this.#left.columnsOf(batch), position, batch.rowtime[position] ?? 0);
    this.#table.set(id, stateOf(stands, row));
  }

  #answer(batch: Batch, position: number, id: number, out: Emit): void {
    const { what, version } = readMessage(
      valueAt(batch.columns[this.#message] as Column, position) as Uint8Array,
    );
    const state = this.#table.get(id);
    const row = state !== null && state.length > ROW_AT ? state.subarray(ROW_AT) : null;
    if (!bytesEqual(version, row === null ? NO_ROW : versionOf(row))) return;
    const builder = this.#builder;
    const stood = state?.[0] === 1;
    const stands = row !== null && (what === Answer.withRow || this.#isLeft);
    if (stands !== stood) this.#table.set(id, row === null ? null : stateOf(stands, row));
    if (builder.isFull) this.#flush(out);
    const valueOf = (at: number) => valueAt(batch.columns[at] as Column, position);
    this.#primary.forEach((at, index) => builder.columns[index]?.append(valueOf(at)));
    if (stands) this.#left.cells.append(row, this.#leftColumns);
    else for (const column of this.#leftColumns) column.appendNull();
    this.#rightColumns.forEach((column, index) =>
      column.append(stands ? valueOf(this.#answered[index] as number) : null),
    );
    const op = stands ? (stood ? Op.UpdateAfter : Op.Insert) : Op.Delete;
    builder.endRow(batch.rowtime[position] ?? 0, op, batch.origin?.[position] ?? null);
    if (!stands) builder.markValueNull();
  }

  changes(into: (change: StateBytes) => void): void {
    this.#table.changes(into);
    for (const keys of this.#keys) keys.reset();
  }
}

function stateOf(stands: boolean, row: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = new Uint8Array(ROW_AT + row.length);
  state[0] = stands ? 1 : 0;
  state.set(row, ROW_AT);
  return state;
}
