// Gives rows a new key, for PARTITION BY and GROUP BY; knows no topic and no partition.

import { type Batch, select } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { compile } from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { RekeyStep } from '../plan/step.ts';
import { RowEvaluation } from './evaluation.ts';
import type { Emit, Operator, OperatorContext } from './operator.ts';
import { RARER_ROWS } from './parts.ts';

/**
 * The key columns are computed, the others carried over. With `dropNullKeys` rows with a null in the new key, or without a value,
 * are dropped and counted. Without it a row without a value is keyed by what its old key alone gives, and null for the rest; a key
 * of one column is null as a whole where that column is, while one of several columns is never null as a whole, as in ksqlDB.
 *
 * In a changelog the two rows of an update whose key changes become a Delete of the old group and an Insert into the new
 * one; with the same key they stay UpdateBefore and UpdateAfter. So an aggregation knows from the row alone whether to show a
 * result for it.
 */
export function rekey(
  step: RekeyStep,
  input: Schema,
  context: OperatorContext,
  registry: FunctionRegistry,
): Operator {
  const { columns } = step.schema;
  const keys = step.key.map((expression, index) => ({
    compute: compile(expression, registry),
    evaluation: new RowEvaluation(context, columns[index]?.name ?? '', `${step.id}.${index}`),
    // Rows without a value that are dropped are not evaluated at all, so that nothing fails on them.
    ofKeyAlone: !step.dropNullKeys && !RARER_ROWS.code.readsBeyondKey(expression, input),
  }));
  /** A row without a value has its old key alone: what reads more of it is null there, and is not evaluated. */
  const computedKeys = (batch: Batch): Column[] => {
    const { valueNull } = batch;
    const valued = valueNull === null ? batch : RARER_ROWS.code.withValue(batch, valueNull);
    return keys.map(({ compute, evaluation, ofKeyAlone }) => {
      if (valueNull === null || ofKeyAlone) return evaluation.over(batch, compute);
      return RARER_ROWS.code.nullWhere(
        evaluation.over(valued, compute),
        valueNull,
        batch.rowtime.length,
      );
    });
  };
  return {
    name: 'rekey',
    schema: step.schema,
    process(_side, batch, out) {
      const computed = computedKeys(batch);
      const carried = step.carried.map((position) => batch.columns[position] as Column);
      const rekeyed: Batch = {
        ...batch,
        schema: step.schema,
        columns: [...computed, ...carried],
        op: batch.op === null ? null : RARER_ROWS.code.groupOps(batch, batch.op, computed),
        keyNull: null,
      };
      if (step.dropNullKeys) emitKeyed(rekeyed, computed, context, out);
      else
        out({
          ...rekeyed,
          keyNull: computed.length > 1 ? null : RARER_ROWS.code.wholeNulls(rekeyed, computed),
        });
    },
  };
}

function emitKeyed(
  batch: Batch,
  keys: readonly Column[],
  context: OperatorContext,
  out: Emit,
): void {
  if (batch.valueNull === null && keys.every(isNeverNull)) {
    out(batch);
    return;
  }
  const kept = RARER_ROWS.code.keyedRows(batch, keys);
  if (kept.length < batch.length) context.count('dropped', batch.length - kept.length);
  const keyed = select({ ...batch, valueNull: null }, kept);
  if (keyed !== null) out(keyed);
}

/** True when it is known without a look at the rows. */
function isNeverNull(column: Column): boolean {
  return column.validity === null && column.storage !== 'objects';
}
