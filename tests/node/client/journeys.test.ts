// Clients over networks that come and go for long: nothing is lost, doubled or out of order, what is missed is told, and nothing grows.

import process from 'node:process';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Client, connect, type Consumer } from '../../../runtime/client/index.ts';
import { findChromium } from '../../support/chromium.ts';
import { clientSite } from '../../support/client-page.ts';
import { GateProxy } from '../../support/gate-proxy.ts';
import { all, left, openReaders, type Scope } from '../../support/page-readers.ts';
import type { ScriptSite } from '../../support/script-site.ts';
import { Workerd } from '../../support/workerd.ts';
import { HANGS_MS } from '../../support/waits.ts';

const executablePath = findChromium();
/** How long the network flaps. */
const FLAP_S = Number(process.env['FLAP_S'] ?? 12);
let edge: Workerd;
let gate: GateProxy;
let site: ScriptSite;
let here: Client;
let far: Client;

beforeAll(async () => {
  site = await clientSite();
  edge = await Workerd.start('tests/workers/apps/pages.ts', {
    PAGES: site.origin,
    MILLRACE_TICKET_SECRET: 'a secret of thirty-two characters',
  });
  gate = await GateProxy.start(() => edge.url);
  here = connect({ url: edge.url, token: 'key-of-a' });
  far = connect({ url: gate.url, token: 'key-of-a' });
});

afterAll(async () => {
  await gate.stop();
  await edge.stop();
  site.stop();
});

afterEach(() => gate.reopen());

/** What a page holds once garbage is collected. */
interface Held {
  readonly heapBytes: number;
  readonly listeners: number;
}

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  `over a network that is there every other second for ${FLAP_S} s each record comes once and in order`,
  async () => {
    const at = { executablePath: executablePath ?? '', site: site.origin, url: gate.url };
    const page = await openReaders({ ...at, here, name: 'FLAPPED', random: null });
    const held = async (): Promise<Held> => {
      await page.send('HeapProfiler.collectGarbage');
      const { usedSize } = (await page.send('Runtime.getHeapUsage')) as { usedSize: number };
      const listeners = await page.evaluate(() => (globalThis as unknown as Scope).listeners, null);
      return { heapBytes: usedSize, listeners };
    };
    const before = await held();
    const produced = page.evaluate(async (seconds) => {
      const scope = globalThis as unknown as Scope;
      const sent: Promise<unknown>[] = [];
      const endMs = Date.now() + seconds * 1000;
      while (Date.now() < endMs) {
        sent.push(scope.send(sent.length + 1));
        await new Promise((done) => setTimeout(done, 20));
      }
      await Promise.all(sent);
      return sent.length;
    }, FLAP_S);
    for (let second = 0; second < FLAP_S; second += 2) {
      await page.setOffline(true);
      gate.shut();
      await new Promise((done) => setTimeout(done, 1000));
      gate.reopen();
      await page.setOffline(false);
      await new Promise((done) => setTimeout(done, 1000));
    }
    const count = await produced;
    expect(count).toBeGreaterThan(FLAP_S * 10);
    await all(page, count);
    const after = await held();
    // What the page itself notes of each record in each of its readers, and twice as much.
    expect(after.heapBytes - before.heapBytes).toBeLessThan(2_000_000 + count * 4 * 200);
    expect(after.listeners).toBeLessThanOrEqual(before.listeners + 8);
    expect(await left(page)).toBe(0);
  },
  HANGS_MS + FLAP_S * 1_000,
);

test('a proxy that cuts each connection after a second loses, doubles and reorders nothing', async () => {
  await here.execute(
    `CREATE STREAM cut (n INT) WITH (KAFKA_TOPIC='cut', PARTITIONS=1, VALUE_FORMAT='JSON');`,
  );
  const brief = await GateProxy.start(() => edge.url, 1000);
  const client = connect({ url: brief.url, token: 'key-of-a' });
  const count = 200;
  const seen = (['poll', 'socket'] as const).map(async (transport) => {
    const numbers: number[] = [];
    for await (const { offset } of client.consumer({ topic: 'cut', transport }))
      if (numbers.push(offset) === count) break;
    return numbers;
  });
  for (const transport of ['sse', 'socket'] as const) {
    const rows = await client.query('SELECT n FROM cut EMIT CHANGES;', { transport });
    seen.push(
      (async () => {
        const numbers: number[] = [];
        for await (const { N } of rows) if (numbers.push(Number(N)) === count) break;
        return numbers;
      })(),
    );
  }
  await using producer = client.producer();
  for (let n = 0; n < count; n++) {
    void producer.send('cut', { value: `{"N":${n}}` });
    await new Promise((done) => setTimeout(done, 25));
  }
  const wanted = Array.from({ length: count }, (_, i) => i);
  expect(await Promise.all(seen)).toEqual([wanted, wanted, wanted, wanted]);
  expect(brief.cuts).toBeGreaterThan(8);
  await brief.stop();
});

test('who was away for longer than records stay is told, and goes on only where it said so', async () => {
  await here.topics.create({ name: 'gone', retentionBytes: 2000 });
  await here.execute(
    `CREATE STREAM gone (n INT, t STRING) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON');`,
  );
  const put = async (n: number): Promise<void> => {
    await using producer = here.producer();
    await producer.send('gone', { value: JSON.stringify({ N: n, T: 'x'.repeat(4000) }) });
  };
  const read = async (rows: AsyncIterable<{ offset: number } | Record<string, unknown>>) => {
    const numbers: unknown[] = [];
    try {
      for await (const row of rows) {
        numbers.push('offset' in row ? row['offset'] : row['N']);
        if (numbers.at(-1) === 40) break;
      }
      return numbers;
    } catch (thrown) {
      return [numbers, (thrown as { code: string }).code];
    }
  };
  const readers: Promise<unknown>[] = [];
  const atLatest: Consumer[] = [];
  for (const transport of ['poll', 'socket'] as const) {
    for (const reset of ['fail', 'earliest', 'latest'] as const) {
      const consumer = far.consumer({ topic: 'gone', transport, reset });
      await consumer.ready();
      readers.push(read(consumer));
      if (reset === 'latest') atLatest.push(consumer);
    }
  }
  for (const transport of ['sse', 'socket'] as const)
    readers.push(read(await far.query('SELECT n FROM gone EMIT CHANGES;', { transport })));
  gate.shut();
  for (let n = 0; n < 40; n++) await put(n);
  const startOf = async (): Promise<number> =>
    (await here.topics.describe('gone')).bounds[0]?.start ?? 0;
  // A partition is looked at soon after its first appends, and then every ten minutes.
  await expect.poll(startOf).toBeGreaterThan(0);
  const start = await startOf();
  gate.reopen();
  // Those that go on at the latest have found out: what comes before that they do not see.
  const positions = () =>
    Promise.all(atLatest.map(async (consumer) => (await consumer.positions()).get(0)));
  await expect.poll(positions).toEqual([40, 40]);
  await put(40);
  const told = [[], 'OFFSET_OUT_OF_RANGE'];
  const rest = Array.from({ length: 41 - start }, (_, i) => start + i);
  const each = [told, rest, [40]];
  expect(await Promise.all(readers)).toEqual([...each, ...each, told, told]);
});

test.each([1, -1])(
  'a device whose clock is wrong by %d days is told where that matters, and waits as ever',
  async (days) => {
    const [topic, own] = [`wrong${days}`, `stamped${days}`];
    await here.topics.create({ name: topic });
    await here.topics.create({ name: own, timestampType: 'LogAppendTime' });
    const clock = vi.spyOn(Date, 'now');
    const aheadMs = days * 86_400_000;
    const beginMs = performance.timeOrigin + aheadMs;
    clock.mockImplementation(() => Math.round(beginMs + performance.now()));
    try {
      const client = connect({ url: gate.url, token: 'key-of-a' });
      await using producer = client.producer();
      const sent = producer.send(topic, { value: 'a' }).catch((thrown: unknown) => thrown);
      const refused = { code: 'INVALID_TIMESTAMP', detail: { timestampMax: expect.any(Number) } };
      expect(await sent).toMatchObject(days > 0 ? refused : { partition: 0, offset: 0 });
      expect(await producer.send(own, { value: 'b' })).toEqual({ partition: 0, offset: 0 });
      for (const [from, transport] of (['poll', 'socket'] as const).entries()) {
        const records = client.consumer({ topic: own, transport, from })[Symbol.asyncIterator]();
        const { value } = await records.next();
        // The edge's time.
        expect(Math.abs(Number(value?.timestamp) - (Date.now() - aheadMs))).toBeLessThan(60_000);
        const second = records.next();
        gate.shut();
        setTimeout(() => gate.reopen(), 300);
        await producer.send(own, { value: 'c' });
        expect((await second).value?.offset).toBe(from + 1);
        await records.return?.(undefined);
      }
    } finally {
      clock.mockRestore();
    }
  },
);
