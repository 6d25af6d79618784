// Records over a WebSocket on plain workerd: credit, resuming, several partitions on one socket, and every way of being closed.

import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  SOCKET_CREDIT_BYTES_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
  SOCKET_SUBSCRIPTIONS_MAX,
} from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

let topics = 0;
async function topic(partitions = 1): Promise<string> {
  const name = `t${topics++}`;
  expect((await send(edge, 'POST', '/topics', { name, partitions })).status).toBe(201);
  return name;
}

async function produce(name: string, values: readonly unknown[], partition = 0): Promise<void> {
  const records = values.map((value) => ({ value, partition }));
  expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
}

const open = (): Promise<SocketClient> => SocketClient.open(`${edge.url}/socket`);
const CREDIT = SOCKET_CREDIT_BYTES_MAX;

test('records that are there come at once, and later ones as they are appended', async () => {
  const name = await topic();
  await produce(name, [1, 2]);
  await using socket = await open();
  socket.send({
    op: 'subscribe',
    id: 7,
    topic: name,
    partition: 0,
    offset: 'earliest',
    credit: CREDIT,
  });
  expect(await socket.message()).toMatchObject({
    op: 'subscribed',
    id: 7,
    next: 0,
    start: 0,
    highWatermark: 2,
  });
  expect(await socket.frame()).toMatchObject({
    id: 7,
    base: 0,
    values: ['1', '2'],
    highWatermark: 2,
  });
  await produce(name, [3]);
  expect(await socket.frame()).toMatchObject({ id: 7, base: 2, values: ['3'], highWatermark: 3 });
});

test('one socket carries several topics and partitions, each by its id', async () => {
  const [a, b] = [await topic(2), await topic()];
  await using socket = await open();
  const wanted = [
    { id: 0, topic: a, partition: 0 },
    { id: 1, topic: a, partition: 1 },
    { id: 4_294_967_295, topic: b, partition: 0 },
  ];
  for (const one of wanted) {
    socket.send({ op: 'subscribe', ...one, offset: 'latest', credit: CREDIT });
    expect(await socket.message()).toMatchObject({ op: 'subscribed', id: one.id });
  }
  for (const { id, topic: name, partition } of wanted) {
    await produce(name, [`from ${id}`], partition);
    expect(await socket.frame()).toMatchObject({ id, values: [`"from ${id}"`] });
  }
});

test('no more is sent than was granted, and a client is told what is missing', async () => {
  const name = await topic();
  for (let i = 0; i < 5; i++) await produce(name, ['x'.repeat(100)]);
  await using socket = await open();
  socket.send({ op: 'subscribe', id: 1, topic: name, partition: 0, offset: 0, credit: 0 });
  await socket.message();
  const waiting = await socket.message();
  expect(waiting).toMatchObject({ op: 'waiting', id: 1, next: 0 });
  const bytes = Number(waiting['bytes']);
  // One less than the frame takes is not enough.
  socket.send({ op: 'credit', id: 1, bytes: bytes - 1 });
  expect(await socket.message()).toMatchObject({ op: 'waiting', next: 0, bytes });
  socket.send({ op: 'credit', id: 1, bytes: 1 });
  expect(await socket.frame()).toMatchObject({
    base: 0,
    lengthBytes: bytes,
    values: [expect.any(String)],
  });
  expect(await socket.message()).toMatchObject({ op: 'waiting', next: 1, bytes });
  // Two batches share the head of a frame: what is left of the credit stays.
  socket.send({ op: 'credit', id: 1, bytes: bytes * 2 });
  const two = await socket.frame();
  expect(two.values).toHaveLength(2);
  expect(two.lengthBytes).toBe(bytes * 2 - 16);
  expect(await socket.message()).toMatchObject({ op: 'waiting', next: 3 });
  socket.send({ op: 'credit', id: 1, bytes: bytes * 2 - 32 });
  expect((await socket.frame()).values).toHaveLength(2);
  expect(await socket.isQuiet(100)).toBe(true);
});

test('a cut anywhere and the offset behind the last record resume without loss or repeat', async () => {
  const name = await topic();
  const seen: string[] = [];
  let next = 0;
  for (let round = 0; round < 8; round++) {
    await using socket = await open();
    socket.send({
      op: 'subscribe',
      id: 1,
      topic: name,
      partition: 0,
      offset: next,
      credit: CREDIT,
    });
    await socket.message();
    for (let n = 0; n <= round % 3; n++) await produce(name, [seen.length, seen.length + 1]);
    // Some of what is on its way is thrown away with the socket.
    const { base, values } = await socket.frame();
    seen.push(...values.slice(next - base));
    next = base + values.length;
  }
  await using socket = await open();
  socket.send({ op: 'subscribe', id: 1, topic: name, partition: 0, offset: next, credit: CREDIT });
  const { highWatermark } = (await socket.message()) as unknown as { highWatermark: number };
  while (next < highWatermark) {
    const { base, values } = await socket.frame();
    seen.push(...values.slice(next - base));
    next = base + values.length;
  }
  const { body } = await send(edge, 'GET', `/topics/${name}/partitions/0/records`);
  const { records } = body as { records: { value: number }[] };
  expect(seen.map(Number)).toEqual(records.map(({ value }) => value));
});

test('frames that begin small double, and bring a long batch in pieces', async () => {
  const name = await topic();
  const values = Array.from({ length: 400 }, (_, i) => `"${i} ${'x'.repeat(80)}"`);
  await produce(
    name,
    values.map((text) => JSON.parse(text) as string),
  );
  await produce(name, ['last']);
  await using socket = await open();
  const frame = 512;
  socket.send({
    op: 'subscribe',
    id: 1,
    topic: name,
    partition: 0,
    offset: 0,
    credit: CREDIT,
    frame,
  });
  await socket.message();
  const seen: string[] = [];
  const lengths: number[] = [];
  while (seen.length < values.length + 1) {
    const { base, values: got, lengthBytes } = await socket.frame();
    expect(base).toBe(seen.length);
    seen.push(...got);
    lengths.push(lengthBytes);
  }
  expect(seen).toEqual([...values, '"last"']);
  // What is left of the long batch and the short one behind it are as long as they are.
  lengths.slice(0, -2).forEach((length, nth) => {
    expect(length).toBeLessThanOrEqual(frame * 2 ** nth);
    expect(length).toBeGreaterThan(frame * 2 ** nth - 150);
  });
  expect(lengths.length).toBeGreaterThan(4);
  // One record comes whatever the frame is, and within the credit alone.
  socket.send({
    op: 'subscribe',
    id: 2,
    topic: name,
    partition: 0,
    offset: 3,
    credit: 0,
    frame: 0,
  });
  await socket.message();
  const waiting = await socket.message();
  expect(waiting).toMatchObject({ op: 'waiting', id: 2, next: 3 });
  socket.send({ op: 'credit', id: 2, bytes: Number(waiting['bytes']) });
  expect(await socket.frame()).toMatchObject({ id: 2, base: 3, values: [values[3]] });
});

test('a subscription that cannot be ends by itself, and the others go on', async () => {
  const name = await topic();
  await produce(name, [1]);
  await using socket = await open();
  const refused = async (subscription: object): Promise<unknown> => {
    socket.send({
      op: 'subscribe',
      id: 1,
      topic: name,
      partition: 0,
      offset: 0,
      credit: 0,
      ...subscription,
    });
    return (await socket.message())['error_code'];
  };
  expect(await refused({ topic: 'nowhere' })).toBe(40_400);
  expect(await refused({ topic: '../x' })).toBe(40_400);
  expect(await refused({ partition: 1 })).toBe(40_400);
  expect(await refused({ offset: 2 })).toBe(41_600);
  expect(await refused({ incarnation: 'another' })).toBe(40_903);
  expect(await refused({ incarnation: 'another', offset: 'latest' })).toBe(40_903);
  socket.send({ op: 'subscribe', id: 1, topic: name, partition: 0, offset: 0, credit: CREDIT });
  expect(await socket.message()).toMatchObject({ op: 'subscribed' });
  expect(await socket.frame()).toMatchObject({ values: ['1'] });
});

test('nothing comes after unsubscribe, and its id is free again', async () => {
  const name = await topic();
  await using socket = await open();
  const subscribe = {
    op: 'subscribe',
    id: 1,
    topic: name,
    partition: 0,
    offset: 'latest',
    credit: CREDIT,
  };
  socket.send(subscribe);
  await socket.message();
  socket.send({ op: 'unsubscribe', id: 1 });
  expect(await socket.message()).toEqual({ op: 'end', id: 1, next: 0 });
  await produce(name, [1]);
  expect(await socket.isQuiet(150)).toBe(true);
  socket.send({ ...subscribe, offset: 0 });
  expect(await socket.message()).toMatchObject({ op: 'subscribed' });
  expect(await socket.frame()).toMatchObject({ values: ['1'] });
});

test('a topic that is dropped ends its subscriptions', async () => {
  const [a, b] = [await topic(), await topic()];
  await using socket = await open();
  for (const [id, name] of [a, b].entries()) {
    socket.send({
      op: 'subscribe',
      id,
      topic: name,
      partition: 0,
      offset: 'latest',
      credit: CREDIT,
    });
    await socket.message();
  }
  expect((await send(edge, 'DELETE', `/topics/${a}`)).status).toBe(204);
  expect(await socket.message()).toMatchObject({ op: 'error', id: 0, next: 0, error_code: 40_400 });
  await produce(b, [1]);
  expect(await socket.frame()).toMatchObject({ id: 1, values: ['1'] });
});

test('ping is answered by pong', async () => {
  await using socket = await open();
  socket.send('ping');
  expect(await socket.message()).toMatchObject({ op: 'pong' });
});

test('as many subscriptions as may be are carried, with the longest names; one more closes', async () => {
  const name = 'n'.repeat(249);
  expect(
    (await send(edge, 'POST', '/topics', { name, partitions: SOCKET_SUBSCRIPTIONS_MAX })).status,
  ).toBe(201);
  await using socket = await open();
  const subscribe = (id: number, partition: number): void =>
    socket.send({
      op: 'subscribe',
      id,
      topic: name,
      partition,
      offset: 'earliest',
      credit: CREDIT,
    });
  for (let id = 0; id < SOCKET_SUBSCRIPTIONS_MAX; id++) {
    subscribe(4_294_967_295 - id, id);
  }
  for (let id = 0; id < SOCKET_SUBSCRIPTIONS_MAX; id++)
    expect(await socket.message()).toMatchObject({ op: 'subscribed' });
  await produce(name, [1], SOCKET_SUBSCRIPTIONS_MAX - 1);
  expect(await socket.frame()).toMatchObject({
    id: 4_294_967_295 - SOCKET_SUBSCRIPTIONS_MAX + 1,
    values: ['1'],
  });
  subscribe(5, 0);
  expect(await socket.close()).toMatchObject({ code: 1008 });
});

const closing: [
  name: string,
  code: number,
  messages: (string | object | Uint8Array<ArrayBuffer>)[],
][] = [
  ['a binary message', 1003, [new Uint8Array(3)]],
  ['a message too long', 1009, [`{"op":"${'x'.repeat(SOCKET_MESSAGE_BYTES_MAX)}"}`]],
  ['what is not JSON', 1008, ['nonsense']],
  ['what is no object', 1008, ['[1]']],
  ['an unknown op', 1008, [{ op: 'toString', id: 1 }]],
  ['an id that is none', 1008, [{ op: 'unsubscribe', id: -1 }]],
  [
    'credit beyond the limit',
    1008,
    [{ op: 'subscribe', id: 1, topic: 't0', partition: 0, offset: 0, credit: CREDIT + 1 }],
  ],
  [
    'an offset that is none',
    1008,
    [{ op: 'subscribe', id: 1, topic: 't0', partition: 0, offset: '0', credit: 0 }],
  ],
  [
    'an id in use',
    1008,
    [0, 1].map(() => ({ op: 'subscribe', id: 1, topic: 't0', partition: 0, offset: 0, credit: 0 })),
  ],
];
test.each(closing)('%s closes with %i', async (_name, code, messages) => {
  await using socket = await open();
  for (const message of messages) socket.send(message);
  const closed = await socket.close();
  expect(closed).toMatchObject({ code, reason: expect.stringMatching(/./) });
});

test('a flood of messages closes, and others notice nothing', async () => {
  const name = await topic();
  await using quiet = await open();
  await using socket = await open();
  const subscribe = {
    op: 'subscribe',
    id: 1,
    topic: name,
    partition: 0,
    offset: 0,
    credit: CREDIT,
  };
  for (const one of [quiet, socket]) {
    one.send(subscribe);
    expect(await one.message()).toMatchObject({ op: 'subscribed' });
  }
  expect(await socket.flood()).toMatchObject({
    code: 1008,
    reason: expect.stringMatching(/second/),
  });
  await produce(name, [1]);
  expect(await quiet.frame()).toMatchObject({ values: ['1'] });
});

test('what is said of a subscription that has ended meanwhile means nothing', async () => {
  await using socket = await open();
  socket.send({ op: 'credit', id: 1, bytes: 1 });
  socket.send({ op: 'unsubscribe', id: 1 });
  socket.send('ping');
  expect(await socket.message()).toMatchObject({ op: 'pong' });
});

test('a socket wants an upgrade, from a page of its own origin', async () => {
  expect((await send(edge, 'GET', '/socket')).status).toBe(426);
  const upgraded = (origin: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        Origin: origin,
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      const asked = request(`${edge.url}/socket`, { headers });
      asked.once('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode ?? 0);
      });
      asked.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.once('error', reject);
      asked.end();
    });
  expect(await upgraded(edge.url)).toBe(101);
  expect(await upgraded('https://evil.example')).toBe(403);
  expect(await upgraded('null')).toBe(403);
});
