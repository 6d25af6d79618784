// Computes all columns of a batch anew; rows, keys as a whole, operations and rowtimes stay. Knows no table.

import type { Schema } from '../data/schema.ts';
import { compile } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { ProjectStep } from '../plan/step.ts';
import { RowEvaluation } from './evaluation.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { RARER_ROWS } from './parts.ts';

/** A row whose value is null keeps a null value: only its key columns are computed. */
export function project(
  step: ProjectStep,
  _input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  const { columns } = step.schema;
  const made = step.expressions.map((expression, index) => ({
    compute: compile(expression, registry),
    evaluation: new RowEvaluation(context, columns[index]?.name ?? '', `${step.id}.${index}`),
    isValue: columns[index]?.role === 'value' && expression.expr !== 'column',
  }));
  return {
    name: 'project',
    schema: step.schema,
    process(_side, batch, out) {
      const { valueNull } = batch;
      const valued = valueNull === null ? batch : RARER_ROWS.code.withValue(batch, valueNull);
      const projected = made.map(({ compute, evaluation, isValue }) => {
        const from = isValue ? valued : batch;
        const column = evaluation.over(from, compute);
        return isValue && valueNull !== null
          ? RARER_ROWS.code.nullWhere(column, valueNull, batch.rowtime.length)
          : column;
      });
      out({ ...batch, schema: step.schema, columns: projected });
    },
  };
}
