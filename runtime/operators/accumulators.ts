// Chooses how the calls of an aggregation of the row path are accumulated; knows no group and no window.

import type { Schema } from '../data/schema.ts';
import type { AggregateStep } from '../plan/step.ts';
import type { Accumulators } from '../state/accumulators.ts';
import {
  type GenericCall,
  GenericAccumulators,
  type RowContext,
} from '../state/generic-accumulators.ts';
import { typedAccumulators } from '../state/typed-accumulators.ts';

/** Typed accumulators where every call has them, else the bodies of the registry. */
export function accumulatorsOf(
  step: AggregateStep,
  input: Schema,
  calls: readonly GenericCall[],
  rows: RowContext,
): Accumulators {
  return typedAccumulators(step.calls, input) ?? new GenericAccumulators(calls, rows);
}
