// The client over a network that loses, cuts, delays and repeats: nothing is lost, nothing is doubled, nothing changes its order.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  DELIVERY_MS_MAX,
  PRODUCER_AHEAD_MS_MAX,
  RETRY_WAIT_MS_MAX,
  RETRY_WAIT_MS_MIN,
} from '../../../runtime/base/limits.ts';
import { connect } from '../../../runtime/client/index.ts';
import { Retries } from '../../../runtime/client/retry.ts';
import { fetchAll, send } from '../../support/edge-client.ts';
import { drawnFaults, type Fault, FaultProxy } from '../../support/fault-proxy.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
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

test('a clock that is days ahead is told the time, and each record is there once', async () => {
  await send(edge, 'POST', '/topics', { name: 'ahead' });
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10 * PRODUCER_AHEAD_MS_MAX);
  try {
    await using producer = connect({ url: edge.url }).producer();
    const sent = ['a', 'b'].map((value) => producer.send('ahead', { value, timestamp: 1 }));
    expect(await Promise.all(sent)).toEqual([0, 1].map((offset) => ({ partition: 0, offset })));
    await producer.flush();
    expect(await producer.send('ahead', { value: 'c', timestamp: 1 })).toEqual({
      partition: 0,
      offset: 2,
    });
  } finally {
    clock.mockRestore();
  }
  expect(await fetchAll(edge, 'ahead', 0)).toHaveLength(3);
});

test('a batch that was given up unanswered is followed by another producer id, and nothing after it is lost', async () => {
  await send(edge, 'POST', '/topics', { name: 'given-up' });
  let fault: Fault = 'none';
  const ids = new Set<unknown>();
  const proxy = await FaultProxy.start(
    () => edge.url,
    ({ method, headers }) => {
      if (method === 'POST') ids.add(headers['producer-id']);
      return method === 'POST' ? fault : 'none';
    },
  );
  await using producer = connect({ url: proxy.url }).producer({ deadlineMs: 300, lingerMs: 0 });
  expect(await producer.send('given-up', { value: 'a' })).toMatchObject({ offset: 0 });
  fault = 'lose reply';
  const unknown = producer.send('given-up', { value: 'b' });
  await expect(unknown).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  fault = 'none';
  const places = await Promise.all(['c', 'd'].map((value) => producer.send('given-up', { value })));
  expect(places.map(({ offset }) => offset)).toEqual([2, 3]);
  expect(ids.size).toBe(2);
  // Its outcome was not known: here it was there, once.
  const values = (await fetchAll(edge, 'given-up', 0)).map(({ value }) => decodeUtf8(value));
  expect(values).toEqual(['a', 'b', 'c', 'd']);
  await proxy.stop();
});

test('what waits between two attempts grows at random, within its bounds, until the deadline', async () => {
  vi.useFakeTimers();
  try {
    const retries = new Retries(1_000_000);
    expect(retries.leftMs).toBeLessThanOrEqual(DELIVERY_MS_MAX);
    let before = RETRY_WAIT_MS_MIN;
    for (let wait = retries.next(0); wait !== null; wait = retries.next(0)) {
      expect(wait).toBeGreaterThanOrEqual(RETRY_WAIT_MS_MIN);
      expect(wait).toBeLessThanOrEqual(Math.min(before * 3, RETRY_WAIT_MS_MAX));
      before = wait;
      vi.advanceTimersByTime(wait);
    }
    expect(retries.leftMs).toBeLessThanOrEqual(RETRY_WAIT_MS_MAX);
    const asked = Array.from({ length: 100 }, () => Number(new Retries().next(5_000)));
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...asked)).toBeLessThanOrEqual(10_000);
    // Who was refused at one time does not come back at one time.
    expect(new Set(asked.map((ms) => Math.floor(ms / 500))).size).toBeGreaterThan(5);
    expect(new Retries().next(DELIVERY_MS_MAX + 1)).toBeNull();
  } finally {
    vi.useRealTimers();
  }
});
