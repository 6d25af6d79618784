// The log port over IndexedDB: one row a record batch; knows no engine and no Worker.

import { PortError } from '../base/errors.ts';
import { parseRecordBatch } from '../data/record.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  FetchedBatch,
  Log,
  ProducerStamp,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Unsubscribe,
} from '../ports/log.ts';
import { type Database, type PartitionRow, portError } from './database.ts';
import { type AppendTransaction, appendIn, missing } from './idb-append.ts';

/** Batches read from the database at once while a fetch fills up. */
const READ_BATCHES = 16;

const LOG_STORES = ['topics', 'partitions', 'segments', 'producers'] as const;

/** What an IndexedDB log needs from its host. */
export interface IdbLogOptions {
  readonly database: Database;
  readonly now: () => number;
  /** 'strict' waits until the disk has the bytes; 'relaxed' until the operating system has them. */
  readonly durability: 'relaxed' | 'strict';
}

export class IdbLog implements Log {
  readonly #options: IdbLogOptions;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: IdbLogOptions) {
    this.#options = options;
  }

  async create(topic: TopicSpec): Promise<TopicDescription> {
    const incarnation = `${this.#options.now()}-${crypto.randomUUID().slice(0, 8)}`;
    const description: TopicDescription = { ...topic, incarnation };
    return await this.#write('creating a topic', async (transaction) => {
      const topics = transaction.objectStore('topics');
      if ((await topics.get(topic.name)) !== undefined) {
        throw new PortError('TOPIC_EXISTS', `topic '${topic.name}' exists already`);
      }
      await topics.put(description, topic.name);
      const empty: PartitionRow = {
        start: 0,
        highWatermark: 0,
        incarnation,
        forgottenMs: null,
        producers: 0,
      };
      for (let partition = 0; partition < topic.partitions; partition++) {
        await transaction.objectStore('partitions').put(empty, [topic.name, partition]);
      }
      return description;
    });
  }

  async remove(topic: string): Promise<void> {
    await this.#write('removing a topic', async (transaction) => {
      if ((await transaction.objectStore('topics').get(topic)) === undefined) {
        throw new PortError('UNKNOWN_TOPIC', `topic '${topic}' does not exist`);
      }
      // An array sorts after every number and string, so this range holds all keys that begin with the topic.
      const all = IDBKeyRange.bound([topic], [topic, []]);
      await transaction.objectStore('topics').delete(topic);
      await transaction.objectStore('partitions').delete(all);
      await transaction.objectStore('segments').delete(all);
      await transaction.objectStore('producers').delete(all);
    });
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    return (await this.#options.database.get('topics', topic)) ?? null;
  }

  async list(): Promise<readonly TopicDescription[]> {
    return await this.#options.database.getAll('topics');
  }

  async append(
    at: TopicPartition,
    bytes: Uint8Array,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult> {
    const result = await this.#write('an append', (transaction) =>
      appendIn(transaction, { at, bytes, producer, incarnation, nowMs: this.#options.now() }),
    );
    if (!result.duplicate) this.wake(at);
    return result;
  }

  async read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    const transaction = this.#options.database.transaction(['topics', 'partitions', 'segments']);
    const partition = await transaction.objectStore('partitions').get([at.topic, at.partition]);
    if (partition === undefined) throw await missing(transaction as never, at);
    const { start, highWatermark, incarnation } = partition;
    if (from < start || from > highWatermark) {
      throw new PortError(
        'OFFSET_OUT_OF_RANGE',
        `topic '${at.topic}' partition ${at.partition} holds offsets ${start} to ${highWatermark}; ${from} was asked for`,
        { start, highWatermark },
      );
    }
    const batches: FetchedBatch[] = [];
    if (from === highWatermark) return { batches, start, highWatermark, incarnation };
    const segments = transaction.objectStore('segments');
    const last = [at.topic, at.partition, highWatermark];
    const before = await segments.openKeyCursor(
      IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, from]),
      'prev',
    );
    let next: number = before === null ? from : before.key[2];
    let total = 0;
    while (next < highWatermark) {
      const range = IDBKeyRange.bound([at.topic, at.partition, next], last);
      const rows = await segments.getAll(range, READ_BATCHES);
      if (rows.length === 0) {
        throw new PortError('CORRUPT', `topic '${at.topic}' has no batch at offset ${next}`);
      }
      for (const row of rows) {
        total += row.bytes.length;
        if (batches.length > 0 && total > bytesMax) {
          return { batches, start, highWatermark, incarnation };
        }
        verifyStored(row.bytes, at, next);
        batches.push({ base: next, count: row.count, bytes: row.bytes });
        next += row.count;
      }
    }
    return { batches, start, highWatermark, incarnation };
  }

  async bounds(at: TopicPartition): Promise<Bounds> {
    const transaction = this.#options.database.transaction(['topics', 'partitions']);
    const row = await transaction.objectStore('partitions').get([at.topic, at.partition]);
    if (row === undefined) throw await missing(transaction as never, at);
    return { start: row.start, highWatermark: row.highWatermark, incarnation: row.incarnation };
  }

  async offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    const { start, highWatermark } = await this.bounds(at);
    const transaction = this.#options.database.transaction('segments');
    let cursor = await transaction.store.openCursor(
      IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, highWatermark]),
    );
    while (cursor !== null) {
      const base = cursor.key[2];
      const row = cursor.value;
      if (row.maxTimestamp >= ms) {
        const { timestamps } = parseRecordBatch(row.bytes);
        const index = timestamps.findIndex((timestamp) => timestamp >= ms);
        if (index >= 0 && base + index >= start) return base + index;
      }
      cursor = await cursor.continue();
    }
    return highWatermark;
  }

  async trim(at: TopicPartition, before: number): Promise<void> {
    await this.#write('a trim', async (transaction) => {
      const key: [string, number] = [at.topic, at.partition];
      const row = await transaction.objectStore('partitions').get(key);
      if (row === undefined) throw await missing(transaction, at);
      const until = Math.min(before, row.highWatermark);
      if (until <= row.start) return;
      let start = row.start;
      let cursor = await transaction
        .objectStore('segments')
        .openCursor(IDBKeyRange.bound(key, [...key, until]));
      while (cursor !== null) {
        const end = cursor.key[2] + cursor.value.count;
        if (end > until) break;
        await cursor.delete();
        start = end;
        cursor = await cursor.continue();
      }
      await transaction.objectStore('partitions').put({ ...row, start }, key);
    });
  }

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    const key = waitingKey(at);
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    waiting.add(wake);
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiting.delete(key);
    };
  }

  /** Tells subscribers that records came in; the store calls it too, after a commit that appended. */
  wake(at: TopicPartition): void {
    for (const wake of [...(this.#waiting.get(waitingKey(at)) ?? [])]) wake();
  }

  async #write<T>(doing: string, work: (transaction: AppendTransaction) => Promise<T>): Promise<T> {
    try {
      const transaction = this.#options.database.transaction([...LOG_STORES], 'readwrite', {
        durability: this.#options.durability,
      }) as unknown as AppendTransaction;
      return await settle(transaction, work);
    } catch (cause) {
      throw portError(cause, doing);
    }
  }
}

/** Runs the work, then waits until the transaction is complete; a failure aborts it, so that nothing is half written. */
export async function settle<T>(
  transaction: AppendTransaction,
  work: (transaction: AppendTransaction) => Promise<T>,
): Promise<T> {
  // Observed from the start: an abort must not surface as an unhandled rejection while the work still runs.
  const done = transaction.done.then(
    () => null,
    (cause: unknown) => ({ cause }),
  );
  try {
    const result = await work(transaction);
    transaction.commit();
    const failed = await done;
    if (failed !== null) throw failed.cause;
    return result;
  } catch (cause) {
    try {
      transaction.abort();
    } catch (late) {
      // InvalidStateError: it has ended already, by the same failure.
      if (!(late instanceof DOMException && late.name === 'InvalidStateError')) throw late;
    }
    await done;
    throw cause;
  }
}

function verifyStored(bytes: Uint8Array, at: TopicPartition, base: number): void {
  try {
    parseRecordBatch(bytes);
  } catch (cause) {
    throw new PortError(
      'CORRUPT',
      `topic '${at.topic}' partition ${at.partition} offset ${base}: the stored batch fails its checks`,
      { offset: base },
      { cause },
    );
  }
}

function waitingKey(at: TopicPartition): string {
  return `${at.partition}/${at.topic}`;
}
