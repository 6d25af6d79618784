// The store port over IndexedDB: one readwrite transaction takes state, offsets, counters and outputs; knows no operator.

import { START } from '../ports/position.ts';
import { producerId } from '../ports/plain-append.ts';
import type { Commit, OutboxAppend, Restored, StateReader, Store, TaskId } from '../ports/store.ts';
import { partitionKey } from '../ports/wakes.ts';
import type { ReadTransaction, TaskRow, WriteTransaction } from './database.ts';
import { withParts } from '../task/with-parts.ts';
import { type Appended, appendIn, type AppendRows, askRows } from './idb-append.ts';
import type { IdbLog } from './idb-log.ts';
import { RARE_ROWS } from './parts.ts';
import { asked } from './requests.ts';
import { StateLog, type StateWrite } from './state-log.ts';
import { type IdbOptions, write } from './transactions.ts';

/** What an IndexedDB store needs from its host. */
export interface IdbStoreOptions extends IdbOptions {
  /** The log in the same database: a commit appends its outbox there and wakes the readers. */
  readonly log: IdbLog;
  /** Bytes of state a task may hold; all of it stays in memory, for IndexedDB cannot be read synchronously. */
  readonly stateBytesMax?: number | undefined;
  /** See state-log.ts. */
  readonly foldBytes?: number | undefined;
}

/** A task's state as it was at that commit. */
interface Resident {
  readonly log: StateLog;
  readonly commit: number;
  /** Its producer's id. */
  readonly producer: string;
}

/** State of tasks in IndexedDB, with a copy of what is committed resident for synchronous reads. */
export class IdbStore implements Store {
  readonly delivers = true;
  readonly #options: IdbStoreOptions;
  readonly #resident = new Map<TaskId, Resident>();

  constructor(options: IdbStoreOptions) {
    this.#options = options;
  }

  async load(task: TaskId): Promise<Restored> {
    const { row, log } = await write(this.#options, 'taking over a task', async (transaction) => {
      const tasks = transaction.objectStore('tasks');
      const before = await asked(tasks.get(task));
      const row: TaskRow = {
        committed: false,
        producer: producerId(this.#options.now(), `${task}.${crypto.randomUUID().slice(0, 8)}`),
        ...START,
        ...before,
        commit: (before?.commit ?? 0) + 1,
        epoch: (before?.epoch ?? 0) + 1,
      };
      tasks.put(row, task);
      return { row, log: await this.#stateAt(transaction, task, before?.commit ?? 0) };
    });
    const { commit, epoch, producer: id, ...position } = row;
    this.#resident.set(task, { log, commit, producer: id });
    return { ...position, reader: log.tables, commit, producer: { id, epoch }, pending: [] };
  }

  async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const resident = this.#resident.get(task);
    if (resident?.commit !== commit.after) {
      const { fenced } = await RARE_ROWS.load();
      throw fenced(task, resident?.commit);
    }
    const { log, producer } = resident;
    const state = await withParts(() => {
      log.tables.refuseTooLarge(task, commit.changes, this.#options.stateBytesMax);
      return log.write(commit.changes);
    });
    const appended = await write(this.#options, 'a commit', async (transaction) => {
      const { outbox } = commit;
      const rows: AppendRows = new Map();
      const tasks = transaction.objectStore('tasks');
      const last = asked(tasks.get(task));
      for (const { to } of outbox) askRows(transaction, rows, to, producer);
      const row = await last;
      if (row?.commit !== commit.after) throw RARE_ROWS.code.fenced(task, row?.commit);
      const appended: Appended[] = [];
      for (const { to: at, sequence, bytes } of outbox) {
        const stamp = { id: producer, epoch: row.epoch, sequence };
        const nowMs = this.#options.now();
        const append = { at, bytes, producer: stamp, incarnation: undefined, nowMs };
        appended.push(await appendIn(transaction, rows, append));
      }
      putState(transaction, task, state);
      tasks.put(after(row, commit), task);
      return appended;
    });
    state.applied();
    this.#resident.set(task, { ...resident, commit: commit.after + 1 });
    for (const each of appended) this.#options.log.appended(each);
    return [];
  }

  /** Nothing is ever pending here: a commit has delivered its outbox. */
  acknowledge(): Promise<void> {
    return Promise.resolve();
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const { readTask } = await RARE_ROWS.load();
    return await readTask(this.#options, task, async (transaction, { commit, producer }) => {
      const log = await this.#stateAt(transaction, task, commit);
      this.#resident.set(task, { log, commit, producer });
      return log.tables;
    });
  }

  async rebuild(task: TaskId, begin: Parameters<Store['rebuild']>[1]): Promise<void> {
    const { rebuildTask } = await RARE_ROWS.load();
    if (await rebuildTask(this.#options, task, begin)) this.#resident.delete(task);
  }

  async remove(task: TaskId): Promise<void> {
    const { removeTask } = await RARE_ROWS.load();
    await removeTask(this.#options, task);
    this.#resident.delete(task);
  }

  /** The task's state at its commit of that number: what is resident, or what the database says. */
  async #stateAt(transaction: ReadTransaction, task: TaskId, commit: number): Promise<StateLog> {
    const known = this.#resident.get(task);
    if (known?.commit === commit) return known.log;
    const rows = transaction.objectStore('state');
    const range = IDBKeyRange.bound([task], [task, []]);
    const [keys, blobs] = await Promise.all([
      asked(rows.getAllKeys(range)),
      asked(rows.getAll(range)),
    ]);
    return new StateLog(
      blobs.map((bytes, i) => ({ sequence: keys[i]?.[1] ?? 0, bytes })),
      this.#options.foldBytes,
    );
  }
}

export function putState(transaction: WriteTransaction, task: TaskId, state: StateWrite): void {
  const rows = transaction.objectStore('state');
  for (const { sequence, bytes } of state.puts) rows.put(bytes, [task, sequence]);
  if (state.removeBelow === null) return;
  rows.delete(IDBKeyRange.bound([task, 0], [task, state.removeBelow], false, true));
}

/** The task's row after the commit. */
function after(row: TaskRow, commit: Commit): TaskRow {
  return {
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
  };
}

/** The entries of `before` with those of `after` put in their places, or added. */
function merged<T>(before: readonly T[], after: readonly T[], key: (entry: T) => string): T[] {
  const all = new Map(before.map((entry) => [key(entry), entry]));
  for (const entry of after) all.set(key(entry), entry);
  return [...all.values()];
}
