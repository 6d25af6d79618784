// The operators of a foreign-key join put together as one, each row going all the way before the next one, and the one for all three; knows no task.

import type { Batch } from '../../runtime/data/batch.ts';
import { bitmap, setBit } from '../../runtime/data/column.ts';
import { prettySchema } from '../../runtime/data/pretty.ts';
import type { Schema } from '../../runtime/data/schema.ts';
import { BIGINT, STRING } from '../../runtime/data/type.ts';
import { eachRow } from '../../runtime/operators/each-row.ts';
import { ForeignKeyJoin } from '../../runtime/operators/foreign-key-join.ts';
import { ForeignKeyRespond } from '../../runtime/operators/foreign-key-respond.ts';
import { foreignKeySubscribe } from '../../runtime/operators/foreign-key-subscribe.ts';
import type { WholeForeignKeyJoinStep } from '../../runtime/operators/foreign-key-steps.ts';
import { WholeForeignKeyJoin } from '../../runtime/operators/foreign-key-whole.ts';
import { materialize } from '../../runtime/operators/materialize.ts';
import type { Emit, Operator, OperatorContext } from '../../runtime/operators/operator.ts';
import { given, LEFT, RIGHT, rowtimeSteps, sideRows } from './join-inputs.ts';
import type { OperatorCase } from './operator-contract.ts';
import { heldBack, type MakeOperator } from './operator-harness.ts';
import { registry } from './operator-inputs.ts';

/** Keys of generated right rows, as the words that left rows refer to. */
export const FOREIGN_RIGHTS: ReadonlyMap<string, string> = new Map([
  ['a', 'x'],
  ['b', ''],
  ['ab', 'ä\0'],
]);

/** The left table, and by which of its columns it refers to the right one. */
export interface Referring {
  readonly left: Schema;
  readonly by: number;
}

/** By a value. */
export const BY_VALUE: Referring = { left: LEFT, by: 2 };
const LEFT_OF_TWO = prettySchema('K:STRING key | N:BIGINT key | A:INTEGER | S:STRING @rowtime');
/** By a part of the key, of which the other part may be null; and the same table by a value. */
export const BY_KEY: Referring = { left: LEFT_OF_TWO, by: 0 };
export const BY_VALUE_OF_TWO: Referring = { left: LEFT_OF_TWO, by: 3 };

/** The batch of LEFT with a second key column, by positions: null, 0, 1, -1, and again. */
function ofTwo(batch: Batch): Batch {
  const { length } = batch.rowtime;
  const validity = bitmap(length);
  for (let i = 0; i < length; i++) if (i % 4 > 0) setBit(validity, i);
  const values = BigInt64Array.from({ length }, (_, i) => [0n, 0n, 1n, -1n][i % 4] as bigint);
  const [key, ...cells] = batch.columns;
  if (key === undefined) throw new Error('rows have a key');
  const second = { type: BIGINT, storage: 'i64', values, validity } as const;
  return { ...batch, schema: LEFT_OF_TWO, columns: [key, second, ...cells] };
}

/** The steps of a join whose ends are in one task. */
function stepsOf(type: 'INNER' | 'LEFT', { left, by }: Referring): WholeForeignKeyJoinStep {
  const keys = left === LEFT ? 'K:STRING key' : 'K:STRING key | N:BIGINT key';
  const carried = keys.replaceAll(' key', '');
  return {
    step: 'foreignKeyJoin',
    id: '3',
    left: '2',
    responses: '5',
    type,
    schema: prettySchema(`${keys} | A:INTEGER | S:STRING | R:STRING | B:BIGINT @rowtime`),
    subscribe: {
      step: 'foreignKeySubscribe',
      id: '4',
      input: '2',
      foreignKey: { expr: 'column', index: by, type: STRING },
      type,
      schema: prettySchema(`FK:STRING key | ${carried} | SUBSCRIPTION:BYTES @rowtime`),
    },
    respond: {
      step: 'foreignKeyRespond',
      id: '5',
      subscriptions: '4',
      right: '1',
      type,
      schema: prettySchema(`${keys} | SUBSCRIPTION:BYTES | R:STRING | B:BIGINT @rowtime`),
    },
    keeps: null,
  };
}

function keptLeft(context: OperatorContext, left: Schema): Operator {
  const step = { step: 'materialize', id: '2', input: '1', schema: left } as const;
  return materialize(step, left, context, registry);
}

interface ForeignKeyOptions {
  readonly referring?: Referring | undefined;
  /** Keys that stay in memory beyond those that a commit took. */
  readonly idleKeysMax?: number | undefined;
}

/** As `foreignKeyJoin`, over whole batches; with `keeps` the join keeps the left table's rows itself. */
export function wholeForeignKeyJoin(
  type: 'INNER' | 'LEFT',
  keeps = false,
  { referring = BY_VALUE, idleKeysMax }: ForeignKeyOptions = {},
): MakeOperator {
  const step = stepsOf(type, referring);
  const inputs = [referring.left, RIGHT] as const;
  if (keeps)
    return (context) =>
      new WholeForeignKeyJoin({ ...step, keeps: '2' }, inputs, context, registry, idleKeysMax);
  return (context) => {
    const kept = keptLeft(context, referring.left);
    const join = new WholeForeignKeyJoin(step, inputs, context, registry, idleKeysMax);
    return {
      name: 'foreign key join',
      schema: join.schema,
      process(side, batch, out) {
        if (side === 1) join.process(1, batch, out);
        else kept.process(0, batch, (changes) => join.process(0, changes, out));
      },
      settle: () => join.settle(),
      changes(into, intoBlock) {
        kept.changes?.(into, intoBlock);
        join.changes(into, intoBlock);
      },
    };
  };
}

/** Input 0 the left table, which refers to the right one, input 1 the right table. */
export function foreignKeyJoin(
  type: 'INNER' | 'LEFT',
  referring: Referring = BY_VALUE,
): MakeOperator {
  const { left } = referring;
  return (context) => {
    const {
      respond: answering,
      subscribe: asking,
      keeps: _,
      ...joining
    } = stepsOf(type, referring);
    const kept = keptLeft(context, left);
    const join = new ForeignKeyJoin(joining, [left, answering.schema], context);
    const subscribe = foreignKeySubscribe(asking, left, context, registry);
    const respond = new ForeignKeyRespond(answering, [asking.schema, RIGHT], context);
    const row = (side: number, batch: Batch, out: Emit): void => {
      const answer: Emit = (answers) => join.process(1, answers, out);
      if (side === 1) {
        respond.process(1, batch, answer);
        return;
      }
      kept.process(0, batch, (changes) => {
        join.process(0, changes, out);
        subscribe.process(0, changes, (asked) => respond.process(0, asked, answer));
      });
    };
    return {
      name: 'foreign key join',
      schema: joining.schema,
      process: (side, batch, out) => eachRow([batch], (_, one) => row(side, one, out)),
      changes(into) {
        for (const operator of [kept, join, subscribe, respond]) operator.changes?.(into);
      },
    };
  };
}

/** The join row by row and over whole batches, under the operator contract. */
export function foreignKeyCase(
  type: 'INNER' | 'LEFT',
  options: ForeignKeyOptions & { readonly referring: Referring },
): OperatorCase {
  const { referring } = options;
  const tables = [true, true];
  const input = sideRows({ steps: rowtimeSteps, tables }).map((rows) => {
    const referred = rows.map((row) =>
      row.side === 0 ? row : { ...row, key: FOREIGN_RIGHTS.get(row.key ?? '') ?? 'x' },
    );
    // Where rows refer by their key right rows have the same ones.
    return given(referring === BY_KEY ? rows : referred, tables).map((one) =>
      one.to === 0 && referring.left !== LEFT ? { to: 0, batch: ofTwo(one.batch) } : one,
    );
  });
  return {
    paths: [
      { name: 'row by row', make: foreignKeyJoin(type, referring) },
      ...[false, true].flatMap((keeps) => {
        const make = wholeForeignKeyJoin(type, keeps, options);
        const name = keeps ? 'the join keeps the left rows' : 'the left rows are kept before';
        return [
          { name: `batch by batch, ${name}`, make },
          { name: `rows held back, ${name}`, make: heldBack(make) },
          { name: `rows of several moments, ${name}`, make: heldBack(make, true) },
        ];
      }),
    ],
    input,
    changelog: { old: false },
  };
}
