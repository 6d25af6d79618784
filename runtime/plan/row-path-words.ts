// Why an aggregation takes the row path, and the words for planning options that there are not; fetched where the kernel is not taken. Knows no step.

import { StatementError } from '../base/errors.ts';
import { Part } from '../base/part.ts';
import { JSON_COLUMNS_MAX, KERNEL_CALLS_MAX, KERNEL_WINDOWS_PER_ROW_MAX } from '../base/limits.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import { typeText } from '../data/type.ts';
import { isKernelType } from '../formats/kernel-types.ts';
import type { FormatSpec } from '../formats/serde.ts';
import { decoded, isInKernel, type Lowered, type PlanningOptions, valuesOf } from './lower.ts';
import {
  type AggregateCall,
  KERNEL_AGGREGATES,
  type Path,
  type SourceStep,
  type Subtopology,
  type WindowSpec,
} from './step.ts';
import { withFields } from './struct-fields.ts';
import type * as WholeKernel from './whole-kernel.ts';

export { chainOf } from './struct-fields.ts';

/** There only where the kernel is a whole one. */
export const WHOLE_KERNEL = new Part<typeof WholeKernel>();

/** The path of an aggregation that the kernel is not to do, or cannot, unless it is a whole one. @throws {StatementError} UNSUPPORTED */
export function otherwise(step: Lowered, options: PlanningOptions): Path {
  if (options.path === 'row') return { path: 'row', why: 'millrace.path is row' };
  const why = kernelLacks(step, options);
  if (why === '') return { path: 'kernel' };
  if (options.path === 'auto') return { path: 'row', why };
  throw new StatementError(
    'UNSUPPORTED',
    `millrace.path is kernel, but ${why}`,
    null,
    "SET 'millrace.path' = 'auto' uses the row path there.",
  );
}

/** '': nothing. */
function kernelLacks(step: Lowered, { kernelAvailable }: PlanningOptions): string {
  if (!kernelAvailable) return 'the host has no kernel';
  if (step.over === 'table') {
    const lack =
      WHOLE_KERNEL.fetched?.tableLackOf(step) ??
      'the kernel does not take old rows of a table back';
    if (lack !== '') return lack;
  }
  if (step.old) return 'the kernel does not emit old rows';
  const windowing = step.window === null ? null : windowLacks(step.window);
  if (windowing !== null) return windowing;
  const { calls, input } = step;
  if (calls.length > KERNEL_CALLS_MAX) return `the kernel takes ${KERNEL_CALLS_MAX} calls`;
  if (WHOLE_KERNEL.fetched) return WHOLE_KERNEL.fetched.lackOf(calls, input);
  return (
    calls.filter((call) => !isInKernel(call, input)).map((call) => callLack(call, input))[0] ?? ''
  );
}

function windowLacks({ type, sizeMs, advanceMs }: WindowSpec): string | null {
  if (type === 'SESSION' && WHOLE_KERNEL.fetched) return null;
  if (type !== 'TUMBLING' && type !== 'HOPPING') return `the kernel has no ${type} windows`;
  const windows = Math.ceil(sizeMs / advanceMs);
  if (windows <= KERNEL_WINDOWS_PER_ROW_MAX) return null;
  return `a row falls in ${windows} windows, and the kernel takes ${KERNEL_WINDOWS_PER_ROW_MAX}`;
}

/** What of a call a kernel lacks that has these functions, or else the call. */
export function callLack(
  call: AggregateCall,
  input: Schema,
  functions: { has(name: string): boolean } = KERNEL_AGGREGATES,
): string {
  const lack = `the kernel has no ${call.function}`;
  const type = input.columns[call.arguments[0] ?? -1]?.type;
  return !functions.has(call.function) || call.constants !== undefined || type === undefined
    ? lack
    : `${lack} of ${typeText(type)}`;
}

/** A task some of whose sources the kernel is not to decode, or cannot, or of which it is better to read fields instead of structs. */
export function decodedOtherwise(part: Subtopology, options: PlanningOptions): Subtopology {
  const lowered = decoded(withFields(part), options, true);
  return {
    ...lowered,
    steps: lowered.steps.map((step) =>
      step.step === 'source' && step.run === undefined
        ? step.valueFormat.format === 'JSON'
          ? { ...step, run: onRowPath(options) ?? { path: 'row', why: lackOf(step) } }
          : (WHOLE_KERNEL.fetched?.withPath(step, options) ?? step)
        : step,
    ),
  };
}

/** The row path of a source that the kernel is not to decode, whatever it could; null: it is. */
export function onRowPath({ decoder, path, kernelAvailable }: PlanningOptions): Path | null {
  if (decoder === 'row') return { path: 'row', why: 'millrace.decoder is row' };
  if (path === 'row') return { path: 'row', why: 'millrace.path is row' };
  if (!kernelAvailable) return { path: 'row', why: 'the host has no kernel' };
  return null;
}

function lackOf(step: SourceStep): string {
  const { columns, wanted } = valuesOf(step);
  return decoderLack(step.valueFormat, columns, wanted) ?? 'the names of the columns are too long';
}

/** What the kernel lacks to decode values; null: nothing of what every format needs. */
export function decoderLack(
  spec: FormatSpec,
  columns: readonly SchemaColumn[],
  wanted: readonly SchemaColumn[],
): string | null {
  if (!spec.wrap && columns.length === 1) return 'the kernel decodes no bare value';
  if (wanted.length > JSON_COLUMNS_MAX) return `the kernel decodes ${JSON_COLUMNS_MAX} columns`;
  const other = wanted.find(({ type }) => spec.format !== 'JSON' && !isKernelType(type));
  return other === undefined
    ? null
    : `the kernel decodes no ${typeText(other.type)} (${other.name})`;
}

/** The session's property that says so. */
const STRICT_TIMESTAMPS = 'ksql.timestamp.throw.on.invalid';

/** As `planningOptions`, for properties that are given. */
export function givenOptions(
  properties: ReadonlyMap<string, string>,
  kernelAvailable: boolean,
): PlanningOptions {
  const is = (name: string, value: string): boolean =>
    properties.get(name)?.toLowerCase() === value;
  const path = 'millrace.path';
  return {
    path: is(path, 'row') ? 'row' : is(path, 'kernel') ? 'kernel' : 'auto',
    fuse: is('millrace.fuse', 'never') ? 'never' : 'auto',
    decoder: is('millrace.decoder', 'row') ? 'row' : 'auto',
    kernelAvailable,
    strictTimestamps: is(STRICT_TIMESTAMPS, 'true'),
  };
}
