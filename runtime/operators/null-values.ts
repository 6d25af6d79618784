// Rows whose value as a whole is null: keeps expressions off them; knows no step.

import { type Batch, positionOf } from '../data/batch.ts';
import { bitAt, type Bitmap, bitmap, type Column, isNull, setBit } from '../data/column.ts';

/** The rows that have a value, so that no expression is evaluated, and fails, on the others. */
export function withValue(batch: Batch, valueNull: Bitmap): Batch {
  const positions = new Uint32Array(batch.length);
  let count = 0;
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    if (!bitAt(valueNull, position)) positions[count++] = position;
  }
  return { ...batch, selection: positions.subarray(0, count), length: count };
}

/** The column with nulls at the positions whose bit is set. */
export function nullWhere(column: Column, nulls: Bitmap, rows: number): Column {
  const validity = bitmap(rows);
  for (let i = 0; i < rows; i++) {
    if (!bitAt(nulls, i) && !isNull(column, i)) setBit(validity, i);
  }
  if (column.storage !== 'objects') return { ...column, validity };
  return {
    ...column,
    validity,
    values: column.values.map((value, i) => (bitAt(validity, i) ? value : null)),
  };
}
