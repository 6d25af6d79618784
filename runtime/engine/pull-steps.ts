// Runs the steps that need no state, filters, table functions and projections, for a question; knows no task.

import { InvariantError, madeTooMuch } from '../base/errors.ts';
import { MADE_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { filter } from '../operators/rarer-rows.ts';
import type { LogicalTime, Operator, OperatorContext } from '../operators/operator.ts';
import { FLAT_MAP } from '../operators/parts.ts';
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
  if (step.step === 'flatMap') return FLAT_MAP.code.flatMap(step, input, context, registry);
  throw new InvariantError(`a ${step.step} has no place in a question`);
}

/** The batches after all steps. @throws {RecordError} DEAD_LETTER where they are of more than MADE_ROWS_MAX rows */
export function through([step, ...others]: readonly Operator[], batch: Batch): readonly Batch[] {
  if (step === undefined) return [batch];
  const batches: Batch[] = [];
  let rows = 0;
  step.process(0, batch, (out) => {
    rows += out.length;
    if (rows > MADE_ROWS_MAX) madeTooMuch();
    batches.push(...through(others, out));
  });
  return batches;
}
