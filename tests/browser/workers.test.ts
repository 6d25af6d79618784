// Tasks in Workers that the engine's Worker starts, over IndexedDB: the changes are those of one Worker.

import { expect, test } from 'vitest';
import { tableOf } from '../support/earthquakes.ts';
import { scriptType } from '../../runtime/browser/task-workers.ts';
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

// Bundlers make classic scripts of Workers' modules, and such a script cannot be started again as a module.
test.each(['classic', 'module'] as const)('a %s script is started again as one', async (type) => {
  const script = `postMessage((${scriptType.toString()})())`;
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = new Worker(url, { type });
  const told = await new Promise<unknown>((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => resolve(data));
    worker.addEventListener('error', reject);
  });
  expect(told).toBe(type);
  worker.terminate();
  URL.revokeObjectURL(url);
});
