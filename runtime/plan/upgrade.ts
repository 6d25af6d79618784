// Turns the plan of a replaced query into one that goes on where the old one stopped, or says what keeps it from that; knows no operator.

import { StatementError, type Position } from '../base/errors.ts';
import type { QueryAnalysis } from '../analyze/analysis.ts';
import { type Schema } from '../data/schema.ts';
import { schemaEquals, schemaText } from '../data/schema-text.ts';
import type { Expr } from '../expr/expr.ts';
import type { PlanningOptions } from './lower.ts';
import { ROW_PATH } from './parts.ts';
import { planQuery } from './planner.ts';
import type { AggregateStep, MovedTable, Plan, ProjectStep, Step, StepId } from './step.ts';

/** Steps that may come and go: what they emit hangs on the row alone. */
type Passing = Extract<Step, { readonly step: 'filter' | 'tableFilter' | 'project' }>;
type Lasting = Exclude<Step, Passing>;

/** What a lasting step is fed through. */
interface Stage {
  readonly step: Lasting;
  readonly through: readonly Passing[];
  readonly subtopology: number;
}

/**
 * The plan of a query that takes the place of one with the same id. It reads on where the old one stopped, with its state:
 * filters may come, change and go, and columns be added. Sources, keys and aggregates stay as they are. What asks for nothing new goes on whatever it keeps.
 * @param old the plan that runs
 * @throws {StatementError} INVALID, naming what cannot change
 */
export function planUpgrade(
  analysis: QueryAnalysis,
  options: PlanningOptions,
  { old, at }: { readonly old: Plan; readonly at: Position | null },
): Plan {
  // Scripts that make an application are executed again as they are: what asks for nothing new goes on, whatever it keeps.
  const again = planQuery(analysis, options);
  const { statement } = old;
  if (JSON.stringify({ ...again, statement }) === JSON.stringify(old)) return again;
  // What a table's rows are kept with must not be lost: a later upgrade may read it again.
  const keptColumns = new Set(
    stepsOf(old).flatMap((step) =>
      step.step === 'source' && step.materialized
        ? step.schema.columns.map(({ name }) => name)
        : [],
    ),
  );
  const plan = planQuery(analysis, { ...options, keptColumns });
  const refuse: Refuse = (what) =>
    new StatementError('INVALID', `${old.query} cannot be upgraded: ${what}`, at, START_AGAIN);
  return new Upgrade(old, plan, refuse).plan();
}

type Refuse = (what: string) => StatementError;

const START_AGAIN =
  'CREATE it under another name; once it has caught up, ALTER ... SWAP WITH gives it this one.';

class Upgrade {
  readonly #old: Plan;
  readonly #new: Plan;
  readonly #refuse: Refuse;
  readonly #ids = new Map<StepId, StepId>();
  readonly #topics = new Map<string, string>();
  readonly #moved: MovedTable[] = [];
  #nextId: number;

  constructor(old: Plan, plan: Plan, refuse: Refuse) {
    this.#old = old;
    this.#new = plan;
    this.#refuse = refuse;
    // An id that a table ever had must not come back with other rows.
    const used = [
      ...stepsOf(old).map(({ id }) => id),
      ...(old.moved ?? []).map(({ from }) => from),
    ];
    this.#nextId = Math.max(...used.map(Number)) + 1;
  }

  plan(): Plan {
    const before = stagesOf(this.#old);
    const after = stagesOf(this.#new);
    const shape = (stages: readonly Stage[]): string =>
      stages.map(({ step }) => step.step).join(', ');
    if (shape(before) !== shape(after)) {
      throw this.#refuse(`its steps are ${shape(before)}, and would be ${shape(after)}`);
    }
    before.forEach((stage, index) => this.#stage(stage, after[index] as Stage));
    return this.#renamed();
  }

  #stage(before: Stage, after: Stage): void {
    this.#lasting(before, after);
    const old = before.through.find((step) => step.step === 'tableFilter');
    const now = after.through.find((step) => step.step === 'tableFilter');
    for (const step of after.through) if (step !== now) this.#fresh(step);
    const isSame =
      old !== undefined &&
      now !== undefined &&
      named(old.predicate, old.schema) === named(now.predicate, now.schema);
    // Which keys had passed another predicate says nothing of this one.
    if (now !== undefined && isSame) this.#keepRows(before.subtopology, old, now);
    else {
      if (now !== undefined) this.#fresh(now);
      if (old !== undefined) this.#forget(before.subtopology, old);
    }
  }

  #lasting(before: Stage, after: Stage): void {
    const old = before.step;
    const now = after.step;
    switch (old.step) {
      case 'source':
        if (now.step !== 'source') return;
        this.#same('the topic that it reads', old.topic, now.topic);
        this.#same('the key format of its source', old.keyFormat, now.keyFormat);
        this.#same('the value format of its source', old.valueFormat, now.valueFormat);
        this.#same('the timestamp column of its source', old.timestamp, now.timestamp);
        if (old.window !== null) throw this.#unsupported('a query over a windowed source');
        if (old.materialized) this.#keepRows(before.subtopology, old, now);
        else this.#ids.set(now.id, old.id);
        return;
      case 'rekey':
        if (now.step !== 'rekey') return;
        this.#same(
          'the key that it gives its rows',
          namedOver(this.#old, old.input, old.key),
          namedOver(this.#new, now.input, now.key),
        );
        break;
      case 'aggregate':
        if (now.step !== 'aggregate') return;
        this.#aggregate(old, now);
        break;
      case 'repartition':
        if (now.step !== 'repartition') return;
        this.#topics.set(now.topic, old.topic);
        this.#sameRows(old.schema, now.schema);
        break;
      case 'internalSource':
        this.#sameRows(old.schema, now.schema);
        break;
      case 'cache':
      case 'sink':
      case 'client':
        break;
      default:
        // Joins and what else keeps state of its own.
        throw this.#unsupported(`a query with the step ${before.step.step}`);
    }
    this.#ids.set(now.id, old.id);
  }

  #aggregate(old: AggregateStep, now: AggregateStep): void {
    if (old.window !== null || now.window !== null) {
      throw this.#unsupported('an aggregation over windows');
    }
    if (old.over === 'table') throw this.#unsupported('an aggregation of a table');
    const calls = ({ calls, input }: AggregateStep, plan: Plan): readonly string[] => {
      const { columns } = schemaOf(plan, input);
      return calls.map(
        (call) =>
          `${call.signature} of ${call.arguments.map((index) => columns[index]?.name).join(', ')}`,
      );
    };
    this.#same('the list of its aggregates', calls(old, this.#old), calls(now, this.#new));
    this.#same('what it aggregates', computed(this.#old), computed(this.#new));
    // Its filters may only ask for columns that are read already: as in ksqlDB, the rows before it keep their columns.
    this.#same('the list of columns that it reads', columnsRead(this.#old), columnsRead(this.#new));
  }

  /** The rows of a state table go on: as they are, or with the columns that they have now. */
  #keepRows(subtopology: number, old: Step, now: Step): void {
    if (schemaEquals(old.schema, now.schema)) {
      this.#ids.set(now.id, old.id);
      return;
    }
    const to = this.#fresh(now);
    this.#moved.push({ subtopology, from: old.id, to, before: old.schema, after: now.schema });
  }

  #forget(subtopology: number, { id, schema }: Step): void {
    this.#moved.push({ subtopology, from: id, to: null, before: schema, after: schema });
  }

  #fresh({ id }: Step): StepId {
    const fresh = String(this.#nextId++);
    this.#ids.set(id, fresh);
    return fresh;
  }

  #sameRows(before: Schema, after: Schema): void {
    if (schemaEquals(before, after)) return;
    throw this.#refuse(
      `rows between its tasks are ${schemaText(before)}, and would be ${schemaText(after)}`,
    );
  }

  #same(what: string, before: unknown, after: unknown): void {
    const [from, to] = [JSON.stringify(before), JSON.stringify(after)];
    if (from === to) return;
    throw this.#refuse(`${what} would be ${to}, not ${from}`);
  }

  #unsupported(what: string): StatementError {
    return this.#refuse(`${what} starts anew when it changes`);
  }

  #renamed(): Plan {
    const plan = this.#new;
    const { materialized } = plan;
    const id = (of: StepId): StepId => this.#ids.get(of) ?? of;
    const topic = (of: string): string => this.#topics.get(of) ?? of;
    const step = (of: Step): Step => ({
      ...of,
      id: id(of.id),
      ...('input' in of ? { input: id(of.input) } : {}),
      ...(of.step === 'repartition' || of.step === 'internalSource'
        ? { topic: topic(of.topic) }
        : {}),
    });
    return {
      ...plan,
      internalTopics: this.#old.internalTopics,
      subtopologies: plan.subtopologies.map((part) => ({ ...part, steps: part.steps.map(step) })),
      materialized:
        materialized === null
          ? null
          : { ...materialized, table: id(materialized.table), after: materialized.after.map(id) },
      moved: [...(this.#old.moved ?? []), ...this.#moved],
    };
  }
}

function stepsOf(plan: Plan): readonly Step[] {
  return plan.subtopologies.flatMap((part) => part.steps);
}

/** The lasting steps, each with the passing ones in front of it. */
function stagesOf(plan: Plan): readonly Stage[] {
  const stages: Stage[] = [];
  for (const { id, steps } of plan.subtopologies) {
    let through: Passing[] = [];
    for (const step of steps) {
      if (step.step === 'filter' || step.step === 'tableFilter' || step.step === 'project') {
        through.push(step);
        continue;
      }
      stages.push({ step, through, subtopology: id });
      through = [];
    }
  }
  return stages;
}

/** Expressions that are computed ahead of the aggregation. */
function computed(plan: Plan): readonly string[] {
  const steps = stepsOf(plan);
  const aggregate = steps.findIndex((step) => step.step === 'aggregate');
  return steps
    .slice(0, aggregate)
    .filter((step): step is ProjectStep => step.step === 'project')
    .flatMap(({ input, expressions }) => namedOver(plan, input, expressions));
}

/** What a step gives. */
function schemaOf(plan: Plan, id: StepId): Schema {
  return stepsOf(plan).find((step) => step.id === id)?.schema ?? { columns: [] };
}

function namedOver(plan: Plan, id: StepId, expressions: readonly Expr[]): readonly string[] {
  const over = schemaOf(plan, id);
  return expressions.map((expression) => named(expression, over));
}

function columnsRead(plan: Plan): readonly string[] {
  return stepsOf(plan)
    .flatMap((step) =>
      step.step === 'source'
        ? [...new Set(step.schema.columns.map(({ name, path }) => path?.[0] ?? name))]
        : [],
    )
    .sort();
}

/** The expression as text in which columns go by their names, wherever they stand, and fields too, however they are read. */
function named(of: Expr, over: Schema): string {
  return JSON.stringify(of, (_, part: unknown) => {
    const chain = isExpr(part) ? ROW_PATH.code.chainOf(part) : null;
    if (chain === null) return part;
    return { column: [over.columns[chain.index]?.name, ...chain.path].join('->') };
  });
}

function isExpr(part: unknown): part is Expr {
  return typeof part === 'object' && part !== null && 'expr' in part;
}
