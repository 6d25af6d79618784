// Picks the operator of a join step; knows no topic.

import { exhaustive } from '../base/assert.ts';
import { InvariantError } from '../base/errors.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type {
  ForeignKeyJoinStep,
  ForeignKeyRespondStep,
  ForeignKeySubscribeStep,
  JoinStep,
} from '../plan/join-step.ts';
import type { Step } from '../plan/step.ts';
import { ForeignKeyJoin } from './foreign-key-join.ts';
import { ForeignKeyRespond } from './foreign-key-respond.ts';
import { foreignKeySubscribe } from './foreign-key-subscribe.ts';
import type { WholeForeignKeyJoinStep } from './foreign-key-steps.ts';
import { WholeForeignKeyJoin } from './foreign-key-whole.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { StreamStreamJoin } from './stream-stream-join.ts';
import { StreamTableJoin } from './stream-table-join.ts';
import { TableTableJoin } from './table-table-join.ts';

export { eachRow } from './each-row.ts';
export { Holders } from './holders.ts';
export { inputsOf } from './join-inputs.ts';

type AnyJoinStep =
  | JoinStep
  | ForeignKeyJoinStep
  | WholeForeignKeyJoinStep
  | ForeignKeySubscribeStep
  | ForeignKeyRespondStep;

export interface JoinSurroundings {
  readonly context: OperatorContext;
  readonly registry: FunctionRegistry;
  /** The steps of the sub-topology. */
  readonly steps: readonly Step[];
}

/** @param inputs schemas of the inputs, in the order of the step's declaration */
export function join(
  step: AnyJoinStep,
  [left, right]: readonly Schema[],
  { context, registry, steps }: JoinSurroundings,
): Operator {
  // Sources are windowed alike where they are joined; the end of a session is a part of the key.
  const session = steps.some(
    (other) => other.step === 'source' && other.window?.type === 'SESSION',
  );
  if (left === undefined) throw new InvariantError(`step ${step.id} has no input`);
  if (step.step === 'foreignKeySubscribe')
    return foreignKeySubscribe(step, left, context, registry);
  if (right === undefined) throw new InvariantError(`step ${step.id} has one input`);
  switch (step.step) {
    case 'streamStreamJoin':
      return new StreamStreamJoin(step, [left, right], context, { session });
    case 'streamTableJoin':
      return new StreamTableJoin(step, [left, right], context, { session });
    case 'tableTableJoin':
      return new TableTableJoin(step, [left, right], context, { session });
    case 'foreignKeyJoin':
      if ('respond' in step) return new WholeForeignKeyJoin(step, [left, right], context, registry);
      return new ForeignKeyJoin(step, [left, right], context);
    case 'foreignKeyRespond':
      return new ForeignKeyRespond(step, [left, right], context);
    default:
      return exhaustive(step);
  }
}
