// Joins that keep even the shortest batches as columns, those of an odd number of rows aside, so that small tests meet both; knows no join.

import * as code from '../../runtime/state/kept-columns.ts';
import { KEPT_COLUMNS } from '../../runtime/state/parts.ts';

/** From now on, for all joins of the process. */
export function keepShortColumns(): void {
  KEPT_COLUMNS.given({
    ...code,
    keptColumns: (batch, columns, from) =>
      code.keptColumns(batch, columns, from, batch.length % 2 === 0 ? 1 : undefined),
  });
}
