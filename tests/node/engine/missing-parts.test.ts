// An engine that has fetched nothing gives what one gives that has fetched everything: all work that comes upon missing code is done again.

import { afterEach, expect, test } from 'vitest';
import { encodeUtf8, decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { LimitError } from '../../../runtime/base/errors.ts';
import { RARE_RECORDS } from '../../../runtime/data/parts.ts';
import { open } from '../../../runtime/engine/open.ts';
import type { ProducedRecord } from '../../../runtime/engine/insert.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { scalarFunction } from '../../../runtime/index.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { PARTS_BY_FOLDER, takeAway } from '../../support/taken-parts.ts';

/** All but what reads rarer record batches: a log in memory has that at once. */
const parts = PARTS_BY_FOLDER.flatMap(([, of]) => of).filter((part) => part !== RARE_RECORDS);
let putBack = (): void => undefined;
afterEach(() => putBack());

const EVENTS = `CREATE STREAM events (id STRING KEY, name STRING, n INT, big BIGINT, x DOUBLE, ok BOOLEAN,
  price DECIMAL(6, 2), tags ARRAY<STRING>, moment BIGINT)
  WITH (KAFKA_TOPIC='events', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='moment');`;

/** Functions of the caller's own, the first with a parameter that few functions have. */
const FUNCTIONS = ['first_of', 'last_of'].map((name, i) =>
  scalarFunction({
    name,
    description: 'An item of a list.',
    category: 'ARRAY',
    parameters: [{ name: 'items', type: 'ARRAY<STRING>' }],
    returns: 'STRING',
    call: ([items]) => items.at(-i) ?? null,
  }),
);

const PEOPLE = `CREATE TABLE people (id STRING PRIMARY KEY, c INT)
  WITH (KAFKA_TOPIC='people', PARTITIONS=1, VALUE_FORMAT='JSON');`;

/** Values that are plain, and values that each ask for something else. */
const VALUES = [
  '{"name":"one","n":1,"big":10,"x":1.5,"ok":true,"price":1.25,"tags":["a"],"moment":7200000}',
  '{"name":"two\\t\\u00e9\\ud83d\\ude00","n":2,"big":-5,"x":1e3,"ok":false,"moment":7200001}',
  '{"name":"gr\u00fc\u00df dich \u{1f600}","n":null,"other":{"deep":[1,{"er":null}]},"moment":7200002}',
  '{"name":"one","n":3,"x":-0.0,"tags":["b","c"],"moment":7200003,"price":"12.50"}',
  null,
  '{"name":"bad","n":?}',
  '{"name":"bad","n":"text"}',
  '{"name":"late","n":4,"moment":1}',
  '{"name":null,"n":5,"moment":7200004}',
  '{"n":6,"moment":null}',
  '{"name":"two","n":7,"big":9007199254740993,"moment":14400000}',
  ' {"NAME" : "one", "n" : 8.0, "moment" : 14400001 } ',
];

const RECORDS = VALUES.map((value, i): ProducedRecord => ({
  key: i === 3 ? null : encodeUtf8(`k${i % 3}`),
  value: value === null ? null : encodeUtf8(value),
  timestamp: 7_200_000 + i,
  headers: i % 4 === 0 ? [{ name: 'h', value: encodeUtf8(String(i)) }] : undefined,
}));

const STATEMENTS = [
  'CREATE TABLE by_name AS SELECT name, COUNT(*) AS c, SUM(n) AS s, MAX(x) AS m FROM events WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 0 SECONDS) GROUP BY name;',
  'CREATE TABLE hops AS SELECT id, COUNT(*) AS c FROM events WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 30 MINUTES, GRACE PERIOD 1 HOUR) GROUP BY id;',
  'CREATE TABLE totals AS SELECT id, COUNT(n) AS c, MIN(big) AS m FROM events GROUP BY id;',
  'CREATE STREAM chosen AS SELECT id, UCASE(name) AS name, n * 2 AS twice, price, FIRST_OF(tags) AS first, LAST_OF(tags) AS last FROM events WHERE n > 1 OR ok;',
  "CREATE STREAM moved WITH (VALUE_FORMAT='DELIMITED') AS SELECT n, name, id FROM events PARTITION BY n;",
  'CREATE STREAM both AS SELECT e.id, e.n, t.c FROM events e LEFT JOIN people t ON e.id = t.id;',
];

/** @param prepare called before anything is done, and before questions are asked */
async function run(path: 'kernel' | 'row', pieces: number, prepare: () => void): Promise<unknown> {
  prepare();
  const host = memoryHost({ kernel: kernelModule() });
  const engine = await open({ host, functions: FUNCTIONS, properties: { 'millrace.path': path } });
  await engine.execute(EVENTS + PEOPLE);
  for (const statement of STATEMENTS) await engine.execute(statement);
  await engine.produce('people', [{ key: 'k1', value: '{"c":7}', timestamp: 0 }]);
  await engine.idle();
  const size = Math.ceil(RECORDS.length / pieces);
  for (let from = 0; from < RECORDS.length; from += size) {
    await engine.produce('events', RECORDS.slice(from, from + size));
    await engine.idle();
  }
  const { queries } = await engine.stats();
  const topics: Record<string, unknown> = {};
  for (const topic of ['BY_NAME', 'HOPS', 'TOTALS', 'CHOSEN', 'MOVED', 'BOTH']) {
    const found = await engine.topicRecords(topic);
    topics[topic] = found.map(({ key, value, timestamp, headers }) => [
      key && [...key],
      value && decodeUtf8(value),
      timestamp,
      headers.length,
    ]);
  }
  const log = await engine.topicRecords('__processing_log');
  const problems = log
    .map(({ value }) => JSON.parse(decodeUtf8(value ?? new Uint8Array())) as Problem)
    .map(({ query, offset, code, message }) => `${query} ${offset} ${code} ${message}`)
    .sort();
  prepare();
  const headers = (await engine.topicRecords('events')).map((record) => record.headers);
  const asked = await engine.query('SELECT * FROM events;');
  const kept = await engine.query("SELECT * FROM totals WHERE id = 'k1';");
  const exploded = await engine.query('SELECT id, EXPLODE(tags) || name AS tag FROM events;');
  const rows = {
    asked: await asked.all(),
    kept: await kept.all(),
    exploded: await exploded.all(),
  };
  await engine.close();
  return { queries, topics, problems, rows, headers };
}

interface Problem {
  readonly query: string;
  readonly offset: number;
  readonly code: string;
  readonly message: string;
}

test.each([
  ['kernel', 1],
  ['kernel', 12],
  ['row', 1],
  ['row', 4],
] as const)(
  'nothing fetched beforehand changes nothing, on the %s path in %i pieces',
  async (path, pieces) => {
    const expected = await run(path, pieces, () => undefined);
    let taken = parts;
    const bare = run(path, pieces, () => {
      putBack = takeAway(taken);
      taken = [...parts, RARE_RECORDS];
    });
    expect(await bare).toEqual(expected);
  },
);

test('a query that obeys ksql.timestamp.throw.on.invalid ends at the record, whether its words are fetched or not', async () => {
  const ended = async (): Promise<readonly [string, string]> => {
    const engine = await open({ properties: { 'ksql.timestamp.throw.on.invalid': 'true' } });
    await engine.execute(EVENTS);
    await engine.execute('CREATE STREAM strict AS SELECT id, n FROM events;');
    await engine.produce('events', [{ key: 'k', value: '{"n":1,"moment":null}', timestamp: 0 }]);
    const error: unknown = await engine.idle().catch((thrown: unknown) => thrown);
    await engine.close();
    return error instanceof LimitError ? [error.limit, error.message] : ['none', String(error)];
  };
  const expected = await ended();
  expect(expected[0]).toBe('ksql.timestamp.throw.on.invalid');
  putBack = takeAway(parts);
  expect(await ended()).toEqual(expected);
});

test('a push query shows its rows and tells its problems once, whether what delivers these is fetched or not', async () => {
  const told = async (): Promise<unknown> => {
    const engine = await open();
    await engine.execute(EVENTS);
    const rows = await engine.query('SELECT id, n FROM events EMIT CHANGES LIMIT 2;');
    const values = ['{"n":1,"moment":1}', '{"n":?}', '{"n":2,"moment":2}'];
    await engine.produce(
      'events',
      values.map((value) => ({ key: 'k', value })),
    );
    const shown = await rows.all();
    const log = await engine.topicRecords('__processing_log');
    await engine.close();
    return [
      shown,
      log.map(({ value }) => (JSON.parse(decodeUtf8(value ?? new Uint8Array())) as Problem).code),
    ];
  };
  const expected = [
    [
      { ID: 'k', N: 1 },
      { ID: 'k', N: 2 },
    ],
    ['DESERIALIZATION'],
  ];
  expect(await told()).toEqual(expected);
  putBack = takeAway(parts);
  expect(await told()).toEqual(expected);
});
