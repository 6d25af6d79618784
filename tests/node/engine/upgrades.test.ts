// CREATE OR REPLACE while queries run: what goes on, what is refused, and what a restart finds.

import { expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { refusal } from '../../support/refusal.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v BIGINT, w BIGINT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');`;
const TABLE = `CREATE TABLE users (id INT PRIMARY KEY, name STRING, age INT)
  WITH (KAFKA_TOPIC='users', PARTITIONS=2, VALUE_FORMAT='JSON');`;

async function rows(engine: Engine, sql: string): Promise<unknown[]> {
  await engine.idle();
  await using answer = await engine.query(sql);
  return await answer.all();
}

async function recordsOf(engine: Engine, topic: string): Promise<number> {
  await engine.idle();
  const { topics } = await engine.stats();
  return topics[topic]?.in ?? 0;
}

test('a replaced query goes on behind what the old one has read, under its id', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE STREAM u AS SELECT k, v FROM s;`);
  await engine.insert('s', { k: 'a', v: 1, w: 2 });
  expect(await recordsOf(engine, 'U')).toBe(1);
  const [status] = await engine.execute(
    'CREATE OR REPLACE STREAM u AS SELECT k, v, w FROM s WHERE v > 1;',
  );
  expect(status).toMatchObject({
    commandId: 'stream/U/create',
    commandStatus: { message: 'Upgraded query with ID CSAS_U_1', queryId: 'CSAS_U_1' },
  });
  await engine.insert('s', [
    { k: 'a', v: 1, w: 3 },
    { k: 'a', v: 2, w: 4 },
  ]);
  expect(await recordsOf(engine, 'U')).toBe(2);
  expect([...engine.catalog.queries.keys()]).toEqual(['CSAS_U_1']);
  expect(engine.catalog.source('U').schema.columns.map(({ name }) => name)).toEqual([
    'K',
    'V',
    'W',
  ]);
});

test('an aggregation keeps what it has counted when its filter changes, and after a restart', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute(
      `${STREAM} CREATE TABLE n AS SELECT k, SUM(v) AS total FROM s WHERE v < 10 GROUP BY k;`,
    );
    await engine.insert('s', { k: 'a', v: 5 });
    await engine.idle();
    await engine.execute(
      'CREATE OR REPLACE TABLE n AS SELECT k, SUM(v) AS total FROM s WHERE v < 100 GROUP BY k;',
    );
    await engine.insert('s', { k: 'a', v: 50 });
    expect(await rows(engine, "SELECT * FROM n WHERE k = 'a';")).toEqual([{ K: 'a', TOTAL: 55 }]);
  }
  await using engine = await open({ host });
  await engine.insert('s', [
    { k: 'a', v: 500 },
    { k: 'a', v: 1 },
  ]);
  expect(await rows(engine, "SELECT * FROM n WHERE k = 'a';")).toEqual([{ K: 'a', TOTAL: 56 }]);
});

test('rows of a table stay when more of their columns are read; those are null until they come', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute(`${TABLE} CREATE TABLE named AS SELECT id, name FROM users;`);
    await engine.insert('users', [
      { id: 1, name: 'ann', age: 30 },
      { id: 2, name: 'bob', age: 40 },
    ]);
    await engine.idle();
    await engine.execute('CREATE OR REPLACE TABLE named AS SELECT id, name, age FROM users;');
    await engine.insert('users', { id: 2, name: 'bob', age: 41 });
    expect(await rows(engine, 'SELECT * FROM named WHERE id IN (1, 2);')).toEqual([
      { ID: 1, NAME: 'ann', AGE: null },
      { ID: 2, NAME: 'bob', AGE: 41 },
    ]);
  }
  await using engine = await open({ host });
  await engine.execute(
    "CREATE OR REPLACE TABLE named AS SELECT id, name, age, UCASE(name) AS loud FROM users WHERE name <> 'x';",
  );
  expect(await rows(engine, 'SELECT * FROM named WHERE id IN (1, 2);')).toEqual([
    { ID: 1, NAME: 'ann', AGE: null, LOUD: 'ANN' },
    { ID: 2, NAME: 'bob', AGE: 41, LOUD: 'BOB' },
  ]);
});

test('a column that only a filter reads is kept for the filter that comes back', async () => {
  await using engine = await open();
  await engine.execute(
    `${TABLE} CREATE TABLE adults AS SELECT id, name FROM users WHERE age >= 18;`,
  );
  await engine.insert('users', [
    { id: 1, name: 'ann', age: 30 },
    { id: 2, name: 'kid', age: 8 },
  ]);
  await engine.idle();
  await engine.execute('CREATE OR REPLACE TABLE adults AS SELECT id, name FROM users;');
  await engine.insert('users', { id: 3, name: 'tot', age: 2 });
  expect(await rows(engine, 'SELECT id FROM adults;')).toHaveLength(3);
  await engine.execute(
    'CREATE OR REPLACE TABLE adults AS SELECT id, name FROM users WHERE age >= 18;',
  );
  expect(await rows(engine, 'SELECT id FROM adults;')).toEqual([{ ID: 1 }]);
});

test('a paused query that is replaced stays paused', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE STREAM u AS SELECT k, v FROM s; PAUSE csas_u_1;`);
  await engine.execute('CREATE OR REPLACE STREAM u AS SELECT k, v, w FROM s;');
  await engine.insert('s', { k: 'a', v: 1 });
  expect(await recordsOf(engine, 'U')).toBe(0);
  await engine.execute('RESUME csas_u_1;');
  expect(await recordsOf(engine, 'U')).toBe(1);
});

test('a paused query that is replaced answers with its rows in their new columns', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute(`${TABLE} CREATE TABLE named AS SELECT id, name FROM users;`);
    await engine.insert('users', { id: 1, name: 'ann', age: 30 });
    await engine.idle();
    await engine.execute(
      'PAUSE ALL; CREATE OR REPLACE TABLE named AS SELECT id, name, age FROM users;',
    );
    const expected = [{ ID: 1, NAME: 'ann', AGE: null }];
    expect(await rows(engine, 'SELECT * FROM named;')).toEqual(expected);
  }
  await using engine = await open({ host });
  expect(await rows(engine, 'SELECT * FROM named;')).toHaveLength(1);
  const [queries] = await engine.execute('SHOW QUERIES;');
  expect(queries?.['queries']).toMatchObject([{ state: 'PAUSED' }]);
});

test('numbers of queries go on behind replaced ones, after a restart too', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute(`${STREAM} CREATE STREAM u AS SELECT k, v FROM s;
      CREATE OR REPLACE STREAM u AS SELECT k, v FROM s WHERE v > 1;`);
  }
  await using engine = await open({ host });
  const [status] = await engine.execute('CREATE STREAM x AS SELECT * FROM s;');
  expect(status).toMatchObject({ commandStatus: { queryId: 'CSAS_X_2' } });
});

test('EXPLAIN of a replacement shows the plan that would run', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE STREAM u AS SELECT k, v FROM s;`);
  const [described] = await engine.execute(
    'EXPLAIN CREATE OR REPLACE STREAM u AS SELECT k, v FROM s WHERE v > 1;',
  );
  expect(JSON.stringify(described)).toContain('filter');
});

test('a terminated query is no hindrance: a new one writes the stream', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} CREATE STREAM u AS SELECT k, v FROM s; TERMINATE csas_u_1;`);
  const [status] = await engine.execute('CREATE OR REPLACE STREAM u AS SELECT k, v, w FROM s;');
  expect(status).toMatchObject({ commandStatus: { queryId: 'CSAS_U_2' } });
});

test.each([
  ['CREATE OR REPLACE STREAM u AS SELECT k, w FROM s;', '`V` BIGINT changed, went away or moved'],
  ['CREATE OR REPLACE STREAM u AS SELECT k, v FROM s PARTITION BY v;', 'its key is'],
  ["CREATE OR REPLACE STREAM u WITH (KAFKA_TOPIC='x') AS SELECT k, v FROM s;", 'its topic is U'],
  [
    "CREATE OR REPLACE STREAM u WITH (VALUE_FORMAT='DELIMITED') AS SELECT k, v FROM s;",
    'its value format is JSON',
  ],
  ["CREATE OR REPLACE STREAM u WITH (TIMESTAMP='v') AS SELECT k, v FROM s;", 'timestamp column'],
  ['CREATE OR REPLACE TABLE u AS SELECT k, COUNT(*) FROM s GROUP BY k;', 'U is a stream'],
  ['CREATE OR REPLACE STREAM u AS SELECT k, v FROM o;', 'the topic that it reads'],
  [
    "CREATE OR REPLACE STREAM u (k STRING KEY, v BIGINT) WITH (KAFKA_TOPIC='U', VALUE_FORMAT='JSON');",
    'is made by the query CSAS_U_1',
  ],
  [
    'CREATE OR REPLACE TABLE n AS SELECT k, COUNT(*) AS n FROM s WHERE v > 1 GROUP BY k;',
    'the list of columns that it reads',
  ],
  [
    'CREATE OR REPLACE TABLE n AS SELECT k, SUM(w) AS n FROM s GROUP BY k;',
    'the list of its aggregates',
  ],
  ['CREATE OR REPLACE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;', 'its window is'],
  [
    'CREATE OR REPLACE TABLE t AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) WHERE v > 1 GROUP BY k;',
    'over windows',
  ],
])('%s is refused: %s', async (sql, why) => {
  await using engine = await open();
  await engine.execute(`${STREAM}
    CREATE STREAM o (k STRING KEY, v BIGINT) WITH (KAFKA_TOPIC='o', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE STREAM u AS SELECT k, v FROM s;
    CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY k;`);
  const error = await refusal(engine, sql);
  expect(error.code).toBe('INVALID');
  expect(error.message).toContain(why);
  expect(error.hint).not.toBe('');
  await engine.insert('s', { k: 'a', v: 1 });
  expect(await recordsOf(engine, 'U')).toBe(1);
});

test('CREATE OR REPLACE can be switched off', async () => {
  await using engine = await open();
  await engine.execute(`${STREAM} SET 'ksql.create.or.replace.enabled' = 'false';`);
  const error = await refusal(engine, STREAM.replace('CREATE', 'CREATE OR REPLACE'));
  expect(error.message).toContain('switched off');
});
