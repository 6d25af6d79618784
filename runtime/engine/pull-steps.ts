// Runs the steps that need no state, filters and projections, for a question; knows no task.

import { InvariantError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { filter } from '../operators/rarer-rows.ts';
import type { LogicalTime, Operator, OperatorContext } from '../operators/operator.ts';
import { project } from '../operators/project.ts';
import type { Step } from '../plan/step.ts';

/** @throws {InvariantError} for a step that keeps state */
export function questionStep(
  step: Step,
  input: Schema,
  registry: FunctionRegistry,
  time: () => LogicalTime,
): Operator {
  // A question leaves no trace: what fails is null in its answer, and nothing is counted.
  const context: OperatorContext = {
    state: { get: () => null, scan: () => [] },
    streamTime: { ms: -Infinity },
    report: () => undefined,
    count: () => undefined,
    time,
  };
  if (step.step === 'project') return project(step, input, context, registry);
  // What a table filter keeps is what passes: its own state only serves to tell what had passed before.
  if (step.step === 'tableFilter')
    return filter({ ...step, step: 'filter' }, input, context, registry);
  if (step.step === 'filter') return filter(step, input, context, registry);
  throw new InvariantError(`a ${step.step} has no place in a question`);
}

/** The batch after all steps: each emits at most one for one. */
export function through(steps: readonly Operator[], batch: Batch): Batch | null {
  let rows: Batch | null = batch;
  for (const step of steps) {
    let emitted: Batch | null = null;
    step.process(0, rows, (out) => {
      emitted = out;
    });
    if (emitted === null) return null;
    rows = emitted;
  }
  return rows;
}
