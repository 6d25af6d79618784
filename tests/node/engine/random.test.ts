// RANDOM and UUID in queries: other ones in each installation, for each row and each call.

import { expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const SQL = `CREATE STREAM s (xs ARRAY<INT>) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM ids AS SELECT UUID() AS a, UUID() AS b, EXPLODE(xs) AS x FROM s;`;
const VERSION_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** The UUIDs that an installation of its own makes of the same statements and records. */
async function uuids(): Promise<string[]> {
  await using engine = await open();
  await engine.execute(SQL);
  await engine.produce(
    's',
    Array.from({ length: 3 }, () => ({ key: null, value: '{"XS":[1,2]}', timestamp: 7 })),
  );
  await engine.idle();
  const rows = (await (await engine.query('SELECT a, b FROM ids;')).all()) as {
    A: string;
    B: string;
  }[];
  expect(rows).toHaveLength(6);
  return rows.flatMap(({ A, B }) => [A, B]);
}

test('two installations make other UUIDs of the same statements and records, each once and of version 4', async () => {
  const made = [...(await uuids()), ...(await uuids())];
  expect(new Set(made).size).toBe(24);
  for (const uuid of made) expect(uuid).toMatch(VERSION_4);
});

test('what WHERE draws says nothing of what the SELECT draws', async () => {
  await using engine = await open();
  await engine.execute(`CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM t AS SELECT RANDOM() AS r FROM s WHERE RANDOM() < 0.5;`);
  await engine.produce(
    's',
    Array.from({ length: 400 }, () => ({ key: null, value: '{"V":1}' })),
  );
  await engine.idle();
  const rows = await (await engine.query('SELECT r FROM t;')).all();
  const above = rows.filter(({ R }) => Number(R) > 0.5).length;
  expect(rows.length).toBeGreaterThan(130);
  expect(rows.length).toBeLessThan(270);
  expect(above).toBeGreaterThan(rows.length * 0.3);
  expect(above).toBeLessThan(rows.length * 0.7);
});

test('pull and push queries give each row UUIDs of its own', async () => {
  await using engine = await open();
  await engine.execute(`CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`);
  await engine.produce(
    's',
    ['a', 'b', 'c'].map((key) => ({ key, value: '{"V":1}' })),
  );
  await engine.idle();
  const sql = [
    'SELECT UUID() AS u FROM t;',
    'SELECT UUID() AS u FROM t;',
    'SELECT UUID() AS u FROM s;',
    'SELECT UUID() AS u FROM s;',
  ];
  const made: unknown[] = [];
  for (const one of sql) made.push(...(await (await engine.query(one)).all()).map(({ U }) => U));
  const push = await engine.query('SELECT UUID() AS u FROM s EMIT CHANGES LIMIT 3;', {
    properties: { 'auto.offset.reset': 'earliest' },
  });
  made.push(...(await push.all()).map(({ U }) => U));
  expect(made).toHaveLength(15);
  expect(new Set(made).size).toBe(15);
  for (const uuid of made) expect(uuid).toMatch(VERSION_4);
});

test.each(['kernel', 'row'])(
  'final rows of one moment have UUIDs of their own, path %s',
  async (path) => {
    await using engine = await open({ host: memoryHost({ kernel: kernelModule() }) });
    await engine.execute(`SET 'millrace.path' = '${path}';
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE t AS SELECT k, COUNT(*) AS n, UUID() AS u FROM s
      WINDOW TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 0 MILLISECONDS) GROUP BY k EMIT FINAL;`);
    // By key a, b, c, d: the rowtimes 1, 2, 1, 2.
    const rows = [
      ...['a', 'c'].map((key) => ({ key, timestamp: 1 })),
      ...['b', 'd', 'end'].map((key) => ({ key, timestamp: key === 'end' ? 10 : 2 })),
    ];
    await engine.produce(
      's',
      rows.map((row) => ({ ...row, value: '{"V":1}' })),
    );
    await engine.idle();
    const made = (await (await engine.query('SELECT k, u FROM t;')).all()).map(({ U }) => U);
    expect(made).toHaveLength(4);
    expect(new Set(made).size).toBe(4);
  },
);
