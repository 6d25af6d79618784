// Where values in other formats than JSON are decoded, on hosts whose kernel is a whole one; knows no kernel.

import { isDecodedWhole } from '../formats/kernel-formats.ts';
import { valuesOf, type PlanningOptions } from './lower.ts';
import { decoderLack, onRowPath } from './row-path-words.ts';
import type { SourceStep } from './step.ts';

/** The source with the path of its decoder; of formats that no kernel has nothing is said. */
export function withPath(step: SourceStep, options: PlanningOptions): SourceStep {
  const { format } = step.valueFormat;
  if (format !== 'DELIMITED' && format !== 'KAFKA') return step;
  const { columns, wanted } = valuesOf(step);
  const path = onRowPath(options);
  if (path !== null) return { ...step, run: path };
  return isDecodedWhole(step.valueFormat, columns, wanted)
    ? { ...step, run: { path: 'kernel' } }
    : { ...step, run: { path: 'row', why: lackOf(step) } };
}

/** What EXPLAIN says behind the format of a source's keys: where they are decoded, if not in TypeScript. */
export function keyText({ keyFormat, run, schema, sourceSchema, window }: SourceStep): string {
  const columns = sourceSchema.columns.filter(({ role }) => role === 'key');
  const wanted = schema.columns.filter(({ role }) => role === 'key');
  const isInKernel =
    window === null &&
    run?.path === 'kernel' &&
    wanted.length > 0 &&
    isDecodedWhole(keyFormat, columns, wanted);
  return isInKernel ? ' [kernel]' : '';
}

function lackOf(step: SourceStep): string {
  const { columns, wanted } = valuesOf(step);
  return (
    decoderLack({ ...step.valueFormat, wrap: true }, columns, wanted) ??
    'the kernel has no such DELIMITER'
  );
}
