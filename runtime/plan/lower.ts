// Chooses the kernel path for the aggregations that it can do; why others take the row path is in row-path-words.ts. Knows what the kernel can do from a table alone.

import { KERNEL_CALLS_MAX, KERNEL_WINDOWS_PER_ROW_MAX } from '../base/limits.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import { isDecodable } from '../formats/json-kernel.ts';
import { ROW_PATH } from './parts.ts';
import {
  type AggregateCall,
  type AggregateStep,
  KERNEL_AGGREGATES,
  KERNEL_ARGUMENTS,
  type Path,
  type SourceStep,
  type Subtopology,
} from './step.ts';

/** How a query is to be planned. */
export interface PlanningOptions {
  /** `auto`: the kernel where it can; `row` and `kernel` force one. */
  readonly path: 'auto' | 'row' | 'kernel';
  /** `auto`: one task where no repartition is needed; `never`: two tasks wherever GROUP BY changes the key. */
  readonly fuse: 'auto' | 'never';
  /** Where values in JSON are decoded. `auto` or absent: in the kernel where it can, unless the path is `row`; `row`: not there. */
  readonly decoder?: 'auto' | 'row' | undefined;
  /** Whether the host has a kernel. */
  readonly kernelAvailable: boolean;
  /** Columns of tables that are kept although the query does not read them: an upgraded query's state holds them. Absent: none. */
  readonly keptColumns?: ReadonlySet<string> | undefined;
  /** A record without a usable timestamp ends the query. Absent: it is skipped. */
  readonly strictTimestamps?: boolean | undefined;
}

/**
 * The planning options that the session's properties give (`millrace.path`, `millrace.fuse`, `millrace.decoder`, `ksql.timestamp.throw.on.invalid`).
 */
export function planningOptions(
  properties: ReadonlyMap<string, string>,
  kernelAvailable: boolean,
): PlanningOptions {
  return properties.size > 0
    ? ROW_PATH.code.givenOptions(properties, kernelAvailable)
    : { path: 'auto', fuse: 'auto', decoder: 'auto', kernelAvailable, strictTimestamps: false };
}

/** The parts of an aggregation that decide its path. */
export type Lowered = Pick<AggregateStep, 'window' | 'calls' | 'old' | 'over'> & {
  /** The schema of the step's input. */
  readonly input: Schema;
};

/**
 * The path of an aggregation.
 * @throws {StatementError} UNSUPPORTED when the kernel is asked for and cannot do it
 */
export function lowered(step: Lowered, options: PlanningOptions): Path {
  const { old, calls, input } = step;
  const isPlain =
    options.path !== 'row' &&
    options.kernelAvailable &&
    !old &&
    isInEveryKernel(step) &&
    calls.length <= KERNEL_CALLS_MAX &&
    calls.every((call) => isInKernel(call, input));
  return isPlain ? { path: 'kernel' } : ROW_PATH.code.otherwise(step, options);
}

/** Whether the plan of a task has sessions or calls in the kernel that a whole one alone has. */
export function needsWhole({ steps }: Pick<Subtopology, 'steps'>): boolean {
  return steps.some(
    (step) => step.step === 'aggregate' && step.run.path === 'kernel' && !isInEveryKernel(step),
  );
}

/** Whether no more is asked for than every kernel has, whatever the types. */
function isInEveryKernel({ window, over, calls }: Omit<Lowered, 'input'>): boolean {
  return (
    over !== 'table' &&
    (window === null ||
      ((window.type === 'TUMBLING' || window.type === 'HOPPING') &&
        Math.ceil(window.sizeMs / window.advanceMs) <= KERNEL_WINDOWS_PER_ROW_MAX)) &&
    calls.every((call) => KERNEL_AGGREGATES.has(call.function))
  );
}

/** Whether a kernel that has these functions has the call. */
export function isInKernel(
  call: AggregateCall,
  input: Schema,
  functions: { has(name: string): boolean } = KERNEL_AGGREGATES,
): boolean {
  return (
    functions.has(call.function) &&
    call.arguments.length < 2 &&
    call.constants === undefined &&
    call.arguments.every((at) => KERNEL_ARGUMENTS.has(input.columns[at]?.type.kind))
  );
}

/** The same tasks, their sources saying where values are decoded: in the kernel wherever it can. */
export function withDecoders(
  parts: readonly Subtopology[],
  options: PlanningOptions,
): readonly Subtopology[] {
  return parts.map((part) => {
    const done = decoded(part, options);
    return done.steps.some((step) => step.step === 'source' && !step.run)
      ? ROW_PATH.code.decodedOtherwise(part, options)
      : done;
  });
}

/** The task with its sources on the kernel path that it can take. @param structs those too that read whole structs */
export function decoded(part: Subtopology, options: PlanningOptions, structs = false): Subtopology {
  const { decoder, path, kernelAvailable } = options;
  if (decoder === 'row' || path === 'row' || !kernelAvailable) return part;
  return {
    ...part,
    steps: part.steps.map((step) => {
      if (step.step !== 'source') return step;
      const { columns, wanted } = valuesOf(step);
      return isDecodable(step.valueFormat, columns, wanted) &&
        (structs || wanted.every(({ type }) => type.kind !== 'STRUCT'))
        ? { ...step, run: { path: 'kernel' } }
        : step;
    }),
  };
}

/** The columns of a source's value, and those of them that are read. */
export function valuesOf({ sourceSchema, schema: emitted, timestamp }: SourceStep): {
  readonly columns: readonly SchemaColumn[];
  readonly wanted: readonly SchemaColumn[];
} {
  const columns = sourceSchema.columns.filter(({ role }) => role === 'value');
  const read = new Set(emitted.columns.map(({ name }) => name));
  return {
    columns,
    wanted: columns.filter(({ name }) => read.has(name) || name === timestamp?.column),
  };
}
