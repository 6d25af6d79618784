// The main job on plain workerd over HTTP: the same 971 changes and 556 rows as everywhere, fused, cut in two and in four partitions.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type EarthquakesFile,
  QUAKES_EXPECTED,
  QUAKES_STREAM,
  QUAKES_TABLE,
  type QuakeChange,
  quakePieces,
  quakeRecords,
  QUAKES_STREAM_OF_FOUR,
  recountPartitions,
  recountQuakes,
  tableOf,
} from '../../support/earthquakes.ts';
import { fetchAll, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

const path = resolve('node_modules/vega-datasets/data/earthquakes.json');
const records = quakeRecords(JSON.parse(readFileSync(path, 'utf8')) as EarthquakesFile);
const expected = recountQuakes(records);
const HOUR_MS = 3_600_000;

interface Query {
  readonly tasks: readonly {
    readonly status: { readonly counters: readonly { name: string; value: number }[] } | null;
  }[];
}

async function count(edge: Workerd, name: string): Promise<number> {
  const { queries } = (await send(edge, 'GET', '/queries')).body as { queries: Query[] };
  const counters = queries.flatMap(({ tasks }) =>
    tasks.flatMap(({ status }) => status?.counters ?? []),
  );
  return counters
    .filter((counter) => counter.name === name)
    .reduce((sum, { value }) => sum + value, 0);
}

/** Key and window of a record of the table's topic: the key's bytes, then the window's start, 8 bytes big endian. */
function changeOf(record: Awaited<ReturnType<typeof fetchAll>>[number]): QuakeChange {
  const key = Buffer.from(record.key);
  const windowStart = Number(key.readBigInt64BE(key.length - 8));
  return {
    key: key.subarray(0, -8).toString(),
    windowStart,
    windowEnd: windowStart + HOUR_MS,
    value: Buffer.from(record.value).toString(),
    rowtime: record.timestamp,
  };
}

async function produceAll(edge: Workerd, partitions: number): Promise<void> {
  for (let from = 0; from < records.length; from += 250) {
    const body = { records: records.slice(from, from + 250) };
    const { status } = await send(edge, 'POST', '/topics/quakes/records', body);
    expect(status).toBe(200);
  }
  const { body } = await send(edge, 'GET', '/topics/quakes');
  const { bounds } = body as { bounds: { highWatermark: number }[] };
  expect(bounds).toHaveLength(partitions);
  expect(bounds.reduce((sum, { highWatermark }) => sum + highWatermark, 0)).toBe(records.length);
}

interface StreamedRow {
  readonly row?: { readonly columns: readonly unknown[] };
}

async function pullRows(edge: Workerd, sql: string): Promise<readonly (readonly unknown[])[]> {
  const { body } = await send(edge, 'POST', '/query', { ksql: sql });
  return (body as StreamedRow[]).flatMap(({ row }) => (row === undefined ? [] : [row.columns]));
}

describe.each([
  ['fused into one task', {}],
  ['cut into two tasks over an internal topic', { 'millrace.fuse': 'never' }],
  ['on the row path', { 'millrace.path': 'row' }],
])('%s', (_name, streamsProperties) => {
  let edge: Workerd;
  beforeAll(async () => {
    edge = await Workerd.start();
    const ksql = `${QUAKES_STREAM}\n${QUAKES_TABLE}`;
    const created = await send(edge, 'POST', '/ksql', { ksql, streamsProperties });
    if (created.status !== 200) throw new Error(created.text);
    await produceAll(edge, 1);
    await until(
      async () => (await count(edge, 'out')) + (await count(edge, 'late')) === records.length,
    );
  });
  afterAll(() => edge.stop());

  test('the table changes 971 times, in the same order as everywhere', async () => {
    await until(
      async () => (await fetchAll(edge, 'QUAKES_PER_HOUR', 0)).length === QUAKES_EXPECTED.changes,
    );
    const changes = (await fetchAll(edge, 'QUAKES_PER_HOUR', 0)).map(changeOf);
    expect(changes).toEqual(expected.changes);
  });

  test('736 records are late', async () => {
    expect(await count(edge, 'late')).toBe(QUAKES_EXPECTED.late);
  });

  test('a pull query gives the 556 rows of the final table', async () => {
    const rows = await pullRows(
      edge,
      'SELECT net, windowstart, windowend, n, significance FROM quakes_per_hour;',
    );
    const found = new Map(rows.map((row) => [`${String(row[0])} ${String(row[1])}`, row.slice(2)]));
    expect(rows).toHaveLength(QUAKES_EXPECTED.rows);
    for (const [key, change] of tableOf(expected.changes)) {
      const value = JSON.parse(change.value) as { N: number; SIGNIFICANCE: number };
      expect(found.get(key)).toEqual([change.windowEnd, value.N, value.SIGNIFICANCE]);
    }
  });

  test('a pull query by key gives the rows of that key alone', async () => {
    const rows = await pullRows(
      edge,
      "SELECT net, windowstart, n FROM quakes_per_hour WHERE net = 'ak';",
    );
    const wanted = [...tableOf(expected.changes).values()].filter(({ key }) => key === 'ak');
    expect(rows.map((row) => row[1])).toEqual(
      wanted.map(({ windowStart }) => windowStart).sort((a, b) => a - b),
    );
  });
});

test('over four partitions and an internal topic of four the changes and the table are those of every place', async () => {
  await using edge = await Workerd.start();
  const ksql = `${QUAKES_STREAM_OF_FOUR}\n${QUAKES_TABLE}`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  let fed = 0;
  for (const piece of quakePieces(records)) {
    const { status } = await send(edge, 'POST', '/topics/quakes/records', { records: piece });
    expect(status).toBe(200);
    fed += piece.length;
    await until(async () => (await count(edge, 'out')) + (await count(edge, 'late')) === fed);
  }
  const model = recountPartitions(records);
  for (const [partition, { changes }] of model.entries()) {
    const found = await until(async () => {
      const all = await fetchAll(edge, 'QUAKES_PER_HOUR', partition);
      return all.length >= changes.length && all;
    });
    expect(found.map(changeOf)).toEqual(changes);
  }
  expect(await count(edge, 'late')).toBe(model.reduce((sum, { late }) => sum + late, 0));
  const rows = await pullRows(
    edge,
    'SELECT net, windowstart, windowend, n, strongest, significance FROM quakes_per_hour;',
  );
  const table = tableOf(model.flatMap(({ changes }) => changes));
  expect(
    new Map(rows.map(([net, start, ...row]) => [`${String(net)} ${String(start)}`, row])),
  ).toEqual(
    new Map(
      [...table].map(([id, { windowEnd, value }]) => {
        const { N, STRONGEST, SIGNIFICANCE } = JSON.parse(value) as Record<string, number | null>;
        return [id, [windowEnd, N, STRONGEST, SIGNIFICANCE]];
      }),
    ),
  );
});

test('with four partitions and a grace that spares all, the table is the recount', async () => {
  await using edge = await Workerd.start();
  const days = 30;
  const table = QUAKES_TABLE.replace('GRACE PERIOD 6 HOURS', `GRACE PERIOD ${days} DAYS`);
  const ksql = `${QUAKES_STREAM_OF_FOUR}\n${table}`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  await produceAll(edge, 4);
  await until(async () => (await count(edge, 'out')) === records.length);
  const model = recountQuakes(records, days * 24 * HOUR_MS);
  expect(model.late).toBe(0);
  const rows = await pullRows(
    edge,
    'SELECT net, windowstart, n, strongest, significance FROM quakes_per_hour;',
  );
  const expectedRows = [...tableOf(model.changes).values()].map(({ key, windowStart, value }) => {
    const { N, STRONGEST, SIGNIFICANCE } = JSON.parse(value) as Record<string, number | null>;
    return [key, windowStart, N, STRONGEST, SIGNIFICANCE];
  });
  const byKey = (a: readonly unknown[], b: readonly unknown[]): number =>
    `${String(a[0])} ${String(a[1])}` < `${String(b[0])} ${String(b[1])}` ? -1 : 1;
  expect([...rows].sort(byKey)).toEqual(expectedRows.sort(byKey));
});
