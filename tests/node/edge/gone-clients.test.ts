// Clients that go in the middle of a request: what they held is there for others again.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import {
  BODY_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  UNREAD_BODIES_MAX,
} from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
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
    send(edge, 'POST', '/topics/t/records', record),
  );
  expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
}, 60_000);

test('a long body is read to its end after many that nobody read broke off', async () => {
  await using edge = await Workerd.start();
  await manyBroken(edge, 2 * UNREAD_BODIES_MAX, '/nowhere', BODY_BYTES_MAX);
  const body = ' '.repeat(2 * BODY_BYTES_MAX);
  for (let i = 0; i < 4; i++) {
    const answers = [send(edge, 'POST', '/nowhere', body), send(edge, 'PUT', '/topics', body)];
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([404, 405]);
  }
}, 60_000);
