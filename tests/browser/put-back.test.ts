// A database of a page that is put back to a copy of before: the engine over it goes on from there, and nothing within it is lost or doubled.

import { openDB } from 'idb';
import { expect, test } from 'vitest';
import { databaseName } from '../../runtime/browser/database-name.ts';
import { changes, createQuakes, feed } from './earthquakes.ts';
import { freshDatabase, openTest } from './open.ts';

interface Kept {
  readonly store: string;
  readonly isInLine: boolean;
  readonly entries: readonly (readonly [IDBValidKey, unknown])[];
}

/** All object stores as they stand; nobody has the database open. */
async function copyOf(database: string): Promise<Kept[]> {
  const open = await openDB(databaseName(database));
  const kept: Kept[] = [];
  for (const store of open.objectStoreNames) {
    const { store: read } = open.transaction(store);
    const isInLine = read.keyPath !== null;
    const [keys, values] = await Promise.all([open.getAllKeys(store), open.getAll(store)]);
    kept.push({ store, isInLine, entries: keys.map((key, i) => [key, values[i]] as const) });
  }
  open.close();
  return kept;
}

async function putBack(database: string, kept: readonly Kept[]): Promise<void> {
  const open = await openDB(databaseName(database));
  for (const { store, isInLine, entries } of kept) {
    await open.clear(store);
    for (const [key, value] of entries) await open.put(store, value, isInLine ? undefined : key);
  }
  open.close();
}

async function filled(database: string, from: number, to: number): Promise<unknown[]> {
  const engine = await openTest({ database });
  if (from === 0) await createQuakes(engine);
  await feed(engine, from, to);
  await engine.idle();
  const found = await changes(engine);
  await engine.close();
  return [...found];
}

test('a database that is put back goes on from there', async () => {
  const [expected, database] = [freshDatabase(), freshDatabase()];
  await filled(expected, 0, 200);
  const whole = await filled(expected, 200, 300);
  const before = await filled(database, 0, 200);
  const kept = await copyOf(database);
  expect((await filled(database, 200, 400)).length).toBeGreaterThan(before.length);
  await putBack(database, kept);
  expect(await filled(database, 200, 300)).toEqual(whole);
});
