// A database file of its own for each test, with the log and the store in it, and ways to open it again; judges nothing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { Database } from '../../../runtime/sqlite/database.ts';
import { SqliteLog } from '../../../runtime/sqlite/sqlite-log.ts';
import { SqliteStore } from '../../../runtime/sqlite/sqlite-store.ts';

const START_MS = 1_700_000_000_000;

/** A folder for database files; removed by `remove`. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'));

  /** The path of a file of that name. */
  file(name: string): string {
    return join(this.path, name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface Opened {
  readonly log: SqliteLog;
  readonly store: SqliteStore;
}

/** One database, in a folder of its own, with a clock that is turned by hand. */
export class DatabaseFile {
  readonly folder = new Folder();
  readonly file = this.folder.file('test.db');
  readonly clock = new ManualClock(START_MS);
  #database: Database | null = null;

  /** Opens the file, after closing it where it is open. */
  open(): Opened {
    this.close();
    const database = new Database(this.file, 'relaxed');
    this.#database = database;
    const log = new SqliteLog(database, this.clock);
    return { log, store: new SqliteStore({ database, log, clock: this.clock }) };
  }

  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  remove(): void {
    this.close();
    this.folder.remove();
  }
}
