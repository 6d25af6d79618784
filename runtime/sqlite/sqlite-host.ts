// A host over a SQLite file, for Node: log and store in one database that one engine has at a time; knows no engine.

import type { Clock } from '../ports/clock.ts';
import type { Host } from '../ports/host.ts';
import { builtin } from './builtin.ts';
import { Database } from './database.ts';
import type { FileOptions } from './file-options.ts';
import { SqliteLog } from './sqlite-log.ts';
import { SqliteStore } from './sqlite-store.ts';

export interface SqliteHostOptions extends FileOptions {
  readonly clock: Clock;
  /** Absent: the package's own; null: everything runs on the row path. */
  readonly kernel?: WebAssembly.Module | null | undefined;
  readonly commitIntervalMs: number;
}

/** Opens the database and locks it. @throws {PortError} LOCKED, CORRUPT, UNAVAILABLE */
export async function sqliteHost(options: SqliteHostOptions): Promise<Host> {
  const { clock, commitIntervalMs } = options;
  const kernel = options.kernel === undefined ? await ownKernel() : options.kernel;
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

/** The kernel that lies beside this code; null where a bundler has left it behind. */
async function ownKernel(): Promise<WebAssembly.Module | null> {
  const { existsSync, readFileSync } = builtin('node:fs');
  const url = new URL('../../build/kernel.wasm', import.meta.url);
  return existsSync(url) ? WebAssembly.compile(readFileSync(url)) : null;
}
