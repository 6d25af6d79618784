// A plan as a host without a kernel, or without a whole one, runs it: its aggregations on the row path, over the state that they have; knows no operator.

import { needsWhole } from './lower.ts';
import type { Plan, Step } from './step.ts';

/**
 * Both paths store the same bytes, so that the query goes on where it was.
 * @param hasKernel the host has one, though no whole one
 */
export function onRowPath(plan: Plan, hasKernel: boolean): Plan {
  const why = `the host has no ${hasKernel ? 'whole ' : ''}kernel`;
  return {
    ...plan,
    subtopologies: plan.subtopologies.map((part) => ({
      ...part,
      steps: part.steps.map((step): Step => {
        if (step.step !== 'aggregate' || step.run.path === 'row') return step;
        return hasKernel && !needsWhole({ steps: [step] })
          ? step
          : { ...step, run: { path: 'row', why } };
      }),
    })),
  };
}
