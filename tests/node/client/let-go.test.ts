// What a consumer no longer holds: batches that its reader has had, while another partition brings nothing.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../runtime/client/index.ts';
import { Workerd } from '../../support/workerd.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

let workerd: Workerd;
beforeAll(async () => {
  workerd = await Workerd.start();
}, 60_000);
afterAll(() => workerd.stop());

const BATCHES = 20;

test.each(['poll', 'socket'] as const)(
  'beside a silent partition a consumer by %s holds no batch that it has given out',
  async (transport) => {
    const edge = connect({ url: workerd.url });
    await edge.topics.create({ name: transport, partitions: 2 });
    await using producer = edge.producer({ lingerMs: 0 });
    const batches = edge.consumer({ topic: transport, transport }).batches();
    const held: WeakRef<object>[] = [];
    for (let i = 0; i < BATCHES; i++) {
      await producer.send(transport, { value: `${i}`, partition: 0 });
      const { value } = await batches.next();
      expect(value?.end).toBe(i + 1);
      if (value !== undefined) held.push(new WeakRef(value));
    }
    // A WeakRef holds what was looked at until its turn is over.
    await new Promise((resolve) => setTimeout(resolve, 0));
    gc();
    // The last one is what the loop is at.
    expect(held.slice(0, -1).filter((batch) => batch.deref() !== undefined)).toEqual([]);
    await batches.return();
  },
);
