// What an aggregation is to the kernel: its program, its arguments, and its results as columns; knows no window's rule and no state.

import { existing } from '../base/assert.ts';
import { LimitError } from '../base/errors.ts';
import type { Column } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { KernelColumn } from '../kernel/instance.ts';
import type { ArgumentType, KernelProgram } from '../kernel/program.ts';
import type { AggregateCall, AggregateStep } from '../plan/step.ts';
import { WHOLE_KERNEL } from './parts.ts';

/** What a call gives, null when the kernel has no room for it. */
export function inKernel<T>(call: () => T): T | null {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof LimitError) return null;
    throw thrown;
  }
}

/** Each argument column once: calls of one column share the kernel's work. */
export function argumentsOf(calls: readonly AggregateCall[]): number[] {
  return [...new Set(calls.flatMap((call) => call.arguments))];
}

/** @param positions of the arguments in the input */
export function programOf(
  step: Pick<AggregateStep, 'calls' | 'over' | 'window'>,
  input: Schema,
  positions: readonly number[],
  output: KernelProgram['output'],
): KernelProgram {
  return {
    arguments: positions.map((position) =>
      kernelType(existing(input.columns[position], 'argument').type),
    ),
    aggregates: step.calls.map((call) => ({
      function: call.function,
      argument: call.arguments[0] === undefined ? null : positions.indexOf(call.arguments[0]),
    })),
    window: step.window,
    functions: WHOLE_KERNEL.fetched?.OTHER_FUNCTIONS,
    output: step.over === 'table' ? 'changes' : output,
  };
}

const ARGUMENT_TYPES: Partial<Readonly<Record<Type['kind'], ArgumentType>>> = {
  INTEGER: 'I32',
  BIGINT: 'I64',
  DOUBLE: 'F64',
};

/** Of columns that go in or come out. */
function kernelType({ kind }: Type): ArgumentType {
  return existing(ARGUMENT_TYPES[kind], 'type');
}

/** An argument. Its values are checked as they are copied in. */
export function kernelColumn(column: Column | undefined): KernelColumn {
  return existing(column, 'argument') as Column & KernelColumn;
}

/** What the kernel puts out, as a column of that type. */
export function resultColumn(column: KernelColumn, type: Type): Column {
  // Storages are called as the kernel's types are.
  return { ...column, type, storage: kernelType(type).toLowerCase() } as Column;
}
