// Chooses how the calls of an aggregation of the row path are accumulated; knows no group and no window.

import type { Schema } from '../data/schema.ts';
import type { AggregateCall, AggregateStep } from '../plan/step.ts';
import type { Accumulators } from '../state/accumulators.ts';
import {
  BodyCells,
  type CallCells,
  type GenericCall,
  type RowContext,
  TypedCells,
} from '../state/call-cells.ts';
import { GenericAccumulators } from '../state/generic-accumulators.ts';
import { GROUP_BLOCKS } from '../state/parts.ts';
import { PickedCells } from '../state/picked-cells.ts';
import { typedAccumulators } from '../state/typed-accumulators.ts';

/** Typed accumulators where every call has them, else cells of each call's own. */
export function accumulatorsOf(
  step: AggregateStep,
  input: Schema,
  calls: readonly GenericCall[],
  rows: RowContext,
): Accumulators {
  const cellsOf = (call: GenericCall, index: number): CallCells => {
    const { body } = call;
    const typed = typedAccumulators([step.calls[index] as AggregateCall], input);
    if (typed !== null) return new TypedCells(typed, body.cells);
    return body.picks === undefined
      ? new BodyCells(call, index, rows)
      : new PickedCells(call, body.picks, rows);
  };
  return (
    typedAccumulators(step.calls, input) ??
    GROUP_BLOCKS.fetched?.wideAccumulators({ step, input, calls, rows, cellsOf }) ??
    new GenericAccumulators(
      calls.map((call, index) => ({ cells: cellsOf(call, index), types: call.body.cells })),
    )
  );
}
