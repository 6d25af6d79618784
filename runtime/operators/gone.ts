// Which rows leave their key without one; knows no table.

import { type Batch, Op } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';

/** True when the row at a position leaves its key without a row. */
export function isGone({ op, valueNull }: Batch, position: number): boolean {
  return op?.[position] === Op.Delete || (valueNull !== null && bitAt(valueNull, position));
}
