// What a whole kernel aggregates beyond KERNEL_AGGREGATES, which every kernel has; knows no kernel.

import { KERNEL_CELLS_MAX } from '../base/limits.ts';
import type { Schema } from '../data/schema.ts';
import { isInKernel, type Lowered } from './lower.ts';
import { callLack } from './row-path-words.ts';
import type { AggregateCall } from './step.ts';

/** The functions, and the cells of their state. */
const OTHER_AGGREGATES: ReadonlyMap<string, number> = new Map([
  ['EARLIEST_BY_OFFSET', 2],
  ['LATEST_BY_OFFSET', 2],
  ['STDDEV_SAMP', 3],
  ['STDDEV_SAMPLE', 3],
]);

/** What a whole kernel takes back. */
const UNDONE: ReadonlySet<string> = new Set(['COUNT', 'SUM', 'AVG']);

/** Why a whole kernel does not aggregate a table; '': nothing of what tables ask for. */
export function tableLackOf({ calls, window }: Pick<Lowered, 'calls' | 'window'>): string {
  if (window !== null) return 'the kernel has no windows over tables';
  const other = calls.find((call) => !UNDONE.has(call.function));
  return other === undefined ? '' : `the kernel does not take ${other.function} back`;
}

/** Why a whole kernel does not have all calls of an aggregation; '': it has them. */
export function lackOf(calls: readonly AggregateCall[], input: Schema): string {
  let cells = 0;
  for (const call of calls) {
    const other = OTHER_AGGREGATES.get(call.function);
    const functions = other === undefined ? undefined : OTHER_AGGREGATES;
    if (!isInKernel(call, input, functions)) return callLack(call, input, functions);
    cells += other ?? (call.function === 'AVG' ? 2 : 1);
  }
  return cells > KERNEL_CELLS_MAX ? `the kernel keeps ${KERNEL_CELLS_MAX} cells of a group` : '';
}
