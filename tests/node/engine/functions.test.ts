// Functions of users through the engine: in statements, over a restart, in the processing log, in SHOW and DESCRIBE.

import { expect, test } from 'vitest';
import {
  aggregateFunction,
  open,
  type Overload,
  scalarFunction,
  StatementError,
  tableFunction,
} from '../../../runtime/index.ts';
import { TestDriver } from '../../../runtime/testing.ts';

const FUNCTIONS: readonly Overload[] = [
  scalarFunction({
    name: 'halved',
    description: 'Half of an even number.',
    category: 'MATHEMATICAL',
    parameters: [{ name: 'n', type: 'INT' }],
    returns: 'INT',
    call([n]) {
      if (n % 2 !== 0) throw new RangeError(`${n} is odd`);
      return n / 2;
    },
  }),
  aggregateFunction({
    name: 'LONGEST',
    description: 'The longest text; the given one while none is longer.',
    parameters: [{ name: 'text', type: 'STRING' }],
    constants: [{ name: 'least', type: 'STRING' }],
    state: ['STRING'],
    returns: 'STRING',
    initial: ({ constants: [least] }) => [least],
    add: ([held], [text]) => {
      if (text === 'bad') throw new Error('a bad word');
      return [(text ?? '').length > (held ?? '').length ? text : held];
    },
    merge: ([a], [b]) => [(b ?? '').length > (a ?? '').length ? b : a],
    result: ([held]) => held,
  }),
  tableFunction({
    name: 'WORDS',
    parameters: [{ name: 'text', type: 'STRING' }],
    returns: 'STRING',
    rows: ([text]) => text.split(' '),
  }),
];

const STREAM =
  "CREATE STREAM s (k STRING KEY, n INT, t STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";

const record = (n: number | null, t: string | null) => ({
  key: 'a',
  value: JSON.stringify({ n, t }),
  timestamp: 0,
});

test('queries call them, also after a crash, and say what failed', async () => {
  await using driver = new TestDriver({ functions: FUNCTIONS, delivery: 'outbox' });
  await driver.execute(`${STREAM}
    CREATE STREAM words AS SELECT k, HALVED(n) AS n, WORDS(t) AS word FROM s;
    CREATE TABLE longest AS SELECT k, LONGEST(word, 'four') AS w, COUNT(*) AS c FROM words GROUP BY k;`);
  await driver.pipe('s', [record(4, 'a longer one'), record(3, null), record(5, 'bad')]);
  await driver.settle();
  driver.crash();
  await driver.pipe('s', [record(null, 'the longest')]);
  await driver.settle();
  expect((await driver.texts('WORDS')).map(({ value }) => value)).toEqual([
    '{"N":2,"WORD":"a"}',
    '{"N":2,"WORD":"longer"}',
    '{"N":2,"WORD":"one"}',
    '{"N":null,"WORD":"bad"}',
    '{"N":null,"WORD":"the"}',
    '{"N":null,"WORD":"longest"}',
  ]);
  expect((await driver.texts('LONGEST')).map(({ value }) => value)).toEqual([
    '{"W":"four","C":1}',
    '{"W":"longer","C":2}',
    '{"W":"longer","C":3}',
    '{"W":"longer","C":4}',
    '{"W":"longer","C":5}',
    '{"W":"longest","C":6}',
  ]);
  const log = (await driver.texts('__processing_log')).map(({ value }) => {
    const { code, field, message, offset } = JSON.parse(value ?? '') as Record<string, unknown>;
    return { code, field, message, offset };
  });
  expect(log).toEqual([
    { code: 'EXPRESSION', field: 'N', message: 'HALVED failed: 5 is odd', offset: 2 },
    { code: 'EXPRESSION', field: 'AGGREGATE_0', message: 'LONGEST failed: a bad word', offset: 3 },
  ]);
  expect(await driver.query("SELECT w, c FROM longest WHERE k = 'a';")).toEqual([
    { W: 'longest', C: 6 },
  ]);
});

test('SHOW FUNCTIONS and DESCRIBE FUNCTION tell of them as of others', async () => {
  await using engine = await open({ functions: FUNCTIONS });
  const [shown] = await engine.execute('SHOW FUNCTIONS;');
  expect(JSON.stringify(shown)).toContain(
    '{"name":"HALVED","type":"SCALAR","category":"MATHEMATICAL"}',
  );
  expect(JSON.stringify(shown)).toContain('{"name":"EXPLODE","type":"TABLE","category":"TABLE"}');
  const [described] = await engine.execute('DESCRIBE FUNCTION longest;');
  expect(described).toMatchObject({
    name: 'LONGEST',
    type: 'AGGREGATE',
    functions: [
      {
        arguments: [
          { name: 'text', type: 'STRING' },
          { name: 'least', type: 'STRING' },
        ],
        returnType: 'STRING',
        description: 'The longest text; the given one while none is longer.',
      },
    ],
  });
});

test('a call that does not fit is refused with its place', async () => {
  await using engine = await open({ functions: FUNCTIONS });
  await engine.execute(STREAM);
  const refused = (sql: string) =>
    engine.execute(sql).then(
      () => null,
      (thrown: unknown) => (thrown instanceof StatementError ? thrown.message : thrown),
    );
  expect(await refused('CREATE TABLE x AS SELECT k, LONGEST(t, t) FROM s GROUP BY k;')).toBe(
    'line 1:40: argument 2 of LONGEST is not a constant',
  );
  expect(await refused('CREATE STREAM x AS SELECT k, HALVED(t) FROM s;')).toBe(
    'line 1:30: HALVED does not take (STRING)',
  );
});

test('a DECIMAL sum that overflows ends its query, and no other', async () => {
  await using engine = await open();
  await engine.execute(`
    CREATE STREAM s (k STRING KEY, v DECIMAL(3, 1)) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE sums AS SELECT k, SUM(v) AS total FROM s GROUP BY k;
    CREATE TABLE counts AS SELECT k, COUNT(v) AS n FROM s GROUP BY k;`);
  const [first, second] = [...engine.catalog.queries.keys()];
  for (let i = 0; i < 2; i++) {
    await engine.produce('s', [{ key: 'a', value: '{"v": 60.5}', timestamp: i }]);
  }
  const why = 'numeric overflow: a sum of DECIMAL(3, 1) came to 121.0';
  await expect(engine.idle()).rejects.toThrow(why);
  expect(engine.errorOf(first ?? '')?.message).toBe(why);
  expect(engine.errorOf(second ?? '')).toBe(null);
  expect((await engine.topicRecords('COUNTS')).length).toBe(2);
  expect((await engine.topicRecords('__dead_letters')).length).toBe(0);
});
