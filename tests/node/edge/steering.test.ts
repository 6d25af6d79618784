// Statements over HTTP that steer the edge: source tables, ALTER, variables, ASSERT TOPIC, PAUSE, CREATE OR REPLACE of what runs, properties, ALTER SYSTEM and PRINT.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, fetchAll, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const ksql = (text: string, sessionVariables = {}): Promise<Answer> =>
  send(edge, 'POST', '/ksql', { ksql: text, sessionVariables });

test('a source table answers pull queries and is written by nobody', async () => {
  const created = await ksql(`CREATE SOURCE TABLE t (k STRING PRIMARY KEY, v INT)
    WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  expect(created.text).toMatch(/"queryId":"CST_T_\d+"/);
  await send(edge, 'POST', '/topics/t/records', '{"records":[{"key":"a","value":{"v":7}}]}');
  const text = await until(async () => {
    const answer = await send(edge, 'POST', '/query', { ksql: "SELECT v FROM t WHERE k = 'a';" });
    return answer.text.includes('"row"') ? answer.text : null;
  });
  expect(text).toContain('{"row":{"columns":[7]}}');
  expect((await ksql("INSERT INTO t VALUES ('b', 1);")).status).toBe(400);
  expect((await ksql('DROP TABLE t; SHOW QUERIES;')).text).not.toContain('"id":"CST_T');
});

test('a stream that is altered or replaced takes its new columns', async () => {
  const made = "WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON')";
  await ksql(`CREATE STREAM s (k STRING KEY, v INT) ${made}; ALTER STREAM s ADD COLUMN w INT;`);
  await ksql(`CREATE OR REPLACE STREAM s (k STRING KEY, v INT, w INT, x INT) ${made};`);
  const { body } = await ksql('DESCRIBE s; DESCRIBE STREAMS;');
  expect(body).toMatchObject([
    { sourceDescription: { fields: ['K', 'V', 'W', 'X'].map((name) => ({ name })) } },
    { '@type': 'source_descriptions' },
  ]);
});

test('variables of a request are put in and shown', async () => {
  const { body } = await ksql("DEFINE a = '1'; SHOW VARIABLES; ASSERT NOT EXISTS TOPIC ${b};", {
    b: 'none',
  });
  expect(body).toMatchObject([
    { variables: [{ name: 'b' }, { name: 'a', value: '1' }] },
    { '@type': 'assert_topic', topicName: 'none', exists: false },
  ]);
});

/** A stream and a query over it of a test's own. */
async function pipeline(name: string, partitions = 1): Promise<void> {
  const { text } = await ksql(`CREATE STREAM ${name} (k STRING KEY, v INT)
      WITH (KAFKA_TOPIC='${name}', PARTITIONS=${partitions}, VALUE_FORMAT='JSON');
    CREATE STREAM ${name}_out AS SELECT * FROM ${name} WHERE v > 0;`);
  expect(text).toContain('Created query');
}

async function insert(topic: string, ...values: readonly number[]): Promise<void> {
  const records = values.map((v) => ({ key: 'k', value: { v, w: v * 10 } }));
  expect((await send(edge, 'POST', `/topics/${topic}/records`, { records })).status).toBe(200);
}

async function outputs(name: string): Promise<unknown[]> {
  const records = await fetchAll(edge, `${name}_OUT`, 0);
  return records.map(({ value }) => JSON.parse(new TextDecoder().decode(value)));
}

async function stateOf(query: string): Promise<string | undefined> {
  const { body } = await send(edge, 'GET', '/queries');
  const { queries } = body as { queries: { id: string; state: string }[] };
  return queries.find(({ id }) => id.startsWith(query))?.state;
}

test('a paused query takes nothing in over a restart, and goes on where it was', async () => {
  await pipeline('P');
  await insert('P', 1);
  await until(async () => (await outputs('P')).length === 1);
  expect((await ksql('PAUSE CSAS_P_NONE;')).body).toMatchObject({ error_code: 40401 });
  const id = /CSAS_P_OUT_\d+/.exec((await ksql('SHOW QUERIES;')).text)?.[0];
  expect((await ksql(`PAUSE ${id};`)).body).toMatchObject([
    { commandId: `pause/${id}/execute`, commandStatus: { status: 'SUCCESS', queryId: id } },
  ]);
  await insert('P', 2);
  await edge.kill();
  await edge.restart();
  await insert('P', 3);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await outputs('P')).toEqual([{ V: 1 }]);
  expect(await stateOf('CSAS_P_OUT')).toBe('PAUSED');
  expect((await ksql('SHOW QUERIES;')).text).toContain('"PAUSED":1');
  await ksql('RESUME ALL;');
  await until(async () => (await outputs('P')).length === 3);
  expect(await outputs('P')).toEqual([{ V: 1 }, { V: 2 }, { V: 3 }]);
  expect(await stateOf('CSAS_P_OUT')).toBe('RUNNING');
});

test('PAUSE ALL pauses every query, and TERMINATE ends a paused one', async () => {
  await pipeline('A');
  await ksql('PAUSE ALL;');
  const { body } = await send(edge, 'GET', '/queries');
  for (const { state } of (body as { queries: { state: string }[] }).queries) {
    expect(state).toBe('PAUSED');
  }
  await insert('A', 1);
  await ksql('DROP STREAM A_OUT; RESUME ALL;');
  expect(await stateOf('CSAS_A_OUT')).toBeUndefined();
  expect(await outputs('A')).toEqual([]);
});

test('a running query that is replaced goes on with another filter and further columns', async () => {
  await pipeline('R');
  await insert('R', 1, 5);
  await until(async () => (await outputs('R')).length === 2);
  const replaced = await ksql(`ALTER STREAM R ADD COLUMN w INT;
    CREATE OR REPLACE STREAM R_OUT AS SELECT k, v, w FROM R WHERE v > 3;`);
  expect(replaced.text).toContain('Upgraded query with ID CSAS_R_OUT');
  await insert('R', 2, 6);
  await until(async () => (await outputs('R')).length === 3);
  expect(await outputs('R')).toEqual([{ V: 1 }, { V: 5 }, { V: 6, W: 60 }]);
  const refused = await ksql(
    'CREATE OR REPLACE STREAM R_OUT AS SELECT k, v, w FROM R PARTITION BY v;',
  );
  expect(refused.status).toBe(400);
  expect(refused.text).toMatch(/line 1:26: .*its key is/);
  await insert('R', 7);
  await until(async () => (await outputs('R')).length === 4);
});

test('ALTER SYSTEM holds for every request that does not set the property itself', async () => {
  await pipeline('Y');
  await insert('Y', 1, 2);
  expect((await ksql("ALTER SYSTEM 'auto.offset.reset' = 'latest';")).body).toMatchObject([
    { commandId: 'cluster/auto.offset.reset/alter', commandStatus: { status: 'SUCCESS' } },
  ]);
  await edge.kill();
  await edge.restart();
  expect((await ksql('SHOW PROPERTIES;')).text).toContain('"latest"');
  await ksql('CREATE STREAM Y_LATE AS SELECT * FROM Y;');
  await ksql("SET 'auto.offset.reset' = 'earliest'; CREATE STREAM Y_EARLY AS SELECT * FROM Y;");
  await until(async () => (await fetchAll(edge, 'Y_EARLY', 0)).length === 2);
  await until(async () => (await stateOf('CSAS_Y_LATE')) === 'RUNNING');
  await insert('Y', 3);
  await until(async () => (await fetchAll(edge, 'Y_LATE', 0)).length === 1);
  expect((await ksql("ALTER SYSTEM 'millrace.path' = 'sideways';")).status).toBe(400);
  const back = "ALTER SYSTEM 'auto.offset.reset' = 'earliest';";
  expect((await ksql(back)).status).toBe(200);
});

test('a request may wait for a statement, and one that is not known is refused', async () => {
  const { body } = await ksql('CREATE TYPE waited AS STRING;');
  const [{ commandSequenceNumber }] = body as [{ commandSequenceNumber: number }];
  const asked = (number: unknown): Promise<Answer> =>
    send(edge, 'POST', '/ksql', { ksql: 'SHOW TYPES;', commandSequenceNumber: number });
  expect((await asked(commandSequenceNumber)).status).toBe(200);
  expect((await asked(commandSequenceNumber + 1)).body).toMatchObject({ error_code: 50301 });
  expect((await asked('soon')).status).toBe(400);
});

test('SHOW QUERIES EXTENDED says why a query has ended', async () => {
  await ksql(`CREATE STREAM d (k STRING KEY, v DECIMAL(3, 1))
      WITH (KAFKA_TOPIC='d', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE d_sums AS SELECT k, SUM(v) AS total FROM d GROUP BY k;`);
  const records = [
    { key: 'a', value: { v: 60.5 } },
    { key: 'a', value: { v: 60.5 } },
  ];
  await send(edge, 'POST', '/topics/d/records', { records });
  await until(async () => (await stateOf('CTAS_D_SUMS')) === 'ERROR');
  const { body } = await ksql('SHOW QUERIES EXTENDED;');
  const [{ '@type': type, queryDescriptions }] = body as [
    { '@type': string; queryDescriptions: { id: string }[] },
  ];
  expect(type).toBe('query_descriptions');
  expect(queryDescriptions.find(({ id }) => id.startsWith('CTAS_D_SUMS'))).toMatchObject({
    state: 'ERROR',
    queryErrors: [{ errorMessage: expect.stringContaining('numeric overflow') }],
  });
  await ksql('DROP TABLE d_sums;');
});

test('a topic without a query of its name is told in time', async () => {
  const answer = await ksql('ASSERT TOPIC z TIMEOUT 1 MILLISECOND;');
  expect(answer.status).toBe(400);
  expect(answer.text).toContain('the topic z does not exist');
});

test("a request's properties are what SET takes, with or without ksqlDB's prefix", async () => {
  await ksql(`CREATE STREAM given (a INT) WITH (KAFKA_TOPIC='given', PARTITIONS=1, VALUE_FORMAT='JSON');
    INSERT INTO given (a) VALUES (1);`);
  const ask = async (streamsProperties: object) =>
    send(edge, 'POST', '/query', {
      ksql: 'SELECT a FROM given EMIT CHANGES LIMIT 1;',
      streamsProperties,
    });
  const { text } = await ask({ 'ksql.streams.auto.offset.reset': 'earliest' });
  expect(text).toContain('{"row":{"columns":[1]}}');
  for (const [properties, message] of [
    [{ 'auto.offset.rest': 'earliest' }, 'unknown property auto.offset.rest'],
    [{ 'auto.offset.reset': 'first' }, "auto.offset.reset cannot be 'first'"],
  ] as const) {
    const refused = { status: 400, body: { error_code: 40001 } };
    const asked = await ask(properties);
    expect(asked).toMatchObject(refused);
    expect(asked.text).toContain(message);
    const told = await send(edge, 'POST', '/ksql', {
      ksql: 'DROP STREAM given;',
      streamsProperties: properties,
    });
    expect(told).toMatchObject(refused);
    expect(told.text).toContain(message);
  }
  expect((await ksql('DESCRIBE given;')).status).toBe(200);
});

test('PRINT answers lines, with SET and DEFINE before it', async () => {
  await pipeline('L', 2);
  await send(edge, 'POST', '/topics/L/records', {
    records: [1, 2, 3, 4].map((v) => ({ key: 'k', value: { v }, timestamp: v, partition: v % 2 })),
  });
  const sql = "DEFINE t = 'L'; SET 'auto.offset.reset' = 'earliest'; PRINT ${t} FROM BEGINNING";
  for (const [route, member] of [
    ['/query', 'ksql'],
    ['/query-stream', 'sql'],
  ] as const) {
    const answer = await send(edge, 'POST', route, { [member]: `${sql} INTERVAL 2 LIMIT 2;` });
    expect(answer.headers.get('Content-Type')).toContain('text/plain');
    expect(answer.text.split('\n')).toEqual([
      'Key format: KAFKA_STRING',
      'Value format: JSON or KAFKA_STRING',
      'rowtime: 1970-01-01T00:00:00.002, key: k, value: {"v":2}, partition: 0',
      'rowtime: 1970-01-01T00:00:00.001, key: k, value: {"v":1}, partition: 1',
      '',
    ]);
  }
  const none = await send(edge, 'POST', '/query', { ksql: 'PRINT nowhere;' });
  expect(none.status).toBe(404);
  const wrong = await send(edge, 'POST', '/query', { ksql: 'PRINT L; PRINT L;' });
  expect(wrong.text).toContain('a request has one');
  expect((await ksql('PRINT L;')).body).toMatchObject({ error_code: 40002 });
});

test('PRINT goes on with what comes until its connection ends', async () => {
  await pipeline('G');
  const connection = new AbortController();
  const response = await fetch(`${edge.url}/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ksql: 'PRINT G;' }),
    signal: connection.signal,
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await insert('G', 7);
  let text = '';
  while (!text.includes('"v":7')) {
    const { value } = await reader.read();
    text += new TextDecoder().decode(value);
  }
  connection.abort();
  await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
});
