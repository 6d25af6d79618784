// Opens engines for tests and clears away their Workers and databases after each; knows no test.

import { deleteDB } from 'idb';
import { afterEach } from 'vitest';
import { databaseName } from '../../runtime/browser/database-name.ts';
import {
  type BrowserEngine,
  open,
  type OpenOptions,
  openShared,
  type SharedEngine,
  type SharedOptions,
} from '../../runtime/browser/index.ts';

const engines: (BrowserEngine | SharedEngine)[] = [];
const databases = new Set<string>();

/** WebKit keeps a database for as long as it pleases after the Worker that had it is gone: it is deleted then, and nobody waits. */
const DELETED_MS_MAX = 2000;

afterEach(async () => {
  for (const engine of engines.splice(0)) engine.terminate();
  const deleted = [...databases].map((database) => deleteDB(databaseName(database)));
  databases.clear();
  const waited = new Promise((resolve) => setTimeout(resolve, DELETED_MS_MAX));
  await Promise.race([Promise.all(deleted), waited]);
});

/** The name of a database that is deleted after the test. */
export function freshDatabase(): string {
  const name = `test-${crypto.randomUUID()}`;
  databases.add(name);
  return name;
}

/** As `open`, on a database of the test's own unless one is named. */
export async function openTest(options: OpenOptions = {}): Promise<BrowserEngine> {
  const engine = await open({ database: freshDatabase(), ...options });
  engines.push(engine);
  return engine;
}

/** As `openShared`. */
export async function openSharedTest(options: SharedOptions): Promise<SharedEngine> {
  const engine = await openShared(options);
  engines.push(engine);
  return engine;
}

/** As `open` makes it, for tests that end it from outside. */
export function ownWorker(): Worker {
  return new Worker(new URL('../../runtime/browser/worker.ts', import.meta.url), {
    type: 'module',
  });
}
