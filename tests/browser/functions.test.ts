// Functions of a page's own Worker: there before the queries of the database go on, so also after a reload.

import { expect, test } from 'vitest';
import { partitionOf } from '../../runtime/base/hash.ts';
import { freshDatabase, openTest } from './open.ts';

const worker = (): Worker =>
  new Worker(new URL('./functions-worker.ts', import.meta.url), { type: 'module' });

test('statements call them, and a query that calls one goes on after a reload, in Workers that bring them too', async () => {
  const database = freshDatabase();
  const first = await openTest({ database, worker });
  await first.execute(`
    CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE STREAM doubled AS SELECT k, TWICE(n) AS n FROM s;`);
  await first.produce('s', [{ key: 'a', value: '{"N":1}' }]);
  await first.idle();
  await first.close();
  const second = await openTest({ database, worker, workers: 2 });
  await second.produce('s', [{ key: 'a', value: '{"N":21}' }]);
  await second.idle();
  const { tasks = {} } = await second.stats();
  expect(Object.values(tasks).map((places) => places.map((place) => place.worker))).toEqual([
    [1, 2],
  ]);
  const partition = partitionOf(new TextEncoder().encode('a'), 2);
  const records = await second.topicRecords('DOUBLED', { partition });
  const text = new TextDecoder();
  expect(records.map(({ value }) => value && text.decode(value))).toEqual(['{"N":2}', '{"N":42}']);
});
