// What the log and the store over IndexedDB are rarely asked for: removing, trimming, searching by time, rebuilding, refusing; knows no engine.

import { messageOf, PortError } from '../base/errors.ts';
import type { TopicDescription, TopicPartition } from '../ports/log.ts';
import { toForget } from '../ports/producers.ts';
import { unknownPartition, unknownTopic } from '../ports/refusals.ts';
import type { StateReader, Store, TaskId } from '../ports/store.ts';
import type { ReadTransaction, TaskRow, WritableRowsOf } from './database.ts';
import { putState } from './idb-store.ts';
import { asked } from './requests.ts';
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
export { LogCompanion } from './log-companion.ts';

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

/** The browser has closed the database under the engine. @param wanted the version that another tab opens; null: it was deleted */
export function lostDatabase(name: string, wanted: number | null): PortError {
  return new PortError(
    'UNAVAILABLE',
    wanted === null
      ? `the browser closed database '${name}' (deleted, or storage cleared?): open it anew`
      : `another tab opens a newer version of database '${name}': reload this one`,
  );
}

/** Another owner has taken the task over. @param commit the last one of the task; undefined: there is no task */
export function fenced(task: TaskId, commit: number | undefined): PortError {
  return new PortError('FENCED', `task '${task}' has another owner, or none`, {
    commit: commit ?? 0,
  });
}

/** Which producers a partition that is full of them forgets; rare, so it may read them all. */
export async function toGo(
  store: WritableRowsOf<'producers'>,
  at: TopicPartition,
  nowMs: number,
): Promise<{ readonly ids: readonly string[]; readonly forgottenMs: number }> {
  const range = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, []]);
  const [keys, rows] = await Promise.all([
    asked(store.getAllKeys(range)),
    asked(store.getAll(range)),
  ]);
  const idle = keys.map((key, index) => ({ id: key[2], lastMs: rows[index]?.lastMs ?? 0 }));
  return toForget(idle, nowMs);
}

/** As `Store.reader`. @param stateOf what the committed task has */
export async function readTask(
  options: IdbOptions,
  task: TaskId,
  stateOf: (transaction: ReadTransaction, row: TaskRow) => Promise<StateReader>,
): Promise<StateReader | null> {
  return await read(options, 'a look at a task', async (transaction) => {
    const row = await asked(transaction.objectStore('tasks').get(task));
    return row?.committed === true ? await stateOf(transaction, row) : null;
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
    const before = await asked(tasks.get(task));
    const begun = before === undefined ? null : begin(before);
    if (before === undefined || begun === null) return false;
    transaction.objectStore('state').delete(IDBKeyRange.bound([task], [task, []]));
    putState(transaction, task, new StateLog([]).write(begun.changes));
    const { offsets, streamTimes } = begun;
    const commit = before.commit + 1;
    const epoch = before.epoch + 1;
    const row = { ...before, commit, epoch, committed: true, offsets, streamTimes, counters: [] };
    tasks.put(row, task);
    return true;
  });
}

/** As `Store.remove`. */
export async function removeTask(options: IdbOptions, task: TaskId): Promise<void> {
  await write(options, 'removing a task', async (transaction) => {
    transaction.objectStore('tasks').delete(task);
    transaction.objectStore('state').delete(IDBKeyRange.bound([task], [task, []]));
  });
}
