// One database has one writer at a time: a second one is told so, or waits and takes over.

import { deleteDB, openDB } from 'idb';
import { expect, test } from 'vitest';
import { DATABASE_VERSION } from '../../runtime/browser/database.ts';
import { databaseName } from '../../runtime/browser/database-name.ts';
import { type BrowserEngine, open, PortError } from '../../runtime/browser/index.ts';
import { changes, createQuakes, feed } from './earthquakes.ts';
import { freshDatabase, openTest, ownWorker } from './open.ts';

const thrownBy = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );

test('a second tab is refused with LOCKED and in plain words, and works once the first is closed', async () => {
  const database = freshDatabase();
  const first = await openTest({ database });
  const error = await thrownBy(open({ database }));
  expect(error).toBeInstanceOf(PortError);
  expect(error).toMatchObject({ code: 'LOCKED' });
  expect((error as Error).message).toContain('another tab');
  await createQuakes(first);
  await first.close();
  const second = await openTest({ database });
  expect(await changes(second)).toEqual([]);
});

test('a second tab that waits takes over, with all there is, when the first is closed', async () => {
  const database = freshDatabase();
  const first = await openTest({ database });
  await createQuakes(first);
  let isOpen = false;
  const opening = openTest({ database, whenLocked: 'wait' }).then((engine) => {
    isOpen = true;
    return engine;
  });
  await feed(first, 0, 300);
  await first.idle();
  const before = await changes(first);
  expect(before.length).toBeGreaterThan(100);
  expect(isOpen).toBe(false);
  await first.close();
  const second = await opening;
  expect(await changes(second)).toEqual(before);
  await feed(second, 300, 600);
  await second.idle();
  expect((await changes(second)).length).toBeGreaterThan(before.length);
});

test('a second tab that waits takes over from one that crashes', async () => {
  const database = freshDatabase();
  const worker = ownWorker();
  const first = await openTest({ database, worker: () => worker });
  await createQuakes(first);
  const opening = openTest({ database, whenLocked: 'wait' });
  worker.terminate();
  const second = await opening;
  expect(Object.keys((await second.stats()).topics).sort()).toEqual(['QUAKES_PER_HOUR', 'quakes']);
});

test('waiting for the lock can be given up, and leaves nothing behind', async () => {
  const database = freshDatabase();
  const first = await openTest({ database });
  const giveUp = new AbortController();
  const opening = thrownBy(open({ database, whenLocked: 'wait', signal: giveUp.signal }));
  await first.stats();
  giveUp.abort();
  expect(await opening).toMatchObject({ name: 'AbortError' });
  await first.close();
  const next = await openTest({ database });
  expect((await next.stats()).topics).toEqual({});
});

test('an engine whose database is deleted, or taken by a newer version, ends and says why', async () => {
  const deleted = freshDatabase();
  const first = await openTest({ database: deleted });
  await deleteDB(databaseName(deleted));
  expect(await thrownBy(endOf(first))).toMatchObject({
    code: 'UNAVAILABLE',
    message: `the browser closed database '${deleted}' (deleted, or storage cleared?): open it anew`,
  });
  const taken = freshDatabase();
  const second = await openTest({ database: taken });
  const newer = await openDB(databaseName(taken), DATABASE_VERSION + 1);
  newer.close();
  const error = await thrownBy(endOf(second));
  expect((error as Error).message).toContain('newer version');
  expect(await thrownBy(open({ database: taken }))).toMatchObject({ code: 'UNAVAILABLE' });
});

/** Calls until the engine has heard of its end. */
async function endOf(engine: BrowserEngine): Promise<never> {
  for (;;) {
    await engine.errorOf('none');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('databases of other names are no matter of each other', async () => {
  const [one, other] = [await openTest(), await openTest()];
  await createQuakes(one);
  await createQuakes(other);
  await feed(one, 0, 10);
  expect((await one.stats()).topics['quakes']).toEqual({ in: 10 });
  expect((await other.stats()).topics['quakes']).toEqual({ in: 0 });
});

test('the second of two tabs gets the same answer from engines in memory, which share nothing', async () => {
  const database = freshDatabase();
  const one = await openTest({ database, storage: 'memory' });
  const other = await openTest({ database, storage: 'memory' });
  await createQuakes(one);
  await createQuakes(other);
  expect((await other.stats()).topics['quakes']).toEqual({ in: 0 });
});
