// Joins that keep even the shortest batches as columns, those of an odd number of rows aside, so that small tests meet both; knows no join.

import * as keptColumns from '../../runtime/state/kept-columns.ts';
import { KEPT_COLUMNS } from '../../runtime/state/parts.ts';

KEPT_COLUMNS.given({
  ...keptColumns,
  keptColumns: (batch, columns, from) =>
    keptColumns.keptColumns(batch, columns, from, batch.length % 2 === 0 ? 1 : undefined),
});
