// A foreign-key join whose three ends are in one task, as one operator over whole batches; knows no topic.

import { assert } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { type Batch, Op } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { decodeKey, writeKeyValue } from '../data/key.ts';
import { writeKey } from '../data/key-writer.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import { type ColumnFunction, compile } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { keptRows } from '../state/column-rows.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import { NO_REFERENCE, ReferenceTable } from '../state/reference-table.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import { isGone } from './gone.ts';
import { RowEvaluation } from './evaluation.ts';
import { VERSION_BYTES, versionOf } from './foreign-key.ts';
import { ReferenceOutput } from './foreign-key-output.ts';
import type { WholeForeignKeyJoinStep } from './foreign-key-steps.ts';
import { JoinInput } from './join-output.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { withValue } from './rarer-rows.ts';

/** What is known of a batch of the left table. */
interface Lefts {
  readonly batch: Batch;
  /** Of the key of each row, and of what it refers to. */
  readonly ids: Int32Array;
  readonly references: Int32Array;
}

/**
 * Shape: input 0 the left changelog with old rows, or, where the join keeps them, the left table's rows as they come; input 1 the right
 * changelog with or without; out what ForeignKeyJoin makes of the answers when each row goes all the way before the next one, and the same
 * state: no message is made, because no answer is ever outdated.
 * Cost: a look-up a row in either table, and one for each row that refers to a right row that changes; columns are copied once.
 */
export class WholeForeignKeyJoin implements Operator {
  readonly name = 'foreignKeyJoin';
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #isLeft: boolean;
  readonly #keepsLeft: boolean;
  readonly #compute: ColumnFunction;
  readonly #evaluation: RowEvaluation;
  readonly #tables: ReferenceTable;
  readonly #leftKeys: RowKeys;
  readonly #foreignKeys: RowKeys;
  readonly #rightKeys: RowKeys;
  readonly #left: JoinInput;
  readonly #output: ReferenceOutput;
  readonly #scratch = new ByteWriter(64);
  #lefts: Lefts | null = null;

  constructor(
    step: WholeForeignKeyJoinStep,
    [left, right]: readonly [Schema, Schema],
    context: OperatorContext,
    registry: FunctionRegistry,
    idleKeysMax?: number,
  ) {
    const { id, schema, type, subscribe, respond, keeps } = step;
    this.schema = schema;
    this.#context = context;
    this.#isLeft = type === 'LEFT';
    this.#keepsLeft = keeps !== null;
    this.#compute = compile(subscribe.foreignKey, registry);
    const field = subscribe.schema.columns[0]?.name ?? '';
    this.#evaluation = new RowEvaluation(context, field, subscribe.id);
    this.#left = new JoinInput(left);
    const tables = new ReferenceTable({
      tables: {
        left: id,
        source: keeps,
        right: `${respond.id}.right`,
        subscriptions: `${respond.id}.subscriptions`,
      },
      state: context.state,
      left: this.#left.kept(),
      right: keptRows(right.columns.map((column) => column.type)),
      referenceOf: this.#referenceOf(step, left),
      versionOf,
      versionBytes: VERSION_BYTES,
      idleKeysMax,
    });
    this.#tables = tables;
    const options = { session: false };
    this.#leftKeys = new RowKeys(left, tables, options);
    this.#foreignKeys = new RowKeys(subscribe.schema, tables, options);
    this.#rightKeys = new RowKeys(right, tables, options);
    const keys = this.#left.keys.map((at) => left.columns[at]?.type as Type);
    this.#output = new ReferenceOutput(schema, keys, tables, context);
  }

  /** What a row refers to that was kept before: a column of the row, or of its key. */
  #referenceOf(
    { subscribe: { foreignKey } }: WholeForeignKeyJoinStep,
    left: Schema,
  ): (id: number, row: number) => number {
    const keys = columnsWithRole(left, 'key');
    const keyTypes = keys.map((at) => left.columns[at]?.type as Type);
    return (id, row) => {
      assert(foreignKey.expr === 'column', 'rows refer by a column');
      const { index, type } = foreignKey;
      const scratch = this.#scratch;
      scratch.truncate(0);
      const key = keys.indexOf(index);
      if (key < 0) {
        const columns = this.#tables.leftRows.columnsOf(Int32Array.of(row));
        writeKey(scratch, [columns[this.#left.values.indexOf(index)] as Column], 0);
      } else {
        const { values } = decodeKey(keyTypes, this.#tables.index.key(id));
        writeKeyValue(scratch, type, values[key] ?? null);
      }
      // A null is no more than the byte that says so.
      if (scratch.position === 1) return NO_KEY;
      return this.#tables.locate(scratch.buffer, 0, scratch.position);
    };
  }

  process(side: number, batch: Batch, out: Emit): void {
    this.processRows(side, batch, 0, batch.length, out);
  }

  processRows(side: number, batch: Batch, from: number, to: number, out: Emit): void {
    const output = this.#output;
    if (this.#tables.isUntidy) {
      output.settle();
      this.#tables.tidy();
    }
    output.begin(out);
    if (side === 0) this.#takeLeft(batch, from, to);
    else this.#takeRight(batch, from, to);
    if (this.#context.holding === undefined) output.settle();
  }

  #takeLeft(batch: Batch, from: number, to: number): void {
    const { valueNull, op, selection } = batch;
    const { ids, references } = this.#leftsOf(batch);
    const tables = this.#tables;
    tables.leftRows.begin(batch, this.#left.columnsOf(batch), from);
    /** What the row referred to before; without old rows the tables know. */
    let old = NO_REFERENCE;
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const isNull = valueNull !== null && bitAt(valueNull, position);
      const reference = isNull ? NO_REFERENCE : (references[i] as number);
      const does = op === null ? Op.Insert : op[position];
      if (does === Op.UpdateBefore) {
        old = reference;
        continue;
      }
      const isDeleted = does === Op.Delete;
      const known = ids[i] as number;
      const id = known === NO_KEY ? this.#locateNulls(batch, position) : known;
      if (this.#keepsLeft) old = tables.reference(id);
      else if (isDeleted) old = reference;
      this.#change(batch, i, position, {
        id,
        isKept: known !== NO_KEY,
        old,
        now: isDeleted ? NO_REFERENCE : reference,
      });
      old = NO_REFERENCE;
    }
  }

  #leftsOf(batch: Batch): Lefts {
    if (this.#lefts?.batch === batch) return this.#lefts;
    const { valueNull } = batch;
    const valued = valueNull === null ? batch : withValue(batch, valueNull);
    const columns = [this.#evaluation.over(valued, this.#compute)];
    const references = this.#foreignKeys.assign({ ...batch, columns, keyNull: null });
    const ids = this.#leftKeys.assign(batch);
    return (this.#lefts = { batch, ids, references });
  }

  /** The number of a key that is null in part: to the tables it is one as others are. */
  #locateNulls({ columns }: Batch, position: number): number {
    const scratch = this.#scratch;
    scratch.truncate(0);
    const keys = this.#left.keys.map((at) => columns[at] as Column);
    writeKey(scratch, keys, position);
    return this.#tables.locate(scratch.buffer, 0, scratch.position);
  }

  /** A change of the left row of a key: what foreignKeySubscribe asks for it, and what comes of that. */
  #change(batch: Batch, i: number, position: number, { id, isKept, old, now }: Change): void {
    const tables = this.#tables;
    const before = tables.left(id);
    const stood = isKept && tables.stands(id);
    const isRow = now !== NO_REFERENCE;
    if (!isRow && before === NO_ROW && old === NO_REFERENCE && !tables.isKept(id)) return;
    const hadKey = old >= 0;
    const goesOn = now >= 0 || (isRow && this.#isLeft);
    // The right row that is looked up: of what the row refers to now, else of what it did.
    const asked = goesOn ? now : old;
    const found = asked >= 0 ? tables.right(asked) : NO_ROW;
    const isAnswered = goesOn
      ? hadKey || this.#isLeft || found !== NO_ROW
      : hadKey || (!isRow && old !== NO_REFERENCE && this.#isLeft);
    const joined = goesOn ? found : NO_ROW;
    const stands = isAnswered ? isRow && (joined !== NO_ROW || this.#isLeft) : stood;
    const ms = batch.rowtime[position] ?? 0;
    const row = isRow ? tables.leftRows.take(i, position, ms) : NO_ROW;
    tables.setLeft(id, row, { from: old, to: now, stands, isKept });
    if (!isKept || !isAnswered) return;
    const rowtime = found === NO_ROW ? ms : Math.max(ms, tables.rightRows.rowtime(found));
    const origin = batch.origin?.[position] ?? null;
    this.#output.add(id, row, joined, { stands, stood, rowtime, origin });
  }

  #takeRight(batch: Batch, from: number, to: number): void {
    const { selection, op } = batch;
    const ids = this.#rightKeys.assign(batch);
    const tables = this.#tables;
    tables.rightRows.begin(batch, batch.columns, from);
    for (let i = from; i < to; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || op?.[position] === Op.UpdateBefore) continue;
      const rowtime = batch.rowtime[position] ?? 0;
      const row = isGone(batch, position) ? NO_ROW : tables.rightRows.take(i, position, rowtime);
      if (row !== NO_ROW || tables.right(id) !== NO_ROW) tables.setRight(id, row);
      this.#tell(id, row, rowtime, batch.origin?.[position] ?? null);
    }
  }

  /** Tells the subscribers of a right row of its change. */
  #tell(to: number, right: number, rowtime: number, origin: number | null): void {
    const tables = this.#tables;
    const subscribers = tables.subscribersOf(to);
    const stands = right !== NO_ROW || this.#isLeft;
    for (let i = 0; i < subscribers.length; i++) {
      const id = subscribers[i] as number;
      const left = tables.left(id);
      // Of a key that is null in part no row is kept.
      if (left === NO_ROW || !tables.isKept(id)) continue;
      const stood = tables.stands(id);
      if (stands !== stood) tables.setStands(id, stands);
      this.#output.add(id, left, right, { stands, stood, rowtime, origin });
    }
  }

  settle(): void {
    this.#output.settle();
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    if (!this.#tables.changes(into, intoBlock)) return;
    this.#lefts = null;
    for (const keys of [this.#leftKeys, this.#foreignKeys, this.#rightKeys]) keys.reset();
  }
}

interface Change {
  /** Of the primary key. */
  readonly id: number;
  /** False: the key is null in part. */
  readonly isKept: boolean;
  /** What the row referred to, and what it does now: a key, NO_KEY or NO_REFERENCE. */
  readonly old: number;
  readonly now: number;
}
