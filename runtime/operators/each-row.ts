// Hands the rows of batches on one by one, in the order of their records; knows no operator.

import { type Batch, Op, positionOf, slice } from '../data/batch.ts';
import { compact } from '../data/dense.ts';

/**
 * Feeds each row by itself; an old row and its new one stay together. A record that several readers have made rows of goes to each of them, in
 * their order, before the next one. Cost: a batch a row.
 * @param batches of the same records, by reader; null: it made no row
 */
export function eachRow(
  batches: readonly (Batch | null)[],
  feed: (reader: number, row: Batch) => void,
): void {
  const next = batches.map(() => 0);
  for (;;) {
    let record = Infinity;
    batches.forEach((batch, reader) => {
      if (batch !== null) record = Math.min(record, recordOf(batch, next[reader] as number));
    });
    if (record === Infinity) return;
    batches.forEach((batch, reader) => {
      if (batch === null) return;
      const from = next[reader] as number;
      let to = from;
      while (recordOf(batch, to) === record || (to > from && isOld(batch, to - 1))) {
        to++;
        if (!isOld(batch, to - 1)) break;
      }
      next[reader] = to;
      const row = slice(batch, from, to);
      if (row !== null) feed(reader, compact(row));
    });
  }
}

/** The record of row `i`; Infinity behind the last one. */
function recordOf(batch: Batch, i: number): number {
  if (i >= batch.length) return Infinity;
  const position = positionOf(batch, i);
  return batch.origin?.[position] ?? position;
}

function isOld(batch: Batch, i: number): boolean {
  return batch.op?.[positionOf(batch, i)] === Op.UpdateBefore;
}
