// The right table's end of a foreign-key join: answers subscriptions, and tells subscribers of changes; knows no topic.

import { assert } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import { type Column, valueAt } from '../data/column.ts';
import { decodeKey, prefixRange } from '../data/key.ts';
import { writeKey } from '../data/key-writer.ts';
import { RowCells, rowtimeOf } from '../data/row-cells.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { ForeignKeyRespondStep } from '../plan/join-step.ts';
import type { StateBytes } from '../ports/store.ts';
import { OrderedTable } from '../state/ordered-table.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import { RowTable } from '../state/row-table.ts';
import { isGone } from './gone.ts';
import { Answer, Ask, message, NO_ROW, readMessage } from './foreign-key.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/** A version of no row is kept as one byte, because state values are not empty. */
const KEPT_NO_ROW = Uint8Array.of(0);

/**
 * Shape: input 0 subscriptions and their ends, input 1 a changelog of the right table, with or without old rows; out an answer per
 * subscription that wants one (rowtime: the later of the two rows), and per change one to each subscriber of the key, in the order of
 * their keys (rowtime: the change's). A subscription under a null key is answered and not kept.
 * Cost: a look-up a row; a scan of its subscriptions per change.
 */
export class ForeignKeyRespond implements Operator {
  readonly name = 'foreignKeyRespond';
  readonly schema: Schema;
  readonly #table: RowTable;
  /** Foreign key, primary key: the version that subscribed. */
  readonly #subscriptions: OrderedTable;
  readonly #keys: readonly [RowKeys, RowKeys];
  readonly #cells: RowCells;
  /** Positions in the subscriptions of the primary key, and of the message. */
  readonly #primary: readonly number[];
  readonly #message: number;
  readonly #primaryTypes: readonly Type[];
  readonly #builder: BatchBuilder;
  /** Columns of an answer that come from the right row. */
  readonly #right: readonly ColumnBuilder[];
  readonly #scratch = new ByteWriter(64);

  constructor(
    step: ForeignKeyRespondStep,
    [subscriptions, right]: readonly [Schema, Schema],
    context: OperatorContext,
  ) {
    const { id, schema } = step;
    this.schema = schema;
    this.#table = new RowTable(`${id}.right`, context.state);
    this.#subscriptions = new OrderedTable(`${id}.subscriptions`, context.state);
    const options = { session: false };
    this.#keys = [
      new RowKeys(subscriptions, this.#table, options),
      new RowKeys(right, this.#table, options),
    ];
    // The key columns are values of the answer, so that they are kept with the others.
    this.#cells = new RowCells(right.columns.map(({ type }) => type));
    this.#message = subscriptions.columns.length - 1;
    this.#primary = columnsWithRole(subscriptions, 'value').slice(0, -1);
    this.#primaryTypes = this.#primary.map((at) => subscriptions.columns[at]?.type as Type);
    this.#builder = new BatchBuilder(schema);
    this.#right = this.#builder.columns.slice(columnsWithRole(schema, 'key').length + 1);
    assert(this.#right.length === right.columns.length, 'an answer has the columns of the row');
  }

  process(side: number, batch: Batch, out: Emit): void {
    const ids = (this.#keys[side] as RowKeys).assign(batch);
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      const id = ids[i] as number;
      if (side === 0) this.#subscription(batch, position, id, out);
      else if (id !== NO_KEY && batch.op?.[position] !== Op.UpdateBefore)
        this.#change(batch, position, id, out);
    }
    this.#flush(out);
  }

  #subscription(batch: Batch, position: number, id: number, out: Emit): void {
    const { what, version } = readMessage(
      valueAt(batch.columns[this.#message] as Column, position) as Uint8Array,
    );
    const ends = what === Ask.end || what === Ask.endAndAnswer;
    const columns = this.#primary.map((at) => batch.columns[at] as Column);
    if (id !== NO_KEY) {
      const scratch = this.#scratch;
      scratch.truncate(0);
      scratch.bytes(this.#table.key(id));
      writeKey(scratch, columns, position);
      this.#subscriptions.set(scratch.finish(), ends ? null : kept(version));
    }
    if (what === Ask.end) return;
    const found = id === NO_KEY ? null : this.#table.get(id);
    if (found === null && what === Ask.subscribe) return;
    const ms = batch.rowtime[position] ?? 0;
    const primary = columns.map((column) => valueAt(column, position));
    const rowtime = found === null ? ms : Math.max(ms, rowtimeOf(found));
    const row = ends ? null : found;
    this.#answer({ primary, version, row, rowtime, origin: batch.origin?.[position] ?? null }, out);
  }

  #change(batch: Batch, position: number, id: number, out: Emit): void {
    const rowtime = batch.rowtime[position] ?? 0;
    const row = isGone(batch, position)
      ? null
      : this.#cells.encode(batch.columns, position, rowtime);
    if (row !== null || this.#table.get(id) !== null) this.#table.set(id, row);
    const origin = batch.origin?.[position] ?? null;
    const prefix = this.#table.key(id).slice();
    for (const { key, value } of this.#subscriptions.scan(prefixRange(prefix))) {
      const primary = decodeKey(this.#primaryTypes, key.subarray(prefix.length)).values;
      const version = value.length === KEPT_NO_ROW.length ? NO_ROW : value;
      this.#answer({ primary, version, row, rowtime, origin }, out);
    }
  }

  #answer(
    answer: {
      readonly primary: readonly Value[];
      readonly version: Uint8Array;
      readonly row: Uint8Array | null;
      readonly rowtime: number;
      readonly origin: number | null;
    },
    out: Emit,
  ): void {
    const builder = this.#builder;
    if (builder.isFull) this.#flush(out);
    const { primary, version, row, rowtime, origin } = answer;
    const { columns } = builder;
    primary.forEach((value, index) => columns[index]?.append(value));
    const what = row === null ? Answer.withoutRow : Answer.withRow;
    columns[primary.length]?.append(message(what, version));
    if (row !== null) this.#cells.append(row, this.#right);
    else for (const column of this.#right) column.appendNull();
    builder.endRow(rowtime, null, origin);
  }

  #flush(out: Emit): void {
    const batch = this.#builder.finish();
    if (batch !== null) out(batch);
  }

  changes(into: (change: StateBytes) => void): void {
    this.#table.changes(into);
    this.#subscriptions.changes(into);
    for (const keys of this.#keys) keys.reset();
  }
}

function kept(version: Uint8Array): Uint8Array {
  return version.length === 0 ? KEPT_NO_ROW : version.slice();
}
