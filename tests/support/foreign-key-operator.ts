// The operators of a foreign-key join put together as one, each row going all the way before the next one, and the one for all three; knows no task.

import type { Batch } from '../../runtime/data/batch.ts';
import { prettySchema } from '../../runtime/data/pretty.ts';
import { STRING } from '../../runtime/data/type.ts';
import { eachRow } from '../../runtime/operators/each-row.ts';
import { ForeignKeyJoin } from '../../runtime/operators/foreign-key-join.ts';
import { ForeignKeyRespond } from '../../runtime/operators/foreign-key-respond.ts';
import { foreignKeySubscribe } from '../../runtime/operators/foreign-key-subscribe.ts';
import {
  WholeForeignKeyJoin,
  type WholeForeignKeyJoinStep,
} from '../../runtime/operators/foreign-key-whole.ts';
import { materialize } from '../../runtime/operators/materialize.ts';
import type { Emit, Operator, OperatorContext } from '../../runtime/operators/operator.ts';
import { LEFT, RIGHT } from './join-inputs.ts';
import type { MakeOperator } from './operator-harness.ts';
import { registry } from './operator-inputs.ts';

/** Keys of generated right rows, as the words that left rows refer to. */
export const FOREIGN_RIGHTS: ReadonlyMap<string, string> = new Map([
  ['a', 'x'],
  ['b', ''],
  ['ab', 'ä\0'],
]);

const SUBSCRIPTIONS = prettySchema('FK:STRING key | K:STRING | SUBSCRIPTION:BYTES @rowtime');
const ANSWERS = prettySchema('K:STRING key | SUBSCRIPTION:BYTES | R:STRING | B:BIGINT @rowtime');
const JOINED = prettySchema('K:STRING key | A:INTEGER | S:STRING | R:STRING | B:BIGINT @rowtime');

/** The steps of a join whose ends are in one task. */
function stepsOf(type: 'INNER' | 'LEFT'): WholeForeignKeyJoinStep {
  return {
    step: 'foreignKeyJoin',
    id: '3',
    left: '2',
    responses: '5',
    type,
    schema: JOINED,
    subscribe: {
      step: 'foreignKeySubscribe',
      id: '4',
      input: '2',
      foreignKey: { expr: 'column', index: 2, type: STRING },
      type,
      schema: SUBSCRIPTIONS,
    },
    respond: {
      step: 'foreignKeyRespond',
      id: '5',
      subscriptions: '4',
      right: '1',
      type,
      schema: ANSWERS,
    },
  };
}

function keptLeft(context: OperatorContext): Operator {
  const step = { step: 'materialize', id: '2', input: '1', schema: LEFT } as const;
  return materialize(step, LEFT, context, registry);
}

/** As `foreignKeyJoin`, over whole batches. */
export function wholeForeignKeyJoin(type: 'INNER' | 'LEFT'): MakeOperator {
  return (context) => {
    const kept = keptLeft(context);
    const join = new WholeForeignKeyJoin(stepsOf(type), [LEFT, RIGHT], context, registry);
    return {
      name: 'foreign key join',
      schema: JOINED,
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

/** Input 0 the left table, which refers to the right one by its column S, input 1 the right table. */
export function foreignKeyJoin(type: 'INNER' | 'LEFT'): MakeOperator {
  return (context) => {
    const { respond: answering, subscribe: asking, ...joining } = stepsOf(type);
    const kept = keptLeft(context);
    const join = new ForeignKeyJoin(joining, [LEFT, ANSWERS], context);
    const subscribe = foreignKeySubscribe(asking, LEFT, context, registry);
    const respond = new ForeignKeyRespond(answering, [SUBSCRIPTIONS, RIGHT], context);
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
      schema: JOINED,
      process: (side, batch, out) => eachRow([batch], (_, one) => row(side, one, out)),
      changes(into) {
        for (const operator of [kept, join, subscribe, respond]) operator.changes?.(into);
      },
    };
  };
}
