// The store port over a SQLite file: one transaction takes state, position and outputs; state is read by key; knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import {
  advanced,
  begunAgain,
  parsePosition,
  type PositionJson,
  START,
} from '../ports/position.ts';
import { producerId } from '../ports/plain-append.ts';
import type {
  Commit,
  Entry,
  KeyRange,
  OutboxAppend,
  Restored,
  StateReader,
  Store,
  TableId,
  TaskId,
} from '../ports/store.ts';
import { type Database, refusing } from './database.ts';
import type { SqliteLog } from './sqlite-log.ts';

/** Rows that a scan asks for at first; twice as many each time, up to the maximum: most scans want one row, or all. */
const SCAN_ROWS = 16;
const SCAN_ROWS_MAX = 512;

const FIRST_KEY = new Uint8Array(0);

export interface SqliteStoreOptions {
  readonly database: Database;
  /** The log in the same database: a commit appends its outbox there and wakes the readers. */
  readonly log: SqliteLog;
  readonly clock: Clock;
}

interface TaskRow {
  readonly id: number;
  readonly producer: string;
  readonly epoch: number;
  readonly number: number;
  readonly committed: number;
  readonly crc: number;
  readonly position: string;
}

interface StateRow extends Entry {
  readonly crc: number;
}

/** Tasks in a SQLite file. State stays on disk until it is asked for, so it may outgrow memory. */
export class SqliteStore implements Store {
  readonly delivers = true;
  readonly #database: Database;
  readonly #log: SqliteLog;
  readonly #clock: Clock;

  constructor({ database, log, clock }: SqliteStoreOptions) {
    this.#database = database;
    this.#log = log;
    this.#clock = clock;
  }

  async load(task: TaskId): Promise<Restored> {
    const row = this.#database.transaction('taking over a task', () => this.#taken(task));
    return {
      reader: this.#readerOf(task, row.id),
      commit: row.number,
      producer: { id: row.producer, epoch: row.epoch },
      ...positionOf(task, row),
      pending: [],
    };
  }

  /** Raises the epoch and the commit number, so that whoever had the task is fenced. */
  #taken(task: TaskId): TaskRow {
    if (this.#row(task) === null) {
      const producer = producerId(this.#clock.now(), `${task}.${crypto.randomUUID().slice(0, 8)}`);
      const position = JSON.stringify(START);
      this.#database.run(
        'INSERT INTO task(name, producer, epoch, number, committed, crc, position) VALUES (?, ?, 0, 0, 0, ?, ?)',
        task,
        producer,
        textSum(position),
        position,
      );
    }
    this.#database.run(
      'UPDATE task SET epoch = epoch + 1, number = number + 1 WHERE name = ?',
      task,
    );
    const row = this.#row(task);
    if (row === null) throw new PortError('CORRUPT', `task '${task}' could not be stored`);
    return row;
  }

  async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    this.#database.transaction('a commit', () => {
      const row = this.#row(task);
      if (row === null || row.number !== commit.after) {
        throw new PortError('FENCED', `task '${task}' has another owner, or none`, {
          commit: row?.number ?? 0,
        });
      }
      const nowMs = this.#clock.now();
      for (const { to, sequence, bytes } of commit.outbox) {
        const producer = { id: row.producer, epoch: row.epoch, sequence };
        this.#log.appendNow({ at: to, bytes, producer, incarnation: undefined, nowMs });
      }
      for (const { table, key, value } of commit.changes) this.#put(row.id, table, key, value);
      const position = JSON.stringify(advanced(positionOf(task, row), commit));
      this.#database.run(
        'UPDATE task SET number = ?, committed = 1, crc = ?, position = ? WHERE id = ?',
        commit.after + 1,
        textSum(position),
        position,
        row.id,
      );
    });
    for (const { to } of commit.outbox) this.#log.wake(to);
    return [];
  }

  /** Nothing is ever pending here: a commit has delivered its outbox. */
  async acknowledge(): Promise<void> {
    await Promise.resolve();
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    return refusing('a look at a task', () => {
      const row = this.#row(task);
      return row === null || row.committed === 0 ? null : this.#readerOf(task, row.id);
    });
  }

  async rebuild(task: TaskId, begin: Parameters<Store['rebuild']>[1]): Promise<void> {
    this.#database.transaction('forgetting damaged state', () => {
      const row = this.#taken(task);
      const before = positionOf(task, row);
      const begun = begin(before);
      if (begun === null) return;
      this.#database.run('DELETE FROM state WHERE task = ?', row.id);
      for (const { table, key, value } of begun.changes) this.#put(row.id, table, key, value);
      const position = JSON.stringify(begunAgain(before, begun));
      this.#database.run(
        'UPDATE task SET committed = 1, crc = ?, position = ? WHERE id = ?',
        textSum(position),
        position,
        row.id,
      );
    });
  }

  async remove(task: TaskId): Promise<void> {
    this.#database.transaction('removing a task', () => {
      this.#database.run(
        'DELETE FROM state WHERE task = (SELECT id FROM task WHERE name = ?)',
        task,
      );
      this.#database.run('DELETE FROM task WHERE name = ?', task);
    });
  }

  #row(task: TaskId): TaskRow | null {
    return this.#database.get<TaskRow>('SELECT * FROM task WHERE name = ?', task) ?? null;
  }

  #put(task: number, table: TableId, key: Uint8Array, value: Uint8Array | null): void {
    if (value === null) {
      this.#database.run(
        'DELETE FROM state WHERE task = ? AND tbl = ? AND key = ?',
        task,
        table,
        key,
      );
      return;
    }
    this.#database.run(
      'INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)',
      task,
      table,
      key,
      entrySum(key, value),
      value,
    );
  }

  #readerOf(name: TaskId, task: number): StateReader {
    const database = this.#database;
    return {
      get ids() {
        const rows = refusing('a look at state', () =>
          database.all<{ readonly tbl: TableId }>(
            'SELECT DISTINCT tbl FROM state WHERE task = ?',
            task,
          ),
        );
        return rows.map(({ tbl }) => tbl);
      },
      get: (table, key) => {
        const row = refusing('a look at state', () =>
          this.#database.get<Omit<StateRow, 'key'>>(
            'SELECT crc, value FROM state WHERE task = ? AND tbl = ? AND key = ?',
            task,
            table,
            key,
          ),
        );
        return row === undefined ? null : checked(name, table, { ...row, key }).value;
      },
      scan: (table, range) => this.#scan(name, task, table, range),
    };
  }

  /** Asks for a bounded number of rows at a time: a reader may take its time, or never come back, while commits go on. */
  *#scan(name: TaskId, task: number, table: TableId, { from, to }: KeyRange): Iterable<Entry> {
    const before = to === null ? '' : 'AND key < ?';
    const bounds: Uint8Array[] = to === null ? [] : [to];
    let after = 'key >= ?';
    let begin: Uint8Array = from ?? FIRST_KEY;
    for (let limit = SCAN_ROWS; ; limit = Math.min(limit * 2, SCAN_ROWS_MAX)) {
      const rows = refusing('a scan of state', () =>
        this.#database.all<StateRow>(
          `SELECT key, crc, value FROM state WHERE task = ? AND tbl = ? AND ${after} ${before} ORDER BY key LIMIT ?`,
          task,
          table,
          begin,
          ...bounds,
          limit,
        ),
      );
      for (const row of rows) yield checked(name, table, row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return;
      after = 'key > ?';
      begin = last.key;
    }
  }
}

/** @throws {PortError} CORRUPT */
function positionOf(task: TaskId, { crc, position }: TaskRow): PositionJson {
  if (textSum(position) === crc) return parsePosition(position);
  throw new PortError('CORRUPT', `task '${task}': the checksum of its position does not agree`);
}

/** @throws {TaskCorrupted} */
function checked(task: TaskId, table: TableId, { key, crc, value }: StateRow): Entry {
  if (entrySum(key, value) === crc) return { key, value };
  throw new TaskCorrupted(
    `task '${task}': the checksum of a row of its state table ${table} does not agree`,
  );
}

function textSum(text: string): number {
  return crc32c(encodeUtf8(text));
}

/** Over the key and then the value. */
function entrySum(key: Uint8Array, value: Uint8Array): number {
  return crc32c(value, 0, value.length, crc32c(key));
}
