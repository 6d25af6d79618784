// The columns and rows of a query as its caller sees them, batch by batch; knows no query.

import { type Batch, Op, positionOf, select } from '../data/batch.ts';
import { type Bitmap, bitAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import { typeText } from '../data/type.ts';
import type { QueryColumn } from './query-rows.ts';

/** The columns of an answer as SQL spells them. */
export function namedColumns({ columns }: Schema): QueryColumn[] {
  return columns.map(({ name, type }) => ({ name, type: typeText(type) }));
}

/** The batch with its columns in another order, without old rows and without rows of a stream that have no value; null when no row is left. */
export function asAnswer(batch: Batch, answer: Schema, order: readonly number[]): Batch | null {
  const columns = order.flatMap((index) => batch.columns[index] ?? []);
  const shown = { ...batch, schema: answer, columns };
  const { op, valueNull } = batch;
  // Mostly all rows are shown, and the batch goes on as it is.
  if (op === null ? valueNull === null : !op.includes(Op.UpdateBefore)) return shown;
  const positions: number[] = [];
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    const isHidden =
      op === null ? bitAt(valueNull as Bitmap, position) : op[position] === Op.UpdateBefore;
    if (!isHidden) positions.push(position);
  }
  return select(shown, Uint32Array.from(positions));
}
