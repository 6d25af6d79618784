// Sockets of records whose clients are granted much and say nothing: what may lie unread is bounded, for each and for all, and the silent give way.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  QUERY_SOCKETS_UNREAD_BYTES_MAX,
  RELAY_UNREAD_BYTES_MAX,
  SOCKET_CREDIT_BYTES_MAX,
  SOCKET_UNREAD_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { SocketRoom } from '../../../edge/routes/socket-room.ts';
import { RawSocket } from '../../bench/edge/raw-socket.ts';
import { send } from '../../support/edge-client.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

const credit = SOCKET_CREDIT_BYTES_MAX;
let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

async function topic(name: string, batches: number, length: number): Promise<void> {
  expect((await send(edge, 'POST', '/topics', { name })).status).toBe(201);
  for (let i = 0; i < batches; i++) {
    const records = [{ value: 'x'.repeat(length) }];
    expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
  }
}

async function subscribed(name: string, ids: readonly number[]): Promise<SocketClient> {
  const socket = await SocketClient.open(`${edge.url}/socket`);
  for (const id of ids)
    socket.send({ op: 'subscribe', id, topic: name, partition: 0, offset: 0, credit });
  return socket;
}

/** Reads on, answering what asks whether it was read, until so many records have come. @returns the most that came before an answer */
async function readOn(socket: SocketClient, records: number): Promise<number> {
  let [most, unread, read] = [0, 0, 0];
  while (read < records) {
    const item = await socket.next();
    if (!('op' in item)) {
      read += item.values.length;
      most = Math.max(most, (unread += item.lengthBytes));
    } else if (item.op === 'ask') {
      // Longer than the next frames take: none comes before there is room for it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.send(item['text'] as string);
      unread = 0;
    }
  }
  return most;
}

test('a client that says nothing is sent SOCKET_UNREAD_BYTES_MAX, whatever it granted; when it says that it reads it is sent the rest', async () => {
  const batches = 8;
  await topic('wide', batches, 300_000);
  await using socket = await subscribed('wide', [1, 2, 3]);
  // Quiet, whatever is left: 24 batches.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const most = await readOn(socket, 3 * batches);
  expect(most).toBeLessThanOrEqual(SOCKET_UNREAD_BYTES_MAX);
  expect(most).toBeGreaterThan(600_000);
});

test('credit says nothing of what was read, nor does the answer to another ask', async () => {
  await topic('granted', 8, 300_000);
  await using socket = await subscribed('granted', [1, 2, 3]);
  let bytes = 0;
  let asks = 0;
  const look = async (): Promise<void> => {
    for (;;) {
      const item = await socket.next();
      if (!('op' in item)) bytes += item.lengthBytes;
      else if (item.op === 'ask') asks += 1;
    }
  };
  const looking = look().catch(() => undefined);
  await expect.poll(() => asks).toBe(1);
  expect(bytes).toBeGreaterThan(SOCKET_UNREAD_BYTES_MAX / 2);
  for (let i = 0; i < 20; i++) {
    socket.send({ op: 'credit', id: 1, bytes: 0 });
    socket.send(`ask ${crypto.randomUUID()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(bytes).toBeLessThanOrEqual(SOCKET_UNREAD_BYTES_MAX);
  expect(asks).toBe(1);
  await socket[Symbol.asyncDispose]();
  await looking;
});

test('of many that say nothing no more than RELAY_UNREAD_BYTES_MAX lies unread; they give way, and one that reads is served', async () => {
  const length = 800_000;
  await topic('large', 1, length);
  const silent: SocketClient[] = [];
  for (let i = 0; i < 60; i++) silent.push(await subscribed('large', [1]));
  const began = performance.now();
  await using reads = await subscribed('large', [7]);
  expect(await reads.message()).toMatchObject({ op: 'subscribed', id: 7 });
  expect(await reads.frame()).toMatchObject({ id: 7, base: 0 });
  expect(performance.now() - began).toBeLessThan(20_000);
  await expect
    .poll(() => silent.filter(({ closed }) => closed !== null).length)
    .toBeGreaterThanOrEqual(60 - Math.floor(RELAY_UNREAD_BYTES_MAX / length));
  const gone = silent.find(({ closed }) => closed !== null);
  expect(gone?.closed).toEqual({ code: 1013, reason: '{"id":1,"next":1}' });
  for (const socket of silent) await socket[Symbol.asyncDispose]();
});

test('a socket of queries is sent SOCKET_UNREAD_BYTES_MAX of rows, whatever credit they have, and the rest when its client says that it reads', async () => {
  const ksql =
    "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const rows = 10;
  for (let i = 0; i < rows; i++) {
    const records = [{ key: 'k', value: { v: 'x'.repeat(300_000) } }];
    expect((await send(edge, 'POST', '/topics/s/records', { records })).status).toBe(200);
  }
  await using socket = await SocketClient.open(`${edge.url}/query-socket`);
  const properties = { 'auto.offset.reset': 'earliest' };
  for (const id of [1, 2])
    socket.send({ op: 'query', id, sql: 'SELECT * FROM s EMIT CHANGES;', properties, credit: 100 });
  let [most, unread, read, asked] = [0, 0, 0, 0];
  while (read < 2 * rows) {
    const message = await socket.message();
    if (message.op === 'rows') {
      read += (message['rows'] as unknown[]).length;
      unread += JSON.stringify(message).length;
      most = Math.max(most, unread);
    } else if (message.op === 'ask') {
      asked += 1;
      // What is granted meanwhile says nothing.
      socket.send({ op: 'credit', id: 1, rows: 1 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.send(message['text'] as string);
      unread = 0;
    }
  }
  expect(most).toBeLessThanOrEqual(SOCKET_UNREAD_BYTES_MAX);
  expect(asked).toBeGreaterThanOrEqual(Math.floor((2 * rows * 300_000) / SOCKET_UNREAD_BYTES_MAX));
});

/** A socket that notes what asks it, and whether it had to give way. */
class NotedRoom {
  readonly asks: string[] = [];
  isGone = false;
  readonly room = new SocketRoom({
    send: (ask) => void this.asks.push(ask),
    giveWay: () => {
      this.isGone = true;
      this.room.close();
    },
  });

  /** @returns false: it has to wait */
  async give(bytes: number): Promise<boolean> {
    let isSent = false;
    void this.room.give(
      bytes,
      () => !this.isGone,
      () => (isSent = true),
    );
    await Promise.resolve();
    return isSent;
  }
}

test('from QUERY_SOCKETS_UNREAD_BYTES_MAX on nothing is sent before others have given way, which have not answered for a second', async () => {
  const rooms: NotedRoom[] = [];
  const made = (): NotedRoom => rooms[rooms.push(new NotedRoom()) - 1] as NotedRoom;
  for (let i = 0; i < 15; i++) await made().give(QUERY_SOCKETS_UNREAD_BYTES_MAX / 16);
  const last = made();
  expect(await last.give(900_000)).toBe(true);
  // A quarter of what is left is less.
  expect(await last.give(65_536)).toBe(false);
  last.room.answered('ask of another');
  expect(SocketRoom.unreadBytes).toBeGreaterThan(QUERY_SOCKETS_UNREAD_BYTES_MAX - 200_000);
  last.room.answered(last.asks.at(-1) ?? '');
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(last.room.unread).toBe(65_536);
  const full = made();
  expect(await full.give(QUERY_SOCKETS_UNREAD_BYTES_MAX - SocketRoom.unreadBytes)).toBe(true);
  expect(SocketRoom.unreadBytes).toBe(QUERY_SOCKETS_UNREAD_BYTES_MAX);
  const late = made();
  const waits = late.give(100_000);
  expect(await waits).toBe(false);
  await expect.poll(() => rooms.filter(({ isGone }) => isGone).length).toBeGreaterThan(0);
  expect(SocketRoom.unreadBytes).toBeLessThan(QUERY_SOCKETS_UNREAD_BYTES_MAX);
  for (const { room } of rooms) room.close();
  expect(SocketRoom.unreadBytes).toBe(0);
});

test('what comes behind the message that a socket of queries is closed for begins no query, though its client says nothing of the end', async () => {
  const ksql =
    "CREATE STREAM c (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='c', PARTITIONS=1, VALUE_FORMAT='JSON');";
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const records = Array.from({ length: 1_000 }, (_, i) => ({ key: `k${i}`, value: { v: 'x' } }));
  expect((await send(edge, 'POST', '/topics/c/records', { records })).status).toBe(200);
  const held = async (): Promise<number> => {
    const { text } = await send(edge, 'GET', '/metrics');
    return Number(/^millrace_push_queries_held_bytes (\d+)$/m.exec(text)?.[1]);
  };
  await expect.poll(held, { timeout: 30_000 }).toBe(0);
  const query = {
    op: 'query',
    id: 1,
    sql: 'SELECT k, COUNT(*) AS n FROM c GROUP BY k EMIT CHANGES;',
    properties: { 'auto.offset.reset': 'earliest' },
    credit: 10_000,
  };
  const open = () => RawSocket.open(Number(new URL(edge.url).port), '/query-socket');
  const [runs, closed] = [await open(), await open()];
  runs.send(query);
  // Of its state is known that it runs.
  await expect.poll(held, { timeout: 10_000 }).toBeGreaterThan(1_000);
  runs.close();
  await expect.poll(held, { timeout: 10_000 }).toBe(0);
  closed.send({ op: 'unknown', id: 1 });
  closed.send(query);
  let most = 0;
  for (let looks = 0; looks < 30; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    most = Math.max(most, await held());
  }
  expect(most).toBe(0);
  closed.close();
}, 60_000);
