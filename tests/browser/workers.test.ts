// Tasks in Workers that the engine's Worker starts, over IndexedDB: the changes are those of one Worker.

import { expect, test } from 'vitest';
import {
  QUAKES_STREAM_OF_FOUR,
  quakePieces,
  recountPartitions,
  tableOf,
} from '../support/earthquakes.ts';
import { changes, createQuakes, feedPiece, RECORDS } from './earthquakes.ts';
import { openTest } from './open.ts';

const QUERY = 'CTAS_QUAKES_PER_HOUR_1';

test('four partitions over two Workers, in IndexedDB: every change of the reference, once and in order', async () => {
  const engine = await openTest({ workers: 2 });
  await createQuakes(engine, QUAKES_STREAM_OF_FOUR);
  for (const piece of quakePieces(RECORDS)) {
    await feedPiece(engine, piece);
    await engine.idle();
  }
  const model = recountPartitions(RECORDS);
  for (const [partition, expected] of model.entries()) {
    expect(await changes(engine, partition)).toEqual(expected.changes);
  }
  const { queries, tasks = {} } = await engine.stats();
  expect(queries[QUERY]?.late).toBe(model.reduce((sum, one) => sum + one.late, 0));
  expect(tasks[QUERY]?.map(({ worker }) => worker)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  const rows = await (await engine.query('SELECT * FROM quakes_per_hour;')).all();
  expect(rows.length).toBe(tableOf(model.flatMap((one) => one.changes)).size);
});
