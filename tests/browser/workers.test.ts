// Tasks in Workers that the engine's Worker starts, over IndexedDB: the changes are those of one Worker.

import { expect, test } from 'vitest';
import { QUAKES_STREAM_OF_FOUR, quakePieces, recountPartitions } from '../support/earthquakes.ts';
import { changes, createQuakes, feedPiece, RECORDS } from './earthquakes.ts';
import { freshDatabase, openTest } from './open.ts';

const QUERY = 'CTAS_QUAKES_PER_HOUR_1';

test('four partitions over two Workers, and after a restart in one, in IndexedDB: every change of the reference, once and in order', async () => {
  const database = freshDatabase();
  const pieces = quakePieces(RECORDS);
  const half = pieces.length >> 1;
  const first = await openTest({ database, workers: 2 });
  await createQuakes(first, QUAKES_STREAM_OF_FOUR);
  for (const piece of pieces.slice(0, half)) {
    await feedPiece(first, piece);
    await first.idle();
  }
  const { tasks = {} } = await first.stats();
  expect(tasks[QUERY]?.map(({ worker }) => worker)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  await first.close();

  const second = await openTest({ database });
  for (const piece of pieces.slice(half)) {
    await feedPiece(second, piece);
    await second.idle();
  }
  const model = recountPartitions(RECORDS);
  for (const [partition, expected] of model.entries()) {
    expect(await changes(second, partition)).toEqual(expected.changes);
  }
  const { queries } = await second.stats();
  expect(queries[QUERY]?.late).toBe(model.reduce((sum, one) => sum + one.late, 0));
  const rows = await (await second.query('SELECT * FROM quakes_per_hour;')).all();
  expect(rows.length).toBe(
    new Set(model.flatMap((one) => one.changes.map((c) => `${c.key} ${c.windowStart}`))).size,
  );
});
