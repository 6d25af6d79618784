// Sockets of records whose clients are granted much and say nothing: what may lie unread is bounded, for each and for all, and the silent give way.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  QUERY_SOCKETS_UNREAD_BYTES_MAX,
  RELAY_UNREAD_BYTES_MAX,
  SOCKET_CREDIT_BYTES_MAX,
  SOCKET_UNREAD_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { SocketRoom } from '../../../edge/routes/socket-room.ts';
import { send } from '../../support/edge-client.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

const credit = SOCKET_CREDIT_BYTES_MAX;
let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
}, 60_000);
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

/** Reads on, granting what `granted` says of a message `waiting`, until it says null. @returns the most that came before the next one was granted */
async function readOn(
  socket: SocketClient,
  seen: (id: number, records: number) => boolean,
  granted: (id: number, bytes: number) => number | null,
): Promise<number> {
  let [most, unread] = [0, 0];
  for (;;) {
    const item = await socket.next();
    if (!('op' in item)) {
      most = Math.max(most, (unread += item.lengthBytes));
      if (seen(item.id, item.values.length)) return most;
    } else if (item.op === 'waiting') {
      const bytes = granted(item.id, Number(item['bytes']));
      if (bytes === null) continue;
      socket.send({ op: 'credit', id: item.id, bytes });
      unread = 0;
    }
  }
}

test('a client that says nothing is sent SOCKET_UNREAD_BYTES_MAX, whatever it granted; when it says that it reads it is sent the rest', async () => {
  const batches = 8;
  await topic('wide', batches, 300_000);
  await using socket = await subscribed('wide', [1, 2, 3]);
  // Quiet, whatever is left: 24 batches.
  await new Promise((resolve) => setTimeout(resolve, 500));
  let read = 0;
  const seen = (_: number, records: number): boolean => (read += records) === 3 * batches;
  const most = await readOn(socket, seen, () => 1);
  expect(most).toBeLessThanOrEqual(SOCKET_UNREAD_BYTES_MAX);
  expect(most).toBeGreaterThan(600_000);
});

test('a subscription that does not answer holds no other of its socket up, and one that ends does not either', async () => {
  await topic('behind', 8, 300_000);
  await using socket = await subscribed('behind', [1, 2, 3]);
  const read = new Map<number, number>();
  const seen = (id: number, records: number): boolean => {
    read.set(id, (read.get(id) ?? 0) + records);
    return read.get(3) === 8;
  };
  const answers = (id: number): number | null => {
    if (id === 2) socket.send({ op: 'unsubscribe', id });
    return id === 3 ? 1 : null;
  };
  await readOn(socket, seen, answers);
  expect(read.get(1) ?? 0).toBeLessThan(8);
  expect(read.get(2) ?? 0).toBeLessThan(8);
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
  expect(performance.now() - began).toBeLessThan(8_000);
  await expect
    .poll(() => silent.filter(({ closed }) => closed !== null).length, { timeout: 15_000 })
    .toBeGreaterThanOrEqual(60 - Math.floor(RELAY_UNREAD_BYTES_MAX / length));
  const gone = silent.find(({ closed }) => closed !== null);
  expect(gone?.closed).toEqual({ code: 1013, reason: '{"id":1,"next":1}' });
  for (const socket of silent) await socket[Symbol.asyncDispose]();
}, 60_000);

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
    } else if (message.op === 'waiting') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      // Of either query: what is read is the socket.
      socket.send({ op: 'credit', id: 1 + (asked++ % 2), rows: 0 });
      unread = 0;
    }
  }
  expect(most).toBeLessThanOrEqual(SOCKET_UNREAD_BYTES_MAX);
  expect(asked).toBeGreaterThanOrEqual(Math.floor((2 * rows * 300_000) / SOCKET_UNREAD_BYTES_MAX));
});

test('from QUERY_SOCKETS_UNREAD_BYTES_MAX on each socket of queries is asked after 64 KiB, and before that after what is left', async () => {
  const rooms: SocketRoom[] = [];
  let asked = 0;
  const give = async (room: SocketRoom, bytes: number): Promise<boolean> => {
    let isSent = false;
    const ask = (): void => void asked++;
    void room.give(bytes, () => (isSent = true), ask);
    await Promise.resolve();
    return isSent;
  };
  const room = (): SocketRoom => rooms[rooms.push(new SocketRoom()) - 1] as SocketRoom;
  for (let i = 0; i < 15; i++) await give(room(), QUERY_SOCKETS_UNREAD_BYTES_MAX / 16);
  const last = room();
  expect(await give(last, 900_000)).toBe(true);
  // A quarter of what is left is less.
  expect(await give(last, 65_536)).toBe(false);
  last.read();
  const full = room();
  expect(await give(full, QUERY_SOCKETS_UNREAD_BYTES_MAX - SocketRoom.unreadBytes - 65_536)).toBe(
    true,
  );
  const small = room();
  expect(await give(small, 65_535)).toBe(true);
  expect(await give(small, 1)).toBe(true);
  expect(SocketRoom.unreadBytes).toBeGreaterThanOrEqual(QUERY_SOCKETS_UNREAD_BYTES_MAX);
  asked = 0;
  expect([await give(small, 1), asked]).toEqual([false, 1]);
  small.read();
  for (const one of rooms) one.close();
  expect(SocketRoom.unreadBytes).toBe(0);
});
