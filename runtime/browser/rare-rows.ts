// What the log and the store over IndexedDB are rarely asked for: removing, trimming, searching by time, rebuilding, refusing; knows no engine.

import type { IDBPObjectStore } from 'idb';
import { messageOf, PortError } from '../base/errors.ts';
import { offsetAt } from '../data/record.ts';
import type { TopicDescription, TopicPartition } from '../ports/log.ts';
import { toForget } from '../ports/producers.ts';
import { storedBatch, unknownPartition, unknownTopic } from '../ports/refusals.ts';
import type { Store, TaskId } from '../ports/store.ts';
import { type MillraceSchema, type StoreName } from './database.ts';
import { partitionIn } from './idb-append.ts';
import { putState } from './idb-store.ts';
import { StateLog } from './state-log.ts';
import { type IdbOptions, read, write } from './transactions.ts';

export { admit } from '../ports/admission.ts';
export { judge } from '../ports/producers.ts';
export {
  checkIncarnation,
  checkOffset,
  missingBatch,
  storedBatch,
  topicExists,
} from '../ports/refusals.ts';

export { foldStep } from './state-fold.ts';

/** Why a partition has no row. @param topic what it is of; undefined: there is none */
export function unknown(at: TopicPartition, topic: TopicDescription | undefined): PortError {
  return topic === undefined ? unknownTopic(at.topic) : unknownPartition(at, topic.partitions);
}

/** There is no writing to the database. @param cause what the browser says; null: another tab or Worker writes to it */
export function refusedDatabase(name: string, cause: unknown): PortError {
  return cause === null
    ? new PortError(
        'LOCKED',
        `database '${name}' is open for writing in another tab: close it, or open with whenLocked: 'wait'`,
      )
    : new PortError(
        'UNAVAILABLE',
        `the browser refused database '${name}': ${messageOf(cause)}`,
        {},
        { cause },
      );
}

/** Another owner has taken the task over. @param commit the last one of the task; undefined: there is no task */
export function fenced(task: TaskId, commit: number | undefined): PortError {
  return new PortError('FENCED', `task '${task}' has another owner, or none`, {
    commit: commit ?? 0,
  });
}

type ProducerStore = IDBPObjectStore<MillraceSchema, StoreName[], 'producers', 'readwrite'>;

/** Which producers a partition that is full of them forgets; rare, so it may read them all. */
export async function toGo(
  store: ProducerStore,
  at: TopicPartition,
  nowMs: number,
): Promise<{ readonly ids: readonly string[]; readonly forgottenMs: number }> {
  const range = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, []]);
  const [keys, rows] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  const idle = keys.map((key, index) => ({ id: key[2], lastMs: rows[index]?.lastMs ?? 0 }));
  return toForget(idle, nowMs);
}

/** Removes a topic. @returns what it was. @throws {PortError} UNKNOWN_TOPIC */
export async function removeTopic(options: IdbOptions, topic: string): Promise<TopicDescription> {
  return await write(options, 'removing a topic', async (transaction) => {
    const description = await transaction.objectStore('topics').get(topic);
    if (description === undefined) throw unknownTopic(topic);
    // An array sorts after every number and string, so this range holds all keys that begin with the topic.
    const all = IDBKeyRange.bound([topic], [topic, []]);
    await transaction.objectStore('topics').delete(topic);
    for (const rows of ['partitions', 'segments', 'producers'] as const) {
      await transaction.objectStore(rows).delete(all);
    }
    return description;
  });
}

/** As `Log.offsetForTime`. */
export async function offsetForTime(
  options: IdbOptions,
  at: TopicPartition,
  ms: number,
): Promise<number> {
  return await read(options, 'a search by time', async (transaction) => {
    const { highWatermark } = await partitionIn(transaction, at);
    const range = IDBKeyRange.bound(
      [at.topic, at.partition],
      [at.topic, at.partition, highWatermark],
    );
    let cursor = await transaction.objectStore('segments').openCursor(range);
    while (cursor !== null) {
      const base = cursor.key[2];
      if (cursor.value.maxTimestamp >= ms) {
        const { bytes, count } = cursor.value;
        const records = storedBatch(at, bytes, { base, count });
        const index = records.timestamps.findIndex((timestamp) => timestamp >= ms);
        return offsetAt(records, base, index);
      }
      cursor = await cursor.continue();
    }
    return highWatermark;
  });
}

/** As `Log.trim`. */
export async function trim(options: IdbOptions, at: TopicPartition, before: number): Promise<void> {
  await write(options, 'a trim', async (transaction) => {
    const key: [string, number] = [at.topic, at.partition];
    const row = await partitionIn(transaction, at);
    const until = Math.min(before, row.highWatermark);
    if (until <= row.start) return;
    let { start, lengthBytes } = row;
    const range = IDBKeyRange.bound(key, [...key, until]);
    let cursor = await transaction.objectStore('segments').openCursor(range);
    while (cursor !== null) {
      const end = cursor.key[2] + cursor.value.count;
      if (end > until) break;
      if (lengthBytes !== undefined) lengthBytes -= cursor.value.bytes.length;
      await cursor.delete();
      start = end;
      cursor = await cursor.continue();
    }
    await transaction.objectStore('partitions').put({ ...row, start, lengthBytes }, key);
  });
}

/** As `Store.rebuild`. @returns false when nothing is begun */
export async function rebuildTask(
  options: IdbOptions,
  task: TaskId,
  begin: Parameters<Store['rebuild']>[1],
): Promise<boolean> {
  return await write(options, 'forgetting damaged state', async (transaction) => {
    const tasks = transaction.objectStore('tasks');
    const before = await tasks.get(task);
    const begun = before === undefined ? null : begin(before);
    if (before === undefined || begun === null) return false;
    await transaction.objectStore('state').delete(IDBKeyRange.bound([task], [task, []]));
    putState(transaction, task, new StateLog([]).write(begun.changes));
    const { offsets, streamTimes } = begun;
    const commit = before.commit + 1;
    const epoch = before.epoch + 1;
    const row = { ...before, commit, epoch, committed: true, offsets, streamTimes, counters: [] };
    await tasks.put(row, task);
    return true;
  });
}

/** As `Store.remove`. */
export async function removeTask(options: IdbOptions, task: TaskId): Promise<void> {
  await write(options, 'removing a task', async (transaction) => {
    await transaction.objectStore('tasks').delete(task);
    await transaction.objectStore('state').delete(IDBKeyRange.bound([task], [task, []]));
  });
}
