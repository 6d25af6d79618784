// The log as a task reads it that must stop for a moment where its input goes on otherwise than it did before; knows no task and no storage.

import { FETCH_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { Fetched, FetchedBatch, Log } from '../../runtime/ports/log.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import type { Ending } from '../objects/after-restore.ts';
import { pieceOf } from '../objects/batch-pieces.ts';
import { readBy } from './read-by.ts';

/** @param endings up to there these partitions have something to read; none: the log itself */
export function boundedLog(log: Log, endings: readonly Ending[]): Log {
  if (endings.length === 0) return log;
  const ends = new Map(endings.map(({ at, end }) => [partitionKey(at), end]));
  return readBy(log, async (at, from, bytesMax) => {
    const end = ends.get(partitionKey(at));
    const fetched = await log.read(at, from, bytesMax);
    return end === undefined ? fetched : upTo(fetched, end);
  });
}

/** Batches may have been merged over the end since. */
function upTo(fetched: Fetched, end: number): Fetched {
  const batches: FetchedBatch[] = [];
  for (const batch of fetched.batches) {
    if (batch.base >= end) break;
    const isWithin = batch.base + batch.count <= end;
    batches.push(isWithin ? batch : pieceOf(batch, batch.base, FETCH_BYTES_MAX, end));
  }
  return { ...fetched, batches, highWatermark: Math.min(fetched.highWatermark, end) };
}
