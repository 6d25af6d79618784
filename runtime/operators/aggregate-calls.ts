// Finds what the calls of an aggregation do in the registry; knows no group and no window.

import { InvariantError } from '../base/errors.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep } from '../plan/step.ts';
import type { GenericCall } from '../state/generic-accumulators.ts';

/** The calls of the step with their bodies. @throws {InvariantError} for calls that no planner makes */
export function aggregateCalls(
  step: AggregateStep,
  input: Schema,
  registry: FunctionRegistry,
): GenericCall[] {
  return step.calls.map((call) => {
    const found = registry.bySignature(call.function, call.signature);
    if (found?.kind !== 'aggregate') {
      throw new InvariantError(`there is no aggregate function ${call.signature}`);
    }
    const body = found.body(
      call.arguments.map((position) => input.columns[position]?.type ?? unknownColumn(position)),
    );
    if (step.over === 'table' && body.undo === null) {
      throw new InvariantError(`${call.signature} cannot be undone, so not computed over a table`);
    }
    return { body, arguments: call.arguments, type: call.type };
  });
}

function unknownColumn(position: number): never {
  throw new InvariantError(`the input has no column ${position}`);
}
