// Which rows of a table's changelog take a row away; knows no table.

import { type Batch, Op } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';

/** True when the row at a position leaves its key without a row. */
export function isGone(batch: Batch, position: number): boolean {
  if (batch.op !== null && batch.op[position] === Op.Delete) return true;
  return batch.valueNull !== null && bitAt(batch.valueNull, position);
}
