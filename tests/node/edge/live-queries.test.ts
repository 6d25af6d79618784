// Push queries as server-sent events and over a WebSocket: rows as they come, within the credit, and after a cut from where it was.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { SOCKET_CREDIT_ROWS_MAX, SOCKET_QUERIES_MAX } from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { EventReader } from '../../support/event-source.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

async function ksql(text: string): Promise<void> {
  const { status, text: answer } = await send(edge, 'POST', '/ksql', { ksql: text });
  expect(status, answer).toBe(200);
}

let names = 0;
/** A stream of its own for a test. */
async function stream(partitions = 1): Promise<string> {
  const name = `S${names++}`;
  await ksql(
    `CREATE STREAM ${name} (k STRING KEY, a BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=${partitions}, VALUE_FORMAT='JSON');`,
  );
  return name;
}

async function produce(name: string, from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => ({
    key: `k${(from + i) % 7}`,
    value: { A: from + i },
  }));
  expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
}

const EARLIEST = { 'auto.offset.reset': 'earliest' };
interface Header {
  readonly queryId: string;
  readonly columnNames: readonly string[];
  readonly resumable: boolean;
}

/** Opens a query as events and reads its header. */
async function events(
  sql: string,
  options: { readonly id?: string; readonly inBody?: boolean; readonly get?: boolean } = {},
): Promise<{ reader: EventReader; header: Header }> {
  const { id, inBody = false, get = false } = options;
  const query = new URLSearchParams({ sql, properties: JSON.stringify(EARLIEST) });
  const reader = await EventReader.open(`${edge.url}/query-stream${get ? `?${query}` : ''}`, {
    headers: id !== undefined && !inBody ? { 'Last-Event-ID': id } : {},
    ...(get ? {} : { body: { sql, properties: EARLIEST, ...(inBody ? { token: id } : {}) } }),
  });
  if (reader.status !== 200) throw new Error(String(reader.status));
  const event = await reader.next();
  expect(event?.type).toBe('header');
  return { reader, header: JSON.parse(event?.data ?? '') as Header };
}

/** Rows of events up to the first token that comes with or after `count` rows. */
async function rowsOf(
  reader: EventReader,
  count: number,
): Promise<{ rows: unknown[][]; id: string | null; deleted: number[] }> {
  const rows: unknown[][] = [];
  const deleted: number[] = [];
  for (;;) {
    const event = await reader.next();
    if (event === null || event.type !== 'message') throw new Error(JSON.stringify(event));
    const data = JSON.parse(event.data) as { rows: unknown[][]; deleted?: number[] };
    for (const i of data.deleted ?? []) deleted.push(rows.length + i);
    rows.push(...data.rows);
    if (rows.length >= count) return { rows, id: event.id, deleted };
  }
}

test('the rows of a push query are events, by POST and by GET', async () => {
  const name = await stream();
  await produce(name, 0, 3);
  for (const get of [false, true]) {
    const { reader, header } = await events(`SELECT k, a FROM ${name} WHERE a > 0 EMIT CHANGES;`, {
      get,
    });
    await using _ = reader;
    expect(header).toEqual({
      queryId: expect.any(String),
      columnNames: ['K', 'A'],
      columnTypes: ['STRING', 'BIGINT'],
      resumable: true,
    });
    const { rows } = await rowsOf(reader, 2);
    expect(rows).toEqual([
      ['k1', 1],
      ['k2', 2],
    ]);
    await send(edge, 'POST', '/close-query', { queryId: header.queryId });
    expect(await reader.next()).toMatchObject({ type: 'end' });
    expect(await reader.next()).toBeNull();
  }
});

test('a query over several partitions resumes after every cut without loss or repeat', async () => {
  const name = await stream(3);
  const sql = `SELECT a FROM ${name} WHERE a % 3 <> 1 EMIT CHANGES;`;
  const seen: number[] = [];
  let id: string | undefined;
  let made = 0;
  for (let round = 0; round < 8; round++) {
    await produce(name, made, 20 + round);
    made += 20 + round;
    const { reader } = await events(sql, {
      ...(id === undefined ? {} : { id }),
      inBody: round % 2 === 0,
    });
    await using _ = reader;
    // Whatever else was on its way when the connection is cut comes again.
    const { rows, id: token } = await rowsOf(reader, 3);
    seen.push(...rows.map(([a]) => Number(a)));
    id = token ?? undefined;
    expect(id).toBeDefined();
  }
  const wanted = Array.from({ length: made }, (_, i) => i).filter((a) => a % 3 !== 1);
  const { reader } = await events(sql, id === undefined ? {} : { id });
  await using _ = reader;
  while (seen.length < wanted.length) {
    const { rows } = await rowsOf(reader, 1);
    seen.push(...rows.map(([a]) => Number(a)));
  }
  expect(seen.toSorted((a, b) => a - b)).toEqual(wanted);
});

test('the changelog of a table resumes, deleted rows among it', async () => {
  const name = await stream();
  await ksql(
    `CREATE TABLE ${name}_T AS SELECT k, COUNT(*) AS n FROM ${name} GROUP BY k HAVING COUNT(*) < 3;`,
  );
  const sql = `SELECT * FROM ${name}_T EMIT CHANGES;`;
  const one = (): Promise<unknown> =>
    send(edge, 'POST', `/topics/${name}/records`, { records: [{ key: 'x', value: { A: 1 } }] });
  await one();
  const first = await events(sql);
  expect(first.header.resumable).toBe(true);
  const begun = await rowsOf(first.reader, 1);
  await first.reader[Symbol.asyncDispose]();
  await one();
  await one();
  const { reader } = await events(sql, begun.id === null ? {} : { id: begun.id });
  await using _ = reader;
  const { rows, deleted } = await rowsOf(reader, 2);
  expect([...begun.rows, ...rows].map((row) => row[1])).toEqual([1, 2, null]);
  expect(deleted).toEqual([1]);
});

test('a query with state of its own says that it begins anew', async () => {
  const name = await stream();
  await produce(name, 0, 2);
  const { reader, header } = await events(
    `SELECT k, COUNT(*) AS n FROM ${name} GROUP BY k EMIT CHANGES;`,
  );
  await using _ = reader;
  expect(header.resumable).toBe(false);
  expect((await rowsOf(reader, 2)).id).toBeNull();
});

test('a token that is none, or of another statement, is refused', async () => {
  const name = await stream();
  await produce(name, 0, 1);
  const { reader } = await events(`SELECT a FROM ${name} EMIT CHANGES;`);
  await using _ = reader;
  const { id } = await rowsOf(reader, 1);
  const refused = async (sql: string, token: unknown): Promise<number> =>
    (await send(edge, 'POST', '/query-stream', { sql, token }, { Accept: 'text/event-stream' }))
      .status;
  expect(await refused(`SELECT a FROM ${name} EMIT CHANGES;`, 'x')).toBe(400);
  expect(await refused(`SELECT a FROM ${name} EMIT CHANGES;`, 'bnVsbA')).toBe(400);
  expect(await refused(`SELECT a FROM ${name} EMIT CHANGES;`, 7)).toBe(400);
  expect(await refused(`SELECT a + 1 FROM ${name} EMIT CHANGES;`, id)).toBe(400);
  expect(await refused(`SELECT k, COUNT(*) FROM ${name} GROUP BY k EMIT CHANGES;`, id)).toBe(400);
});

test('a token of a topic that was dropped ends the query with an error', async () => {
  const name = await stream();
  await produce(name, 0, 1);
  const sql = `SELECT a FROM ${name} EMIT CHANGES;`;
  const first = await events(sql);
  const { id } = await rowsOf(first.reader, 1);
  await first.reader[Symbol.asyncDispose]();
  await ksql(`DROP STREAM ${name} DELETE TOPIC;`);
  await ksql(
    `CREATE STREAM ${name} (k STRING KEY, a BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`,
  );
  await produce(name, 0, 1);
  const { reader } = await events(sql, id === null ? {} : { id });
  await using _ = reader;
  const event = await reader.next();
  expect(event?.type).toBe('error');
  expect(JSON.parse(event?.data ?? '')).toMatchObject({
    error_code: 40_903,
    code: 'INCARNATION_CHANGED',
  });
});

const open = (): Promise<SocketClient> => SocketClient.open(`${edge.url}/query-socket`);

test('several queries share a socket, and each is sent as many rows as it has credit for', async () => {
  const name = await stream();
  await produce(name, 0, 10);
  await using socket = await open();
  const sql = `SELECT a FROM ${name} EMIT CHANGES;`;
  socket.send({ op: 'query', id: 1, sql, properties: EARLIEST, credit: 3 });
  expect(await socket.message()).toMatchObject({
    op: 'header',
    id: 1,
    columnNames: ['A'],
    resumable: true,
  });
  expect(await socket.message()).toMatchObject({ op: 'rows', id: 1, rows: [[0], [1], [2]] });
  expect(await socket.isQuiet(100)).toBe(true);
  socket.send({ op: 'query', id: 2, sql: `SELECT a FROM ${name} LIMIT 2;`, credit: 10 });
  expect(await socket.message()).toMatchObject({ op: 'header', id: 2, resumable: false });
  expect(await socket.message()).toMatchObject({ op: 'rows', id: 2, rows: [[0], [1]] });
  expect(await socket.message()).toEqual({ op: 'end', id: 2, message: 'Limit Reached' });
  socket.send({ op: 'credit', id: 1, rows: 7 });
  const rest = await socket.message();
  expect(rest).toMatchObject({ op: 'rows', id: 1, rows: [3, 4, 5, 6, 7, 8, 9].map((a) => [a]) });
  expect(rest['token']).toEqual(expect.any(String));
  socket.send({ op: 'close', id: 1 });
  expect(await socket.message()).toEqual({ op: 'end', id: 1, message: null });
  await produce(name, 10, 1);
  socket.send({ op: 'query', id: 1, sql, token: rest['token'], credit: 5 });
  expect(await socket.message()).toMatchObject({ op: 'header' });
  expect(await socket.message()).toMatchObject({ op: 'rows', rows: [[10]] });
});

test('what a query refuses ends that query alone', async () => {
  const name = await stream();
  await using socket = await open();
  socket.send({ op: 'query', id: 1, sql: 'SELECT nothing FROM nowhere EMIT CHANGES;', credit: 1 });
  expect(await socket.message()).toMatchObject({
    op: 'error',
    id: 1,
    error_code: 40_401,
    '@type': 'statement_error',
  });
  socket.send({ op: 'query', id: 1, sql: 7, credit: 1 });
  expect(await socket.message()).toMatchObject({ op: 'error', id: 1, error_code: 40_000 });
  socket.send('ping');
  expect(await socket.message()).toMatchObject({ op: 'pong' });
  socket.send({ op: 'query', id: 1, sql: `SELECT a FROM ${name} EMIT CHANGES;`, credit: 1 });
  expect(await socket.message()).toMatchObject({ op: 'header' });
  await produce(name, 5, 1);
  expect(await socket.message()).toMatchObject({ op: 'rows', rows: [[5]] });
});

test('as many queries as may be run at once; one more closes', async () => {
  const name = await stream();
  await using socket = await open();
  const query = (id: number): void =>
    socket.send({
      op: 'query',
      id,
      sql: `SELECT a FROM ${name} EMIT CHANGES;`,
      credit: SOCKET_CREDIT_ROWS_MAX,
    });
  for (let id = 0; id < SOCKET_QUERIES_MAX; id++) query(id);
  for (let id = 0; id < SOCKET_QUERIES_MAX; id++)
    expect(await socket.message()).toMatchObject({ op: 'header' });
  await produce(name, 1, 1);
  for (let id = 0; id < SOCKET_QUERIES_MAX; id++)
    expect(await socket.message()).toMatchObject({ op: 'rows', rows: [[1]] });
  query(SOCKET_QUERIES_MAX);
  expect(await socket.close()).toMatchObject({ code: 1008 });
});

test.each([
  ['a binary message', 1003, new Uint8Array(1)],
  ['a message too long', 1009, ' '.repeat(70_000)],
  ['what is not JSON', 1008, '{'],
  ['an unknown op', 1008, { op: 'subscribe', id: 1 }],
  [
    'credit beyond the limit',
    1008,
    { op: 'query', id: 1, sql: '', credit: SOCKET_CREDIT_ROWS_MAX + 1 },
  ],
])('%s closes with %i', async (_name, code, message) => {
  await using socket = await open();
  socket.send(message);
  expect(await socket.close()).toMatchObject({ code, reason: expect.stringMatching(/./) });
});
