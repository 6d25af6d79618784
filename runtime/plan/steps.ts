// Finds a step of a plan; knows no operator.

import type { Plan, Step, StepId } from './step.ts';

/** The step of that id in the plan, or undefined. */
export function stepById(plan: Plan, id: StepId): Step | undefined {
  for (const part of plan.subtopologies) {
    const found = part.steps.find((step) => step.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}
