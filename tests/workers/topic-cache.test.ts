// What an isolate remembers of topics is asked anew where it may be out of date: here several caches stand for several isolates.

import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { TopicCache } from '../../edge/topic-cache.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { checkIncarnation } from '../../runtime/ports/refusals.ts';
import { recordBatch, refused, topicSpec } from '../contracts/log.ts';

const tenant = 'topic-cache';
const log = new RemoteLog({ env, tenant });

/** Makes a topic again behind the back of the cache, which has just been told of it. */
async function madeAgain(topic: string, before: number, after: number): Promise<TopicCache> {
  const cache = new TopicCache();
  await log.create(topicSpec(topic, before));
  await cache.describe(env, tenant, topic);
  await log.remove(topic);
  await log.create(topicSpec(topic, after));
  return cache;
}

test('a partition that a topic has got by being made again is found at once', async () => {
  const cache = await madeAgain('more', 1, 3);
  const at = { topic: 'more', partition: 2 };
  await cache.check(env, tenant, at);
  expect(cache.check(env, tenant, at)).toBeNull();
  await refused(
    cache.check(env, tenant, { ...at, partition: 3 }) ?? Promise.resolve(),
    'UNKNOWN_PARTITION',
  );
});

test('whoever names a partition by a topic that was made again with more is served', async () => {
  const cache = await madeAgain('named', 1, 3);
  const appended = await cache.with(
    env,
    tenant,
    'named',
    async ({ name, partitions, incarnation }) => {
      if (partitions < 3) throw new PortError('UNKNOWN_PARTITION', 'there is no partition 2');
      return log.append({ topic: name, partition: 2 }, recordBatch(['a']), undefined, incarnation);
    },
  );
  expect(appended.base).toBe(0);
});

test('who knows a topic of more partitions is told that it was made again, not that one is missing', async () => {
  const cache = await madeAgain('fewer', 3, 1);
  const known = (await cache.describe(env, tenant, 'fewer')).incarnation;
  const append = cache.with(env, tenant, 'fewer', ({ name, incarnation }) => {
    checkIncarnation(name, known, incarnation);
    return log.append({ topic: name, partition: 2 }, recordBatch(['a']), undefined, incarnation);
  });
  expect((await refused(append, 'INCARNATION_CHANGED')).detail).toHaveProperty('incarnation');
});
