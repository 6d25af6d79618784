// What every plan must satisfy, whatever it was made from: an independent check for property tests.
import { columnsRead, type Expr } from '../../../runtime/expr/expr.ts';
import type { Plan, Step } from '../../../runtime/plan/step.ts';

function expressionsOf(step: Step): readonly Expr[] {
  switch (step.step) {
    case 'filter':
    case 'tableFilter':
      return [step.predicate];
    case 'project':
      return step.expressions;
    case 'rekey':
      return step.key;
    default:
      return [];
  }
}

function positionsOf(step: Step): readonly number[] {
  const read = expressionsOf(step).flatMap(columnsRead);
  if (step.step === 'rekey') return [...read, ...step.carried];
  if (step.step === 'aggregate') return step.calls.flatMap((call) => call.arguments);
  return read;
}

/** Problems of one step, given the steps before it in its sub-topology. */
function problemsOf(step: Step, before: readonly Step[]): string[] {
  if (!('input' in step)) return [];
  const input = before.at(-1);
  if (input?.id !== step.input) return [`step ${step.id} is not fed by the step before it`];
  const problems = positionsOf(step)
    .filter((position) => input.schema.columns[position] === undefined)
    .map((position) => `step ${step.id} reads column ${position}, which step ${input.id} has not`);
  const wide = step.schema.columns.length;
  if (step.step === 'project' && step.expressions.length !== wide)
    problems.push(`step ${step.id} makes too few columns`);
  if (step.step === 'rekey' && step.key.length + step.carried.length !== wide)
    problems.push(`step ${step.id} carries too few columns`);
  const passes = ['filter', 'tableFilter', 'repartition', 'sink', 'client'].includes(step.step);
  if (passes && JSON.stringify(step.schema) !== JSON.stringify(input.schema))
    problems.push(`step ${step.id} changes the schema`);
  for (const [index, expression] of step.step === 'project' ? step.expressions.entries() : []) {
    const type = JSON.stringify(step.schema.columns[index]?.type);
    if (type !== JSON.stringify(expression.type))
      problems.push(`step ${step.id} gives column ${index} another type`);
  }
  return problems;
}

/** Everything that is wrong with the plan, as sentences. */
export function planProblems(plan: Plan): string[] {
  const steps = plan.subtopologies.flatMap((part) => part.steps);
  const problems = plan.subtopologies.flatMap((part) =>
    part.steps.flatMap((step, index) => problemsOf(step, part.steps.slice(0, index))),
  );
  if (new Set(steps.map((step) => step.id)).size !== steps.length)
    problems.push('two steps have one id');
  const last = steps.at(-1)?.step;
  if (last !== (plan.kind === 'persistent' ? 'sink' : 'client'))
    problems.push(`the plan ends in ${last}`);
  const joined = (names: readonly string[]): string => names.join(' ');
  const written = steps.flatMap((step) => (step.step === 'repartition' ? [step.topic] : []));
  const read = steps.flatMap((step) => (step.step === 'internalSource' ? [step.topic] : []));
  const made = plan.internalTopics.map((topic) => topic.name);
  if (joined(written) !== joined(read) || joined(written) !== joined(made))
    problems.push('internal topics do not agree');
  if (JSON.stringify(JSON.parse(JSON.stringify(plan))) !== JSON.stringify(plan))
    problems.push('the plan is not JSON');
  return problems;
}
