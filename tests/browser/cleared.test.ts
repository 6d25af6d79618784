// The browser's user clears the storage under an engine: it ends and says so, and the same page opens anew.

import { deleteDB } from 'idb';
import { expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { openDatabase } from '../../runtime/browser/database.ts';
import { databaseName } from '../../runtime/browser/database-name.ts';
import { IdbLog } from '../../runtime/browser/idb-log.ts';
import { freshDatabase, openSharedTest, openTest } from './open.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, n INTEGER)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

/** As "Clear site data" of the browser's settings does. */
async function clearSite(): Promise<void> {
  // Vitest leaves the types to the provider's package.
  const session = cdp() as unknown as { send(method: string, params: object): Promise<unknown> };
  const { origin } = location;
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
}

test.each([
  ['the site', clearSite],
  ['the database', async (database: string) => await deleteDB(databaseName(database))],
] as const)('after %s is cleared the engine says so, and the page opens anew', async (_, clear) => {
  const database = freshDatabase();
  const lost = await openTest({ database });
  await lost.execute(STREAM);
  const rows = await lost.query('SELECT n FROM s EMIT CHANGES;');
  const ended = rows.all().catch((thrown: unknown) => thrown);
  await clear(database);
  expect(String(await ended)).toMatch(/closed database '.*' .*: open it anew/);
  await expect(lost.insert('s', { k: 'a', n: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  // Empty at first, then as it was left.
  const again = await openTest({ database, workers: 2 });
  await again.execute(STREAM);
  await again.execute('CREATE TABLE t AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;');
  await again.insert('s', { k: 'a', n: 1 });
  await again.idle();
  await again.close();
  const third = await openTest({ database });
  const table = await third.query('SELECT * FROM t;');
  expect(await table.all()).toEqual([{ K: 'a', C: 1 }]);
});

test('a shared engine opens the database again by itself, for the next call', async () => {
  const database = freshDatabase();
  const engine = await openSharedTest({ database });
  await engine.execute(STREAM);
  await deleteDB(databaseName(database));
  const again = (): Promise<string> =>
    engine.execute(STREAM).then(
      () => 'done',
      ({ code }: { code: string }) => code,
    );
  // What comes before it has heard of it is refused.
  await expect.poll(again, { timeout: 10_000 }).toBe('done');
  await engine.insert('s', { k: 'a', n: 1 });
  const rows = await engine.query('SELECT n FROM s;');
  expect(await rows.all()).toEqual([{ N: 1 }]);
});

test('reads that are under way when the site is cleared are refused, and leave no rejection that nobody handles', async () => {
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent): void => void unhandled.push(event.reason);
  addEventListener('unhandledrejection', note);
  const name = freshDatabase();
  const database = await openDatabase(name, () => undefined);
  const log = new IdbLog({ database, now: () => 0, durability: 'relaxed' });
  const at = { topic: 't', partition: 0 };
  const plain = { retentionMs: null, compacted: false, internal: false };
  await log.create({ name: at.topic, partitions: 1, ...plain });
  const reading = async (): Promise<unknown> => {
    try {
      for (;;) await Promise.all([log.describe(at.topic), log.list(), log.read(at, 0, 1)]);
    } catch (thrown) {
      return thrown;
    }
  };
  const ends = Array.from({ length: 50 }, reading);
  await clearSite();
  for (const end of await Promise.all(ends))
    expect(end).toMatchObject({ name: 'PortError', code: 'UNAVAILABLE' });
  await new Promise((told) => setTimeout(told, 100));
  removeEventListener('unhandledrejection', note);
  expect(unhandled).toEqual([]);
});
