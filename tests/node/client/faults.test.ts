// The client over a network that loses, cuts, delays and repeats: nothing is lost, nothing is doubled, nothing changes its order.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { connect } from '../../../runtime/client/index.ts';
import { fetchAll, send } from '../../support/edge-client.ts';
import { drawnFaults, type Fault, FaultProxy } from '../../support/fault-proxy.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
}, 60_000);
afterAll(() => edge.stop());

const FAULTS: readonly (readonly [Fault, number])[] = [
  ['none', 40],
  ['lose request', 10],
  ['lose reply', 10],
  ['cut reply', 10],
  ['repeat', 10],
  ['busy', 5],
  [{ delayMs: 20 }, 15],
];

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));

test(`every record of a producer is there once and in order (SEED=${SEED})`, async () => {
  const topic = `produced-${SEED}`;
  await send(edge, 'POST', '/topics', { name: topic, partitions: 3 });
  const proxy = await FaultProxy.start(() => edge.url, drawnFaults(SEED, FAULTS));
  const client = connect({ url: proxy.url });
  const producer = client.producer({ lingerMs: 1, batchRecords: 20 });
  const count = 800;
  const places = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await new Promise((done) => setTimeout(done, i >> 2));
      return producer.send(topic, { key: `k${i % 17}`, value: String(i) });
    }),
  );
  await producer.close();
  const all = await Promise.all([0, 1, 2].map((partition) => fetchAll(edge, topic, partition)));
  expect(all.flat().length).toBe(count);
  const values = all.flatMap((records, partition) =>
    records.map(({ offset, value }) => [Number(decodeUtf8(value)), partition, offset] as const),
  );
  for (const [i, partition, offset] of values) expect(places[i]).toEqual({ partition, offset });
  // Per key, in the order of send.
  for (const records of all) {
    const last = new Map<string, number>();
    for (const { key, value } of records) {
      const [name, i] = [decodeUtf8(key), Number(decodeUtf8(value))];
      expect(i).toBeGreaterThan(last.get(name) ?? -1);
      last.set(name, i);
    }
  }
  for (const kind of ['lose request', 'lose reply', 'cut reply', 'repeat', 'busy', 'delay'])
    expect(proxy.counts.get(kind) ?? 0).toBeGreaterThan(0);
  await proxy.stop();
});

test(`a consumer sees each record once, in order, whatever is cut (SEED=${SEED})`, async () => {
  const topic = `consumed-${SEED}`;
  await send(edge, 'POST', '/topics', { name: topic, partitions: 2 });
  const proxy = await FaultProxy.start(() => edge.url, drawnFaults(SEED + 1, FAULTS));
  const producer = connect({ url: edge.url }).producer({ batchRecords: 7 });
  const count = 400;
  const produced = (async () => {
    for (let i = 0; i < count; i++) {
      void producer.send(topic, { value: String(i), partition: i % 2 });
      if (i % 10 === 0) await new Promise((done) => setTimeout(done, 5));
    }
    await producer.flush();
  })();
  await using consumer = connect({ url: proxy.url }).consumer({ topic });
  const seen: number[][] = [[], []];
  let left = count;
  // Whoever leaves the loop and comes again goes on where it was.
  while (left > 0) {
    let some = 37;
    for await (const { partition, offset, value } of consumer) {
      expect(offset).toBe(seen[partition]?.length);
      seen[partition]?.push(Number(decodeUtf8(value ?? new Uint8Array(0))));
      if (--left === 0 || --some === 0) break;
    }
  }
  await produced;
  expect(seen[0]).toEqual(Array.from({ length: count / 2 }, (_, i) => i * 2));
  expect(seen[1]).toEqual(Array.from({ length: count / 2 }, (_, i) => i * 2 + 1));
  await proxy.stop();
});

test('a reply that is lost is followed by a repeat, which has the same place', async () => {
  await send(edge, 'POST', '/topics', { name: 'once' });
  let appends = 0;
  const proxy = await FaultProxy.start(
    () => edge.url,
    ({ method }) => (method === 'POST' && ++appends <= 2 ? 'lose reply' : 'none'),
  );
  await using producer = connect({ url: proxy.url }).producer();
  expect(await producer.send('once', { value: '1' })).toEqual({ partition: 0, offset: 0 });
  expect(await producer.send('once', { value: '2' })).toEqual({ partition: 0, offset: 1 });
  expect(appends).toBe(4);
  await proxy.stop();
});

test('workerd is killed under a producer: each record is there once', async () => {
  const own = await Workerd.start();
  try {
    await send(own, 'POST', '/topics', { name: 'killed', partitions: 1 });
    const proxy = await FaultProxy.start(
      () => own.url,
      () => 'none',
    );
    const producer = connect({ url: proxy.url }).producer({ lingerMs: 0, batchRecords: 10 });
    const sent: Promise<unknown>[] = [];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) sent.push(producer.send('killed', { value: `${round}-${i}` }));
      await new Promise((done) => setTimeout(done, 5 + round * 10));
      await own.kill();
      await own.restart();
    }
    await Promise.all(sent);
    const values = (await fetchAll(own, 'killed', 0)).map(({ value }) => decodeUtf8(value));
    expect(values).toEqual(
      Array.from({ length: 300 }, (_, i) => `${Math.floor(i / 100)}-${i % 100}`),
    );
    await proxy.stop();
  } finally {
    await own.stop();
  }
});
