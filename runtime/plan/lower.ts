// Chooses the row path or the kernel path for an aggregation, with the reason; knows what the kernel can do from a table alone.

import { StatementError } from '../base/errors.ts';
import { KERNEL_WINDOWS_PER_ROW_MAX } from '../base/limits.ts';
import type { Schema } from '../data/schema.ts';
import { typeText } from '../data/type.ts';
import { decoderLacks } from '../formats/json-kernel.ts';
import {
  type AggregateCall,
  type AggregateStep,
  KERNEL_AGGREGATES,
  type Path,
  type WindowSpec,
  type SourceStep,
  type Subtopology,
} from './step.ts';

/** The session's property that says so. */
const STRICT_TIMESTAMPS = 'ksql.timestamp.throw.on.invalid';

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
 * @throws {StatementError} INVALID for values that they do not have
 */
export function planningOptions(
  properties: ReadonlyMap<string, string>,
  kernelAvailable: boolean,
): PlanningOptions {
  const path = (properties.get('millrace.path') ?? 'auto').toLowerCase();
  const fuse = (properties.get('millrace.fuse') ?? 'auto').toLowerCase();
  if (path !== 'auto' && path !== 'row' && path !== 'kernel') {
    throw new StatementError(
      'INVALID',
      `millrace.path cannot be '${path}'`,
      null,
      'It is auto, row or kernel.',
    );
  }
  if (fuse !== 'auto' && fuse !== 'never') {
    throw new StatementError(
      'INVALID',
      `millrace.fuse cannot be '${fuse}'`,
      null,
      'It is auto or never.',
    );
  }
  const decoder = (properties.get('millrace.decoder') ?? 'auto').toLowerCase();
  if (decoder !== 'auto' && decoder !== 'row') {
    throw new StatementError(
      'INVALID',
      `millrace.decoder cannot be '${decoder}'`,
      null,
      'It is auto or row.',
    );
  }
  const strictTimestamps = properties.get(STRICT_TIMESTAMPS)?.toLowerCase() === 'true';
  return { path, fuse, decoder, kernelAvailable, strictTimestamps };
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
  if (options.path === 'row') return { path: 'row', why: 'millrace.path is row' };
  const why = kernelLacks(step, options);
  if (why === null) return { path: 'kernel' };
  if (options.path === 'auto') return { path: 'row', why };
  throw new StatementError(
    'UNSUPPORTED',
    `millrace.path is kernel, but ${why}`,
    null,
    "SET 'millrace.path' = 'auto' uses the row path there.",
  );
}

function kernelLacks(step: Lowered, { kernelAvailable }: PlanningOptions): string | null {
  if (!kernelAvailable) return 'the host has no kernel';
  if (step.over === 'table') return 'the kernel does not take old rows of a table back';
  if (step.old) return 'the kernel does not emit old rows';
  const windowing = step.window === null ? null : windowLacks(step.window);
  if (windowing !== null) return windowing;
  for (const call of step.calls) {
    const lack = callLacks(call, step.input);
    if (lack !== null) return lack;
  }
  return null;
}

function windowLacks({ type, sizeMs, advanceMs }: WindowSpec): string | null {
  if (type !== 'TUMBLING' && type !== 'HOPPING') return `the kernel has no ${type} windows`;
  const windows = Math.ceil(sizeMs / advanceMs);
  if (windows <= KERNEL_WINDOWS_PER_ROW_MAX) return null;
  return `a row falls in ${windows} windows, and the kernel takes ${KERNEL_WINDOWS_PER_ROW_MAX}`;
}

function callLacks(call: AggregateCall, input: Schema): string | null {
  const kinds = KERNEL_AGGREGATES.get(call.function);
  if (kinds === undefined || call.arguments.length > 1 || call.constants !== undefined)
    return `the kernel has no ${call.function}`;
  const [argument] = call.arguments;
  const type = argument === undefined ? undefined : input.columns[argument]?.type;
  if (kinds.has(type?.kind ?? null)) return null;
  return `the kernel has no ${call.function} of ${type === undefined ? 'no argument' : typeText(type)}`;
}

/** The same tasks, their sources saying where values in JSON are decoded: in the kernel wherever it can. */
export function withDecoders(
  parts: readonly Subtopology[],
  options: PlanningOptions,
): readonly Subtopology[] {
  return parts.map((part) => ({
    ...part,
    steps: part.steps.map((step) =>
      step.step === 'source' && step.valueFormat.format === 'JSON'
        ? { ...step, run: decoded(step, options) }
        : step,
    ),
  }));
}

function decoded(step: SourceStep, options: PlanningOptions): Path {
  const { path, decoder, kernelAvailable } = options;
  if (decoder === 'row') return { path: 'row', why: 'millrace.decoder is row' };
  if (path === 'row') return { path: 'row', why: 'millrace.path is row' };
  const columns = step.sourceSchema.columns.filter(({ role }) => role === 'value');
  const read = new Set(step.schema.columns.map(({ name }) => name));
  const wanted = columns.filter(({ name }) => read.has(name) || name === step.timestamp?.column);
  const why = kernelAvailable
    ? decoderLacks(step.valueFormat, columns, wanted)
    : 'the host has no kernel';
  return why === null ? { path: 'kernel' } : { path: 'row', why };
}
