// Appends one record batch inside an IndexedDB transaction; shared by the log and by the commit of a store.

import { type IDBPObjectStore, type IDBPTransaction, unwrap } from 'idb';
import { PRODUCERS_MAX } from '../base/limits.ts';
import { admit } from '../ports/admission.ts';
import type { AppendResult, ProducerStamp, TopicPartition } from '../ports/log.ts';
import { judge, toForget } from '../ports/producers.ts';
import { checkIncarnation, unknownPartition, unknownTopic } from '../ports/refusals.ts';
import { policyOf } from '../ports/topic-policy.ts';
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
  const partition = await partitionIn(transaction, at);
  const { incarnation, highWatermark } = partition;
  checkIncarnation(at.topic, append.incarnation, incarnation);
  const admitted = admit(bytes, partition.policy ?? NO_POLICY, nowMs);
  const { count, crc, maxTimestamp } = admitted;
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
  const stored = owned(admitted.bytes);
  unwrap(transaction.objectStore('segments')).add({ count, maxTimestamp, bytes: stored }, [
    at.topic,
    at.partition,
    highWatermark,
  ]);
  const before = partition.lengthBytes;
  const lengthBytes = before === undefined ? undefined : before + stored.length;
  unwrap(transaction.objectStore('partitions')).put(
    { ...partition, highWatermark: next, forgottenMs, producers, lengthBytes },
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
  throw topic === undefined ? unknownTopic(at.topic) : unknownPartition(at, topic.partitions);
}

/** Of a partition that does not know what its topic says. */
export const NO_POLICY = policyOf({ retentionMs: null, compacted: false });

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
