// Which steps feed a join; knows no operator.

import type { ForeignKeyJoinStep, ForeignKeyRespondStep, JoinStep } from '../plan/join-step.ts';

/** The steps that feed a join, by the number of its input. */
export function inputsOf(
  step: JoinStep | ForeignKeyJoinStep | ForeignKeyRespondStep,
): readonly [string, string] {
  if (step.step === 'foreignKeyJoin') return [step.left, step.responses];
  if (step.step === 'foreignKeyRespond') return [step.subscriptions, step.right];
  return [step.left, step.right];
}
