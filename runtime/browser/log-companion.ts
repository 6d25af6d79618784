// What a log over IndexedDB has beside it once it is in use: its tail in memory, and the upkeep of partitions; knows no task.

import { offsetAt } from '../data/record.ts';
import type { Fetched, TopicDescription, TopicPartition } from '../ports/log.ts';
import { storedBatch, unknownTopic } from '../ports/refusals.ts';
import { needsUpkeep } from '../ports/upkeep.ts';
import { type Appended, NO_POLICY, partitionIn } from './idb-append.ts';
import type { IdbUpkeep } from './idb-upkeep.ts';
import { LogTail } from './log-tail.ts';
import { asked, nextOf } from './requests.ts';
import { type IdbOptions, read, write } from './transactions.ts';

/** Told of all that the log and its store write, in the order of the transactions, and each once it is complete. */
export class LogCompanion {
  readonly #options: IdbOptions;
  readonly #tail = new LogTail();
  /** Fetched when a topic first needs it. */
  #upkeep: IdbUpkeep | null = null;

  constructor(options: IdbOptions) {
    this.#options = options;
  }

  /** As `Log.describe`. @param ask asks the database */
  async describe(
    topic: string,
    ask: () => Promise<TopicDescription | undefined>,
  ): Promise<TopicDescription | undefined> {
    const known = this.#tail.topic(topic);
    if (known !== undefined) return known;
    const found = await ask();
    if (found !== undefined) this.#tail.described(found);
    return found;
  }

  /** As `Log.remove`. @returns the partitions that there were */
  async remove(topic: string): Promise<readonly TopicPartition[]> {
    const { partitions: length } = await removeTopic(this.#options, topic);
    const partitions = Array.from({ length }, (_, partition) => ({ topic, partition }));
    this.#tail.removed(topic, partitions);
    for (const at of partitions) this.#upkeep?.forget(at);
    return partitions;
  }

  /** As `Log.trim`. */
  async trim(at: TopicPartition, before: number): Promise<void> {
    this.#tail.trimmed(at, await trim(this.#options, at, before));
  }

  /** As `Log.offsetForTime`. */
  offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    return offsetForTime(this.#options, at, ms);
  }

  appended(appended: Appended): void {
    this.#tail.appended(appended);
    this.look(appended);
  }

  /** Records were appended, of which the tail may not be told any more: others may have come behind them. */
  look({ at, row: { policy = NO_POLICY } }: Appended): void {
    if (!needsUpkeep(policy)) return;
    this.#fetched().then(
      (upkeep) => upkeep.look(at),
      // Without the code partitions stay as they are, and the next append asks for it again.
      () => undefined,
    );
  }

  /** As `Log.read`; null: the database knows. */
  read(at: TopicPartition, from: number, bytesMax: number): Fetched | null {
    return this.#tail.read(at, from, bytesMax);
  }

  /** One turn of what keeps a partition small. @returns true when another turn has something to do */
  async upkeep(at: TopicPartition): Promise<boolean> {
    return await (await this.#fetched()).turn(at);
  }

  async #fetched(): Promise<IdbUpkeep> {
    const { IdbUpkeep } = await import('./idb-upkeep.ts');
    return (this.#upkeep ??= new IdbUpkeep(this.#options, (at) => this.#tail.forget(at)));
  }
}

/** Removes a topic. @returns what it was. @throws {PortError} UNKNOWN_TOPIC */
async function removeTopic(options: IdbOptions, topic: string): Promise<TopicDescription> {
  return await write(options, 'removing a topic', async (transaction) => {
    const description = await asked(transaction.objectStore('topics').get(topic));
    if (description === undefined) throw unknownTopic(topic);
    // An array sorts after every number and string, so this range holds all keys that begin with the topic.
    const all = IDBKeyRange.bound([topic], [topic, []]);
    transaction.objectStore('topics').delete(topic);
    for (const rows of ['partitions', 'segments', 'producers'] as const) {
      transaction.objectStore(rows).delete(all);
    }
    return description;
  });
}

/** The first offset whose timestamp is at or after `ms`. */
async function offsetForTime(options: IdbOptions, at: TopicPartition, ms: number): Promise<number> {
  return await read(options, 'a search by time', async (transaction) => {
    const { highWatermark } = await partitionIn(transaction, at);
    const range = IDBKeyRange.bound(
      [at.topic, at.partition],
      [at.topic, at.partition, highWatermark],
    );
    let cursor = await asked(transaction.objectStore('segments').openCursor(range));
    while (cursor !== null) {
      const base = cursor.key[2];
      if (cursor.value.maxTimestamp >= ms) {
        const { bytes, count } = cursor.value;
        const records = storedBatch(at, bytes, { base, count });
        const index = records.timestamps.findIndex((timestamp) => timestamp >= ms);
        return offsetAt(records, base, index);
      }
      cursor = await nextOf(cursor);
    }
    return highWatermark;
  });
}

/** Lets whole batches below `before` go. @returns the earliest offset kept */
async function trim(options: IdbOptions, at: TopicPartition, before: number): Promise<number> {
  return await write(options, 'a trim', async (transaction) => {
    const key: [string, number] = [at.topic, at.partition];
    const row = await partitionIn(transaction, at);
    const until = Math.min(before, row.highWatermark);
    if (until <= row.start) return row.start;
    let { start, lengthBytes } = row;
    const range = IDBKeyRange.bound(key, [...key, until]);
    let cursor = await asked(transaction.objectStore('segments').openCursor(range));
    while (cursor !== null) {
      const end = cursor.key[2] + cursor.value.count;
      if (end > until) break;
      if (lengthBytes !== undefined) lengthBytes -= cursor.value.bytes.length;
      cursor.delete();
      start = end;
      cursor = await nextOf(cursor);
    }
    transaction.objectStore('partitions').put({ ...row, start, lengthBytes }, key);
    return start;
  });
}
