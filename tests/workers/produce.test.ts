// Produce to several partitions of which one is out of date: what the others have taken is told, whatever becomes of that one.

import { createExecutionContext, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { createEdge } from '../../edge/index.ts';
import { partitionName } from '../../edge/names.ts';
import { topicSpec } from '../contracts/log.ts';

test('partitions that have taken records are told of, though the one that has not cannot be brought in line now', async () => {
  const tenant = 'default';
  await new RemoteLog({ env, tenant }).create(topicSpec('partly', 2));
  const name = partitionName(tenant, { topic: 'partly', partition: 1 });
  const partition = env.PARTITION.get(env.PARTITION.idFromName(name));
  await runInDurableObject(partition, (_, { storage }) => {
    storage.sql.exec("UPDATE meta SET incarnation = '1-of-another-time'");
  });
  await evictDurableObject(partition);
  let asked = 0;
  const catalogs = new Proxy(env.CATALOG, {
    get: (namespace, member) => {
      if (member === 'idFromName') return (id: string) => namespace.idFromName(id);
      return (id: DurableObjectId) => {
        const topic = (of: string): unknown =>
          (namespace.get(id) as unknown as { topic(of: string): unknown }).topic(of);
        const realign = async (): Promise<never> => {
          asked += 1;
          throw new Error('no answer');
        };
        return { topic, realign };
      };
    },
  });
  const records = [0, 1].map((at) => ({ partition: at, value: at }));
  const request = new Request('http://localhost/topics/partly/records', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ records }),
  }) as Request<unknown, IncomingRequestCfProperties>;
  const answer = await createEdge().fetch(
    request,
    { ...env, CATALOG: catalogs },
    createExecutionContext(),
  );
  expect([answer.status, asked]).toEqual([207, 1]);
  expect(await answer.json()).toMatchObject({
    offsets: [
      { partition: 0, offset: 0 },
      { partition: 1, offset: null, error: { code: 'INCARNATION_CHANGED' } },
    ],
  });
});
