// Puts two sub-topologies into one: a source that both read alike is read once, and its rows go to both; knows no join.

import { schema, type SchemaColumn, typeAt } from '../data/schema.ts';
import { schemaEquals } from '../data/schema-text.ts';
import type { Part, PlanBuilder } from './builder.ts';
import type { SourceStep, Step, StepId } from './step.ts';

/** A step and the sub-topology that it ends. */
interface End {
  readonly built: { readonly id: StepId };
  readonly part: Part;
}

/** Both in one, with the ids that the ends go by there. */
export interface Merged {
  readonly part: Part;
  readonly ids: readonly [StepId, StepId];
}

/** The steps of the first, then those of the second. Where both read one topic, each of its rows goes all the way before the next. */
export function merged(planner: PlanBuilder, first: End, second: End): Merged {
  let mine = [...first.part.steps];
  let theirs = [...second.part.steps];
  const ids: [StepId, StepId] = [first.built.id, second.built.id];
  let rowByRow = first.part.rowByRow ?? second.part.rowByRow;
  for (const source of mine.filter((step) => step.step === 'source')) {
    const twin = theirs.find((step) => step.step === 'source' && step.topic === source.topic);
    if (twin?.step !== 'source') continue;
    rowByRow = true;
    if (!isAlike(source, twin)) continue;
    const shared = sharedSource(source, twin);
    const own = picked(planner, shared, source);
    const other = picked(planner, shared, twin);
    mine = mine.flatMap((step) =>
      step === source ? [shared, ...own.steps] : [rewired(step, source.id, own.id)],
    );
    theirs = theirs.flatMap((step) =>
      step === twin ? other.steps : [rewired(step, twin.id, other.id)],
    );
    if (ids[0] === source.id) ids[0] = own.id;
    if (ids[1] === twin.id) ids[1] = other.id;
  }
  const { partitions } = first.part;
  return { part: { steps: [...mine, ...theirs], partitions, rowByRow }, ids };
}

const ROLES: readonly SchemaColumn['role'][] = ['key', 'window', 'value', 'pseudo'];

/** Whether both decode records in the same way. */
function isAlike(a: SourceStep, b: SourceStep): boolean {
  const how = ({ keyFormat, valueFormat, window, timestamp }: SourceStep): string =>
    JSON.stringify([keyFormat, valueFormat, window, timestamp]);
  return a.kind === b.kind && schemaEquals(a.sourceSchema, b.sourceSchema) && how(a) === how(b);
}

/** One step that reads what both read. */
function sharedSource(a: SourceStep, b: SourceStep): SourceStep {
  const columns = [
    ...a.schema.columns,
    ...b.schema.columns.filter((column) => indexIn(a, column) < 0),
  ];
  const headers = b.headers.filter(
    (header) => !a.headers.some(({ column }) => column === header.column),
  );
  return {
    ...a,
    headers: [...a.headers, ...headers],
    schema: schema(ROLES.flatMap((role) => columns.filter((column) => column.role === role))),
    materialized: a.materialized || b.materialized,
  };
}

function indexIn({ schema: of }: Pick<SourceStep, 'schema'>, { name, role }: SchemaColumn): number {
  return of.columns.findIndex((column) => column.name === name && column.role === role);
}

/** The columns that one of them read, out of what is read for both. */
function picked(
  planner: PlanBuilder,
  shared: SourceStep,
  own: SourceStep,
): { readonly id: StepId; readonly steps: readonly Step[] } {
  if (schemaEquals(shared.schema, own.schema)) return { id: shared.id, steps: [] };
  const id = planner.id();
  const expressions = own.schema.columns.map((column) => {
    const index = indexIn(shared, column);
    return { expr: 'column' as const, index, type: typeAt(shared.schema, index) };
  });
  return {
    id,
    steps: [{ step: 'project', id, input: shared.id, schema: own.schema, expressions }],
  };
}

/** The step fed by another one. */
function rewired(step: Step, from: StepId, to: StepId): Step {
  const of = (id: StepId): StepId => (id === from ? to : id);
  switch (step.step) {
    case 'source':
    case 'internalSource':
      return step;
    case 'streamStreamJoin':
    case 'streamTableJoin':
    case 'tableTableJoin':
      return { ...step, left: of(step.left), right: of(step.right) };
    case 'foreignKeyJoin':
      return { ...step, left: of(step.left), responses: of(step.responses) };
    case 'foreignKeyRespond':
      return { ...step, subscriptions: of(step.subscriptions), right: of(step.right) };
    case 'process':
      return { ...step, inputs: step.inputs.map(of) };
    default:
      return { ...step, input: of(step.input) };
  }
}
