// What was appended last to a log over IndexedDB, in memory: who follows a topic reads it without a transaction; knows no database.

import { LOG_TAIL_BATCHES_MAX, LOG_TAIL_BYTES_MAX } from '../base/limits.ts';
import type { Fetched, FetchedBatch, TopicDescription, TopicPartition } from '../ports/log.ts';
import { partitionKey } from '../ports/wakes.ts';
import type { Appended } from './idb-append.ts';
import type { PartitionRow } from './database.ts';

interface Tail {
  row: PartitionRow;
  /** Those that end at the high watermark, none missing between them. */
  readonly batches: FetchedBatch[];
}

/**
 * Right as long as every change of the database is told here, in the order of the transactions: its log and its store are the only ones
 * that write to it. What it does not have, the database has.
 */
export class LogTail {
  /** As the database has them; a topic leaves when it is removed. */
  readonly #topics = new Map<string, TopicDescription>();
  readonly #tails = new Map<string, Tail>();
  /** All batches, the one appended longest ago first. */
  readonly #kept = new Map<FetchedBatch, Tail>();
  #bytes = 0;

  topic(name: string): TopicDescription | undefined {
    return this.#topics.get(name);
  }

  described(topic: TopicDescription): void {
    this.#topics.set(topic.name, topic);
  }

  removed(topic: string, partitions: readonly TopicPartition[]): void {
    this.#topics.delete(topic);
    for (const at of partitions) this.forget(at);
  }

  /** What a transaction has appended, once it is complete. */
  appended({ at, row, result: { base, count }, bytes }: Appended): void {
    if (bytes === null || base === null) return;
    const key = partitionKey(at);
    let tail = this.#tails.get(key);
    if (tail?.row.highWatermark !== base || tail.row.incarnation !== row.incarnation) {
      this.forget(at);
      // What comes after it was told before: nobody knows here where the partition ends.
      if (tail?.row.incarnation === row.incarnation && base < tail.row.highWatermark) return;
      tail = { row, batches: [] };
      this.#tails.set(key, tail);
    }
    tail.row = row;
    // A copy: what appends a batch may write into its buffer again.
    const batch = { base, count, bytes: bytes.slice() };
    tail.batches.push(batch);
    this.#kept.set(batch, tail);
    this.#bytes += bytes.length;
    for (const [oldest, { batches }] of this.#kept) {
      if (this.#bytes <= LOG_TAIL_BYTES_MAX && this.#kept.size <= LOG_TAIL_BATCHES_MAX) return;
      batches.shift();
      this.#drop(oldest);
    }
  }

  /** Records below `start` have gone. */
  trimmed(at: TopicPartition, start: number): void {
    const tail = this.#tails.get(partitionKey(at));
    if (tail !== undefined) tail.row = { ...tail.row, start };
  }

  /** The partition is no longer what it was. */
  forget(at: TopicPartition): void {
    const key = partitionKey(at);
    this.#tails.get(key)?.batches.forEach((batch) => this.#drop(batch));
    this.#tails.delete(key);
  }

  /** As `Log.read`; null: the database knows. */
  read(at: TopicPartition, from: number, bytesMax: number): Fetched | null {
    const tail = this.#tails.get(partitionKey(at));
    if (tail === undefined) return null;
    const { start, highWatermark, incarnation } = tail.row;
    const first = tail.batches[0]?.base ?? highWatermark;
    if (!(from >= Math.max(start, first) && from <= highWatermark)) return null;
    let next = tail.batches.length;
    while (next > 0 && endOf(tail.batches[next - 1]) > from) next--;
    const batches: FetchedBatch[] = [];
    let total = 0;
    for (; next < tail.batches.length; next++) {
      const batch = tail.batches[next] as FetchedBatch;
      total += batch.bytes.length;
      if (batches.length > 0 && total > bytesMax) break;
      batches.push(batch);
    }
    return { batches, start, highWatermark, incarnation };
  }

  #drop(batch: FetchedBatch): void {
    this.#kept.delete(batch);
    this.#bytes -= batch.bytes.length;
  }
}

function endOf(batch: FetchedBatch | undefined): number {
  return batch === undefined ? 0 : batch.base + batch.count;
}
