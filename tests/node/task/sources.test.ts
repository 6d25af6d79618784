// Records as rows: keys, null values, windows, headers, timestamps, pseudo columns, and rows as records again.

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { PROBLEMS_PER_CHUNK_MAX } from '../../../runtime/task/problems.ts';
import { TestDriver } from '../../../runtime/memory/test-driver.ts';

async function started(statements: string): Promise<TestDriver> {
  const driver = new TestDriver({ properties: { 'auto.offset.reset': 'earliest' } });
  await driver.execute(statements);
  return driver;
}

async function problems(driver: TestDriver) {
  const entries = await driver.texts('__processing_log');
  return entries.map(({ value }) => JSON.parse(value ?? '') as Record<string, unknown>);
}

test('reads the window behind a key, and writes it', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE TABLE w AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY k;
    CREATE TABLE again (k STRING PRIMARY KEY, n BIGINT)
      WITH (KAFKA_TOPIC='W', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='10 SECONDS');`);
  await driver.pipe('s', [
    { key: 'a', value: '{"V":1}', timestamp: 12_345 },
    { key: 'a', value: '{"V":1}', timestamp: 23_456 },
  ]);
  await driver.settle();
  const rows = await driver.query(
    'SELECT k, WINDOWSTART AS ws, WINDOWEND AS we, n, ROWTIME AS t FROM again EMIT CHANGES LIMIT 2;',
  );
  expect(rows).toEqual([
    { K: 'a', WS: 10_000, WE: 20_000, N: 1, T: 12_345 },
    { K: 'a', WS: 20_000, WE: 30_000, N: 1, T: 23_456 },
  ]);
});

test('a null value is a row of a stream and a deletion in a table; a table needs its key', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='x', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE t (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
    CREATE STREAM copied AS SELECT k, v FROM s;
    CREATE TABLE kept AS SELECT k, v FROM t;`);
  await driver.pipe('x', [
    { key: 'a', value: '{"V":1}' },
    { key: 'a', value: null },
    { key: null, value: '{"V":2}' },
    { key: 'b', value: 'null' },
  ]);
  await driver.settle();
  const pairs = async (topic: string) =>
    (await driver.texts(topic)).map(({ key, value }) => [key, value]);
  expect(await pairs('COPIED')).toEqual([
    ['a', '{"V":1}'],
    ['a', null],
    [null, '{"V":2}'],
    ['b', null],
  ]);
  expect((await pairs('KEPT')).slice(0, 2)).toEqual([
    ['a', '{"V":1}'],
    ['a', null],
  ]);
  expect(await driver.query('SELECT * FROM kept;')).toEqual([]);
  expect((await problems(driver)).map(({ query, offset, code }) => [query, offset, code])).toEqual([
    ['CTAS_KEPT_2', 2, 'DESERIALIZATION'],
  ]);
});

test('a malformed value is skipped and named though the query reads none of its columns', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`);
  await driver.pipe('s', [
    { key: 'a', value: '{"V":1}' },
    { key: 'a', value: '{"V":' },
    { key: 'a', value: '{}' },
  ]);
  await driver.settle();
  expect((await driver.texts('T')).map(({ value }) => value)).toEqual(['{"N":1}', '{"N":2}']);
  expect((await problems(driver)).map(({ offset, code }) => [offset, code])).toEqual([
    [1, 'DESERIALIZATION'],
  ]);
});

test('fills columns from headers and sends headers on through stateless queries', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, v INT, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS)
      WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM one (v INT, h BYTES HEADER('trace'))
      WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
    CREATE STREAM copied AS SELECT k, v FROM s WHERE v > 0;`);
  const headers = [
    { name: 'trace', value: encodeUtf8('1') },
    { name: 'none', value: null },
    { name: 'trace', value: encodeUtf8('2') },
  ];
  await driver.pipe('s', [
    { key: 'a', value: '{"V":1}', headers },
    { key: 'a', value: '{"V":2}' },
  ]);
  await driver.settle();
  const all = await driver.query('SELECT h FROM s EMIT CHANGES LIMIT 2;');
  expect(all).toEqual([
    {
      H: [
        { KEY: 'trace', VALUE: encodeUtf8('1') },
        { KEY: 'none', VALUE: null },
        { KEY: 'trace', VALUE: encodeUtf8('2') },
      ],
    },
    { H: [] },
  ]);
  const last = await driver.query('SELECT h FROM one EMIT CHANGES LIMIT 2;');
  expect(last).toEqual([{ H: encodeUtf8('2') }, { H: null }]);
  const [first, second] = await driver.records('COPIED');
  expect(first?.headers).toEqual(headers);
  expect(second?.headers).toEqual([]);
});

test('takes the time from the declared column, and skips records whose time is null or negative', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, at_ms BIGINT)
      WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='at_ms');
    CREATE STREAM copied AS SELECT k, at_ms FROM s;`);
  await driver.pipe('s', [
    { key: 'a', value: '{"AT_MS":5}', timestamp: 99 },
    { key: 'a', value: '{"AT_MS":null}', timestamp: 99 },
    { key: 'a', value: '{"AT_MS":-1}', timestamp: 99 },
    { key: 'a', value: '{"AT_MS":7}', timestamp: 99 },
  ]);
  await driver.settle();
  expect((await driver.records('COPIED')).map(({ timestamp }) => timestamp)).toEqual([5, 7]);
  const logged = await problems(driver);
  expect(logged.map(({ offset, code, field }) => [offset, code, field])).toEqual([
    [1, 'TIMESTAMP', 'AT_MS'],
    [2, 'TIMESTAMP', 'AT_MS'],
  ]);
});

test('knows the partition and the offset of a record', async () => {
  await using driver = await started(
    "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=3, VALUE_FORMAT='JSON');",
  );
  await driver.pipe('s', [
    { key: 'a', value: '{"V":1}', partition: 2 },
    { key: 'a', value: '{"V":2}', partition: 2 },
  ]);
  const sql = 'SELECT ROWPARTITION AS p, ROWOFFSET AS o FROM s EMIT CHANGES LIMIT 2;';
  expect(await driver.query(sql)).toEqual([
    { P: 2, O: 0 },
    { P: 2, O: 1 },
  ]);
});

test('lists PROBLEMS_PER_CHUNK_MAX problems of a chunk, and counts all', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM copied AS SELECT k, v FROM s;`);
  const bad = Array.from({ length: PROBLEMS_PER_CHUNK_MAX }, () => ({ key: 'a', value: '{' }));
  await driver.pipe('s', bad);
  await driver.settle();
  expect((await problems(driver)).length).toBe(PROBLEMS_PER_CHUNK_MAX);
  await driver.pipe('s', [...bad, ...bad.slice(0, 7)]);
  await driver.settle();
  const logged = await problems(driver);
  expect(logged.length).toBe(2 * PROBLEMS_PER_CHUNK_MAX + 1);
  expect(logged.at(-1)?.['message']).toBe(
    '7 more problems in the same batch are counted and not listed',
  );
  const { queries } = await driver.stats();
  expect(queries['CSAS_COPIED_1']?.errors).toBe(2 * PROBLEMS_PER_CHUNK_MAX + 7);
});

test('a query over the processing log does not feed it', async () => {
  await using driver = await started(`
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM copied AS SELECT k, v FROM s;
    CREATE STREAM numbers AS SELECT CAST(message AS INT) AS n FROM ksql_processing_log;`);
  await driver.pipe('s', [{ key: 'a', value: '{' }]);
  await driver.settle();
  expect((await problems(driver)).length).toBe(1);
  expect((await driver.texts('NUMBERS')).length).toBe(1);
});
