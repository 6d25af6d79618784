// Keeps the rows of a changelog whose predicate is true, and takes back what no longer passes; knows no source.

import { type Batch, Op, positionOf } from '../data/batch.ts';
import { bitAt, valueAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { compilePredicate } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { TableFilterStep } from '../plan/step.ts';
import { ChangelogBuilder } from './changelog.ts';
import { RowEvaluation } from './evaluation.ts';
import { keptFilter } from './kept-tables.ts';
import { StoredRows } from './materialize.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';

/**
 * A row that passes is an Insert where its key had not passed before, else an UpdateAfter; one that does not pass, or a
 * tombstone, is a Delete where its key had passed, else nothing. Old rows go with them where the input brings them: an
 * UpdateBefore, or the old values in the Delete.
 *
 * @param isSession the windows of the keys are sessions, which may begin alike
 */
export function tableFilter(
  step: TableFilterStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
  isSession = false,
): Operator {
  if (!isSession) return keptFilter(step, input, context, registry);
  const predicate = compilePredicate(step.predicate, registry);
  const evaluation = new RowEvaluation(context, '', step.id);
  const rows = new StoredRows(step.id, input, context, isSession);
  const changelog = new ChangelogBuilder(input);

  const change = (batch: Batch, position: number, passes: boolean, hasOld: boolean): void => {
    const id = rows.locate(batch, position);
    const old = rows.get(id);
    const values = passes ? batch.columns.map((column) => valueAt(column, position)) : null;
    if (values === null) {
      if (old === null) return;
      rows.remove(id);
      changelog.add(batch, position, Op.Delete, hasOld ? old : null);
      return;
    }
    rows.set(id, batch, position, values);
    if (hasOld && old !== null) changelog.add(batch, position, Op.UpdateBefore, old);
    changelog.add(batch, position, old === null ? Op.Insert : Op.UpdateAfter, values);
  };

  /** Row by row, as old rows ask for. */
  const processRows = (batch: Batch, passing: ReadonlySet<number>, out: Emit): void => {
    let hasOld = false;
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      const op = batch.op?.[position];
      if (op === Op.UpdateBefore) {
        hasOld = true;
        continue;
      }
      const isNull = batch.valueNull !== null && bitAt(batch.valueNull, position);
      changelog.makeRoom(out);
      if (op === Op.Delete) change(batch, position, false, !isNull);
      else change(batch, position, !isNull && passing.has(position), hasOld);
      hasOld = false;
    }
    changelog.flush(out);
  };

  return {
    name: 'tableFilter',
    schema: step.schema,
    process(_side, batch, out) {
      processRows(batch, new Set(evaluation.over(batch, predicate)), out);
    },
    changes: (into) => rows.changes(into),
  };
}
