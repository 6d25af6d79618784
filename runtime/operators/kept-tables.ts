// Tables as sources, and filters of their changelogs, with rows that are kept as columns; knows no format and no topic.

import { Op, positionOf } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { compilePredicate } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { TableFilterStep } from '../plan/step.ts';
import type { TableId } from '../ports/store.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import { isGone } from './gone.ts';
import { RowEvaluation } from './evaluation.ts';
import { KeptChangelog } from './kept-changelog.ts';
import type { Operator, OperatorContext } from './operator.ts';

/** As `materialize`, of a table whose windows are no sessions. */
export function keptMaterialize(table: TableId, input: Schema, context: OperatorContext): Operator {
  const rows = new KeptChangelog(table, input, context);
  return {
    name: 'materialize',
    schema: input,
    process(_side, batch, out) {
      rows.begin(batch, out);
      for (let i = 0; i < batch.length; i++) {
        const position = positionOf(batch, i);
        const old = rows.at(i, position);
        if (isGone(batch, position)) rows.drop(position, old, old);
        else rows.put(i, position, old, true);
      }
      rows.flush();
    },
    changes: (into, intoBlock) => rows.changes(into, intoBlock),
  };
}

/** As `tableFilter`, of a table whose windows are no sessions. */
export function keptFilter(
  step: TableFilterStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  const predicate = compilePredicate(step.predicate, registry);
  const evaluation = new RowEvaluation(context, '', step.id);
  const rows = new KeptChangelog(step.id, input, context);
  return {
    name: 'tableFilter',
    schema: step.schema,
    process(_side, batch, out) {
      const passing = evaluation.over(batch, predicate);
      const { op, valueNull, length } = batch;
      let next = 0;
      let hasOld = false;
      rows.begin(batch, out);
      for (let i = 0; i < length; i++) {
        const position = positionOf(batch, i);
        let passes = passing[next] === position;
        if (passes) next++;
        const does = op === null ? Op.Insert : op[position];
        if (does === Op.UpdateBefore) {
          hasOld = true;
          continue;
        }
        const isNull = valueNull !== null && bitAt(valueNull, position);
        if (isNull || does === Op.Delete) passes = false;
        // A Delete with a value is one with the old value.
        const showsOld = does === Op.Delete ? !isNull : hasOld;
        const old = rows.at(i, position);
        if (passes) rows.put(i, position, old, showsOld);
        else if (old !== NO_ROW) rows.drop(position, old, showsOld ? old : NO_ROW);
        hasOld = false;
      }
      rows.flush();
    },
    changes: (into, intoBlock) => rows.changes(into, intoBlock),
  };
}
