// The three steps of a foreign-key join within one task as one; knows no operator.

import type {
  ForeignKeyJoinStep,
  ForeignKeyRespondStep,
  ForeignKeySubscribeStep,
} from '../plan/join-step.ts';
import type { SourceStep, Step, StepId, Subtopology } from '../plan/step.ts';

/** The join with its other ends; `responses` is the right table's step. */
export interface WholeForeignKeyJoinStep extends ForeignKeyJoinStep {
  readonly subscribe: ForeignKeySubscribeStep;
  readonly respond: ForeignKeyRespondStep;
  /** The left table's source, where the join keeps its rows, which come as they are then; null: they come as a changelog with old rows. */
  readonly keeps: StepId | null;
}

/**
 * The sub-topology with one step for the three of a foreign-key join, whose rows need not go one by one then; else as it is. Where what the
 * left table refers to is a column of its own, which cannot fail, the join keeps the table's rows, too.
 */
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
  const left = subscribe.foreignKey.expr === 'column' ? keptSource(steps, join.left) : null;
  const whole: WholeForeignKeyJoinStep = {
    ...join,
    responses: respond.right,
    subscribe,
    respond,
    keeps: left?.id ?? null,
  };
  return {
    ...part,
    rowByRow: undefined,
    steps: steps.flatMap((step): readonly Step[] => {
      if (step === join) return [whole];
      if (step === left) return [{ ...left, materialized: false }];
      return step === respond || step === subscribe ? [] : [step];
    }),
  };
}

/** The source of a step, if it is that alone, and read by nobody but the join and who subscribes. */
function keptSource(steps: readonly Step[], id: StepId): SourceStep | null {
  const source = steps.find((step) => step.id === id);
  if (source?.step !== 'source' || !source.materialized || source.window !== null) return null;
  // Itself, the join and who subscribes.
  const named = steps.filter((step) => Object.values(step).flat().includes(id));
  return named.length === 3 ? source : null;
}

/** From where rows come to a step; both tables of the join come one way each. */
function sourceOf(steps: readonly Step[], id: StepId): StepId {
  const step = steps.find((candidate) => candidate.id === id);
  return step !== undefined && 'input' in step ? sourceOf(steps, step.input) : id;
}
