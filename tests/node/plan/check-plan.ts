// What every plan must satisfy, whatever it was made from: an independent check for property tests.
import { columnsRead, type Expr } from '../../../runtime/expr/expr.ts';
import type { Schema } from '../../../runtime/data/schema.ts';
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
    case 'foreignKeySubscribe':
      return [step.foreignKey];
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

/** The ids of the steps that feed it, in the order of its inputs. */
function inputsOf(step: Step): readonly string[] {
  if ('left' in step) return [step.left, 'right' in step ? step.right : step.responses];
  if ('subscriptions' in step) return [step.subscriptions, step.right];
  return 'input' in step ? [step.input] : [];
}

const TWO_INPUTS = new Set(['streamStreamJoin', 'streamTableJoin', 'tableTableJoin']);

function shape(schema: Schema, roles: readonly string[]): string {
  const columns = schema.columns.filter(({ role }) => roles.includes(role));
  return JSON.stringify(columns.map(({ type }) => type));
}

/** Both sides of a join have one key; it emits that, then the values of both. */
function joinProblems(step: Step, [left, right]: readonly Step[]): string[] {
  if (left === undefined || right === undefined) return [`step ${step.id} lacks a side`];
  const heads = ['key', 'window'];
  const problems: string[] = [];
  if (shape(left.schema, heads) !== shape(right.schema, heads))
    problems.push(`the sides of step ${step.id} have different keys`);
  if (shape(step.schema, heads) !== shape(left.schema, heads))
    problems.push(`step ${step.id} has another key than its sides`);
  const values = [left, right].flatMap(({ schema }) =>
    schema.columns.filter(({ role }) => role === 'value').map(({ type }) => type),
  );
  if (shape(step.schema, ['value']) !== JSON.stringify(values))
    problems.push(`step ${step.id} does not emit the values of its sides`);
  if ([left, right].some(({ schema }) => schema.columns.some(({ role }) => role === 'pseudo')))
    problems.push(`a side of step ${step.id} has columns that are no values`);
  return problems;
}

/** Problems of one step, given the steps of its sub-topology. */
function problemsOf(step: Step, all: readonly Step[]): string[] {
  const before = all.slice(0, all.indexOf(step));
  const fed = inputsOf(step).map((id) => all.find((other) => other.id === id));
  if (fed.includes(undefined)) return [`step ${step.id} is fed by no step of its task`];
  const late = fed.filter((other) => other !== undefined && !before.includes(other));
  // Answers to a foreign key may come round to a step that stands before.
  if (step.step !== 'foreignKeyJoin' && late.length > 0)
    return [`step ${step.id} stands before a step that feeds it`];
  if (TWO_INPUTS.has(step.step))
    return joinProblems(
      step,
      fed.filter((other) => other !== undefined),
    );
  const [input] = fed;
  if (input === undefined || fed.length > 1) return [];
  const problems = positionsOf(step)
    .filter((position) => input.schema.columns[position] === undefined)
    .map((position) => `step ${step.id} reads column ${position}, which step ${input.id} has not`);
  const wide = step.schema.columns.length;
  if (step.step === 'project' && step.expressions.length !== wide)
    problems.push(`step ${step.id} makes too few columns`);
  if (step.step === 'rekey' && step.key.length + step.carried.length !== wide)
    problems.push(`step ${step.id} carries too few columns`);
  const passes = ['filter', 'tableFilter', 'repartition', 'materialize', 'sink', 'client'];
  if (passes.includes(step.step) && JSON.stringify(step.schema) !== JSON.stringify(input.schema))
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
    part.steps.flatMap((step) => problemsOf(step, part.steps)),
  );
  if (new Set(steps.map((step) => step.id)).size !== steps.length)
    problems.push('two steps have one id');
  for (const { id, steps: own, rowByRow } of plan.subtopologies) {
    const read = own.flatMap((step) => (step.step === 'source' ? [step] : []));
    const alike = new Set(
      read.map(({ topic, sourceSchema, kind }) => JSON.stringify([topic, sourceSchema, kind])),
    );
    if (alike.size !== read.length) problems.push(`task ${id} reads a source twice`);
    if (new Set(read.map(({ topic }) => topic)).size !== read.length && rowByRow !== true)
      problems.push(`task ${id} reads a topic twice, and not row by row`);
  }
  const last = steps.at(-1)?.step;
  if (last !== (plan.kind === 'persistent' ? 'sink' : 'client'))
    problems.push(`the plan ends in ${last}`);
  const joined = (names: readonly string[]): string => [...names].sort().join(' ');
  const written = steps.flatMap((step) => (step.step === 'repartition' ? [step.topic] : []));
  const read = steps.flatMap((step) => (step.step === 'internalSource' ? [step.topic] : []));
  const made = plan.internalTopics.map((topic) => topic.name);
  if (joined(written) !== joined(read) || joined(written) !== joined(made))
    problems.push('internal topics do not agree');
  if (JSON.stringify(JSON.parse(JSON.stringify(plan))) !== JSON.stringify(plan))
    problems.push('the plan is not JSON');
  return problems;
}
