// Sockets whose clients break the rules, on both paths: a close frame with the reason, nothing changed for either tenant, and others unaffected.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  SOCKET_CREDIT_ROWS_MAX,
  SOCKET_MESSAGES_SECOND_MAX,
  SOCKET_QUERIES_MAX,
  SOCKET_SUBSCRIPTIONS_MAX,
} from '../../../runtime/base/limits.ts';
import type { SocketClient } from '../../support/socket-client.ts';
import { TenantsEdge } from '../../support/tenants-edge.ts';

let edge: TenantsEdge;
beforeAll(async () => {
  edge = await TenantsEdge.start();
});
afterAll(() => edge.workerd.stop());

const PATHS = ['/socket', '/query-socket'] as const;
type Path = (typeof PATHS)[number];

/** What a client asks for on a path, and the answer to it. */
function good(path: Path, id: number, from: 'good' | 'foreign' = 'good'): object {
  if (path === '/query-socket') {
    const sql = from === 'good' ? 'SELECT * FROM s EMIT CHANGES;' : 'SELECT * FROM only_b;';
    return { op: 'query', id, sql, credit: 10 };
  }
  const topic = from === 'good' ? 'good' : 'only-b';
  return { op: 'subscribe', id, topic, partition: 0, offset: 'latest', credit: 100_000 };
}
const ANSWERED = { '/socket': 'subscribed', '/query-socket': 'header' } as const;

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** How a socket of its own is closed after what `bad` does on it. */
async function closed(path: Path, bad: (socket: SocketClient) => void): Promise<Closed> {
  await using socket = await edge.socket(path);
  bad(socket);
  // Awaited here: the socket's own end would close it before, and a close frame that crosses another may be lost.
  return await socket.close();
}

/** Of a connection that is cut with no close frame. */
const CUT = 1006;

/** What a socket may have at once: subscriptions, or queries. */
const AT_ONCE_MAX = {
  '/socket': SOCKET_SUBSCRIPTIONS_MAX,
  '/query-socket': SOCKET_QUERIES_MAX,
} as const;

const BAD: readonly (readonly [
  name: string,
  code: number,
  message: string | object | Uint8Array<ArrayBuffer>,
])[] = [
  ['a binary message', 1003, new Uint8Array(1000)],
  ['a message of 1 MiB', 1009, ' '.repeat(1_048_576)],
  ['what is not JSON', 1008, '{"op":'],
  ['JSON that is no object', 1008, '[{"op":"credit","id":1}]'],
  ['nothing', 1008, ''],
  ['JSON that is nested deeply', 1008, '['.repeat(2000)],
  ['no id', 1008, { op: 'credit' }],
  ['an id that is no number', 1008, { op: 'credit', id: '1' }],
  ['an unknown op', 1008, { op: '__proto__', id: 1 }],
  ['an op of the server', 1008, { op: 'rows', id: 1 }],
  ['credit below 0', 1008, { op: 'credit', id: 1, bytes: -1, rows: -1 }],
  ['credit that is no number', 1008, '{"op":"credit","id":1,"bytes":1e400,"rows":1e400}'],
];
test.each(PATHS)(
  '%s: whoever breaks the rules is closed, and nobody else notices',
  async (path) => {
    await using other = await edge.socket(path);
    other.send(good(path, 1));
    expect(await other.message()).toMatchObject({ op: ANSWERED[path], id: 1 });
    // A partition keeps who is to be woken: its storage has grown by that.
    const before = await edge.everything();
    for (const [name, code, message] of BAD) {
      const end = await closed(path, (socket) => socket.send(message));
      expect(end, name).toMatchObject({ code, reason: expect.stringMatching(/./) });
    }
    // The platform may cut a frame of such a length before the edge sees it.
    const far = await closed(path, (socket) => socket.send(' '.repeat(32 * 1_048_576)));
    expect([CUT, 1009]).toContain(far.code);
    await using socket = await edge.socket(path);
    expect(await socket.flood()).toMatchObject({
      code: 1008,
      reason: expect.stringMatching(/second/),
    });
    const many = await closed(path, (socket) => {
      for (let id = 0; id <= AT_ONCE_MAX[path]; id++) socket.send(good(path, id));
    });
    expect(many).toMatchObject({ code: 1008, reason: expect.stringMatching(/at most/) });
    other.send('ping');
    expect(await other.message()).toMatchObject({ op: 'pong' });
    other.send(good(path, 2));
    expect(await other.message()).toMatchObject({ op: ANSWERED[path], id: 2 });
    expect(await edge.everything()).toBe(before);
  },
);

test.each(PATHS)('%s: what another tenant has is not there', async (path) => {
  const b = { Authorization: 'Bearer key-of-b' };
  await edge.ask('POST', '/topics', { name: 'only-b' }, b);
  const ksql = `CREATE STREAM only_b (a INT) WITH (KAFKA_TOPIC='only-b', VALUE_FORMAT='JSON');`;
  await edge.ask('POST', '/ksql', { ksql }, b);
  await using socket = await edge.socket(path);
  socket.send(good(path, 1, 'foreign'));
  const message = await socket.message();
  expect(message).toMatchObject({ op: 'error', id: 1 });
  expect(Math.floor(Number(message['error_code']) / 100)).toBe(404);
  // The socket itself goes on.
  socket.send(good(path, 1));
  expect(await socket.message()).toMatchObject({ op: ANSWERED[path] });
});

test.each(PATHS)('%s: pings wake nobody and close nothing', async (path) => {
  await using socket = await edge.socket(path);
  for (let i = 0; i < SOCKET_MESSAGES_SECOND_MAX * 2; i++) socket.send('ping');
  for (let i = 0; i < SOCKET_MESSAGES_SECOND_MAX * 2; i++)
    expect(await socket.message()).toMatchObject({ op: 'pong' });
});

test('a storm of sockets that come and go leaves room for those that stay', async () => {
  await using stays = await edge.socket('/socket');
  stays.send(good('/socket', 1));
  expect(await stays.message()).toMatchObject({ op: 'subscribed' });
  for (let round = 0; round < 3; round++) {
    const sockets = await Promise.all(Array.from({ length: 30 }, () => edge.socket('/socket')));
    await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
  }
  await edge.ask('POST', '/topics/good/records', { records: [{ value: 1, partition: 0 }] });
  expect(await stays.frame()).toMatchObject({ values: ['1'] });
});

test('a query whose rows wait for credit holds no other one of its socket up', async () => {
  await using socket = await edge.socket('/query-socket');
  const properties = { 'auto.offset.reset': 'earliest' };
  const records = Array.from({ length: 20 }, (_, i) => ({ key: 'k', value: { A: i } }));
  await edge.ask('POST', '/topics/s/records', { records });
  const sql = 'SELECT a FROM s EMIT CHANGES LIMIT 20;';
  socket.send({ op: 'query', id: 1, sql, properties, credit: 0 });
  socket.send({ op: 'query', id: 2, sql, properties, credit: SOCKET_CREDIT_ROWS_MAX });
  const ended = new Set<number>();
  while (!ended.has(2)) {
    const { op, id } = await socket.message();
    expect(op === 'rows' && id === 1).toBe(false);
    if (op === 'end') ended.add(id);
  }
});
