// What the calls of an aggregation do, from the registry, and what they ask and tell of rows; knows no group and no window.

import { InvariantError } from '../base/errors.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { bodyOfCall } from '../functions/aggregate-call.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { AggregateStep } from '../plan/step.ts';
import type { GenericCall, RowContext } from '../state/call-cells.ts';
import type { OperatorContext } from './operator.ts';

/** The calls of the step with their bodies. @throws {InvariantError} for calls that no planner makes */
export function aggregateCalls(
  step: AggregateStep,
  input: Schema,
  registry: FunctionRegistry,
): GenericCall[] {
  return step.calls.map((call) => {
    const types = call.arguments.map(
      (position) => input.columns[position]?.type ?? unknownColumn(position),
    );
    const body = bodyOfCall(call, types, registry);
    if (step.over === 'table' && body.undo === null) {
      throw new InvariantError(`${call.signature} cannot be undone, so not computed over a table`);
    }
    return { body, arguments: call.arguments, type: call.type };
  });
}

/** Offsets of rows, and where their problems go. */
export function rowContext({ schema }: AggregateStep, context: OperatorContext): RowContext {
  const results = columnsWithRole(schema, 'value');
  return {
    offset: ({ origin }, position) =>
      (context.time().firstOffset ?? 0) + (origin?.[position] ?? position),
    failed({ origin }, position, call, reason) {
      const field = schema.columns[results[call] ?? -1]?.name ?? '';
      context.report({ code: 'EXPRESSION', origin: origin?.[position] ?? null, field, reason });
    },
  };
}

function unknownColumn(position: number): never {
  throw new InvariantError(`the input has no column ${position}`);
}
