// Clients that go in the middle of a request: what they held is there for others again.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import {
  BODY_BYTES_MAX,
  PUSH_QUERIES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  TOPIC_READS_MAX,
  UNREAD_BODIES_MAX,
} from '../../../runtime/base/limits.ts';
import { send, sendUntilTaken } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

/** Long enough for the beginning of a request to be looked at. */
const BEGUN_MS = 50;

/** The beginning of a request, whose connection is then reset. */
async function broken(edge: Workerd, path: string, length: number): Promise<void> {
  const { host, hostname, port } = new URL(edge.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{"records": [`,
  );
  await new Promise((resolve) => setTimeout(resolve, BEGUN_MS));
  socket.resetAndDestroy();
}

/** So many, a few at a time. */
async function manyBroken(
  edge: Workerd,
  count: number,
  path: string,
  length: number,
): Promise<void> {
  const atOnce = 8;
  for (let i = 0; i < count; i += atOnce)
    await Promise.all(Array.from({ length: atOnce }, () => broken(edge, path, length)));
}

test('whoever comes after many whose connections broke off is served', async () => {
  await using edge = await Workerd.start();
  const topic = { name: 't', partitions: 1 };
  expect((await send(edge, 'POST', '/topics', topic)).status).toBe(201);
  await manyBroken(edge, 2 * REQUESTS_IN_FLIGHT_MAX, '/topics/t/records', 1000);
  const record = { records: [{ value: 'a' }] };
  const answers = Array.from({ length: REQUESTS_IN_FLIGHT_MAX / 4 }, () =>
    sendUntilTaken(edge, 'POST', '/topics/t/records', record),
  );
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test('a long body is read to its end after many that nobody read broke off', async () => {
  await using edge = await Workerd.start();
  await manyBroken(edge, 2 * UNREAD_BODIES_MAX, '/nowhere', BODY_BYTES_MAX);
  const body = ' '.repeat(2 * BODY_BYTES_MAX);
  for (let i = 0; i < 4; i++) {
    const answers = [send(edge, 'POST', '/nowhere', body), send(edge, 'PUT', '/topics', body)];
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([404, 405]);
  }
});

/** Asks so and reads on. @returns the status with which the answer begins */
async function asked(
  edge: Workerd,
  path: string,
  body: object,
): Promise<{ socket: Socket; status: number }> {
  const { host, hostname, port } = new URL(edge.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const text = JSON.stringify(body);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.on('error', () => undefined).resume();
  return { socket, status: Number(head.toString('latin1').slice('HTTP/1.1 '.length).slice(0, 3)) };
}

/** Opens so many, beyond which there is room for none. */
async function filled(edge: Workerd, path: string, body: object, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const { socket, status } = await asked(edge, path, body);
    expect([200, 429]).toContain(status);
    if (status === 200) sockets.push(socket);
    else socket.destroy();
    expect(sockets.length).toBeLessThanOrEqual(count);
    // One that is refused sooner came to an edge that is behind.
    if (status === 429 && sockets.length === count) return sockets;
  }
}

/** What is streamed, up to where it contains that. */
async function streamed(
  edge: Workerd,
  headers: object,
  body: object,
  end: string,
): Promise<string> {
  const response = await fetch(`${edge.url}/query-stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  let text = '';
  for await (const part of (response.body ?? new ReadableStream()).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += part;
    if (text.includes(end)) break;
  }
  return text;
}

/** Resolves once such a query is let in, and ends it. */
async function admitted(edge: Workerd, path: string, body: object): Promise<void> {
  for (;;) {
    const response = await fetch(edge.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    await response.body?.cancel();
    if (response.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

test('queries without rows whose clients have ended their connections make room for others, and whoever waits has JSON', async () => {
  await using edge = await Workerd.start();
  const ksql = `CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const select = { sql: 'SELECT v FROM s EMIT CHANGES;' };
  const print = { ksql: "PRINT 's';" };
  const lines = streamed(edge, {}, select, '["a"]\n');
  const array = streamed(
    edge,
    { Accept: 'application/json' },
    { sql: 'SELECT v FROM s EMIT CHANGES LIMIT 1;' },
    '\n]\n',
  );
  const open = await filled(edge, '/query', print, TOPIC_READS_MAX);
  // Two are those that wait.
  open.push(...(await filled(edge, '/query-stream', select, PUSH_QUERIES_MAX - 2)));
  // As programs do that end: nothing tells the edge so until it sends something.
  for (const socket of open) socket.destroy();
  await Promise.all([admitted(edge, '/query-stream', select), admitted(edge, '/query', print)]);
  expect(
    (await send(edge, 'POST', '/topics/s/records', { records: [{ value: { v: 'a' } }] })).status,
  ).toBe(200);
  expect(
    (await lines)
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([['a']]);
  expect(await lines).toMatch(/ \["a"\]/);
  expect(JSON.parse(await array)).toHaveLength(2);
  expect(await array).toContain(' ');
});
