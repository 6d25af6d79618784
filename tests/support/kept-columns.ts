// Joins that keep even the shortest batches as columns, but for some, so that small tests meet both; knows no join.

import { ColumnRows } from '../../runtime/state/column-rows.ts';
import { keptColumns } from '../../runtime/state/kept-columns.ts';

/**
 * From now on, for all joins of the process.
 * @param isKept whether a batch of so many rows is kept as columns
 */
export function keepShortColumns(
  isKept: (rows: number) => boolean = (rows) => rows % 2 === 0,
): void {
  ColumnRows.prototype.keep = (batch, columns, from) =>
    keptColumns(batch, columns, from, isKept(batch.length) ? 1 : undefined);
}
