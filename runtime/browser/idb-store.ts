// The store port over IndexedDB: one readwrite transaction takes state, offsets, counters and outputs; knows no operator.

import { PortError } from '../base/errors.ts';
import { RESIDENT_STATE_BYTES_MAX } from '../base/limits.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { TopicPartition } from '../ports/log.ts';
import { producerId } from '../ports/producers.ts';
import type {
  Commit,
  OutboxAppend,
  Restored,
  StateReader,
  Store,
  TableId,
  TaskId,
} from '../ports/store.ts';
import { type Database, portError, type TaskRow } from './database.ts';
import { type AppendTransaction, appendIn } from './idb-append.ts';
import { type IdbLog, settle } from './idb-log.ts';

/** What an IndexedDB store needs from its host. */
export interface IdbStoreOptions {
  readonly database: Database;
  /** The log in the same database: a commit appends its outbox there and wakes the readers. */
  readonly log: IdbLog;
  readonly now: () => number;
  readonly durability: 'relaxed' | 'strict';
  /** Bytes of state a task may hold; all of it stays in memory, for IndexedDB cannot be read synchronously. */
  readonly stateBytesMax?: number | undefined;
}

type Tables = Map<TableId, OrderedMap>;

/** State of tasks in IndexedDB, with a copy of what is committed resident for synchronous reads. */
export class IdbStore implements Store {
  readonly #options: IdbStoreOptions;
  readonly #resident = new Map<TaskId, Tables>();

  constructor(options: IdbStoreOptions) {
    this.#options = options;
  }

  async load(task: TaskId): Promise<Restored> {
    const row = await this.#write('taking over a task', async (transaction) => {
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
      reader: readerOf(tables),
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
    this.#refuseTooLarge(task, tables, commit);
    await this.#write('a commit', async (transaction) => {
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
      const state = transaction.objectStore('state');
      // Requests of one transaction run in order: waiting for each would cost a turn of the event loop a key.
      const writes = commit.changes.map(({ table, key, value }) => {
        const at: [string, string, ArrayBuffer] = [task, table, key.slice().buffer];
        return value === null ? state.delete(at) : state.put(value, at);
      });
      await Promise.all(writes);
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
    for (const { table, key, value } of commit.changes) {
      let map = tables.get(table);
      if (map === undefined) tables.set(table, (map = new OrderedMap()));
      map.set(key, value);
    }
    for (const { to } of commit.outbox) this.#options.log.wake(to);
    return [];
  }

  /** Nothing is ever pending here: a commit has delivered its outbox. */
  async acknowledge(): Promise<void> {
    await Promise.resolve();
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const row = await this.#options.database.get('tasks', task);
    return row === undefined || !row.committed ? null : readerOf(await this.#tables(task));
  }

  async remove(task: TaskId): Promise<void> {
    await this.#write('removing a task', async (transaction) => {
      await transaction.objectStore('tasks').delete(task);
      await transaction.objectStore('state').delete(IDBKeyRange.bound([task], [task, []]));
    });
    this.#resident.delete(task);
  }

  /** The task's committed state, read from the database the first time. */
  async #tables(task: TaskId): Promise<Tables> {
    const known = this.#resident.get(task);
    if (known !== undefined) return known;
    const range = IDBKeyRange.bound([task], [task, []]);
    const transaction = this.#options.database.transaction('state');
    const [keys, values] = await Promise.all([
      transaction.store.getAllKeys(range),
      transaction.store.getAll(range),
    ]);
    const meanwhile = this.#resident.get(task);
    if (meanwhile !== undefined) return meanwhile;
    const tables: Tables = new Map();
    keys.forEach(([, table, key], index) => {
      let map = tables.get(table);
      if (map === undefined) tables.set(table, (map = new OrderedMap()));
      map.set(new Uint8Array(key), values[index] ?? null);
    });
    this.#resident.set(task, tables);
    return tables;
  }

  #refuseTooLarge(task: TaskId, tables: Tables, commit: Commit): void {
    const bytesMax = this.#options.stateBytesMax ?? RESIDENT_STATE_BYTES_MAX;
    let held = 0;
    for (const table of tables.values()) held += table.bytes;
    for (const { table, key, value } of commit.changes) {
      const before = tables.get(table)?.get(key) ?? null;
      if (before !== null) held -= before.length + OrderedMap.entryBytes(key);
      if (value !== null) held += value.length + OrderedMap.entryBytes(key);
    }
    if (commit.changes.length > 0 && held > bytesMax) {
      throw new PortError(
        'STORAGE_FULL',
        `task '${task}' would hold ${held} bytes of state; RESIDENT_STATE_BYTES_MAX is ${bytesMax}`,
        { limit: 'RESIDENT_STATE_BYTES_MAX' },
      );
    }
  }

  #newProducer(task: TaskId): string {
    return producerId(this.#options.now(), `${task}.${crypto.randomUUID().slice(0, 8)}`);
  }

  async #write<T>(doing: string, work: (transaction: AppendTransaction) => Promise<T>): Promise<T> {
    try {
      const transaction = this.#options.database.transaction(
        ['topics', 'partitions', 'segments', 'producers', 'tasks', 'state'],
        'readwrite',
        { durability: this.#options.durability },
      );
      return await settle(transaction, work);
    } catch (cause) {
      throw portError(cause, doing);
    }
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

function readerOf(tables: Tables): StateReader {
  return {
    get: (table, key) => tables.get(table)?.get(key) ?? null,
    scan: (table, range) => tables.get(table)?.scan(range) ?? [],
  };
}
