// Appends one record batch inside an IndexedDB transaction; shared by the log and by the commit of a store.

import type { IDBPTransaction } from 'idb';
import { PortError } from '../base/errors.ts';
import { PRODUCERS_MAX } from '../base/limits.ts';
import { verify } from '../data/record.ts';
import type { AppendResult, ProducerStamp, TopicPartition } from '../ports/log.ts';
import { judge, toForget } from '../ports/producers.ts';
import type { MillraceSchema, PartitionRow, StoreName } from './database.ts';
import { owned, type WriteTransaction } from './transactions.ts';

/**
 * Judges and appends; all or nothing with the transaction. Awaits nothing but IndexedDB, or the transaction would end.
 * @throws {PortError} as `Log.append` says; the caller aborts the transaction
 */
export async function appendIn(
  transaction: WriteTransaction,
  append: {
    readonly at: TopicPartition;
    readonly bytes: Uint8Array;
    readonly producer: ProducerStamp | undefined;
    readonly incarnation: string | undefined;
    readonly nowMs: number;
  },
): Promise<AppendResult> {
  const { at, bytes, producer, nowMs } = append;
  const { count, maxTimestamp } = verify(bytes);
  // The checksum stands behind the magic bytes (PROTOCOL.md section 2).
  const crc = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  const key: [string, number] = [at.topic, at.partition];
  const partition = await partitionIn(transaction, at);
  const { incarnation, highWatermark } = partition;
  if (append.incarnation !== undefined && append.incarnation !== incarnation) {
    throw new PortError(
      'INCARNATION_CHANGED',
      `topic '${at.topic}' was dropped and created again since it was last seen`,
      { incarnation },
    );
  }
  let { forgottenMs, producers } = partition;
  if (producer !== undefined) {
    const store = transaction.objectStore('producers');
    const producerKey: [string, number, string] = [at.topic, at.partition, producer.id];
    const known = await store.get(producerKey);
    if (known === undefined && producers >= PRODUCERS_MAX) {
      const forgotten = await forget(transaction, at, nowMs);
      producers -= forgotten.count;
      forgottenMs = Math.max(forgottenMs, forgotten.forgottenMs);
    }
    const verdict = judge(known ?? null, {
      stamp: producer,
      count,
      crc,
      highWatermark,
      forgottenMs,
      nowMs,
    });
    await store.put(verdict.producer, producerKey);
    if (known === undefined) producers++;
    if (verdict.kind === 'repeat') {
      return { base: verdict.base, count, duplicate: true, highWatermark, incarnation };
    }
  }
  const next = highWatermark + count;
  await transaction
    .objectStore('segments')
    .add({ count, maxTimestamp, bytes: owned(bytes) }, [at.topic, at.partition, highWatermark]);
  await transaction
    .objectStore('partitions')
    .put({ ...partition, highWatermark: next, forgottenMs, producers }, key);
  return { base: highWatermark, count, duplicate: false, highWatermark: next, incarnation };
}

/** The partition's row. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION */
export async function partitionIn<Mode extends IDBTransactionMode>(
  transaction: IDBPTransaction<MillraceSchema, StoreName[], Mode>,
  at: TopicPartition,
): Promise<PartitionRow> {
  const row = await transaction.objectStore('partitions').get([at.topic, at.partition]);
  if (row !== undefined) return row;
  const topic = await transaction.objectStore('topics').get(at.topic);
  if (topic === undefined) {
    throw new PortError('UNKNOWN_TOPIC', `topic '${at.topic}' does not exist`);
  }
  throw new PortError(
    'UNKNOWN_PARTITION',
    `topic '${at.topic}' has partitions 0 to ${topic.partitions - 1}; ${at.partition} was asked for`,
  );
}

/** Forgets producers of a partition that is full of them; rare, so it may read them all. */
async function forget(
  transaction: WriteTransaction,
  at: TopicPartition,
  nowMs: number,
): Promise<{ readonly count: number; readonly forgottenMs: number }> {
  const store = transaction.objectStore('producers');
  const range = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, []]);
  const [keys, rows] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  const idle = keys.map((key, index) => ({ id: key[2], lastMs: rows[index]?.lastMs ?? 0 }));
  const { ids, forgottenMs } = toForget(idle, nowMs);
  for (const id of ids) await store.delete([at.topic, at.partition, id]);
  return { count: ids.length, forgottenMs };
}
