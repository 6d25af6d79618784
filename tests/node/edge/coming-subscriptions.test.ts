// What a client says of a subscription over a socket while it is being made, on plain workerd.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { SOCKET_CREDIT_BYTES_MAX as CREDIT } from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const PARTITIONS = 16;

let topics = 0;
async function topic(): Promise<string> {
  const made = { name: `t${topics++}`, partitions: PARTITIONS };
  expect((await send(edge, 'POST', '/topics', made)).status).toBe(201);
  return made.name;
}

/** One record into each partition. */
async function produce(name: string): Promise<void> {
  const records = Array.from({ length: PARTITIONS }, (_, partition) => ({ value: 1, partition }));
  expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
}

const open = (): Promise<SocketClient> => SocketClient.open(`${edge.url}/socket`);

test('what is said of a subscription before it is there counts', async () => {
  const name = await topic();
  await using socket = await open();
  const subscribe = (id: number, partition: number, credit: number): void =>
    socket.send({ op: 'subscribe', id, topic: name, partition, offset: 0, credit });
  // Their objects begin with it, so that most of them are not there when it is taken back.
  for (let id = 0; id < PARTITIONS; id++) {
    subscribe(id, id, CREDIT);
    socket.send({ op: 'unsubscribe', id });
  }
  const ended = new Set<number>();
  while (ended.size < PARTITIONS) {
    const { op, id } = await socket.message();
    expect([op, ended.has(id)]).toEqual([op === 'end' ? op : 'subscribed', false]);
    if (op === 'end') ended.add(id);
  }
  await produce(name);
  expect(await socket.isQuiet(150)).toBe(true);

  const other = await topic();
  await produce(other);
  await using second = await open();
  for (let id = 0; id < PARTITIONS; id++) {
    const place = { topic: other, partition: id, offset: 0 };
    second.send({ op: 'subscribe', id, ...place, credit: 0 });
    second.send({ op: 'credit', id, bytes: CREDIT });
  }
  const read = new Set<number>();
  while (read.size < PARTITIONS) {
    const item = await second.next();
    if ('values' in item) read.add(item.id);
  }
  second.send({ op: 'subscribe', id: 99, topic: other, partition: 0, offset: 0, credit: 1 });
  second.send({ op: 'credit', id: 99, bytes: CREDIT });
  expect((await second.close()).code).toBe(1008);
});
