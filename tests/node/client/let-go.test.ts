// What a client no longer holds: batches that a reader has had, while another partition brings nothing; signals of what is over.

import { getEventListeners } from 'node:events';
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
});
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

test('a signal that outlives what was asked with it keeps nothing of it, whether that went well or not', async () => {
  const edge = connect({ url: workerd.url });
  await edge.topics.create({ name: 'signalled' });
  await edge.execute(
    "CREATE STREAM signalled (v INT) WITH (KAFKA_TOPIC='signalled', VALUE_FORMAT='JSON');",
  );
  const { signal } = new AbortController();
  for (const transport of ['sse', 'socket'] as const) {
    await expect(edge.query('SELECT nothing;', { signal, transport })).rejects.toThrow('or FROM');
    await expect(edge.query('SELECT * FROM nowhere;', { signal, transport })).rejects.toThrow(
      'NOWHERE',
    );
    await (
      await edge.query('SELECT * FROM signalled EMIT CHANGES;', { signal, transport })
    ).close();
    expect(
      await (await edge.query('SELECT * FROM signalled;', { signal, transport })).all(),
    ).toEqual([]);
  }
  for (const transport of ['poll', 'socket'] as const) {
    const consumer = edge.consumer({ topic: 'signalled', signal, transport });
    await consumer.ready();
    await consumer.close();
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each(['sse', 'socket'] as const)(
  'rows by %s that are left while the next one is waited for end the query',
  async (transport) => {
    const edge = connect({ url: workerd.url });
    const topic = `left-${transport}`;
    await edge.topics.create({ name: topic });
    await edge.execute(
      `CREATE STREAM left_${transport} (v INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON');`,
    );
    const done = { done: true, value: undefined };
    for (const read of ['rows', 'changes']) {
      const rows = await edge.query(`SELECT * FROM left_${transport} EMIT CHANGES;`, { transport });
      const items = read === 'rows' ? rows[Symbol.asyncIterator]() : rows.changes();
      const waiting = items.next();
      expect(await items.return?.()).toEqual(done);
      expect(await waiting).toEqual(done);
    }
  },
);

test.each(['poll', 'socket'] as const)(
  'a loop by %s that is left while the next record is waited for ends, and another one goes on',
  async (transport) => {
    const edge = connect({ url: workerd.url });
    const topic = `loops-${transport}`;
    await edge.topics.create({ name: topic, partitions: 2 });
    await using producer = edge.producer({ lingerMs: 0 });
    const consumer = edge.consumer({ topic, transport });
    const done = { done: true, value: undefined };
    for (const items of [consumer.batches(), consumer[Symbol.asyncIterator]()]) {
      const waiting = items.next();
      expect(await items.return?.()).toEqual(done);
      expect(await waiting).toEqual(done);
    }
    await producer.send(topic, { value: 'a', partition: 1 });
    const records = consumer[Symbol.asyncIterator]();
    expect((await records.next()).value).toMatchObject({ offset: 0 });
    await consumer.close();
  },
);
