// A plan as a host without a kernel runs it: its aggregations on the row path, over the state that they have; knows no operator.

import type { Plan, Step } from './step.ts';

const WHY = 'the host has no kernel';

/** Both paths store the same bytes, so that the query goes on where it was. */
export function onRowPath(plan: Plan): Plan {
  if (!plan.subtopologies.some(({ steps }) => steps.some(isOnKernel))) return plan;
  return {
    ...plan,
    subtopologies: plan.subtopologies.map((part) => ({
      ...part,
      steps: part.steps.map((step): Step =>
        isOnKernel(step) ? { ...step, run: { path: 'row', why: WHY } } : step,
      ),
    })),
  };
}

function isOnKernel(step: Step): step is Step & { readonly step: 'aggregate' } {
  return step.step === 'aggregate' && step.run.path === 'kernel';
}
