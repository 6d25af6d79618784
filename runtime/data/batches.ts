// Batches joined and compared by their rows: for tests and small results; knows no operator.

import { assert } from '../base/assert.ts';
import { BatchBuilder } from './batch-builder.ts';
import { type Batch, type Op, positionOf } from './batch.ts';
import { type Bitmap, bitAt, valueAt } from './column.ts';
import { schemaEquals } from './schema-text.ts';
import type { Value } from './type.ts';
import { valueEquals } from './value.ts';

/** All rows in order, as batches of at most BATCH_ROWS_MAX rows. Cost: a value a cell; not for hot paths. */
export function concat(batches: readonly Batch[]): Batch[] {
  const [first] = batches;
  if (first === undefined) return [];
  const builder = new BatchBuilder(first.schema);
  const whole: Batch[] = [];
  const flush = () => {
    const batch = builder.finish();
    if (batch !== null) whole.push(batch);
  };
  for (const batch of batches) {
    assert(schemaEquals(batch.schema, first.schema), 'batches that are joined have one schema');
    for (let i = 0; i < batch.length; i++) {
      if (builder.isFull) flush();
      appendRow(builder, batch, i);
    }
  }
  flush();
  return whole;
}

function appendRow(to: BatchBuilder, batch: Batch, i: number): void {
  const at = positionOf(batch, i);
  const origin = batch.origin?.[at] ?? null;
  to.append(rowValues(batch, i), batch.rowtime[at] ?? 0, opAt(batch, at), origin);
  if (isSet(batch.valueNull, at)) to.markValueNull();
  if (isSet(batch.keyNull, at)) to.markKeyNull();
}

/** The operation of the row at an array position; null in a stream. */
export function opAt(batch: Batch, position: number): Op | null {
  if (batch.op === null) return null;
  const op = batch.op[position];
  assert(op === 0 || op === 1 || op === 2 || op === 3, 'an op is one of four');
  return op;
}

function isSet(bits: Bitmap | null, position: number): boolean {
  return bits !== null && bitAt(bits, position);
}

/** The values of row `i` of the batch. */
export function rowValues(batch: Batch, i: number): Value[] {
  const at = positionOf(batch, i);
  return batch.columns.map((column) => valueAt(column, at));
}

/** True when both hold the same rows, however they are stored; origins count only where both have them. */
export function batchesEqual(a: Batch, b: Batch): boolean {
  if (a.length !== b.length || !schemaEquals(a.schema, b.schema)) return false;
  for (let i = 0; i < a.length; i++) {
    const atA = positionOf(a, i);
    const atB = positionOf(b, i);
    if (
      !Object.is(a.rowtime[atA], b.rowtime[atB]) ||
      opAt(a, atA) !== opAt(b, atB) ||
      isSet(a.valueNull, atA) !== isSet(b.valueNull, atB) ||
      isSet(a.keyNull, atA) !== isSet(b.keyNull, atB) ||
      (a.origin !== null && b.origin !== null && a.origin[atA] !== b.origin[atB])
    ) {
      return false;
    }
    const values = rowValues(b, i);
    if (!rowValues(a, i).every((value, index) => valueEquals(value, values[index] ?? null))) {
      return false;
    }
  }
  return true;
}
