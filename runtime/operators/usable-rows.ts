// Tells the rows that an aggregation of the row path can use from those that it drops; knows no window.

import type { Batch } from '../data/batch.ts';
import { bitAt } from '../data/column.ts';
import { NO_GROUP } from '../state/group-keys.ts';
import type { LateRows } from './late-rows.ts';
import { isRowtime } from './window-time.ts';

/** False for a row without a key or a value, or with a rowtime that is none: it is dropped. */
export function isUsable(batch: Batch, group: number, position: number, late: LateRows): boolean {
  const ms = batch.rowtime[position] as number;
  const isNull =
    group === NO_GROUP || (batch.valueNull !== null && bitAt(batch.valueNull, position));
  if (!isNull && isRowtime(ms)) return true;
  late.drop(batch.origin, position, isNull ? null : ms);
  return false;
}
