// A foreign-key join whose three ends are in one task, as one operator over whole batches, for hosts with a whole kernel; knows no topic.

import { ByteWriter } from '../base/bytes.ts';
import { type Batch, Op } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import { bitAt, type Column, valueAt } from '../data/column.ts';
import { decodeKey, prefixRange } from '../data/key.ts';
import { writeKey } from '../data/key-writer.ts';
import { RowCells, rowtimeOf } from '../data/row-cells.ts';
import type { Schema } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { type ColumnFunction, compile } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type {
  ForeignKeyJoinStep,
  ForeignKeyRespondStep,
  ForeignKeySubscribeStep,
} from '../plan/join-step.ts';
import type { Step, StepId, Subtopology } from '../plan/step.ts';
import type { IntoBlock, StateBytes } from '../ports/store.ts';
import { OrderedTable } from '../state/ordered-table.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import { RowTable } from '../state/row-table.ts';
import { RowEvaluation } from './evaluation.ts';
import { ROW_AT, STANDS, stateOf } from './foreign-key-join.ts';
import { versionOf } from './foreign-key.ts';
import { together } from './join-across.ts';
import { JoinInput } from './join-output.ts';
import type { Emit, Moment, Operator, OperatorContext } from './operator.ts';
import { withValue } from './rarer-rows.ts';
import { isGone } from './stream-table-join.ts';

/** The join with its other ends; `responses` is the right table's step. */
export interface WholeForeignKeyJoinStep extends ForeignKeyJoinStep {
  readonly subscribe: ForeignKeySubscribeStep;
  readonly respond: ForeignKeyRespondStep;
}

/** The sub-topology with one step for the three of a foreign-key join, whose rows need not go one by one then; else as it is. */
export function wholeForeignKey(part: Subtopology): Subtopology {
  const { steps } = part;
  const join = steps.find((step) => step.step === 'foreignKeyJoin');
  const respond = steps.find((step) => step.step === 'foreignKeyRespond');
  const subscribe = steps.find((step) => step.step === 'foreignKeySubscribe');
  if (respond === undefined || join?.responses !== respond.id) return part;
  if (respond.subscriptions !== subscribe?.id) return part;
  const topics = steps.flatMap((step) => (step.step === 'source' ? [step.topic] : []));
  // Rows of a topic that two sources read go one by one whatever joins them, and those of a table that is joined with itself.
  if (new Set(topics).size < topics.length) return part;
  if (sourceOf(steps, join.left) === sourceOf(steps, respond.right)) return part;
  const whole: WholeForeignKeyJoinStep = { ...join, responses: respond.right, subscribe, respond };
  return {
    ...part,
    rowByRow: undefined,
    steps: steps.flatMap((step) =>
      step === join ? [whole] : step === respond || step === subscribe ? [] : [step],
    ),
  };
}

/** From where rows come to a step; both tables of the join come one way each. */
function sourceOf(steps: readonly Step[], id: StepId): StepId {
  const step = steps.find((candidate) => candidate.id === id);
  return step !== undefined && 'input' in step ? sourceOf(steps, step.input) : id;
}

/** What a left row refers to. */
interface ForeignKey {
  /** NO_KEY: null. */
  readonly id: number;
  /** Where its value is. */
  readonly of: Column;
  readonly position: number;
}

interface Change {
  /** Of the primary key. */
  readonly id: number;
  /** Before and after the change; null where there is no row. */
  readonly old: ForeignKey | null;
  readonly key: ForeignKey | null;
}

/** A row of the result but for its columns. */
interface Result {
  readonly stands: boolean;
  readonly stood: boolean;
  readonly rowtime: number;
  readonly origin: number | null;
}

/**
 * Shape: input 0 the left changelog with old rows, input 1 the right one with or without; out what ForeignKeyJoin makes of the answers when
 * each row goes all the way before the next one, and the same state: no message is made, because no answer is ever outdated.
 * Cost: a look-up a row in either table; a scan of its subscriptions per change of a right row that may have some.
 */
export class WholeForeignKeyJoin implements Operator {
  readonly name = 'foreignKeyJoin';
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #isLeft: boolean;
  readonly #compute: ColumnFunction;
  readonly #evaluation: RowEvaluation;
  readonly #lefts: RowTable;
  readonly #rights: RowTable;
  /** Foreign key, primary key: the version that subscribed. */
  readonly #subscriptions: OrderedTable;
  readonly #leftKeys: RowKeys;
  readonly #foreignKeys: RowKeys;
  readonly #rightKeys: RowKeys;
  readonly #left: JoinInput;
  readonly #rightCells: RowCells;
  readonly #primaryTypes: readonly Type[];
  readonly #builder: BatchBuilder;
  readonly #primaryColumns: readonly ColumnBuilder[];
  readonly #leftColumns: readonly ColumnBuilder[];
  readonly #rightColumns: readonly ColumnBuilder[];
  readonly #scratch = new ByteWriter(64);
  /** By right row 1 where nobody subscribes to it, until the next commit. */
  #alone: number[] = [];
  /** What the rows so far are of, each once, with what the origins of its rows count from. */
  #moments = new Map<Moment, number>();
  /** Of what is at hand. */
  #originsFrom = 0;
  #out: Emit = () => {};

  constructor(
    step: WholeForeignKeyJoinStep,
    [left, right]: readonly [Schema, Schema],
    context: OperatorContext,
    registry: FunctionRegistry,
  ) {
    const { id, schema, type, subscribe, respond } = step;
    this.schema = schema;
    this.#context = context;
    this.#isLeft = type === 'LEFT';
    this.#compute = compile(subscribe.foreignKey, registry);
    const field = subscribe.schema.columns[0]?.name ?? '';
    this.#evaluation = new RowEvaluation(context, field, subscribe.id);
    this.#lefts = new RowTable(id, context.state);
    this.#rights = new RowTable(`${respond.id}.right`, context.state);
    this.#subscriptions = new OrderedTable(`${respond.id}.subscriptions`, context.state);
    const options = { session: false };
    this.#leftKeys = new RowKeys(left, this.#lefts, options);
    this.#foreignKeys = new RowKeys(subscribe.schema, this.#rights, options);
    this.#rightKeys = new RowKeys(right, this.#rights, options);
    this.#left = new JoinInput(left);
    this.#rightCells = new RowCells(right.columns.map((column) => column.type));
    const { keys } = this.#left;
    this.#primaryTypes = keys.map((at) => left.columns[at]?.type as Type);
    this.#builder = new BatchBuilder(schema);
    const { columns } = this.#builder;
    const leftEnd = left.columns.length;
    this.#primaryColumns = columns.slice(0, keys.length);
    this.#leftColumns = columns.slice(keys.length, leftEnd);
    this.#rightColumns = columns.slice(leftEnd);
  }

  process(side: number, batch: Batch, out: Emit): void {
    this.#out = out;
    this.#originsFrom = this.#turn();
    if (side === 0) this.#takeLeft(batch);
    else this.#takeRight(batch);
    if (this.#context.holding === undefined) this.settle();
  }

  /** Rows are of the moment at hand from now on. @returns what their origins count from */
  #turn(): number {
    const { holding } = this.#context;
    if (holding === undefined) return 0;
    const { moment } = holding;
    const known = this.#moments.get(moment);
    if (known !== undefined) return known;
    if (this.#builder.length === 0 || holding.together === undefined) this.settle();
    const moments = [...this.#moments.keys(), moment];
    const from = moments.length > 1 ? (holding.together?.(moments).from.at(-1) ?? 0) : 0;
    this.#moments.set(moment, from);
    return from;
  }

  #takeLeft(batch: Batch): void {
    const { valueNull, op, selection } = batch;
    const valued = valueNull === null ? batch : withValue(batch, valueNull);
    const foreign = this.#compute(valued, this.#evaluation.of(valued));
    const foreignIds = this.#foreignKeys.assign({
      ...batch,
      columns: [foreign],
      keyNull: valueNull,
    });
    const ids = this.#leftKeys.assign(batch);
    /** Of what the row was; null: it was none. */
    let old: ForeignKey | null = null;
    for (let i = 0; i < batch.length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const isNull = valueNull !== null && bitAt(valueNull, position);
      const id = foreignIds[i] as number;
      const key = isNull ? null : { id, of: foreign, position };
      if (op?.[position] === Op.UpdateBefore) {
        old = key;
        continue;
      }
      const isDeleted = op?.[position] === Op.Delete;
      this.#change(batch, position, {
        id: ids[i] as number,
        old: isDeleted ? key : old,
        key: isDeleted ? null : key,
      });
      old = null;
    }
  }

  /** A change of a left row: what foreignKeySubscribe asks for it, and what comes of that. */
  #change(batch: Batch, position: number, { id, old, key }: Change): void {
    const hadKey = old !== null && old.id !== NO_KEY;
    const goesOn = key !== null && (key.id !== NO_KEY || this.#isLeft);
    const before = id === NO_KEY ? null : this.#lefts.get(id);
    const stood = before?.[0] === 1;
    const row =
      key === null
        ? null
        : this.#left.cells.encode(
            this.#left.columnsOf(batch),
            position,
            batch.rowtime[position] ?? 0,
          );
    if (hadKey && (key === null || !isSame(old, key)))
      this.#subscribe(batch, position, old.id, null);
    if (key !== null && key.id !== NO_KEY) this.#subscribe(batch, position, key.id, row);
    // The right row that is looked up: of what the row refers to now, else of what it did.
    const asked = goesOn ? key.id : hadKey ? old.id : NO_KEY;
    const found = asked === NO_KEY ? null : this.#rights.get(asked);
    const isAnswered = goesOn
      ? hadKey || this.#isLeft || found !== null
      : hadKey || (key === null && old !== null && this.#isLeft);
    const joined = goesOn ? found : null;
    const stands = isAnswered ? row !== null && (joined !== null || this.#isLeft) : stood;
    if (id === NO_KEY) return;
    if (row !== null) this.#lefts.set(id, stateOf(stands, row));
    else if (before !== null) this.#lefts.set(id, stands ? STANDS : null);
    if (!isAnswered) return;
    const ms = batch.rowtime[position] ?? 0;
    const rowtime = found === null ? ms : Math.max(ms, rowtimeOf(found));
    this.#begin();
    const { keys } = this.#left;
    this.#primaryColumns.forEach((column, i) =>
      column.append(valueAt(batch.columns[keys[i] as number] as Column, position)),
    );
    const columns = this.#left.columnsOf(batch);
    this.#leftColumns.forEach((column, i) =>
      column.append(stands ? valueAt(columns[i] as Column, position) : null),
    );
    this.#appendRight(stands ? joined : null);
    this.#end({ stands, stood, rowtime, origin: batch.origin?.[position] ?? null });
  }

  /** @param row null: the subscription ends */
  #subscribe(batch: Batch, position: number, to: number, row: Uint8Array | null): void {
    const scratch = this.#scratch;
    scratch.truncate(0);
    scratch.bytes(this.#rights.key(to));
    const columns = this.#left.keys.map((at) => batch.columns[at] as Column);
    writeKey(scratch, columns, position);
    this.#subscriptions.set(scratch.written(), row === null ? null : versionOf(row));
    this.#alone[to] = 0;
  }

  #takeRight(batch: Batch): void {
    const { selection, op } = batch;
    const ids = this.#rightKeys.assign(batch);
    for (let i = 0; i < batch.length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[i] as number;
      if (id === NO_KEY || op?.[position] === Op.UpdateBefore) continue;
      const rowtime = batch.rowtime[position] ?? 0;
      const row = isGone(batch, position)
        ? null
        : this.#rightCells.encode(batch.columns, position, rowtime);
      if (row !== null || this.#rights.get(id) !== null) this.#rights.set(id, row);
      if (this.#alone[id] !== 1) this.#tell(id, row, rowtime, batch.origin?.[position] ?? null);
    }
  }

  /** Tells the subscribers of a right row of its change. */
  #tell(id: number, right: Uint8Array | null, rowtime: number, origin: number | null): void {
    const prefix = this.#rights.key(id).slice();
    let isAlone = 1;
    for (const { key } of this.#subscriptions.scan(prefixRange(prefix))) {
      isAlone = 0;
      const left = this.#lefts.locate(key, prefix.length, key.length);
      const before = this.#lefts.get(left);
      // Of a key that is null in part no row is kept.
      if (before === null || before.length <= ROW_AT) continue;
      const row = before.subarray(ROW_AT);
      const stood = before[0] === 1;
      const stands = right !== null || this.#isLeft;
      if (stands !== stood) this.#lefts.set(left, stateOf(stands, row));
      this.#begin();
      const primary = decodeKey(this.#primaryTypes, key.subarray(prefix.length)).values;
      this.#primaryColumns.forEach((column, i) => column.append(primary[i] as Value));
      if (stands) this.#left.cells.append(row, this.#leftColumns);
      else for (const column of this.#leftColumns) column.appendNull();
      this.#appendRight(right);
      this.#end({ stands, stood, rowtime, origin });
    }
    this.#alone[id] = isAlone;
  }

  #begin(): void {
    if (!this.#builder.isFull) return;
    this.settle();
    this.#originsFrom = this.#turn();
  }

  /** @param row null: nulls */
  #appendRight(row: Uint8Array | null): void {
    if (row !== null) this.#rightCells.append(row, this.#rightColumns);
    else for (const column of this.#rightColumns) column.appendNull();
  }

  #end({ stands, stood, rowtime, origin }: Result): void {
    const op = stands ? (stood ? Op.UpdateAfter : Op.Insert) : Op.Delete;
    this.#builder.endRow(rowtime, op, origin === null ? null : origin + this.#originsFrom);
    if (!stands) this.#builder.markValueNull();
  }

  settle(): void {
    const batch = this.#builder.finish();
    const [first, ...more] = this.#moments.keys();
    this.#moments.clear();
    if (batch === null) return;
    const { holding } = this.#context;
    if (first === undefined || holding === undefined) this.#out(batch);
    else if (more.length === 0) holding.emit(first, batch, this.#out);
    else holding.emit(together(holding, [first, ...more]).moment, batch, this.#out);
  }

  changes(into: (change: StateBytes) => void, intoBlock?: IntoBlock | null): void {
    this.#lefts.changes(into, intoBlock);
    this.#rights.changes(into, intoBlock);
    this.#subscriptions.changes(into);
    for (const keys of [this.#leftKeys, this.#foreignKeys, this.#rightKeys]) keys.reset();
    this.#alone = [];
  }
}

function isSame(a: ForeignKey, b: ForeignKey): boolean {
  return a.id === b.id || valueEquals(valueAt(a.of, a.position), valueAt(b.of, b.position));
}
