// Appends one record batch inside an IndexedDB transaction; shared by the log and by the commit of a store.

import { type IDBPObjectStore, type IDBPTransaction, unwrap } from 'idb';
import { PortError } from '../base/errors.ts';
import { PRODUCERS_MAX } from '../base/limits.ts';
import { verify } from '../data/record.ts';
import type { AppendResult, ProducerStamp, TopicPartition } from '../ports/log.ts';
import { judge, toForget } from '../ports/producers.ts';
import type { MillraceSchema, PartitionRow, StoreName } from './database.ts';
import { owned, type WriteTransaction } from './transactions.ts';

/** One append to be made. */
export interface Append {
  readonly at: TopicPartition;
  readonly bytes: Uint8Array;
  readonly producer: ProducerStamp | undefined;
  readonly incarnation: string | undefined;
  readonly nowMs: number;
}

/**
 * Judges and appends. Awaits nothing but IndexedDB, or the transaction would end.
 * @throws {PortError} as `Log.append` says, before anything is written: other work of the transaction may stay
 */
export async function appendIn(
  transaction: WriteTransaction,
  append: Append,
): Promise<AppendResult> {
  const { at, bytes, producer, nowMs } = append;
  const { count, maxTimestamp } = verify(bytes);
  // The checksum stands behind the magic bytes (PROTOCOL.md section 2).
  const crc = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
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
    const isFull = known === undefined && producers >= PRODUCERS_MAX;
    const { ids, forgottenMs: latestMs } = isFull ? await toGo(store, at, nowMs) : NOBODY;
    forgottenMs = Math.max(forgottenMs, latestMs);
    const arrival = { stamp: producer, count, crc, highWatermark, forgottenMs, nowMs };
    const verdict = judge(known ?? null, arrival);
    for (const id of ids) unwrap(store).delete([at.topic, at.partition, id]);
    unwrap(store).put(verdict.producer, producerKey);
    producers += known === undefined ? 1 - ids.length : 0;
    if (verdict.kind === 'repeat') {
      return { base: verdict.base, count, duplicate: true, highWatermark, incarnation };
    }
  }
  const next = highWatermark + count;
  // Plain requests: they run in order, before all later ones, and one that fails fails the transaction.
  unwrap(transaction.objectStore('segments')).add({ count, maxTimestamp, bytes: owned(bytes) }, [
    at.topic,
    at.partition,
    highWatermark,
  ]);
  unwrap(transaction.objectStore('partitions')).put(
    { ...partition, highWatermark: next, forgottenMs, producers },
    [at.topic, at.partition],
  );
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

type ProducerStore = IDBPObjectStore<MillraceSchema, StoreName[], 'producers', 'readwrite'>;

const NOBODY = { ids: [], forgottenMs: -Infinity };

/** Which producers a partition that is full of them forgets; rare, so it may read them all. */
async function toGo(
  store: ProducerStore,
  at: TopicPartition,
  nowMs: number,
): Promise<{ readonly ids: readonly string[]; readonly forgottenMs: number }> {
  const range = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, []]);
  const [keys, rows] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  const idle = keys.map((key, index) => ({ id: key[2], lastMs: rows[index]?.lastMs ?? 0 }));
  return toForget(idle, nowMs);
}
