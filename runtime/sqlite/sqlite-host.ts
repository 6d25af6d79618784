// A host over a SQLite file, for Node: log and store in one database that one engine has at a time; knows no engine.

import type { Clock } from '../ports/clock.ts';
import type { Host } from '../ports/host.ts';
import { Database } from './database.ts';
import type { FileOptions } from './file-options.ts';
import { SqliteLog } from './sqlite-log.ts';
import { SqliteStore } from './sqlite-store.ts';

export interface SqliteHostOptions extends FileOptions {
  readonly clock: Clock;
  /** null: everything runs on the row path. */
  readonly kernel: WebAssembly.Module | null;
  readonly commitIntervalMs: number;
}

/** Opens the database and locks it. @throws {PortError} LOCKED, CORRUPT, UNAVAILABLE */
export async function sqliteHost(options: SqliteHostOptions): Promise<Host> {
  const { clock, kernel, commitIntervalMs } = options;
  const database = new Database(options.file, options.durability ?? 'strict');
  const log = new SqliteLog(database, clock);
  const store = new SqliteStore({ database, log, clock });
  return {
    log,
    store,
    clock,
    kernel,
    commitIntervalMs,
    close: async () => database.close(),
  };
}
