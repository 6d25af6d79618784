// The store port over an object's SQLite: one transaction a commit, deltas laid over pages; knows no operator and no call.

import { PortError } from '../../runtime/base/errors.ts';
import { MARK, type OrderedMap } from '../../runtime/data/ordered-map.ts';
import { decodeDelta, encodeDeltas } from '../../runtime/ports/delta.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import {
  advanced,
  begunAgain,
  parsePosition,
  type PositionJson,
  START,
} from '../../runtime/ports/position.ts';
import { producerId } from '../../runtime/ports/plain-append.ts';
import type {
  Commit,
  OutboxAppend,
  Restored,
  StateReader,
  Store,
  TaskId,
} from '../../runtime/ports/store.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import { asked, askedEach } from './asked.ts';
import { DeltaTable, refuseLong } from './delta-table.ts';
import { Memtable, overlaid } from './memtable.ts';
import { type Change, PageTables } from './page-table.ts';

/** Deltas are folded into pages by the commit that finds more of them. */
const FOLD_BYTES = 2_097_152;

const TABLES = `
CREATE TABLE IF NOT EXISTS task(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, producer TEXT NOT NULL, epoch INTEGER NOT NULL,
  number INTEGER NOT NULL, committed INTEGER NOT NULL, position TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox(
  id INTEGER PRIMARY KEY, task INTEGER NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL,
  count INTEGER NOT NULL, bytes BLOB NOT NULL);
`;

interface Acknowledged {
  readonly to: TopicPartition;
  readonly next: number;
}

/** A task as its row has it, so that a commit need not read it; whether that is so still is judged by the number in the row. */
interface Known {
  readonly id: number;
  readonly number: number;
  readonly position: PositionJson;
}

interface TaskRow {
  [column: string]: SqlStorageValue;
  id: number;
  producer: string;
  epoch: number;
  number: number;
  committed: number;
  position: string;
}

/** The tasks of one object: one, but in tests. An object's calls come in one at a time, so each runs whole. */
export class SqliteStore implements Store {
  readonly #storage: DurableObjectStorage;
  readonly #memtables = new Map<number, Memtable>();
  readonly #known = new Map<TaskId, Known>();
  /** By task, appends that are acknowledged: they leave the outbox with the next commit, which is a transaction anyway. */
  readonly #acknowledged = new Map<TaskId, Map<string, Acknowledged>>();
  /** By task and destination, the sequence behind the appends that an earlier instance has left. */
  readonly #left = new Map<TaskId, Map<string, number>>();
  readonly #pages: PageTables;
  readonly #deltas: DeltaTable;
  /** True where an older version has been: its table of state, a row a key, is not read any more. */
  readonly #isOlder: boolean;
  /** Called in the turn of each commit. */
  onCommit: (() => void) | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    storage.sql.exec(TABLES);
    this.#pages = new PageTables(storage.sql);
    this.#deltas = new DeltaTable(storage.sql);
    const older = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'state'";
    this.#isOlder = storage.sql.exec(older).toArray().length > 0;
  }

  async load(task: TaskId): Promise<Restored> {
    return this.loadNow(task);
  }

  /** As `load`, for a transaction of the caller's. */
  loadNow(task: TaskId): Restored {
    const row = this.#attempt(() => {
      this.#deleteAcknowledged(task);
      return this.#taken(task);
    });
    this.#acknowledged.delete(task);
    const position = parsePosition(row.position);
    this.#known.set(task, { id: row.id, number: row.number, position });
    const pending = this.#pending(row.id);
    this.#memtables.delete(row.id);
    const ends = pending.map((append) => {
      return [partitionKey(append.to), append.sequence + append.count] as const;
    });
    this.#left.set(task, new Map(ends));
    return {
      reader: this.#readerOf(row.id),
      commit: row.number,
      producer: { id: row.producer, epoch: row.epoch },
      ...position,
      pending,
    };
  }

  #pending(task: number): readonly OutboxAppend[] {
    const rows = asked(() =>
      this.#sql
        .exec<{
          topic: string;
          partition: number;
          sequence: number;
          count: number;
          bytes: ArrayBuffer;
        }>(
          'SELECT topic, partition, sequence, count, bytes FROM outbox WHERE task = ? ORDER BY id',
          task,
        )
        .toArray(),
    );
    return rows.map(({ topic, partition, sequence, count, bytes }) => {
      return { to: { topic, partition }, sequence, count, bytes: new Uint8Array(bytes) };
    });
  }

  /**
   * Raises the epoch and the commit number, so that whoever had the task is fenced: by the clock, which is ahead of loads and commits, so that
   * both are above all that were given out after the state that is here now, if that is an earlier one that was put back.
   */
  #taken(task: TaskId): TaskRow {
    const known = this.#row(task);
    if (known === null) {
      const id = producerId(Date.now(), `${task}.${crypto.randomUUID().slice(0, 8)}`);
      this.#sql.exec(
        'INSERT INTO task(name, producer, epoch, number, committed, position) VALUES (?, ?, 0, 0, 0, ?)',
        task,
        id,
        JSON.stringify(START),
      );
    }
    this.#sql.exec(
      'UPDATE task SET epoch = max(epoch + 1, ?1), number = max(number + 1, ?1) WHERE name = ?2',
      Date.now(),
      task,
    );
    const row = this.#row(task);
    if (row === null) throw new PortError('CORRUPT', `task '${task}' could not be stored`);
    return row;
  }

  async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const outbox = this.commitNow(task, commit);
    this.onCommit?.();
    return outbox;
  }

  /** As `commit`, for a transaction of the caller's, in which it must come last. */
  commitNow(task: TaskId, commit: Commit): readonly OutboxAppend[] {
    refuseLong(commit);
    const deltas = encodeDeltas(commit.changes);
    const known = this.#known.get(task);
    if (known === undefined || known.number !== commit.after) throw this.#fenced(task);
    const { id } = known;
    const position = advanced(known.position, commit);
    const { held, isFolded } = this.#attempt(() => {
      const held = this.#memtable(id);
      const isFolded = held.deltaBytes >= FOLD_BYTES;
      if (isFolded) this.#fold(id, held);
      for (const delta of deltas) this.#deltas.add(id, delta);
      this.#deleteAcknowledged(task);
      if (!this.writePosition(id, commit, JSON.stringify(position))) throw this.#fenced(task);
      this.writeOutbox(id, commit.outbox);
      return { held, isFolded };
    });
    this.#acknowledged.delete(task);
    this.#known.set(task, { id, number: commit.after + 1, position });
    // Only now is it visible to readers: the transaction has succeeded.
    if (isFolded) held.clear();
    held.apply(commit.changes);
    for (const delta of deltas) held.deltaBytes += delta.length;
    return commit.outbox;
  }

  #fenced(task: TaskId): PortError {
    const number = this.#row(task)?.number ?? 0;
    return new PortError('FENCED', `task '${task}' has another owner, or none`, { commit: number });
  }

  /** Within the transaction of the commit. @returns false when that is not the commit that this one follows */
  protected writePosition(task: number, commit: Commit, position: string): boolean {
    const { rowsWritten } = this.#sql.exec(
      'UPDATE task SET number = ?, committed = 1, position = ? WHERE id = ? AND number = ?',
      commit.after + 1,
      position,
      task,
      commit.after,
    );
    return rowsWritten > 0;
  }

  /** Within the transaction of the commit. */
  protected writeOutbox(task: number, outbox: readonly OutboxAppend[]): void {
    for (const { to, sequence, count, bytes } of outbox) {
      this.#sql.exec(
        'INSERT INTO outbox(task, topic, partition, sequence, count, bytes) VALUES (?, ?, ?, ?, ?, ?)',
        task,
        to.topic,
        to.partition,
        sequence,
        count,
        bytes,
      );
    }
  }

  /**
   * Noted in memory: what is lost with it is sent again, and is a repeat. But not again and again: what an earlier instance has left goes
   * at once, or instances that die before their next commit would each send all that those before them have left, and add to it.
   */
  async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    const acknowledged = this.#acknowledged.get(task) ?? new Map<string, Acknowledged>();
    this.#acknowledged.set(task, acknowledged);
    const key = partitionKey(to);
    acknowledged.set(key, { to, next });
    const left = this.#left.get(task);
    const end = left?.get(key);
    if (end === undefined) return;
    if (next >= end) left?.delete(key);
    this.forgetAcknowledged();
  }

  /** Lets acknowledged appends go before there is another commit. */
  forgetAcknowledged(): void {
    this.#attempt(() => {
      for (const task of this.#acknowledged.keys()) this.#deleteAcknowledged(task);
    });
    this.#acknowledged.clear();
  }

  /** Within the caller's transaction. */
  #deleteAcknowledged(task: TaskId): void {
    const acknowledged = this.#acknowledged.get(task);
    const id = this.#known.get(task)?.id;
    if (acknowledged === undefined || id === undefined) return;
    for (const { to, next } of acknowledged.values()) {
      this.#sql.exec(
        'DELETE FROM outbox WHERE task = ? AND topic = ? AND partition = ? AND sequence + count <= ?',
        id,
        to.topic,
        to.partition,
        next,
      );
    }
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const row = this.#row(task);
    return row === null || row.committed === 0 ? null : this.#readerOf(row.id);
  }

  /** Committed offsets, stream times, counters and sequences, without taking the task over. */
  position(task: TaskId): PositionJson {
    const row = this.#row(task);
    return row === null ? START : parsePosition(row.position);
  }

  /** It has been loaded, and nothing was committed. */
  hasOnlyBegun(task: TaskId): boolean {
    return this.#row(task)?.committed === 0;
  }

  async rebuild(task: TaskId, begin: Parameters<Store['rebuild']>[1]): Promise<void> {
    const row = this.#attempt(() => {
      const row = this.#taken(task);
      const before = parsePosition(row.position);
      const begun = begin(before);
      if (begun === null) return row;
      this.#forget(row.id);
      for (const delta of encodeDeltas(begun.changes)) this.#deltas.add(row.id, delta);
      const position = JSON.stringify(begunAgain(before, begun));
      this.#sql.exec('UPDATE task SET committed = 1, position = ? WHERE id = ?', position, row.id);
      return row;
    });
    this.#memtables.delete(row.id);
    this.#known.delete(task);
  }

  /** Appends of all tasks that are not acknowledged. */
  outbox(): { readonly outboxAppends: number; readonly outboxBytes: number } {
    this.forgetAcknowledged();
    return this.#sql
      .exec<{ outboxAppends: number; outboxBytes: number }>(
        'SELECT count(*) AS outboxAppends, coalesce(sum(length(bytes)), 0) AS outboxBytes FROM outbox',
      )
      .one();
  }

  async remove(task: TaskId): Promise<void> {
    this.removeNow(task);
  }

  /** As `remove`, for a transaction of the caller's. */
  removeNow(task: TaskId): void {
    this.#attempt(() => {
      const row = this.#row(task);
      if (row === null) return;
      this.#forget(row.id);
      this.#sql.exec('DELETE FROM outbox WHERE task = ?', row.id);
      this.#sql.exec('DELETE FROM task WHERE id = ?', row.id);
      this.#memtables.delete(row.id);
      this.#known.delete(task);
      this.#acknowledged.delete(task);
      this.#left.delete(task);
    });
  }

  get #sql(): SqlStorage {
    return this.#storage.sql;
  }

  #row(task: TaskId): TaskRow | null {
    return asked(() => {
      const rows = this.#sql.exec<TaskRow>('SELECT * FROM task WHERE name = ?', task).toArray();
      return rows[0] ?? null;
    });
  }

  /** All or nothing. @throws {PortError} STORAGE_FULL, UNAVAILABLE: nothing was changed */
  #attempt<T>(body: () => T): T {
    return asked(() => this.#storage.transactionSync(body));
  }

  /** What the deltas say; read once an instance. */
  #memtable(task: number): Memtable {
    const known = this.#memtables.get(task);
    if (known !== undefined) return known;
    const memtable = new Memtable();
    for (const delta of asked(() => this.#deltas.all(task))) {
      memtable.apply(decodeDelta(delta));
      memtable.deltaBytes += delta.length;
    }
    this.#memtables.set(task, memtable);
    return memtable;
  }

  /** Lays the newest value of every changed key over the pages and forgets the deltas. */
  #fold(task: number, memtable: Memtable): void {
    for (const [table, map] of memtable.tables) this.#pages.fold(task, table, changesOf(map));
    this.#deltas.removeAll(task);
  }

  /** Within the caller's transaction. */
  #forget(task: number): void {
    this.#deltas.removeAll(task);
    this.#pages.removeAll(task);
    if (this.#isOlder) this.#sql.exec('DELETE FROM state WHERE task = ?', task);
  }

  /** @throws {PortError} CORRUPT when an older version has left state */
  #readerOf(task: number): StateReader {
    const ofOlder = 'SELECT 1 FROM state WHERE task = ? LIMIT 1';
    if (this.#isOlder && asked(() => this.#sql.exec(ofOlder, task).toArray()).length > 0) {
      throw new PortError('CORRUPT', 'an older version of millrace has written this state');
    }
    const memtable = this.#memtable(task);
    return {
      get: (table, key) => {
        const changed = memtable.table(table)?.get(key) ?? null;
        if (changed !== null) return changed === MARK ? null : changed;
        return asked(() => this.#pages.get(task, table, key));
      },
      scan: (table, range) => {
        const changed = memtable.table(table)?.scan(range) ?? [];
        return overlaid(askedEach(this.#pages.scan(task, table, range)), changed);
      },
    };
  }
}

function* changesOf(map: OrderedMap): Iterable<Change> {
  for (const { key, value } of map.scan({ from: null, to: null }))
    yield { key, value: value === MARK ? null : value };
}
