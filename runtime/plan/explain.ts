// EXPLAIN: a plan as structured data and as text, with the reasons for every choice; knows no operator and no state.

import type { Schema } from '../data/schema.ts';
import { schemaText } from '../data/schema-text.ts';
import { isLooped } from '../expr/compile.ts';
import type { FormatSpec } from '../formats/serde.ts';
import { ROW_PATH } from './parts.ts';
import { exprText } from './print-expr.ts';
import type { PullPlan } from './pull.ts';
import { type Path, type Plan, type Step, type StepId, type WindowSpec } from './step.ts';
import { stepById } from './steps.ts';

/** One step, as EXPLAIN shows it. */
export interface ExplainedStep {
  readonly id: StepId;
  readonly step: Step['step'];
  /** The steps that feed it, in the same task; none where a topic does. Of a join the left one, then the right one. */
  readonly inputs: readonly StepId[];
  /** What it does, in words and expressions. */
  readonly detail: string;
  /** The columns that it emits. */
  readonly columns: readonly string[];
  /** Where it has two implementations: the one that runs, and why. */
  readonly path: Path | null;
}

/** A plan, as EXPLAIN shows it. Plain JSON. */
export interface Explanation {
  readonly query: string;
  readonly kind: Plan['kind'];
  readonly from: Plan['from'];
  readonly sources: readonly string[];
  readonly sink: string | null;
  readonly fused: Plan['fused'];
  /** Where pull queries read; null when no state holds the result. */
  readonly pull: {
    readonly table: StepId;
    readonly holds: string;
    readonly after: readonly StepId[];
  } | null;
  readonly subtopologies: readonly {
    readonly id: number;
    readonly partitions: number;
    /** Each row goes all the way before the next one: a step is reached by several paths. */
    readonly rowByRow: boolean;
    readonly steps: readonly ExplainedStep[];
  }[];
}

/** The structured form. */
export function explainPlan(plan: Plan): Explanation {
  const steps = plan.subtopologies.flatMap((part) => part.steps);
  const { materialized } = plan;
  return {
    query: plan.query,
    kind: plan.kind,
    from: plan.from,
    sources: [...new Set(steps.flatMap((step) => (step.step === 'source' ? [step.source] : [])))],
    sink: steps.flatMap((step) => (step.step === 'sink' ? [step.sink] : []))[0] ?? null,
    fused: plan.fused,
    pull:
      materialized === null
        ? null
        : { table: materialized.table, holds: materialized.holds, after: materialized.after },
    subtopologies: plan.subtopologies.map((part) => ({
      id: part.id,
      partitions: part.partitions,
      rowByRow: part.rowByRow === true,
      steps: part.steps.map((step) => explainedStep(step, plan)),
    })),
  };
}

function explainedStep(step: Step, plan: Plan): ExplainedStep {
  return {
    id: step.id,
    step: step.step,
    inputs: inputsOf(step),
    detail: detail(step, plan),
    columns: step.schema.columns.map((column) => column.name),
    path: step.step === 'aggregate' || step.step === 'source' ? (step.run ?? null) : null,
  };
}

/** The steps that feed a step, in the order of its inputs. */
function inputsOf(step: Step): readonly StepId[] {
  switch (step.step) {
    case 'source':
    case 'internalSource':
      return [];
    case 'streamStreamJoin':
    case 'streamTableJoin':
    case 'tableTableJoin':
      return [step.left, step.right];
    case 'foreignKeyJoin':
      return [step.left, step.responses];
    case 'foreignKeyRespond':
      return [step.subscriptions, step.right];
    case 'process':
      return step.inputs;
    default:
      return [step.input];
  }
}

/** The text form: a header, then the steps of each task in the order of the flow. */
export function explain(plan: Plan): string {
  const explained = explainPlan(plan);
  const lines = [
    `Query ${explained.query} (${explained.kind}, from the ${explained.from} offset)`,
    `Sources: ${explained.sources.join(', ')}`,
    ...(explained.sink === null ? [] : [`Sink: ${explained.sink}`]),
    `Fused: ${explained.fused.fused ? 'yes' : 'no'}, ${explained.fused.why}`,
    `Pull queries: ${pullText(explained)}`,
    ...(plan.idleMs === undefined
      ? []
      : [`Idle: stream time follows the clock after ${plan.idleMs} ms without input`]),
  ];
  for (const part of explained.subtopologies) {
    lines.push(
      `Task ${part.id} (${part.partitions} ${part.partitions === 1 ? 'partition' : 'partitions'}${part.rowByRow ? ', row by row' : ''})`,
    );
    const depths = new Map<StepId, number>();
    for (const step of part.steps) {
      const depth = Math.max(-1, ...step.inputs.map((id) => depths.get(id) ?? -1)) + 1;
      depths.set(step.id, depth);
      const run = step.path === null ? '' : ` [${pathText(step.path)}]`;
      lines.push(`${'  '.repeat(depth + 1)}${step.id} ${step.step}${run} ${step.detail}`);
    }
  }
  return lines.join('\n');
}

function pullText({ pull }: Explanation): string {
  if (pull === null) return 'none, no state holds the result';
  const after = pull.after.length === 0 ? '' : `, then ${pull.after.join(', ')}`;
  return `read the state of step ${pull.table}${after}`;
}

function pathText(path: Path): string {
  return path.path === 'kernel' ? 'kernel' : `row: ${path.why}`;
}

/** @param where behind the key's format */
function formats(key: FormatSpec, value: FormatSpec, where = ''): string {
  return `key ${key.format}${where}, value ${value.format}`;
}

function detail(step: Step, plan: Plan): string {
  const input = 'input' in step ? stepById(plan, step.input) : undefined;
  const over = input?.schema ?? step.schema;
  const names = step.schema.columns.map((column) => column.name);
  switch (step.step) {
    case 'source': {
      const reads = names.length === 0 ? 'no columns' : names.join(', ');
      const state = step.materialized ? ', materialized' : '';
      const keys = ROW_PATH.fetched?.WHOLE_KERNEL.fetched?.keyText(step) ?? '';
      return `${step.source} from topic ${step.topic} (${formats(step.keyFormat, step.valueFormat, keys)}${state}): ${reads}`;
    }
    case 'internalSource':
      return `from topic ${step.topic}: ${names.join(', ')}`;
    case 'filter':
    case 'tableFilter': {
      const how = isLooped(step.predicate) ? '' : ', row by row';
      return `${exprText(step.predicate, over)}${how}`;
    }
    case 'project':
      return step.expressions
        .map((expression, index) => named(exprText(expression, over), names[index]))
        .join(', ');
    case 'flatMap': {
      const calls = step.calls.map((call, index) => {
        const given = call.arguments.map((argument) => exprText(argument, over)).join(', ');
        return named(`${call.function}(${given})`, names[step.carried.length + index]);
      });
      return `${calls.join(', ')}${carrying(step.carried, over)}`;
    }
    case 'rekey': {
      const keys = step.key.map((key, index) => named(exprText(key, over), names[index]));
      return `by ${keys.length === 0 ? 'nothing' : keys.join(', ')}${carrying(step.carried, over)}`;
    }
    case 'repartition':
      return `to topic ${step.topic} (${step.partitions} ${step.partitions === 1 ? 'partition' : 'partitions'}, key ${step.keyFormat.format})`;
    case 'aggregate': {
      const calls = step.calls.map((call) => {
        const given = [
          ...call.arguments.map((index) => over.columns[index]?.name ?? ''),
          ...(call.constants ?? []).map((constant) =>
            exprText({ expr: 'literal', ...constant }, over),
          ),
        ];
        return `${call.function}(${given.length === 0 && call.function === 'COUNT' ? '*' : given.join(', ')})`;
      });
      const { window } = step;
      const per =
        window === null
          ? ''
          : `, ${window.type} ${windowText(window)} with ${window.graceMs} ms of grace${window.expires === true ? `, kept ${window.retentionMs} ms` : ''}`;
      return `${calls.join(', ')} over a ${step.over}${per}`;
    }
    case 'suppress':
      return `each ${step.window.type} window once, when it has closed`;
    case 'coalesce':
      return `one update a key every ${step.everyMs} ms`;
    case 'cache':
      return `one update a key every ${step.blockOffsets} offsets, or after ${step.intervalMs} ms`;
    case 'streamStreamJoin': {
      const grace = step.graceMs === null ? '' : ` and ${step.graceMs} ms of grace`;
      return `${sidesText(step.type, step.left, step.right)} within ${step.beforeMs} ms before and ${step.afterMs} ms after${grace}: ${names.join(', ')}`;
    }
    case 'streamTableJoin':
    case 'tableTableJoin':
      return `${sidesText(step.type, step.left, step.right)}: ${names.join(', ')}`;
    case 'materialize':
      return `of step ${step.input}`;
    case 'foreignKeyJoin':
      return `${step.type} of step ${step.left} with the answers of step ${step.responses}: ${names.join(', ')}`;
    case 'foreignKeySubscribe':
      return `by ${exprText(step.foreignKey, over)}`;
    case 'foreignKeyRespond':
      return `to step ${step.subscriptions} from step ${step.right}`;
    case 'process': {
      const tables = step.declaration.state.map(
        ([name, columns]) => `${name} (${columns.join(', ')})`,
      );
      return `by the code of ${step.processor}${tables.length === 0 ? '' : `, with ${tables.join(', ')}`}`;
    }
    case 'output':
      return `${step.output} of step ${step.input}: ${names.join(', ')}`;
    case 'sink':
      return `${step.kind} ${step.sink} to topic ${step.topic} (${formats(step.keyFormat, step.valueFormat)}): ${schemaText(step.schema)}`;
    case 'client': {
      const shown = (step.order ?? names.map((_, index) => index)).map(
        (index) => names[index] ?? '',
      );
      return `${shown.join(', ')}${step.limit === null ? '' : `, at most ${step.limit} rows`}`;
    }
  }
}

function windowText({ type, sizeMs, advanceMs }: WindowSpec): string {
  return `${sizeMs} ms${type === 'HOPPING' ? ` every ${advanceMs} ms` : ''}`;
}

function carrying(carried: readonly number[], over: Schema): string {
  if (carried.length === 0) return '';
  return `, carrying ${carried.map((index) => over.columns[index]?.name ?? '').join(', ')}`;
}

function sidesText(type: string, left: StepId, right: StepId): string {
  return `${type} of steps ${left} and ${right}`;
}

function named(text: string, name: string | undefined): string {
  return name === undefined || name === text ? text : `${text} AS ${name}`;
}

/** A pull query's plan as text. */
export function explainPull(plan: PullPlan): string {
  const { access, spans, table, row, filter, projection, order } = plan;
  const found = { lookup: 'key', range: 'range', scan: '' }[access];
  const how =
    access === 'scan'
      ? 'scan of all rows'
      : `${access === 'lookup' ? 'lookup' : 'scan'} of ${spans.length} ${found}${spans.length === 1 ? '' : 's'}`;
  return [
    `Pull query on ${plan.source.name}: ${how} in the state of step ${table.table} of ${plan.query}`,
    ...(filter === null ? [] : [`Where: ${exprText(filter, row)}`]),
    `Select: ${projection.order
      .map((index) => {
        const expression = projection.expressions[index];
        return expression === undefined
          ? ''
          : named(exprText(expression, row), projection.schema.columns[index]?.name);
      })
      .join(', ')}`,
    ...(order.length === 0
      ? []
      : [
          `Order: ${order
            .map(({ expr, descending }) => `${exprText(expr, row)}${descending ? ' DESC' : ''}`)
            .join(', ')}`,
        ]),
    ...(plan.limit === null ? [] : [`Limit: ${plan.limit}`]),
  ].join('\n');
}
