// Rows in and out through the engine: exact values, odd names, bad records, pull and push queries.

import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v BIGINT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;
const LATEST = `CREATE TABLE latest AS SELECT k, COUNT(*) AS n, MAX(v) AS v FROM s GROUP BY k;`;

async function started(statements = STREAM + LATEST): Promise<Engine> {
  const engine = await open();
  await engine.execute(statements);
  return engine;
}

async function pull(engine: Engine, sql: string) {
  await engine.idle();
  return (await engine.query(sql)).all();
}

test('keeps 2^53 + 1 exact from a row to a record, a table and a pull query', async () => {
  await using engine = await started();
  const beyond = 2n ** 53n + 1n;
  await engine.insert('s', { k: 'a', v: beyond });
  await engine.execute("INSERT INTO s (k, v) VALUES ('b', 9007199254740993);");
  await engine.produce('s', [{ key: 'c', value: '{"V":9007199254740993}' }]);
  expect(await pull(engine, 'SELECT k, v FROM latest;')).toEqual([
    { K: 'a', V: beyond },
    { K: 'b', V: beyond },
    { K: 'c', V: beyond },
  ]);
  const [record] = await engine.topicRecords('s');
  expect(new TextDecoder().decode(record?.value ?? undefined)).toBe('{"V":9007199254740993}');
});

test('takes __proto__ and constructor for keys and columns like any other', async () => {
  await using engine = await started(
    'CREATE STREAM `__proto__` (`constructor` STRING KEY, `__proto__` BIGINT)' +
      " WITH (KAFKA_TOPIC='proto', PARTITIONS=1, VALUE_FORMAT='JSON');" +
      'CREATE TABLE t AS SELECT `constructor`, SUM(`__proto__`) AS `toString` FROM `__proto__` GROUP BY `constructor`;',
  );
  await engine.insert('__proto__', { constructor: '__proto__', ['__proto__']: 41 });
  await engine.insert('__proto__', { constructor: '__proto__', ['__proto__']: 1 });
  const [row] = await pull(engine, "SELECT * FROM t WHERE `constructor` = '__proto__';");
  expect(Object.entries(row ?? {})).toEqual([
    ['constructor', '__proto__'],
    ['toString', 42],
  ]);
  expect((await engine.stats()).topics['proto']).toEqual({ in: 2 });
});

test('skips a damaged record, counts it, and says where and why in the processing log', async () => {
  await using engine = await started();
  await engine.produce('s', [
    { key: 'a', value: '{"V":1}' },
    { key: 'a', value: '{"V":tru', timestamp: 77 },
    { key: 'a', value: '{"V":"x"}' },
    { key: 'a', value: '{"V":2}' },
  ]);
  expect(await pull(engine, "SELECT n, v FROM latest WHERE k = 'a';")).toEqual([{ N: 2, V: 2 }]);
  const { queries } = await engine.stats();
  expect(queries['CTAS_LATEST_1']).toMatchObject({ in: 4, out: 2, errors: 2 });
  const problems = await engine.query(
    'SELECT *, ROWTIME FROM ksql_processing_log EMIT CHANGES LIMIT 2;',
    {
      properties: { 'auto.offset.reset': 'earliest' },
    },
  );
  const [damaged, mistyped] = await problems.all();
  expect(damaged).toMatchObject({
    QUERY: 'CTAS_LATEST_1',
    TASK: 'CTAS_LATEST_1/0/0',
    TOPIC: 's',
    PARTITION: 0,
    OFFSET: 1,
    CODE: 'DESERIALIZATION',
    ROWTIME: 77,
  });
  expect(mistyped).toMatchObject({ OFFSET: 2, CODE: 'DESERIALIZATION' });
  expect(mistyped?.['FIELD']).toContain('V');
  expect(mistyped?.['MESSAGE']).not.toBe('');
});

test('refuses rows that do not fit and takes the next one', async () => {
  await using engine = await started();
  await expect(engine.insert('absent', { k: 'a' })).rejects.toMatchObject({
    code: 'UNKNOWN_SOURCE',
  });
  await expect(engine.insert('s', { kk: 'a' })).rejects.toMatchObject({ code: 'UNKNOWN_COLUMN' });
  await expect(engine.insert('s', { v: 'x' })).rejects.toMatchObject({ code: 'TYPE_MISMATCH' });
  await expect(engine.insert('s', { v: 1.5 })).rejects.toMatchObject({ code: 'TYPE_MISMATCH' });
  await expect(engine.insert('s', { v: 2n ** 63n })).rejects.toMatchObject({
    code: 'TYPE_MISMATCH',
  });
  await expect(engine.insert('ksql_processing_log', {})).rejects.toMatchObject({ code: 'INVALID' });
  const dropping = engine.execute('DROP STREAM ksql_processing_log;');
  await expect(dropping).rejects.toMatchObject({ code: 'IN_USE' });
  await expect(engine.produce('absent', [])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  const tooLarge = { value: new Uint8Array(1_000_000) };
  await expect(engine.produce('s', [tooLarge])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
  expect(await engine.insert('s', { k: 'a', v: 1 }, { timestamp: 5 })).toEqual({
    partition: 0,
    offset: 0,
  });
  expect((await engine.topicRecords('s'))[0]?.timestamp).toBe(5);
});

test('writes rows of every type as records and reads them back', async () => {
  await using engine =
    await started(`CREATE STREAM all_types (k INT KEY, b BOOLEAN, i INT, l BIGINT, d DOUBLE,
      e DECIMAL(6, 2), s STRING, y BYTES, t TIME, u DATE, w TIMESTAMP, a ARRAY<INT>, m MAP<STRING, BIGINT>,
      r STRUCT<x INT, y STRING>)
    WITH (KAFKA_TOPIC='all', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  const row = {
    k: 7,
    b: true,
    i: -1,
    l: 5,
    d: 0.5,
    e: '12.30',
    s: 'ä"',
    y: Uint8Array.of(1, 255),
    t: 1000,
    u: 19_000,
    w: 1_700_000_000_000,
    a: [1, null, 3],
    m: { one: 1, __proto2__: 2 },
    r: { x: 1, Y: 'y' },
  };
  await using rows = await engine.query('SELECT * FROM all_types EMIT CHANGES LIMIT 2;');
  await engine.insert('all_types', row);
  await engine.insert('all_types', { k: 8 });
  const [full, empty] = await rows.all();
  expect(full).toEqual({
    K: 7,
    B: true,
    I: -1,
    L: 5,
    D: 0.5,
    E: '12.30',
    S: 'ä"',
    Y: Uint8Array.of(1, 255),
    T: 1000,
    U: 19_000,
    W: 1_700_000_000_000,
    A: [1, null, 3],
    M: new Map([
      ['one', 1],
      ['__proto2__', 2],
    ]),
    R: { X: 1, Y: 'y' },
  });
  expect(empty).toMatchObject({ K: 8, B: null, E: null, A: null, R: null });
});

test('pulls by key, by window and by scan, with filter, projection and limit', async () => {
  await using engine = await started(`${STREAM}
    CREATE TABLE w AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY k;`);
  for (const [k, timestamp] of [
    ['a', 1000],
    ['a', 2000],
    ['b', 3000],
    ['a', 12_000],
    ['a', 25_000],
  ] as const) {
    await engine.insert('s', { k, v: 1 }, { timestamp });
  }
  expect(await pull(engine, "SELECT * FROM w WHERE k = 'a';")).toEqual([
    { K: 'a', WINDOWSTART: 0, WINDOWEND: 10_000, N: 2 },
    { K: 'a', WINDOWSTART: 10_000, WINDOWEND: 20_000, N: 1 },
    { K: 'a', WINDOWSTART: 20_000, WINDOWEND: 30_000, N: 1 },
  ]);
  const within = "SELECT n FROM w WHERE k = 'a' AND WINDOWSTART >= 10000 AND WINDOWSTART < 20000;";
  expect(await pull(engine, within)).toEqual([{ N: 1 }]);
  expect(await pull(engine, "SELECT n, k FROM w WHERE k IN ('b', 'absent');")).toEqual([
    { N: 1, K: 'b' },
  ]);
  expect(await pull(engine, 'SELECT k, n + 1 AS m FROM w WHERE n > 1;')).toEqual([
    { K: 'a', M: 3 },
  ]);
  expect((await pull(engine, 'SELECT * FROM w LIMIT 2;')).length).toBe(2);
  expect(await pull(engine, "SELECT * FROM w WHERE k = 'absent';")).toEqual([]);
  const rows = await engine.query('SELECT n, k FROM w LIMIT 1;');
  expect(rows.columns).toEqual([
    { name: 'N', type: 'BIGINT' },
    { name: 'K', type: 'STRING' },
  ]);
  expect(rows.kind).toBe('pull');
});

test('pushes what comes after the subscription, in the order of the SELECT, until the limit', async () => {
  await using engine = await started();
  await engine.insert('s', { k: 'before', v: 0 });
  await using rows = await engine.query('SELECT v, k FROM s WHERE v <> 2 EMIT CHANGES LIMIT 2;');
  expect(rows.columns.map(({ name }) => name)).toEqual(['V', 'K']);
  for (const v of [1, 2, 3, 4]) await engine.insert('s', { k: 'a', v });
  expect(await rows.all()).toEqual([
    { V: 1, K: 'a' },
    { V: 3, K: 'a' },
  ]);
  await expect(rows.all()).rejects.toMatchObject({ code: 'INVALID' });
});

test('pushes an aggregation of its own, over repartitioned partitions', async () => {
  await using engine = await started(STREAM.replace('PARTITIONS=1', 'PARTITIONS=3'));
  for (let v = 0; v < 30; v++) await engine.insert('s', { k: `k${v}`, v: v % 2 });
  const sql = 'SELECT v, COUNT(*) AS n FROM s GROUP BY v EMIT CHANGES LIMIT 30;';
  await using rows = await engine.query(sql, { properties: { 'auto.offset.reset': 'earliest' } });
  const last = new Map((await rows.all()).map(({ V, N }) => [V, N]));
  expect(last).toEqual(
    new Map([
      [0, 15],
      [1, 15],
    ]),
  );
  // Its internal topics were its own: the host has none of them.
  expect((await engine.execute('SHOW TOPICS;'))[0]?.['topics']).toEqual([
    { name: 's', replicaInfo: [1, 1, 1] },
  ]);
});

test('ends a push query with its signal, with its loop and with the engine', async () => {
  const engine = await started();
  const abort = new AbortController();
  const aborted = await engine.query('SELECT * FROM s EMIT CHANGES;', { signal: abort.signal });
  const left = await engine.query('SELECT * FROM s EMIT CHANGES;');
  await engine.insert('s', { k: 'a', v: 1 });
  for await (const row of left) {
    expect(row).toEqual({ K: 'a', V: 1 });
    break;
  }
  const seen: unknown[] = [];
  for await (const row of aborted) {
    seen.push(row);
    abort.abort();
  }
  expect(seen.length).toBe(1);
  await expect(
    engine.query('SELECT * FROM s EMIT CHANGES;', { signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({ name: 'AbortError' });
  const waiting = (await engine.query('SELECT * FROM s EMIT CHANGES;')).all();
  await engine.close();
  expect(await waiting).toEqual([]);
});

test('an abort while a push query is prepared ends it before it is handed out', async () => {
  await using engine = await started();
  const abort = new AbortController();
  const query = engine.query('SELECT * FROM s EMIT CHANGES;', { signal: abort.signal });
  abort.abort();
  await expect(query).rejects.toMatchObject({ name: 'AbortError' });
});

test('a push query from the latest offset skips nothing when it must be opened again', async () => {
  const host = memoryHost({ kernel: null });
  let isDue = true;
  const read: typeof host.log.read = async (...from) => {
    const fetched = await host.log.read(...from);
    if (fetched.batches.length === 0 || !isDue) return fetched;
    isDue = false;
    throw new PortError('UNAVAILABLE', 'once');
  };
  const log = new Proxy(host.log, {
    get: (target, name) => {
      if (name === 'read') return read;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  await using engine = await open({ host: { ...host, log } });
  await engine.execute(STREAM);
  await using rows = await engine.query('SELECT k, v FROM s EMIT CHANGES LIMIT 1;');
  await engine.insert('s', { k: 'a', v: 1 });
  expect(await rows.all()).toEqual([{ K: 'a', V: 1 }]);
  expect(isDue).toBe(false);
});

test('two push queries over one source have ids of their own', async () => {
  await using engine = await started();
  await using first = await engine.query('SELECT * FROM s EMIT CHANGES;');
  await using second = await engine.query('SELECT * FROM s EMIT CHANGES;');
  expect(first.queryId).toMatch(/^TRANSIENT_S_/);
  expect(second.queryId).not.toBe(first.queryId);
});

test('shows a deleted row of a table as a deletion', async () => {
  await using engine = await started(
    "CREATE TABLE t (k STRING PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  await using rows = await engine.query('SELECT * FROM t EMIT CHANGES LIMIT 2;');
  await engine.insert('t', { k: 'a', v: 1 });
  await engine.produce('t', [{ key: 'a', value: null }]);
  const changes = await Array.fromAsync(rows.changes());
  expect(changes.map(({ row, isDelete }) => [row['K'], row['V'], isDelete])).toEqual([
    ['a', 1, false],
    ['a', null, true],
  ]);
});

test('takes encoded batches into columnar sources, each row to the partition of its key', async () => {
  await using engine = await started(
    `CREATE STREAM c (k STRING KEY, v BIGINT, ts BIGINT) WITH (KAFKA_TOPIC='c', PARTITIONS=3, FORMAT='COLUMNAR', TIMESTAMP='ts');
     CREATE TABLE t AS SELECT k, SUM(v) AS total FROM c GROUP BY k;`,
  );
  const source = engine.catalog.source('C');
  const builder = new BatchBuilder(source.schema);
  for (let i = 0; i < 100; i++) builder.append([`k${i % 5}`, BigInt(i), BigInt(1000 + i)], 0);
  const batch = builder.finish();
  if (batch === null) throw new Error('there are rows');
  await engine.insertBatch('c', batch);
  const rows = await pull(engine, "SELECT total, ROWTIME FROM t WHERE k = 'k3';");
  expect(rows).toEqual([{ TOTAL: 1010, ROWTIME: 1098 }]);
  await expect(engine.insertBatch('absent', batch)).rejects.toMatchObject({
    code: 'UNKNOWN_SOURCE',
  });
});
