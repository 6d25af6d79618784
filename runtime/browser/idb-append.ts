// Appends one record batch inside an IndexedDB transaction; shared by the log and by the commit of a store.

import { PRODUCERS_MAX } from '../base/limits.ts';
import type { AppendResult, ProducerStamp, TopicPartition } from '../ports/log.ts';
import { plainlyAdmitted, plainVerdict } from '../ports/plain-append.ts';
import type { KnownProducer } from '../ports/producers.ts';
import { policyOf } from '../ports/topic-policy.ts';
import { partitionKey } from '../ports/wakes.ts';
import type { PartitionRow, ReadTransaction, WriteTransaction } from './database.ts';
import { RARE_ROWS } from './parts.ts';
import { asked } from './requests.ts';
import { owned } from './transactions.ts';

/** One append to be made. */
export interface Append {
  readonly at: TopicPartition;
  readonly bytes: Uint8Array;
  readonly producer: ProducerStamp | undefined;
  readonly incarnation: string | undefined;
  readonly nowMs: number;
}

/** What the append has become, once its transaction is complete. */
export interface Appended {
  readonly at: TopicPartition;
  readonly result: AppendResult;
  /** The partition after it. */
  readonly row: PartitionRow;
  /** What was written; null: it had been appended before. */
  readonly bytes: Uint8Array | null;
}

/** Rows that the appends of a transaction need, asked for or written: of partitions by their key, of producers by their id and that key. */
export type AppendRows = Map<string, Promise<unknown>>;

/** Asks for what an append will need while other requests are under way: each that is waited for alone is a way to the browser's process and back. */
export function askRows(
  transaction: WriteTransaction,
  rows: AppendRows,
  at: TopicPartition,
  producer: string,
): void {
  const key = partitionKey(at);
  // Of several appends to one partition the first has asked.
  if (rows.has(key)) return;
  const producers = transaction.objectStore('producers');
  const wanted = [
    [key, partitionIn(transaction, at)],
    [producer + key, asked(producers.get([at.topic, at.partition, producer]))],
  ] as const;
  for (const [of, row] of wanted) {
    // Who needs it hears of it.
    row.catch(() => undefined);
    rows.set(of, row);
  }
}

/**
 * Judges and appends, within `write`: rarer judgements are code that may not be fetched yet. Awaits nothing but IndexedDB, or the
 * transaction would end.
 * @throws {PortError} as `Log.append` says, before anything is written: other work of the transaction may stay
 */
export async function appendIn(
  transaction: WriteTransaction,
  rows: AppendRows,
  append: Append,
): Promise<Appended> {
  const { at, bytes, producer, nowMs } = append;
  const key = partitionKey(at);
  const partition = (await (rows.get(key) ?? partitionIn(transaction, at))) as PartitionRow;
  const { incarnation, highWatermark } = partition;
  if ((append.incarnation ?? incarnation) !== incarnation)
    RARE_ROWS.code.checkIncarnation(at.topic, append.incarnation, incarnation);
  const { policy = NO_POLICY } = partition;
  const admitted = plainlyAdmitted(bytes, policy) ?? RARE_ROWS.code.admit(bytes, policy, nowMs);
  const { count, crc, maxTimestamp } = admitted;
  let { forgottenMs, producers } = partition;
  if (producer !== undefined) {
    const store = transaction.objectStore('producers');
    const producerKey: [string, number, string] = [at.topic, at.partition, producer.id];
    const known = (await (rows.get(producer.id + key) ?? asked(store.get(producerKey)))) as
      | KnownProducer
      | undefined;
    const isFull = known === undefined && producers >= PRODUCERS_MAX;
    const { ids, forgottenMs: latestMs } = isFull
      ? await RARE_ROWS.code.toGo(store, at, nowMs)
      : NOBODY;
    forgottenMs = Math.max(forgottenMs, latestMs);
    const arrival = { stamp: producer, count, crc, highWatermark, forgottenMs, nowMs };
    const verdict =
      plainVerdict(known ?? null, arrival) ?? RARE_ROWS.code.judge(known ?? null, arrival);
    for (const id of ids) store.delete([at.topic, at.partition, id]);
    store.put(verdict.producer, producerKey);
    rows.delete(producer.id + key);
    producers += known === undefined ? 1 - ids.length : 0;
    if (verdict.kind === 'repeat') {
      const { base } = verdict;
      const result = { base, count, duplicate: true, highWatermark, incarnation };
      return { at, result, row: partition, bytes: null };
    }
  }
  const next = highWatermark + count;
  // Plain requests: they run in order, before all later ones, and one that fails fails the transaction.
  const stored = owned(admitted.bytes);
  transaction
    .objectStore('segments')
    .add({ count, maxTimestamp, bytes: stored }, [at.topic, at.partition, highWatermark]);
  const before = partition.lengthBytes;
  const lengthBytes = before === undefined ? undefined : before + stored.length;
  const row = { ...partition, highWatermark: next, forgottenMs, producers, lengthBytes };
  transaction.objectStore('partitions').put(row, [at.topic, at.partition]);
  rows.set(key, Promise.resolve(row));
  const result = { base: highWatermark, count, duplicate: false, highWatermark: next, incarnation };
  return { at, result, row, bytes: stored };
}

/** The partition's row. @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION */
export async function partitionIn(
  transaction: ReadTransaction,
  at: TopicPartition,
): Promise<PartitionRow> {
  const row = await asked(transaction.objectStore('partitions').get([at.topic, at.partition]));
  if (row !== undefined) return row;
  const topic = await asked(transaction.objectStore('topics').get(at.topic));
  throw RARE_ROWS.code.unknown(at, topic);
}

/** Of a partition that does not know what its topic says. */
export const NO_POLICY = policyOf({ retentionMs: null, compacted: false });

const NOBODY = { ids: [], forgottenMs: -Infinity };
