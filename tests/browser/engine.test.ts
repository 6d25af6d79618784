// The whole engine in a Web Worker of a real page: the earthquakes give the same changes and rows as everywhere else, also across reloads.

import { expect, test } from 'vitest';
import type { BrowserEngine, PublicRow } from '../../runtime/browser/index.ts';
import { QUAKES_EXPECTED, recountQuakes, tableOf } from '../support/earthquakes.ts';
import { changes, createQuakes, expectFourPartitions, feed, RECORDS } from './earthquakes.ts';
import { freshDatabase, openTest, ownWorker } from './open.ts';

const EXPECTED = recountQuakes(RECORDS);
const QUERY = 'CTAS_QUAKES_PER_HOUR_1';

async function expectAllChanges(engine: BrowserEngine): Promise<void> {
  await engine.idle();
  expect(await changes(engine)).toEqual(EXPECTED.changes);
  const { topics, queries } = await engine.stats();
  expect(topics['quakes']).toEqual({ in: QUAKES_EXPECTED.records });
  expect(queries[QUERY]).toMatchObject({
    late: QUAKES_EXPECTED.late,
    out: QUAKES_EXPECTED.changes,
  });
}

async function expectAllRows(engine: BrowserEngine, all = EXPECTED.changes): Promise<void> {
  const rows = await (await engine.query('SELECT * FROM quakes_per_hour;')).all();
  const table = [...tableOf(all)];
  expect(rows.length).toBe(table.length);
  const cells = ({ N, STRONGEST, SIGNIFICANCE }: PublicRow) => ({ N, STRONGEST, SIGNIFICANCE });
  const found = new Map(
    rows.map((row) => [`${row['NET'] as string} ${row['WINDOWSTART'] as number}`, cells(row)]),
  );
  expect(found).toEqual(new Map(table.map(([id, { value }]) => [id, JSON.parse(value)])));
}

test.each([
  ['indexeddb', 'kernel', 'auto'],
  ['indexeddb', 'kernel', 'never'],
  ['indexeddb', 'row', 'auto'],
  ['indexeddb', 'row', 'never'],
  ['memory', 'kernel', 'auto'],
] as const)('the earthquakes over %s, on the %s path, fused: %s', async (storage, path, fuse) => {
  const properties = { 'millrace.path': path, 'millrace.fuse': fuse };
  const engine = await openTest({ storage, properties });
  await createQuakes(engine);
  const [explained] = await engine.execute(`EXPLAIN ${QUERY};`);
  expect(JSON.stringify(explained)).toContain(`aggregate [${path}`);
  await feed(engine);
  await expectAllChanges(engine);
  await expectAllRows(engine);
});

test.each(['kernel', 'row'])(
  'over four partitions and an internal topic of four in IndexedDB, on the %s path, the changes and the table are those of every place',
  async (path) => {
    const engine = await openTest({ properties: { 'millrace.path': path } });
    const expected = await expectFourPartitions(engine);
    await expectAllRows(engine, expected.changes);
    expect((await engine.stats()).queries[QUERY]?.late).toBe(expected.late);
  },
);

test('a kernel that is not asked for leaves every query on the row path; all other code may be fetched at once', async () => {
  const engine = await openTest({ kernel: null, preload: true });
  await createQuakes(engine);
  const [explained] = await engine.execute(`EXPLAIN ${QUERY};`);
  expect(JSON.stringify(explained)).toContain('aggregate [row');
  await feed(engine);
  await expectAllChanges(engine);
});

test('after closing and opening again the table is there, and the query goes on where it was', async () => {
  const database = freshDatabase();
  const first = await openTest({ database });
  await createQuakes(first);
  await feed(first, 0, 800);
  await first.idle();
  const before = await changes(first);
  await first.close();
  const second = await openTest({ database });
  expect(await changes(second)).toEqual(before);
  await feed(second, 800, 1500);
  await second.close();
  // Closed while the query was busy: what it had not committed comes again.
  const third = await openTest({ database });
  await feed(third, 1500);
  await expectAllChanges(third);
  await expectAllRows(third);
});

test('a Worker terminated in the middle of its work loses nothing and repeats nothing', async () => {
  const database = freshDatabase();
  let fed = 0;
  for (let life = 0; fed < RECORDS.length; life++) {
    const worker = ownWorker();
    const engine = await openTest({
      database,
      // The plan says kernel: without one its task goes on, from the same state, on the row path.
      kernel: life % 2 === 0 ? undefined : null,
      worker: () => worker,
      whenLocked: 'wait',
      commitIntervalMs: 0,
    });
    if (life === 0) await createQuakes(engine);
    const to = Math.min(RECORDS.length, fed + 171);
    for (let at = fed; at < to; at += 19) await feed(engine, at, Math.min(to, at + 19));
    fed = to;
    worker.terminate();
  }
  const last = await openTest({ database, whenLocked: 'wait' });
  await expectAllChanges(last);
  await expectAllRows(last);
  expect(await last.errorOf(QUERY)).toBeNull();
});

test('PRINT gives lines to the page until its LIMIT, its reader or a signal ends it', async () => {
  const engine = await openTest();
  await engine.execute(
    "CREATE STREAM p (k STRING KEY, v INT) WITH (KAFKA_TOPIC='p', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  const rows = Array.from({ length: 2_500 }, (_, v) => ({ k: 'k', v }));
  await engine.insert('p', rows);
  const all = await Array.fromAsync(await engine.print('PRINT p FROM BEGINNING LIMIT 2500;'));
  expect(all.slice(0, 2)).toEqual([
    'Key format: KAFKA_STRING',
    'Value format: JSON or KAFKA_STRING',
  ]);
  expect(all).toHaveLength(2_502);
  expect(all.at(-1)).toContain('key: k, value: {"V":2499}, partition: 0');
  const abort = new AbortController();
  const live = await engine.print('PRINT p;', { signal: abort.signal });
  await engine.insert('p', { k: 'k', v: -1 });
  const seen: string[] = [];
  for await (const line of live) {
    seen.push(line);
    if (line.includes('"V":-1')) abort.abort();
  }
  expect(seen).toHaveLength(3);
  for await (const line of await engine.print('PRINT p FROM BEGINNING;')) {
    expect(line).toContain('Key format');
    break;
  }
  await expect(engine.print('PRINT nowhere;')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  await expect(engine.print('PRINT p;', { signal: abort.signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
  const lasting = await engine.print('PRINT p;');
  const next = lasting.next();
  engine.terminate();
  await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
