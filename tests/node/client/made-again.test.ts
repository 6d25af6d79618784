// A topic that was deleted and made again: clients that come back are told so, and those that begin find the one that is there.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { type Client, connect, type ConsumerOptions } from '../../../runtime/client/index.ts';
import { Workerd } from '../../support/workerd.ts';

let workerd: Workerd;
let edge: Client;
beforeAll(async () => {
  workerd = await Workerd.start();
  edge = connect({ url: workerd.url });
}, 60_000);
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
