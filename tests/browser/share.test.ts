// Engines that share one Worker, in any browser: with Workers for tasks and functions of the page's own, and in turn when one ends or its page stands still.

import { expect, test } from 'vitest';
import type { SharedEngine } from '../../runtime/browser/index.ts';
import { freshDatabase, openSharedTest } from './open.ts';

const worker = (): Worker =>
  new Worker(new URL('./functions-worker.ts', import.meta.url), { type: 'module' });

const STATEMENTS = `
  CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, SUM(TWICE(n)) AS n FROM s GROUP BY k;`;

async function totals(engine: SharedEngine): Promise<unknown[]> {
  await engine.idle();
  const rows = await (await engine.query('SELECT k, n FROM t;')).all();
  return rows.map(({ K, N }) => `${K as string} ${Number(N)}`).toSorted();
}

async function placesIn(engine: SharedEngine): Promise<unknown> {
  const { tasks = {} } = await engine.stats();
  return Object.values(tasks).flatMap((places) => places.map((place) => place.worker));
}

test('functions and Workers are those of the one that leads, whoever calls, and of the next one when it is closed', async () => {
  const options = { database: freshDatabase(), worker, workers: 2 };
  const first = await openSharedTest(options);
  await first.execute(STATEMENTS);
  const second = await openSharedTest({ ...options, worker: () => expect.fail('it follows') });
  const changes = await second.query('SELECT k, n FROM t EMIT CHANGES LIMIT 1;');
  await second.insert('s', [
    { k: 'a', n: 1 },
    { k: 'b', n: 2 },
  ]);
  expect(await totals(second)).toEqual(['a 2', 'b 4']);
  expect(await totals(first)).toEqual(['a 2', 'b 4']);
  expect(await changes.all()).toHaveLength(1);
  expect(await placesIn(second)).toEqual([1, 2]);
  const third = await openSharedTest(options);
  await first.close();
  expect(await totals(third)).toEqual(['a 2', 'b 4']);
  await second.insert('s', { k: 'a', n: 10 });
  for (const engine of [second, third]) expect(await totals(engine)).toEqual(['a 22', 'b 4']);
  expect(await placesIn(third)).toEqual([1, 2]);
});

test('one whose page stands still has let go, and follows when it goes on', async () => {
  const options = { database: freshDatabase(), worker };
  const first = await openSharedTest(options);
  await first.execute(STATEMENTS);
  const changes = await first.query('SELECT k, n FROM t EMIT CHANGES;');
  // Of a Worker that is ended within a transaction WebKit lets no other one begin, for longer than a test waits.
  expect(await totals(first)).toEqual([]);
  const ended = changes.all().catch(({ code }: { code: string }) => code);
  document.dispatchEvent(new Event('freeze'));
  expect(await ended).toBe('UNAVAILABLE');
  let isFound = false;
  const found = totals(first).then((rows) => {
    isFound = true;
    return rows;
  });
  const second = await openSharedTest(options);
  await second.insert('s', { k: 'a', n: 1 });
  expect(await totals(second)).toEqual(['a 2']);
  expect(isFound).toBe(false);
  document.dispatchEvent(new Event('resume'));
  expect(await found).toEqual(['a 2']);
});
