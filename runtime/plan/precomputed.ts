// Plans what an aggregation needs that is no column yet: keys and arguments are computed before the rows are grouped; knows no call.

import type { Aggregation } from '../analyze/analysis.ts';
import { schema, type SchemaColumn, typeAt } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import type { Built } from './builder.ts';
import type { Planner } from './planner.ts';

/** What is grouped, over the input. */
interface Grouped {
  readonly input: Built;
  readonly key: readonly Expr[];
  readonly values: readonly Expr[];
}

/** The same with every key and value as a column of its own. */
export function precomputed(
  planner: Planner,
  { input, key, values }: Grouped,
  aggregation: Aggregation,
): { input: Built; key: Expr[]; values: Expr[] } {
  const expressions = [...key, ...values];
  const names = aggregation.schema.columns.filter((column) => column.role === 'key');
  const emitted = schema(
    expressions.map((expression, index): SchemaColumn => {
      const column =
        expression.expr === 'column' ? input.schema.columns[expression.index] : undefined;
      const name = names[index]?.name ?? column?.name ?? `ARGUMENT_${index - names.length}`;
      return { name, type: expression.type, role: 'value' };
    }),
  );
  const id = planner.id();
  planner.part.steps.push({ step: 'project', id, input: input.id, schema: emitted, expressions });
  const column = (index: number): Expr => ({
    expr: 'column',
    index,
    type: typeAt(emitted, index),
  });
  return {
    input: { id, schema: emitted, layout: new Map() },
    key: key.map((_, index) => column(index)),
    values: values.map((_, index) => column(key.length + index)),
  };
}
