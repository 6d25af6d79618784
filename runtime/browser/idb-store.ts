// The store port over IndexedDB: one readwrite transaction takes state, offsets, counters and outputs; knows no operator.

import { unwrap } from 'idb';
import { PortError } from '../base/errors.ts';
import type { TopicPartition } from '../ports/log.ts';
import { producerId } from '../ports/producers.ts';
import { ResidentTables } from '../ports/resident.ts';
import type { Commit, OutboxAppend, Restored, StateReader, Store, TaskId } from '../ports/store.ts';
import type { TaskRow } from './database.ts';
import { appendIn } from './idb-append.ts';
import type { IdbLog } from './idb-log.ts';
import { type IdbOptions, owned, translated, write } from './transactions.ts';

/** What an IndexedDB store needs from its host. */
export interface IdbStoreOptions extends IdbOptions {
  /** The log in the same database: a commit appends its outbox there and wakes the readers. */
  readonly log: IdbLog;
  /** Bytes of state a task may hold; all of it stays in memory, for IndexedDB cannot be read synchronously. */
  readonly stateBytesMax?: number | undefined;
}

/** State of tasks in IndexedDB, with a copy of what is committed resident for synchronous reads. */
export class IdbStore implements Store {
  readonly #options: IdbStoreOptions;
  readonly #resident = new Map<TaskId, ResidentTables>();

  constructor(options: IdbStoreOptions) {
    this.#options = options;
  }

  async load(task: TaskId): Promise<Restored> {
    const row = await write(this.#options, 'taking over a task', async (transaction) => {
      const tasks = transaction.objectStore('tasks');
      const before = await tasks.get(task);
      const taken: TaskRow = {
        commit: (before?.commit ?? 0) + 1,
        epoch: (before?.epoch ?? 0) + 1,
        committed: before?.committed ?? false,
        producer: before?.producer ?? this.#newProducer(task),
        offsets: before?.offsets ?? [],
        streamTimes: before?.streamTimes ?? [],
        counters: before?.counters ?? [],
        sequences: before?.sequences ?? [],
      };
      await tasks.put(taken, task);
      return taken;
    });
    const tables = await this.#tables(task);
    return {
      reader: tables,
      commit: row.commit,
      producer: { id: row.producer, epoch: row.epoch },
      offsets: row.offsets,
      streamTimes: row.streamTimes,
      counters: row.counters,
      sequences: row.sequences,
      pending: [],
    };
  }

  async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const tables = await this.#tables(task);
    tables.refuseTooLarge(task, commit.changes, this.#options.stateBytesMax);
    // Keys and values outlive the commit, in memory and on disk: views would hold on to, and store, more than themselves.
    const changes = commit.changes.map(({ table, key, value }) => ({
      table,
      key: owned(key),
      value: value === null ? null : owned(value),
    }));
    await write(this.#options, 'a commit', async (transaction) => {
      const tasks = transaction.objectStore('tasks');
      const row = await tasks.get(task);
      if (row === undefined || row.commit !== commit.after) {
        throw new PortError('FENCED', `task '${task}' has another owner, or none`, {
          commit: row?.commit ?? 0,
        });
      }
      for (const { to, sequence, bytes } of commit.outbox) {
        const producer = { id: row.producer, epoch: row.epoch, sequence };
        await appendIn(transaction, {
          at: to,
          bytes,
          producer,
          incarnation: undefined,
          nowMs: this.#options.now(),
        });
      }
      // Plain requests, a promise each being needless: they run in order, and one that fails fails the transaction.
      const state = unwrap(transaction.objectStore('state'));
      for (const { table, key, value } of changes) {
        if (value === null) state.delete([task, table, key.buffer]);
        else state.put(value, [task, table, key.buffer]);
      }
      await tasks.put(
        {
          ...row,
          commit: row.commit + 1,
          committed: true,
          offsets: merged(row.offsets, commit.offsets, (entry) => partitionKey(entry.at)),
          streamTimes: merged(row.streamTimes, commit.streamTimes, (entry) => entry.step),
          counters: merged(row.counters, commit.counters, (entry) => entry.name),
          sequences: merged(
            row.sequences,
            commit.outbox.map(({ to, sequence, count }) => ({ to, next: sequence + count })),
            (entry) => partitionKey(entry.to),
          ),
        },
        task,
      );
    });
    tables.apply(changes);
    for (const { to } of commit.outbox) this.#options.log.wake(to);
    return [];
  }

  /** Nothing is ever pending here: a commit has delivered its outbox. */
  async acknowledge(): Promise<void> {
    await Promise.resolve();
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const row = await translated('a look at a task', () =>
      this.#options.database.get('tasks', task),
    );
    return row === undefined || !row.committed ? null : await this.#tables(task);
  }

  async remove(task: TaskId): Promise<void> {
    await write(this.#options, 'removing a task', async (transaction) => {
      await transaction.objectStore('tasks').delete(task);
      await transaction.objectStore('state').delete(IDBKeyRange.bound([task], [task, []]));
    });
    this.#resident.delete(task);
  }

  /** The task's committed state, read from the database the first time. */
  async #tables(task: TaskId): Promise<ResidentTables> {
    const known = this.#resident.get(task);
    if (known !== undefined) return known;
    const range = IDBKeyRange.bound([task], [task, []]);
    const [keys, values] = await translated('restoring a task', async () => {
      const { store } = this.#options.database.transaction('state');
      return await Promise.all([store.getAllKeys(range), store.getAll(range)]);
    });
    const meanwhile = this.#resident.get(task);
    if (meanwhile !== undefined) return meanwhile;
    const tables = new ResidentTables();
    tables.apply(
      keys.map(([, table, key], index) => ({
        table,
        key: new Uint8Array(key),
        value: values[index] ?? null,
      })),
    );
    this.#resident.set(task, tables);
    return tables;
  }

  #newProducer(task: TaskId): string {
    return producerId(this.#options.now(), `${task}.${crypto.randomUUID().slice(0, 8)}`);
  }
}

/** The entries of `before` with those of `after` put in their places, or added. */
function merged<T>(before: readonly T[], after: readonly T[], key: (entry: T) => string): T[] {
  const all = new Map(before.map((entry) => [key(entry), entry]));
  for (const entry of after) all.set(key(entry), entry);
  return [...all.values()];
}

function partitionKey(at: TopicPartition): string {
  return `${at.partition}/${at.topic}`;
}
