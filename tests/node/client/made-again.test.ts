// A topic that was deleted and made again: clients that come back are told so, and those that begin find the one that is there.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  type Client,
  connect,
  type ConsumerOptions,
  type ProducedRecord,
} from '../../../runtime/client/index.ts';
import { until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let workerd: Workerd;
let edge: Client;
beforeAll(async () => {
  workerd = await Workerd.start();
  edge = connect({ url: workerd.url });
});
afterAll(() => workerd.stop());

async function produce(topic: string, values: readonly string[]): Promise<void> {
  await using producer = edge.producer();
  await Promise.all(values.map((value) => producer.send(topic, { value })));
}

async function made(name: string): Promise<string> {
  const { incarnation } = await edge.topics.create({ name, partitions: 1 });
  return incarnation;
}

async function firstOf(options: ConsumerOptions): Promise<string> {
  for await (const { value } of edge.consumer(options))
    return decodeUtf8(value ?? new Uint8Array());
  return '';
}

// Isolates remember topics for a second.
test('a topic is described as it is at once, and takes records', async () => {
  const topic = 'at-once';
  for (const value of ['first', 'second', 'third']) {
    const incarnation = await made(topic);
    expect(await edge.topics.describe(topic)).toMatchObject({
      incarnation,
      bounds: [{ start: 0, highWatermark: 0 }],
    });
    await produce(topic, [value]);
    expect(await firstOf({ topic })).toBe(value);
    await edge.topics.delete(topic);
    await expect(edge.topics.describe(topic)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  }
});

test.each(['poll', 'socket'] as const)(
  'a position that was kept is refused over %s where the topic is another one by then',
  async (transport) => {
    const topic = `kept-${transport}`;
    const incarnation = await made(topic);
    await produce(topic, ['a', 'b', 'c']);
    const kept = { topic, partition: 0, from: 1, incarnation, transport } as const;
    expect(await firstOf(kept)).toBe('b');
    expect(await firstOf({ topic, incarnation, transport })).toBe('a');
    await edge.topics.delete(topic);
    const other = await made(topic);
    await produce(topic, ['x', 'y', 'z']);
    for (const options of [kept, { ...kept, from: 'earliest' }, { ...kept, partition: 'all' }])
      await expect(firstOf(options as ConsumerOptions)).rejects.toMatchObject({
        code: 'INCARNATION_CHANGED',
        detail: { incarnation: other },
      });
    expect(await firstOf({ ...kept, incarnation: other })).toBe('y');
  },
);

test('a producer finds the partitions of a topic that was made again with more, or with fewer', async () => {
  const topic = 'resized';
  const madeWith = async (partitions: number): Promise<void> => {
    await edge.topics.delete(topic).catch(() => undefined);
    await edge.topics.create({ name: topic, partitions });
  };
  await madeWith(2);
  await using producer = edge.producer({ lingerMs: 0 });
  const send = (partition: number) => producer.send(topic, { value: null, partition });
  expect(await send(1)).toEqual({ partition: 1, offset: 0 });
  await madeWith(4);
  // The first is refused by what is known here, which is then asked for.
  await expect(send(3)).rejects.toMatchObject({ code: 'UNKNOWN_PARTITION' });
  expect(await until(() => send(3).catch(() => null))).toEqual({ partition: 3, offset: 0 });
  await madeWith(1);
  await expect(send(3)).rejects.toMatchObject({ code: 'INCARNATION_CHANGED' });
  await expect(send(3)).rejects.toMatchObject({ code: 'UNKNOWN_PARTITION' });
  expect(await send(0)).toEqual({ partition: 0, offset: 0 });
});

test('a consumer is told that it does not read the partition in which it is to seek', async () => {
  await edge.topics.create({ name: 'sought', partitions: 3 });
  const consumer = edge.consumer({ topic: 'sought', partition: 1 });
  await consumer.seek(0, 1);
  for (const partition of [0, 3])
    await expect(consumer.seek(0, partition)).rejects.toMatchObject({ code: 'UNKNOWN_PARTITION' });
  await consumer.close();
});

test('a record without a value is one whose value is null, and a time that is null is none', async () => {
  await made('valueless');
  await using producer = edge.producer();
  await producer.send('valueless', { key: 'k', timestamp: null } as unknown as ProducedRecord);
  for await (const { key, value } of edge.consumer({ topic: 'valueless' })) {
    expect([key?.length, value]).toEqual([1, null]);
    break;
  }
});
