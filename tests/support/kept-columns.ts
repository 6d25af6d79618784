// Joins that keep even the shortest batches as columns, but for some, so that small tests meet both; knows no join.

import * as columnRows from '../../runtime/state/column-rows.ts';
import { keptColumns } from '../../runtime/state/kept-columns.ts';
import { KEPT_COLUMNS } from '../../runtime/state/parts.ts';

/**
 * From now on, for all joins of the process.
 * @param isKept whether a batch of so many rows is kept as columns
 */
export function keepShortColumns(
  isKept: (rows: number) => boolean = (rows) => rows % 2 === 0,
): void {
  const keep: typeof keptColumns = (batch, columns, from) =>
    keptColumns(batch, columns, from, isKept(batch.length) ? 1 : undefined);
  KEPT_COLUMNS.given({
    ...columnRows,
    columnRows: (types, skipped) => new columnRows.ColumnRows(types, skipped, keep),
  });
}
