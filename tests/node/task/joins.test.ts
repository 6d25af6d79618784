// Joins in a task: one topic read by several sources, tables read as a whole, answers that come back, restarts.

import { expect, test } from 'vitest';
import { TestDriver } from '../../../runtime/memory/test-driver.ts';

async function started(
  statements: string,
  properties: Record<string, string> = {},
): Promise<TestDriver> {
  const driver = new TestDriver({
    properties: { 'auto.offset.reset': 'earliest', ...properties },
  });
  await driver.execute(statements);
  return driver;
}

async function values(driver: TestDriver, topic: string): Promise<(string | null)[]> {
  await driver.settle();
  return (await driver.texts(topic)).map(({ value }) => value);
}

interface Joined {
  readonly TV: number | null;
  readonly SV?: number | null | undefined;
}

const TWO_OVER_ONE = `
  CREATE STREAM a (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM b (k STRING KEY, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');`;

test('two streams over one topic are joined record by record: the first is there when the second looks', async () => {
  await using driver = await started(`${TWO_OVER_ONE}
    CREATE STREAM j AS SELECT a.k AS k, a.v AS av, b.v AS bv FROM a JOIN b WITHIN 10 SECONDS ON a.k = b.k;`);
  await driver.pipe('t', [
    { key: 'x', value: '{"V":1}', timestamp: 1 },
    { key: 'x', value: '{"V":2}', timestamp: 2 },
  ]);
  expect(await values(driver, 'J')).toEqual([
    '{"AV":1,"BV":1}',
    '{"AV":2,"BV":1}',
    '{"AV":1,"BV":2}',
    '{"AV":2,"BV":2}',
  ]);
});

test('a record that two sources cannot read is one problem, and one record of the input', async () => {
  await using driver = await started(`${TWO_OVER_ONE}
    CREATE STREAM j AS SELECT a.k AS k, a.v AS av, b.v AS bv FROM a JOIN b WITHIN 10 SECONDS ON a.k = b.k;`);
  await driver.pipe('t', [
    { key: 'x', value: '{"V":' },
    { key: 'x', value: '{"V":2}' },
  ]);
  expect(await values(driver, 'J')).toEqual(['{"AV":2,"BV":2}']);
  expect(await driver.texts('__processing_log')).toHaveLength(1);
});

test.each(['auto', 'never'])(
  'a join by foreign key follows both tables (fuse %s)',
  async (fuse) => {
    await using driver = await started(
      `CREATE TABLE l (id INT PRIMARY KEY, r INT) WITH (KAFKA_TOPIC='l', PARTITIONS=1, VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
     CREATE TABLE r (id INT PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='r', PARTITIONS=1, VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
     CREATE TABLE j AS SELECT l.id AS id, r.v AS v FROM l JOIN r ON l.r = r.id;`,
      { 'millrace.fuse': fuse },
    );
    const pipe = async (topic: string, key: number, value: string | null): Promise<void> => {
      await driver.pipe(topic, [{ key: String(key), value }]);
      await driver.settle();
    };
    await pipe('l', 1, '{"R":7}');
    await pipe('l', 2, '{"R":7}');
    await pipe('r', 7, '{"V":"seven"}');
    await pipe('l', 1, '{"R":8}');
    await pipe('r', 8, '{"V":"eight"}');
    await pipe('r', 7, null);
    await pipe('l', 1, null);
    const texts = await driver.texts('J');
    expect(texts.map(({ key, value }) => [key, value])).toEqual([
      ['1', '{"V":"seven"}'],
      ['2', '{"V":"seven"}'],
      ['1', null],
      ['1', '{"V":"eight"}'],
      ['2', null],
      ['1', null],
    ]);
  },
);

test('a table that is joined is read as a whole, though the stream is read from its end', async () => {
  await using driver = await started(
    `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
     CREATE TABLE t (k STRING PRIMARY KEY, w INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');`,
    { 'auto.offset.reset': 'latest' },
  );
  await driver.pipe('s', [{ key: 'x', value: '{"V":1}' }]);
  await driver.pipe('t', [{ key: 'x', value: '{"W":5}' }]);
  await driver.execute(
    'CREATE STREAM j AS SELECT s.k AS k, s.v AS v, t.w AS w FROM s JOIN t ON s.k = t.k;',
  );
  await driver.pipe('s', [{ key: 'x', value: '{"V":2}' }]);
  expect(await values(driver, 'J')).toEqual(['{"V":2,"W":5}']);
});

test.each([
  ['a table', 'JOIN t ON s.k = t.k', 'CREATE TABLE t (k STRING PRIMARY KEY, w INT)'],
  ['a stream', 'JOIN t WITHIN 1 SECOND ON s.k = t.k', 'CREATE STREAM t (k STRING KEY, w INT)'],
])(
  'rows joined with %s in turn keep the headers of their records, and their problems name them',
  async (_, joins, source) => {
    await using driver = await started(
      `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
       ${source} WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');
       CREATE STREAM j AS SELECT s.k AS k, 12 / s.v AS x, t.w AS w FROM s ${joins};`,
    );
    const record = (key: string, value: string, timestamp: number) => ({
      key,
      value,
      timestamp,
      headers: [{ name: 'at', value: Uint8Array.of(timestamp) }],
    });
    // The first of each key looks and finds nothing; the second one finds it, whichever side it is of where both are streams.
    await driver.pipe('t', [
      record('a', '{"W":1}', 1),
      record('b', '{"W":2}', 3),
      record('c', '{"W":3}', 5),
    ]);
    await driver.pipe('s', [
      record('a', '{"V":6}', 2),
      record('b', '{"V":0}', 4),
      record('c', '{"V":3}', 6),
    ]);
    expect(await values(driver, 'J')).toEqual([
      '{"X":2,"W":1}',
      '{"X":null,"W":2}',
      '{"X":4,"W":3}',
    ]);
    const joined = await driver.records('J');
    expect(joined.map(({ headers }) => headers[0]?.value?.[0])).toEqual([2, 4, 6]);
    const [problem, ...others] = await driver.texts('__processing_log');
    expect(JSON.parse(problem?.value ?? '')).toMatchObject({ topic: 's', offset: 1, field: 'X' });
    expect(others).toEqual([]);
  },
);

test.each([
  ['by the keys of both', 's.k = t.k', 'JOIN'],
  ['by a new key', 's.w = t.k', 'JOIN'],
  ['by a new key, with rows that find none', 's.w = t.k', 'LEFT JOIN'],
])(
  'what a WHERE says of the stream alone, and cannot fail, is asked before a table is looked up: %s',
  async (_, on, joins) => {
    const select = `SELECT s.k AS k, s.w AS w, t.k AS tk, t.v AS tv FROM s ${joins} t ON ${on}`;
    await using driver = await started(
      `CREATE STREAM s (k STRING KEY, v INT, w STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
       CREATE TABLE t (k STRING PRIMARY KEY, v INT, w STRING) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');
       CREATE STREAM j AS ${select} WHERE s.v > 1 AND (t.v = 7 OR t.v IS NULL) AND s.v IN (2, 3) AND 6 / s.v = 3;
       CREATE STREAM a AS ${select.replace('SELECT', 'SELECT s.v AS sv,')};`,
    );
    await driver.pipe('t', [
      { key: 'x', value: '{"V":7,"W":"t"}', timestamp: 0 },
      { key: 'y', value: '{"V":8,"W":"t"}', timestamp: 0 },
    ]);
    const rows = [0, 1, 2, 3, null].flatMap((v) =>
      ['x', 'y', 'z'].map((key) => ({
        key,
        value: JSON.stringify({ V: v, W: key }),
        timestamp: 1,
      })),
    );
    await driver.pipe('s', [...rows, { key: 'x', value: null, timestamp: 1 }]);
    await driver.settle();
    const all = (await driver.texts('A')).map(({ value }) => JSON.parse(value ?? '') as Joined);
    const passing = all.filter(({ SV, TV }) => SV === 2 && (TV === 7 || TV === null));
    const joined = (await driver.texts('J')).map(({ value }) => JSON.parse(value ?? '') as Joined);
    expect(joined).toEqual(passing.map(({ SV: _sv, ...row }) => row));
    expect(joined.length).toBeGreaterThan(0);
    // Of rows that do not come so far no division is tried.
    expect(await driver.texts('__processing_log')).toEqual([]);
  },
);

test('a row that was joined with one table sees of the next one what had come by then', async () => {
  const table = (name: string): string =>
    `CREATE TABLE ${name} (k STRING PRIMARY KEY, w INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  await using driver = await started(
    `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
     ${table('t')} ${table('u')}`,
  );
  const record = (value: string, timestamp: number) => ({ key: 'a', value, timestamp });
  await driver.pipe('t', [record('{"W":1}', 1), record('{"W":2}', 5)]);
  await driver.pipe('u', [record('{"W":3}', 3), record('{"W":4}', 7)]);
  await driver.pipe(
    's',
    [2, 4, 6, 8].map((ms) => record(`{"V":${ms}}`, ms)),
  );
  // All is there before the query looks: what comes later does not wait for it.
  await driver.execute(`CREATE STREAM j AS SELECT s.k AS k, s.v AS v, t.w AS tw, u.w AS uw
    FROM s JOIN t ON s.k = t.k LEFT JOIN u ON s.k = u.k;`);
  expect(await values(driver, 'J')).toEqual([
    '{"V":2,"TW":1,"UW":null}',
    '{"V":4,"TW":1,"UW":3}',
    '{"V":6,"TW":2,"UW":3}',
    '{"V":8,"TW":2,"UW":4}',
  ]);
});
