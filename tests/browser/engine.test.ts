// The whole engine in a Web Worker of a real page: the earthquakes give the same changes and rows as everywhere else.

import { deleteDB } from 'idb';
import { afterEach, expect, test } from 'vitest';
import {
  type BrowserEngine,
  open,
  type OpenOptions,
  type PublicRow,
} from '../../runtime/browser/index.ts';
import { databaseName } from '../../runtime/browser/database.ts';
import { QUAKES_EXPECTED, recountQuakes, tableOf } from '../support/earthquakes.ts';
import { changes, createQuakes, feed, RECORDS } from './earthquakes.ts';

const opened: { engine: BrowserEngine; database: string }[] = [];

async function openTest(options: OpenOptions = {}): Promise<BrowserEngine> {
  const database = options.database ?? `test-${crypto.randomUUID()}`;
  const engine = await open({ ...options, database });
  opened.push({ engine, database });
  return engine;
}

afterEach(async () => {
  for (const { engine } of opened) engine.terminate();
  for (const { database } of opened.splice(0)) await deleteDB(databaseName(database));
});

const EXPECTED = recountQuakes(RECORDS);

test.each([
  ['indexeddb', 'kernel', {}],
  ['indexeddb', 'row', { kernel: null }],
  ['memory', 'kernel', { storage: 'memory' }],
] as const)('the earthquakes over %s, on the %s path', async (_storage, _path, options) => {
  const engine = await openTest(options);
  await createQuakes(engine);
  await feed(engine);
  await engine.idle();
  expect(await changes(engine)).toEqual(EXPECTED.changes);
  const stats = await engine.stats();
  expect(stats.topics['quakes']).toEqual({ in: QUAKES_EXPECTED.records });
  expect(Object.values(stats.queries)).toMatchObject([
    { late: QUAKES_EXPECTED.late, out: QUAKES_EXPECTED.changes },
  ]);
  const rows = await (await engine.query('SELECT * FROM quakes_per_hour;')).all();
  expect(rows.length).toBe(QUAKES_EXPECTED.rows);
  const table = tableOf(EXPECTED.changes);
  expect(table.size).toBe(QUAKES_EXPECTED.rows);
  const cells = ({ N, STRONGEST, SIGNIFICANCE }: PublicRow) => ({ N, STRONGEST, SIGNIFICANCE });
  const found = new Map(
    rows.map((row) => [`${row['NET'] as string} ${row['WINDOWSTART'] as number}`, cells(row)]),
  );
  expect(found).toEqual(new Map([...table].map(([id, { value }]) => [id, JSON.parse(value)])));
});
