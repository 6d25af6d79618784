// The log as a task reads it that must stop for a moment where its input goes on otherwise than it did before; knows no task and no storage.

import { FETCH_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { Fetched, FetchedBatch, Log } from '../../runtime/ports/log.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import { pieceOf } from '../objects/batch-pieces.ts';
import type { RemoteLog } from './remote-log.ts';

/** @param ends by partition, the offset up to which there is something to read */
export function boundedLog(log: RemoteLog, ends: ReadonlyMap<string, number>): Log {
  return {
    isRemote: log.isRemote,
    create: (topic) => log.create(topic),
    remove: (topic) => log.remove(topic),
    describe: (topic) => log.describe(topic),
    list: () => log.list(),
    append: (...append) => log.append(...append),
    appendAll: (...appends) => log.appendAll(...appends),
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
