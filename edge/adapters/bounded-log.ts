// The log as a task reads it that must stop for a moment where its input goes on otherwise than it did before; knows no task and no storage.

import { FETCH_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { Fetched, FetchedBatch, Log } from '../../runtime/ports/log.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import type { Ending } from '../objects/after-restore.ts';
import { pieceOf } from '../objects/batch-pieces.ts';

/** @param endings up to there these partitions have something to read; none: the log itself */
export function boundedLog(log: Log, endings: readonly Ending[]): Log {
  if (endings.length === 0) return log;
  const ends = new Map(endings.map(({ at, end }) => [partitionKey(at), end]));
  return {
    isRemote: log.isRemote,
    create: (topic) => log.create(topic),
    remove: (topic) => log.remove(topic),
    describe: (topic) => log.describe(topic),
    list: () => log.list(),
    append: (...append) => log.append(...append),
    ...(log.appendAll && { appendAll: log.appendAll.bind(log) }),
    read: async (at, from, bytesMax) => {
      const end = ends.get(partitionKey(at));
      const fetched = await log.read(at, from, bytesMax);
      return end === undefined ? fetched : upTo(fetched, end);
    },
    bounds: (at) => log.bounds(at),
    offsetForTime: (at, ms) => log.offsetForTime(at, ms),
    trim: (at, before) => log.trim(at, before),
    subscribe: (at, wake) => log.subscribe(at, wake),
  };
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
