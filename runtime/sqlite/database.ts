// The SQLite file behind Node's log and store: its lock, its tables, its transactions, its refusals; knows no log and no store.

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { messageOf, PortError } from '../base/errors.ts';
import { builtin } from './builtin.ts';
import type { Durability } from './file-options.ts';

/** "mill", in the header of the file. */
const APPLICATION_ID = 0x6d696c6c;
/** Raised when a table changes. */
const FORMAT_VERSION = 2;

/** SQLite's result codes, without what extends them. */
const BUSY = 5;
const LOCKED = 6;
const DAMAGED = 11;
const FULL = 13;
const NO_DATABASE = 26;
/** Those of the machine's faults: busy, locked, no memory, read-only, interrupted, input and output, cannot open, locking. */
const PASSING: ReadonlySet<number> = new Set([BUSY, LOCKED, 7, 8, 9, 10, 14, 15]);

/** How messages begin of errors that come without a code, as Deno's do: SQLite's words for it, which do not change. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ['database is locked', BUSY],
  ['database table is locked', LOCKED],
  ['out of memory', 7],
  ['attempt to write a readonly database', 8],
  ['interrupted', 9],
  ['disk I/O error', 10],
  ['database disk image is malformed', DAMAGED],
  ['database or disk is full', FULL],
  ['unable to open database file', 14],
  ['locking protocol', 15],
  ['file is not a database', NO_DATABASE],
]);

/** Rows of a table keep their blobs last: a search that needs none of them reads none. */
const TABLES = `
CREATE TABLE topic(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL, internal INTEGER NOT NULL,
  incarnation TEXT NOT NULL, policy TEXT NOT NULL);
CREATE TABLE partition(
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, start INTEGER NOT NULL, next INTEGER NOT NULL,
  forgottenMs REAL, producers INTEGER NOT NULL, lengthBytes INTEGER NOT NULL, cleaned TEXT,
  UNIQUE (topic, partition));
CREATE TABLE segment(
  partition INTEGER NOT NULL, base INTEGER NOT NULL, count INTEGER NOT NULL, maxTimestamp REAL NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (partition, base));
CREATE TABLE producer(
  partition INTEGER NOT NULL, id TEXT NOT NULL, epoch INTEGER NOT NULL, next INTEGER NOT NULL, lastMs REAL NOT NULL,
  ring BLOB NOT NULL, PRIMARY KEY (partition, id)) WITHOUT ROWID;
CREATE TABLE task(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, producer TEXT NOT NULL, epoch INTEGER NOT NULL,
  number INTEGER NOT NULL, committed INTEGER NOT NULL, crc INTEGER NOT NULL, position TEXT NOT NULL);
CREATE TABLE state(
  task INTEGER NOT NULL, tbl TEXT NOT NULL, key BLOB NOT NULL, crc INTEGER NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (task, tbl, key)) WITHOUT ROWID;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT_VERSION};
`;

/** The database of one engine. All its calls are synchronous, so nothing comes between the beginning and the end of a transaction. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens the file, or makes it, and locks it until `close` or the end of the process.
   * @throws {PortError} LOCKED when it is open already, here or in another process; CORRUPT when it is no database of millrace, or of a
   *   newer one; UNAVAILABLE
   */
  constructor(file: string, durability: Durability) {
    const { DatabaseSync } = builtin('node:sqlite');
    this.#connection = opening(file, () => new DatabaseSync(file));
    try {
      opening(file, () => this.#prepare(file, durability));
    } catch (thrown) {
      this.#connection.close();
      throw thrown;
    }
  }

  #prepare(file: string, durability: Durability): void {
    // Taken by the first transaction and held from then on; it goes with the process, however that ends.
    this.#connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    try {
      this.#connection.exec('BEGIN EXCLUSIVE; COMMIT');
    } catch (cause) {
      const code = resultCode(cause);
      if (code !== BUSY && code !== LOCKED) throw cause;
      throw new PortError(
        'LOCKED',
        `'${file}' is open already, in this process or in another one: close that first`,
        {},
        { cause },
      );
    }
    const isEmpty = this.get('SELECT 1 FROM sqlite_schema') === undefined;
    const owner = this.get<{ application_id: number }>('PRAGMA application_id')?.application_id;
    if (!isEmpty && owner !== APPLICATION_ID) {
      throw new PortError('CORRUPT', `'${file}' is a database, but not one of millrace`);
    }
    const version = this.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
    if (!isEmpty && version !== FORMAT_VERSION) {
      throw new PortError(
        'CORRUPT',
        `'${file}' was written by another version of millrace (format ${version}; this one knows ${FORMAT_VERSION}): open it with that version, or begin a new file`,
      );
    }
    this.#connection.exec('PRAGMA journal_mode = WAL');
    this.#connection.exec(`PRAGMA synchronous = ${durability === 'strict' ? 'FULL' : 'NORMAL'}`);
    if (isEmpty) this.transaction('making the tables', () => this.#connection.exec(TABLES));
  }

  /** The first row; undefined when there is none. */
  get<Row>(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /** Rows as they are asked for: to be read to an end, or left, before anything else is done here. */
  each<Row>(sql: string, ...values: readonly SQLInputValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as Iterable<Row>;
  }

  run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Runs the work all or nothing.
   * @throws {PortError} the work's own; STORAGE_FULL, CORRUPT, UNAVAILABLE
   */
  transaction<T>(doing: string, work: () => T): T {
    return refusing(doing, () => {
      this.run('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.run('COMMIT');
        return result;
      } catch (thrown) {
        this.#rollback();
        throw thrown;
      }
    });
  }

  #rollback(): void {
    try {
      this.run('ROLLBACK');
    } catch (late) {
      // SQLite has rolled back already, by the same failure.
      if (!/no transaction is active/.test(messageOf(late))) throw late;
    }
  }

  /** What has been written goes from the write-ahead log into the file, and the lock is given back. */
  close(): void {
    refusing('closing the database', () => this.#connection.close());
  }
}

/** Runs calls of SQLite; what it throws becomes a port error. @throws {PortError} */
export function refusing<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw portError(cause, doing);
  }
}

/** As `refusing`; what SQLite says of a folder that is missing or read-only tells nobody what to do. */
function opening<T>(file: string, work: () => T): T {
  try {
    return refusing(`opening '${file}'`, work);
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'UNAVAILABLE') throw thrown;
    const { message, cause } = thrown;
    const why = `${message}; it must be a file, or none yet, in a folder that is there and writable`;
    throw new PortError('UNAVAILABLE', why, {}, { cause });
  }
}

function portError(cause: unknown, doing: string): unknown {
  if (!(cause instanceof Error) || cause instanceof PortError) return cause;
  const code = resultCode(cause);
  const because = `${doing}: ${messageOf(cause)}`;
  if (code === FULL) return new PortError('STORAGE_FULL', because, {}, { cause });
  if (code === DAMAGED || code === NO_DATABASE) {
    return new PortError('CORRUPT', because, {}, { cause });
  }
  const isClosed = 'code' in cause && cause.code === 'ERR_INVALID_STATE';
  // Whatever else SQLite says is a mistake of ours, and not to be tried again.
  if (!isClosed && !PASSING.has(code ?? 0)) return cause;
  return new PortError('UNAVAILABLE', because, {}, { cause });
}

/** What SQLite said; null when it was not SQLite that threw, or nothing that is known. */
function resultCode(thrown: unknown): number | null {
  if (!(thrown instanceof Error)) return null;
  if ('errcode' in thrown && typeof thrown.errcode === 'number') return thrown.errcode & 0xff;
  if (!('code' in thrown) || thrown.code !== 'ERR_SQLITE_ERROR') return null;
  for (const [words, code] of WORDS) if (thrown.message.startsWith(words)) return code;
  return null;
}
