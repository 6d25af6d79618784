// Keeps the rows whose predicate is true, by another selection over the same columns; knows no table.

import { select } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { compilePredicate } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { FilterStep } from '../plan/step.ts';
import { RowEvaluation } from './evaluation.ts';
import type { Operator, OperatorContext } from './operator.ts';

/** Rows whose value is null do not pass, whatever the predicate says of the key: they are no rows to SQL. */
export function filter(
  step: FilterStep,
  _input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  const predicate = compilePredicate(step.predicate, registry);
  const evaluation = new RowEvaluation(context, '', step.id);
  return {
    name: 'filter',
    schema: step.schema,
    process(_side, batch, out) {
      const chosen = evaluation.over(batch, predicate);
      const { valueNull } = batch;
      const kept =
        valueNull === null ? chosen : chosen.filter((position) => !bitAt(valueNull, position));
      const passed = select(batch, kept);
      if (passed !== null) out(passed);
    },
  };
}
