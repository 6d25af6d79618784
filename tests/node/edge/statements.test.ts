// Statements and queries over HTTP on plain workerd, in ksqlDB's shapes: what they answer, and that what is wrong changes nothing.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, fetchAll, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const ksql = (text: string, streamsProperties = {}): Promise<Answer> =>
  send(edge, 'POST', '/ksql', { ksql: text, streamsProperties });

let names = 0;
/** A stream of its own for a test. */
async function stream(partitions = 1): Promise<string> {
  const name = `S${names++}`;
  const created = await ksql(
    `CREATE STREAM ${name} (k STRING KEY, a BIGINT, b STRING) WITH (KAFKA_TOPIC='${name}', PARTITIONS=${partitions}, VALUE_FORMAT='JSON');`,
  );
  expect(created.text).toContain('"status":"SUCCESS"');
  return name;
}

async function rows(sql: string): Promise<unknown[]> {
  const { body } = await send(edge, 'POST', '/query', { ksql: sql });
  return (body as { row?: { columns: unknown } }[]).flatMap(({ row }) =>
    row === undefined ? [] : [row.columns],
  );
}

async function sources(): Promise<string> {
  return (await ksql('SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TOPICS;')).text;
}

test('a statement answers its status with its number', async () => {
  const answer = await ksql(
    `CREATE STREAM first (a INT) WITH (KAFKA_TOPIC='first', PARTITIONS=1, VALUE_FORMAT='JSON');`,
  );
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual([
    {
      '@type': 'currentStatus',
      statementText: expect.stringContaining('CREATE STREAM first'),
      commandId: 'stream/FIRST/create',
      commandStatus: { status: 'SUCCESS', message: expect.any(String), queryId: null },
      commandSequenceNumber: expect.any(Number),
      warnings: [],
    },
  ]);
});

test('a BIGINT keeps all its digits from INSERT to the answer', async () => {
  const name = await stream();
  await ksql(`CREATE TABLE ${name}_T AS SELECT k, MAX(a) AS top FROM ${name} GROUP BY k;`);
  expect(await ksql(`INSERT INTO ${name} (k, a) VALUES ('x', 9007199254740993);`)).toMatchObject({
    status: 200,
    body: [],
  });
  const text = await until(async () => {
    const answer = await send(edge, 'POST', '/query', {
      ksql: `SELECT top FROM ${name}_T WHERE k = 'x';`,
    });
    return answer.text.includes('"row"') ? answer.text : null;
  });
  expect(text).toContain('{"row":{"columns":[9007199254740993]}}');
});

test('a key and a column named like a property of objects are ordinary', async () => {
  await ksql(
    "CREATE STREAM odd (`constructor` STRING KEY, `__proto__` BIGINT, `toString` STRING) WITH (KAFKA_TOPIC='odd', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  await ksql(
    'CREATE TABLE odd_t AS SELECT `constructor`, SUM(`__proto__`) AS `hasOwnProperty` FROM odd GROUP BY `constructor`;',
  );
  const record = '{"key":"__proto__","value":{"__proto__":7,"toString":"s"}}';
  await send(edge, 'POST', '/topics/odd/records', `{"records":[${record},${record}]}`);
  const found = await until(async () => {
    const all = await rows("SELECT * FROM odd_t WHERE `constructor` = '__proto__';");
    return all.length > 0 && JSON.stringify(all) !== '[["__proto__",7]]' ? all : null;
  });
  expect(found).toEqual([['__proto__', 14]]);
});

test.each([
  ['malformed SQL', 'CREATE STREAM x (\n  a INT,\n  b !', 400, 'line 3:5'],
  ['an unknown source', 'CREATE STREAM x AS SELECT * FROM nowhere;', 404, 'NOWHERE'],
  ['an unknown column', 'CREATE STREAM x AS SELECT nope FROM given;', 400, 'NOPE'],
  [
    'a second CREATE of a name',
    "CREATE STREAM given (a INT) WITH (KAFKA_TOPIC='g', PARTITIONS=1, VALUE_FORMAT='JSON');",
    409,
    'GIVEN',
  ],
  ['a SELECT', 'SELECT * FROM given EMIT CHANGES;', 400, 'query'],
  ['a DROP of what is used', 'DROP STREAM given;', 409, 'GIVEN_COPY'],
  ['a DROP of what is not there', 'DROP STREAM absent;', 404, 'ABSENT'],
  ['an unknown query', 'TERMINATE absent;', 404, 'ABSENT'],
  ['an unsupported statement', "ASSERT SCHEMA SUBJECT 'x';", 400, 'needs a schema registry'],
  ['text of 64 KiB and one byte', `SHOW STREAMS;${' '.repeat(65_524)}`, 400, ''],
  [
    '10,000 parentheses',
    `CREATE STREAM x AS SELECT ${'('.repeat(10_000)} FROM given;`,
    400,
    'line 1',
  ],
  ['an unterminated string', "CREATE STREAM x AS SELECT 'abc FROM given;", 400, 'line 1:27'],
  ['NUL', 'SHOW\u0000STREAMS;', 400, 'line 1'],
])('%s is refused with a clear error and changes nothing', async (_what, text, status, mention) => {
  await ksql(
    "CREATE STREAM IF NOT EXISTS given (a INT) WITH (KAFKA_TOPIC='given', PARTITIONS=1, VALUE_FORMAT='JSON'); CREATE STREAM IF NOT EXISTS given_copy AS SELECT * FROM given;",
  );
  const before = await sources();
  const answer = await ksql(text);
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(mention)]);
  expect(answer.body).toMatchObject({
    '@type': 'statement_error',
    statementText: expect.any(String),
    entities: [],
  });
  expect(answer.text).not.toMatch(/\.ts:\d|\.js:\d/);
  expect(await sources()).toBe(before);
  expect((await ksql('SHOW STREAMS;')).status).toBe(200);
});

test('what a script did before its fault stays, and is told', async () => {
  const good = `CREATE STREAM half (a INT) WITH (KAFKA_TOPIC='half', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  const answer = await ksql(
    `${good} DROP STREAM absent; CREATE STREAM never AS SELECT * FROM half;`,
  );
  expect(answer.status).toBe(404);
  expect(answer.body).toMatchObject({
    statementText: 'DROP STREAM absent',
    entities: [{ commandId: 'stream/HALF/create' }],
  });
  const after = await sources();
  expect(after).toContain('"HALF"');
  expect(after).not.toContain('"NEVER"');
});

test('a topic that a source stands on is not deleted under it', async () => {
  const name = await stream();
  const refused = await send(edge, 'DELETE', `/topics/${name}`);
  expect(refused).toMatchObject({ status: 409, body: { code: 'IN_USE' } });
  expect((await send(edge, 'GET', `/topics/${name}`)).status).toBe(200);
});

test('of two CREATEs of one name at once, one wins', async () => {
  const create = `CREATE STREAM race (a INT) WITH (KAFKA_TOPIC='race', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => ksql(create)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
});

test('a push query gives rows as they come and ends with its limit', async () => {
  const name = await stream();
  const response = await fetch(`${edge.url}/query-stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      sql: `SELECT k, a * 2 AS twice FROM ${name} WHERE a > 1 EMIT CHANGES LIMIT 2;`,
    }),
  });
  const lines = linesOf(response);
  expect(JSON.parse(await lines())).toMatchObject({
    columnNames: ['K', 'TWICE'],
    columnTypes: ['STRING', 'BIGINT'],
  });
  for (const a of [1, 2, 3, 4]) {
    await send(edge, 'POST', `/topics/${name}/records`, {
      records: [{ key: 'k', value: { A: a } }],
    });
  }
  expect([await lines(), await lines()].map((line) => JSON.parse(line) as unknown)).toEqual([
    ['k', 4],
    ['k', 6],
  ]);
  expect((await lines()).trim()).toBe('');
});

test('a push query on a table shows each change, and /close-query ends it', async () => {
  const name = await stream();
  await ksql(`CREATE TABLE ${name}_T AS SELECT b, COUNT(*) AS n FROM ${name} GROUP BY b;`);
  const response = await fetch(`${edge.url}/query-stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      sql: `SELECT * FROM ${name}_T EMIT CHANGES;`,
      properties: { 'auto.offset.reset': 'earliest' },
    }),
  });
  const lines = linesOf(response);
  const { queryId } = JSON.parse(await lines()) as { queryId: string };
  const records = ['x', 'y', 'x'].map((b) => ({ key: 'k', value: { B: b } }));
  await send(edge, 'POST', `/topics/${name}/records`, { records });
  expect(
    [await lines(), await lines(), await lines()].map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    ['x', 1],
    ['y', 1],
    ['x', 2],
  ]);
  expect((await send(edge, 'POST', '/close-query', { queryId })).status).toBe(200);
  expect((await lines()).trim()).toBe('');
  expect((await send(edge, 'POST', '/close-query', { queryId })).status).toBe(400);
});

test('an answer has the shape that is accepted', async () => {
  const name = await stream();
  await ksql(`INSERT INTO ${name} (k, a, b) VALUES ('x', 1, 'y');`);
  const sql = `SELECT k, a FROM ${name} EMIT CHANGES LIMIT 1;`;
  const properties = { 'auto.offset.reset': 'earliest' };
  const ask = (path: string, Accept: string) =>
    send(edge, 'POST', path, { sql, ksql: sql, properties }, { Accept });
  const id = { queryId: expect.stringContaining('TRANSIENT') };
  const metadata = { ...id, columnNames: ['K', 'A'], columnTypes: ['STRING', 'BIGINT'] };
  const objects = [
    { header: { ...id, schema: '`K` STRING, `A` BIGINT' } },
    { row: { columns: ['x', 1] } },
    { finalMessage: 'Limit Reached' },
  ];
  expect((await ask('/query', 'application/json')).body).toEqual(objects);
  expect((await ask('/query-stream', 'application/json')).body).toEqual([metadata, ['x', 1]]);
  expect((await ask('/query-stream', 'application/vnd.ksql.v1+json')).body).toEqual(objects);
  const lines = (await ask('/query', 'application/vnd.ksqlapi.delimited.v1')).text
    .trim()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(objects);
  expect((await ask('/query', 'text/html')).status).toBe(406);
});

test('a pull query over a stream reads its topic to the end', async () => {
  const name = await stream();
  await ksql(`INSERT INTO ${name} (k, a, b) VALUES ('x', 1, 'y');
    INSERT INTO ${name} (k, a, b) VALUES ('x', 2, 'y');`);
  const ask = async (sql: string) => (await send(edge, 'POST', '/query', { ksql: sql })).body;
  expect(await ask(`SELECT k, a FROM ${name} WHERE a > 1;`)).toEqual([
    { header: { schema: '`K` STRING, `A` BIGINT' } },
    { row: { columns: ['x', 2] } },
    { finalMessage: 'Query Completed' },
  ]);
  expect(await ask(`SELECT a FROM ${name} LIMIT 1;`)).toEqual([
    { header: { schema: '`A` BIGINT' } },
    { row: { columns: [1] } },
    { finalMessage: 'Limit Reached' },
  ]);
});

test('a pull query is answered by key, by range and in order, from all partitions', async () => {
  await ksql(`CREATE STREAM towns (name STRING KEY, people BIGINT)
      WITH (KAFKA_TOPIC='towns', PARTITIONS=3, VALUE_FORMAT='JSON');
    CREATE TABLE largest AS SELECT name, MAX(people) AS people FROM towns GROUP BY name;`);
  const records = ['Aro', 'Bex', 'Cut', 'Dax', 'Elo'].map((key, index) => ({
    key,
    value: { PEOPLE: (index * 3) % 5 },
  }));
  await send(edge, 'POST', '/topics/towns/records', { records });
  await until(async () => (await rows('SELECT * FROM largest;')).length === records.length);
  expect(await rows("SELECT * FROM largest WHERE name IN ('Bex', 'none');")).toEqual([['Bex', 3]]);
  expect(await rows('SELECT name FROM largest ORDER BY people DESC LIMIT 3;')).toEqual([
    ['Dax'],
    ['Bex'],
    ['Elo'],
  ]);
  expect(await rows("SELECT name FROM largest WHERE name > 'Bex' ORDER BY name;")).toEqual([
    ['Cut'],
    ['Dax'],
    ['Elo'],
  ]);
  const { body } = await send(edge, 'POST', '/query', {
    ksql: "SELECT name FROM largest WHERE name = 'Aro';",
  });
  expect(body).toEqual([
    { header: { schema: '`NAME` STRING KEY' } },
    { row: { columns: ['Aro'] } },
  ]);
});

test('a record that cannot be read is skipped, counted and told in the processing log', async () => {
  const name = await stream();
  await ksql(`CREATE TABLE ${name}_T AS SELECT k, SUM(a) AS n FROM ${name} GROUP BY k;`);
  const bad = Buffer.from('{"A": ').toString('base64');
  const records = [
    { key: 'x', value: { A: 1 } },
    { key: 'x', valueBase64: bad },
    { key: 'x', value: { A: 2 } },
  ];
  await send(edge, 'POST', `/topics/${name}/records`, { records });
  await until(
    async () => JSON.stringify(await rows(`SELECT n FROM ${name}_T WHERE k = 'x';`)) === '[[3]]',
  );
  const log = await until(async () => {
    const entries = (await fetchAll(edge, '__processing_log', 0)).map(
      ({ value }) => JSON.parse(Buffer.from(value).toString()) as { topic: string },
    );
    return entries.find(({ topic }) => topic === name) ?? null;
  });
  expect(log).toMatchObject({
    topic: name,
    partition: 0,
    offset: 1,
    code: 'DESERIALIZATION',
    message: expect.any(String),
  });
});

test('TERMINATE and DROP end a query and let its topics go, and the name is free again', async () => {
  const name = await stream();
  const create = `CREATE TABLE ${name}_T AS SELECT b, COUNT(*) AS n FROM ${name} GROUP BY b;`;
  await ksql(create, { 'millrace.fuse': 'never' });
  await send(edge, 'POST', `/topics/${name}/records`, {
    records: [{ key: 'k', value: { B: 'x' } }],
  });
  await until(async () => (await rows(`SELECT * FROM ${name}_T;`)).length === 1);
  expect((await send(edge, 'GET', '/topics')).text).toContain(`${name}_T`);
  const dropped = await ksql(`DROP TABLE ${name}_T DELETE TOPIC;`);
  expect(dropped.status).toBe(200);
  const topics = (await send(edge, 'GET', '/topics')).text;
  expect(topics).not.toContain(`${name}_T`);
  expect((await send(edge, 'POST', '/query', { ksql: `SELECT * FROM ${name}_T;` })).status).toBe(
    404,
  );
  expect((await ksql(create)).status).toBe(200);
  await until(async () => (await rows(`SELECT * FROM ${name}_T;`)).length === 1);
});

test('sources, queries and their state survive a kill', async () => {
  const name = await stream();
  await ksql(`CREATE TABLE ${name}_T AS SELECT k, COUNT(*) AS n FROM ${name} GROUP BY k;`);
  const produce = () =>
    send(edge, 'POST', `/topics/${name}/records`, { records: [{ key: 'x', value: { A: 1 } }] });
  await produce();
  await until(
    async () => JSON.stringify(await rows(`SELECT n FROM ${name}_T WHERE k = 'x';`)) === '[[1]]',
  );
  await edge.kill();
  await edge.restart();
  expect(await rows(`SELECT n FROM ${name}_T WHERE k = 'x';`)).toEqual([[1]]);
  await produce();
  await until(
    async () => JSON.stringify(await rows(`SELECT n FROM ${name}_T WHERE k = 'x';`)) === '[[2]]',
  );
});

test('/info and /healthcheck answer as ksqlDB does', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const info = await send(edge, 'GET', '/info');
  expect(info.body).toMatchObject({
    KsqlServerInfo: { version, serverStatus: 'RUNNING' },
  });
  expect((await send(edge, 'GET', '/healthcheck')).body).toMatchObject({
    isHealthy: true,
    details: { metastore: { isHealthy: true } },
  });
});

/** Gives the next line at each call; what is left over at the end is a line. */
function linesOf(response: Response): () => Promise<string> {
  const decoder = new TextDecoder();
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  let text = '';
  return async () => {
    for (;;) {
      const end = text.indexOf('\n');
      if (end > 0) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        return line;
      }
      const { done, value } = await reader.read();
      if (done) return text;
      // A row stands alone once its separator, which comes with the next element, or a whole value has come.
      text = (text + decoder.decode(value, { stream: true })).replace(/^\n+/, '');
      if (/[\]}]$/.test(text)) text += '\n';
    }
  };
}
