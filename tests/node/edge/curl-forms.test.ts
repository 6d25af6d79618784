// Statements and queries in the forms in which ksqlDB's documents show them to users of curl, on plain workerd; and what is said where ksqlDB has a path and the edge has none.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
  const ksql = `CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    INSERT INTO s (k, n) VALUES ('a', 1);`;
  await send(edge, 'POST', '/ksql', { ksql });
});
afterAll(() => edge.stop());

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const EARLIEST = { 'ksql.streams.auto.offset.reset': 'earliest' };
const SELECT = 'SELECT n FROM s EMIT CHANGES LIMIT 1;';

test.each([
  ['/ksql', { ksql: 'SHOW STREAMS;', streamsProperties: {} }, '"name":"S"'],
  ['/ksql', { ksql: 'SHOW STREAMS;', properties: {} }, '"name":"S"'],
  ['/query', { ksql: SELECT, streamsProperties: EARLIEST }, '"columns":[1]'],
  ['/query', { ksql: SELECT, properties: EARLIEST }, '"columns":[1]'],
  ['/query-stream', { sql: SELECT, streamsProperties: EARLIEST }, '\n[1]'],
  ['/query-stream', { sql: SELECT, properties: EARLIEST }, '\n[1]'],
] as const)('%s takes what curl -d sends: %j', async (path, body, wanted) => {
  const answer = await send(edge, 'POST', path, body, FORM);
  expect(answer.text).toContain(wanted);
  expect(answer.status).toBe(200);
});

test('properties are given once, and a page of another origin sends no form', async () => {
  const both = { sql: SELECT, properties: {}, streamsProperties: EARLIEST };
  expect(await send(edge, 'POST', '/query-stream', both)).toMatchObject({
    status: 400,
    body: { message: 'the body has both "streamsProperties" and "properties"' },
  });
  const body = { ksql: 'SHOW STREAMS;' };
  for (const origin of ['https://elsewhere.example', 'null']) {
    const answer = await send(edge, 'POST', '/ksql', body, { ...FORM, Origin: origin });
    expect(answer.status).toBe(403);
  }
  const asTopic = await send(edge, 'POST', '/topics', { name: 't' }, FORM);
  expect(asTopic.status).toBe(415);
});

test.each([
  ['/inserts-stream', 'POST /topics/<topic>/records'],
  ['/status/stream/S/create', 'GET /queries'],
  ['/clusterStatus', 'GET /metrics'],
  ['/is_valid_property/auto.offset.reset', 'SHOW PROPERTIES'],
  ['/v1/metadata/id', 'GET /info'],
  ['/info/', 'none ends in /'],
  ['/nothing', 'there is nothing at this path'],
])('%s: %s', async (path, said) => {
  const answer = await send(edge, 'GET', path);
  expect(answer.status).toBe(404);
  expect(answer.body).toMatchObject({ error_code: 40400, message: expect.stringContaining(said) });
});

test('a request without a body is told so', async () => {
  const answer = await send(edge, 'POST', '/ksql', '', { 'Content-Type': 'application/json' });
  expect(answer).toMatchObject({ status: 400, body: { message: 'there is no body: send JSON' } });
});
