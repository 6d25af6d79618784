// Tasks in Workers that the engine's Worker starts, over IndexedDB: the changes are those of one Worker.

import { expect, test } from 'vitest';
import { tableOf } from '../support/earthquakes.ts';
import { expectFourPartitions } from './earthquakes.ts';
import { openTest } from './open.ts';

const QUERY = 'CTAS_QUAKES_PER_HOUR_1';

test('four partitions over two Workers, in IndexedDB: every change of the reference, once and in order', async () => {
  const engine = await openTest({ workers: 2 });
  const expected = await expectFourPartitions(engine);
  const { queries, tasks = {} } = await engine.stats();
  expect(queries[QUERY]?.late).toBe(expected.late);
  expect(tasks[QUERY]?.map(({ worker }) => worker)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  const rows = await (await engine.query('SELECT * FROM quakes_per_hour;')).all();
  expect(rows.length).toBe(tableOf(expected.changes).size);
});
