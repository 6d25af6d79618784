// What keeps partitions in IndexedDB small, in transactions so short that no commit waits long; fetched when a topic first needs it.

import type { TopicPartition } from '../ports/log.ts';
import { type BatchSize, expired } from '../ports/retention.ts';
import type { PartitionRow } from './database.ts';
import { NO_POLICY, partitionIn } from './idb-append.ts';
import { type IdbOptions, write, type WriteTransaction } from './transactions.ts';

/** What one turn reads at most; a batch comes with its bytes, whether they are wanted or not. */
const TURN_BYTES = 1_048_576;
const TURN_BATCHES = 64;

/** One turn. @returns true when another turn has something to do. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, UNAVAILABLE */
export async function upkeepTurn(options: IdbOptions, at: TopicPartition): Promise<boolean> {
  return await write(options, 'upkeep', async (transaction) => {
    const row = await partitionIn(transaction, at);
    return await expire(transaction, at, row, options.now());
  });
}

async function expire(
  transaction: WriteTransaction,
  at: TopicPartition,
  row: PartitionRow,
  nowMs: number,
): Promise<boolean> {
  const key: [string, number] = [at.topic, at.partition];
  const { policy = NO_POLICY, highWatermark } = row;
  const lengthBytes = row.lengthBytes ?? (await countBytes(transaction, at));
  const oldest = await sizesFrom(transaction, at, row);
  const gone = expired(oldest, { policy, highWatermark, lengthBytes, nowMs });
  if (gone === null) return false;
  const below = IDBKeyRange.bound([...key, row.start], [...key, gone.before], false, true);
  await transaction.objectStore('segments').delete(below);
  const kept = lengthBytes - gone.lengthBytes;
  await transaction
    .objectStore('partitions')
    .put({ ...row, start: gone.before, lengthBytes: kept }, key);
  return gone.batches === oldest.length;
}

/** The oldest batches: as many as a turn may read. */
async function sizesFrom(
  transaction: WriteTransaction,
  at: TopicPartition,
  { start, highWatermark }: PartitionRow,
): Promise<BatchSize[]> {
  const found: BatchSize[] = [];
  let read = 0;
  const key: [string, number] = [at.topic, at.partition];
  let cursor = await transaction
    .objectStore('segments')
    .openCursor(IDBKeyRange.bound([...key, start], [...key, highWatermark]));
  while (cursor !== null && read < TURN_BYTES && found.length < TURN_BATCHES) {
    const { count, maxTimestamp, bytes } = cursor.value;
    found.push({ base: cursor.key[2], count, maxTimestamp, lengthBytes: bytes.length });
    read += bytes.length;
    cursor = await cursor.continue();
  }
  return found;
}

/** Once for a partition of a database of before they were counted. */
async function countBytes(transaction: WriteTransaction, at: TopicPartition): Promise<number> {
  let total = 0;
  let cursor = await transaction
    .objectStore('segments')
    .openCursor(IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, []]));
  while (cursor !== null) {
    total += cursor.value.bytes.length;
    cursor = await cursor.continue();
  }
  return total;
}
