// Long answers on a platform that lets each request make few calls to objects: what can go on does so on another connection, and the rest says why it ends.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnswerRows, connect } from '../../../runtime/client/index.ts';
import { SLICE_CALLS_MAX } from '../../../runtime/base/limits.ts';
import { isOutOfCalls, outOfCalls } from '../../../edge/calls.ts';
import { noAnswer } from '../../../edge/wire.ts';
import { send, until } from '../../support/edge-client.ts';
import { EventReader } from '../../support/event-source.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

/** Far more than one request may call for, each in a batch of its own. */
const RECORDS = 90;

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start('tests/workers/apps/few-calls.ts');
});
afterAll(() => edge.stop());

interface Status {
  readonly counters: readonly { readonly name: string; readonly value: number }[];
}

let names = 0;
async function stream(): Promise<string> {
  const name = `S${names++}`;
  const ksql = `CREATE STREAM ${name} (k STRING KEY, a BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  return name;
}

/** One record after the other, while others listen. */
async function produce(name: string, count = RECORDS): Promise<void> {
  for (let a = 0; a < count; a++) {
    const records = [{ key: 'k', value: { A: a } }];
    expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
  }
}

const all = Array.from({ length: RECORDS }, (_, a) => a);
const LATEST = { 'auto.offset.reset': 'latest' };

/** The values of a query, until there are as many as were produced. */
async function values(rows: AnswerRows): Promise<{ values: unknown[]; queries: Set<unknown> }> {
  const seen: unknown[] = [];
  const queries = new Set<unknown>();
  for await (const { A } of rows) {
    seen.push(A);
    queries.add(rows.queryId);
    if (seen.length === RECORDS) break;
  }
  return { values: seen, queries };
}

test('records as events end without an error, and go on behind the last one', async () => {
  const name = await stream();
  const producing = produce(name);
  const seen: unknown[] = [];
  let id: string | null = null;
  let connections = 0;
  while (seen.length < RECORDS) {
    connections += 1;
    const headers: Record<string, string> = id === null ? {} : { 'Last-Event-ID': id };
    const url = `${edge.url}/topics/${name}/partitions/0/records?wait_ms=5000`;
    await using reader = await EventReader.open(url, { headers });
    for (let event = await reader.next(); event !== null; event = await reader.next()) {
      expect(event.type, event.data).toBe('message');
      ({ id } = event);
      const page = JSON.parse(event.data) as { records: { value: { A: number } }[] };
      seen.push(...page.records.map(({ value }) => value.A));
      if (seen.length === RECORDS) break;
    }
  }
  await producing;
  expect(seen).toEqual(all);
  expect(connections).toBeGreaterThan(1);
});

test.each(['sse', 'socket'] as const)(
  'rows of a push query that is resumable go on over %s: each once, in order',
  async (transport) => {
    const name = await stream();
    const client = connect({ url: edge.url });
    const sql = `SELECT * FROM ${name} EMIT CHANGES;`;
    const rows = await client.query(sql, { transport, properties: LATEST });
    const producing = produce(name);
    const { values: seen, queries } = await values(rows);
    await producing;
    expect(seen).toEqual(all);
    expect(queries.size).toBeGreaterThan(1);
  },
);

test.each(['sse', 'socket'] as const)(
  'a push query with state says over %s why it ends, and what to do',
  async (transport) => {
    const name = await stream();
    const client = connect({ url: edge.url });
    const sql = `SELECT k, COUNT(*) AS a FROM ${name} GROUP BY k EMIT CHANGES;`;
    const rows = await client.query(sql, { transport, properties: LATEST });
    const producing = produce(name);
    await expect(values(rows)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('limits.subrequests') as string,
    });
    await producing;
  },
);

test('a socket of queries closes as one that begins again, and each query that cannot go on is told', async () => {
  const name = await stream();
  await using socket = await SocketClient.open(`${edge.url}/query-socket`);
  const ask = (id: number, sql: string): void =>
    socket.send({ op: 'query', id, sql, properties: LATEST, credit: 1000 });
  ask(1, `SELECT * FROM ${name} EMIT CHANGES;`);
  expect(await socket.message()).toMatchObject({ op: 'header', id: 1, resumable: true });
  ask(2, `SELECT k, COUNT(*) FROM ${name} GROUP BY k EMIT CHANGES;`);
  expect(await socket.message()).toMatchObject({ op: 'header', id: 2, resumable: false });
  const producing = produce(name);
  const errors: unknown[] = [];
  for (;;) {
    const message = await socket.message().catch(() => null);
    if (message === null) break;
    if (message.op !== 'rows') errors.push(message);
  }
  await producing;
  expect(errors).toMatchObject([{ op: 'error', id: 2, code: 'UNAVAILABLE' }]);
  expect(socket.closed).toMatchObject({ code: 1012 });
});

test('PRINT says why it ends', async () => {
  const name = await stream();
  const response = await fetch(`${edge.url}/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ksql: `PRINT ${name};` }),
  });
  const producing = produce(name);
  const lines = (await response.text()).trimEnd().split('\n');
  await producing;
  expect(lines.length).toBeGreaterThan(10);
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ code: 'UNAVAILABLE' });
});

test('a task with much to do makes SLICE_CALLS_MAX calls an event, and goes on in the next', async () => {
  const name = await stream();
  const value = { A: 1, B: 'b'.repeat(1_800) };
  let keys = 0;
  for (let request = 0; request < 40; request++) {
    const records = Array.from({ length: 500 }, () => ({ key: `k${keys++}`, value }));
    expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
  }
  // Each turn reads once and delivers to each of 16 partitions.
  const ksql = `SET 'auto.offset.reset' = 'earliest'; CREATE STREAM ${name}_BY WITH (PARTITIONS=16) AS SELECT k, a FROM ${name};`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  await until(async () => {
    const { body } = await send(edge, 'GET', '/queries');
    const [query] = (body as { queries: { tasks: { status: Status }[] }[] }).queries;
    return (
      query?.tasks[0]?.status.counters.some((one) => one.name === 'in' && one.value === keys) ??
      false
    );
  });
  expect(edge.output).not.toContain(`OUT OF ${SLICE_CALLS_MAX + 100} CALLS`);
});

test('what the platform says is known in each of its forms, and whatever was thrown because of it', () => {
  const said = [
    'Too many subrequests.',
    'Too many subrequests by single Worker invocation. To configure this limit, refer to the documentation',
    'workers/runtime/fetch: subrequest count exceeded limit of 1000',
  ];
  for (const message of said) {
    expect(isOutOfCalls(new Error(message)), message).toBe(true);
    expect(isOutOfCalls(noAnswer(new Error(message))), message).toBe(true);
    expect(isOutOfCalls(outOfCalls(new Error(message))), message).toBe(true);
  }
  expect(isOutOfCalls(noAnswer(new Error('Network connection lost.')))).toBe(false);
  expect(isOutOfCalls('Too many subrequests.')).toBe(false);
});
