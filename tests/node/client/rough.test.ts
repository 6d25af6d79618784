// Producer, consumers and push queries over connections as bad as networks are, all at once: nothing is lost, doubled or reordered, nothing is left behind.

import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { draws } from '../../support/draws.ts';
import { fetchAll, until } from '../../support/edge-client.ts';
import { RoughProxy } from '../../support/rough-proxy.ts';
import { Workerd } from '../../support/workerd.ts';
import { HANGS_MS } from '../../support/waits.ts';

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Longer in a run of its own. */
const ROUGH_S = Number(process.env['ROUGH_S'] ?? 3);
const PARTITIONS = 3;
/** On a busy machine too; a delivery is tried for two minutes. */
const CLOSE_MS_MAX = 20_000;

let workerd: Workerd;
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeAll(async () => {
  workerd = await Workerd.start();
  process.on('unhandledRejection', note);
});
afterAll(async () => {
  process.off('unhandledRejection', note);
  await workerd.stop();
});

/** What one reader has seen, by partition or key. */
type Seen = Map<unknown, number[]>;

function saw(seen: Seen, of: unknown, n: number): void {
  const list = seen.get(of) ?? [];
  // In order, and none twice: all numbers of one key rise.
  expect(n).toBeGreaterThan(list.at(-1) ?? -1);
  list.push(n);
  seen.set(of, list);
}

const countOf = (seen: Seen): number =>
  [...seen.values()].reduce((sum, { length }) => sum + length, 0);

async function inTime(what: string, work: Promise<unknown>): Promise<void> {
  const begunMs = performance.now();
  await work;
  expect(performance.now() - begunMs, what).toBeLessThan(CLOSE_MS_MAX);
}

test(
  `all that goes and comes over a rough network is there once and in order (SEED=${SEED})`,
  async () => {
    const draw = draws(SEED);
    const name = `ROUGH_${SEED}`;
    await connect({ url: workerd.url }).execute(
      `CREATE STREAM ${name} (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=${PARTITIONS}, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
    );
    const proxy = await RoughProxy.start(() => workerd.url, draw);
    const client: Client = connect({ url: proxy.url, requestMs: 3_000 });
    const producer = client.producer({ lingerMs: 2, batchRecords: 50 });
    const readers = (['poll', 'socket'] as const).map((transport) => {
      const consumer = client.consumer({ topic: name, transport });
      const seen: Seen = new Map();
      const done = (async () => {
        for await (const { partition, offset } of consumer) saw(seen, partition, offset);
      })();
      return { name: `consumer over ${transport}`, seen, done, end: () => consumer.close() };
    });
    for (const transport of ['sse', 'socket'] as const) {
      const sql = `SELECT k, n FROM ${name} EMIT CHANGES;`;
      const properties = { 'auto.offset.reset': 'earliest' };
      const rows = await client.query(sql, { transport, properties });
      const seen: Seen = new Map();
      const done = (async () => {
        for await (const { K, N } of rows) saw(seen, K, Number(N));
      })();
      readers.push({ name: `query over ${transport}`, seen, done, end: () => rows.close() });
    }
    const failed: string[] = [];
    for (const { name: reader, done } of readers)
      done.catch((thrown: unknown) => failed.push(`${reader}: ${String(thrown)}`));

    const sent: Promise<unknown>[] = [];
    const endMs = performance.now() + ROUGH_S * 1_000;
    let count = 0;
    while (performance.now() < endMs) {
      for (let i = draw(20); i >= 0; i--, count++)
        sent.push(producer.send(name, { key: `k${count % 7}`, value: `{"N":${count}}` }));
      await producer.ready();
      await new Promise((rest) => setTimeout(rest, draw(60)));
    }
    const places = await Promise.all(sent);
    expect(producer.bufferedBytes).toBe(0);
    await until(
      async () => failed.length > 0 || readers.every(({ seen }) => countOf(seen) >= count),
    );
    expect(failed).toEqual([]);
    for (const { name: reader, seen } of readers) expect(countOf(seen), reader).toBe(count);
    let at = 0;
    const there = new Map<string, number>();
    for (let partition = 0; partition < PARTITIONS; partition++)
      for (const { offset, value } of await fetchAll(workerd, name, partition))
        there.set(decodeUtf8(value), partition * 2 ** 32 + offset);
    for (const place of places as { partition: number; offset: number }[])
      expect(there.get(`{"N":${at++}}`)).toBe(place.partition * 2 ** 32 + place.offset);
    expect(there.size).toBe(count);

    await inTime('the producer', producer.close());
    for (const { name: reader, end, done } of readers) {
      await inTime(reader, end());
      await inTime(reader, done);
    }
    expect(new Set(proxy.counts.keys()).size).toBe(8);
    expect(unhandled).toEqual([]);
    // What is left is kept for the next request, for some seconds.
    await until(async () => proxy.open === 0);
    await proxy.stop();
  },
  HANGS_MS + ROUGH_S * 3_000,
);
