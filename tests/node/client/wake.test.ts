// A page whose network comes back, or that has slept: what waits goes on at once, and what has died meanwhile is noticed within seconds.

import process from 'node:process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  ANSWER_SILENCE_MS_MAX,
  ATTEMPT_MS_MAX,
  DELIVERY_MS_MAX,
  WAKE_MS_MAX,
  WOKEN_SOCKET_MS_MAX,
} from '../../../runtime/base/limits.ts';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { Retries } from '../../../runtime/client/retry.ts';
import { findChromium } from '../../support/chromium.ts';
import { clientSite } from '../../support/client-page.ts';
import { GateProxy } from '../../support/gate-proxy.ts';
import type { LonePage } from '../../support/lone-page.ts';
import { all, left, openReaders, produceOne, type Scope } from '../../support/page-readers.ts';
import type { ScriptSite } from '../../support/script-site.ts';
import { Workerd } from '../../support/workerd.ts';

const executablePath = findChromium();
/** What requests, statements and a first commit take on a busy machine: less than whoever is not woken still waits in any of these. */
const ANSWER_MS = 9000;
/** How often each of the readers may ask in a second, with a second try soon after the first and a chance more. */
const ASKED_A_SECOND_MAX = 3;
/** A quiet socket is looked at this often. */
const SOCKET_ASKED_MS = ANSWER_SILENCE_MS_MAX / 3;
const gates: GateProxy[] = [];
let edge: Workerd;
let site: ScriptSite;
let here: Client;

beforeAll(async () => {
  if (executablePath === null) return;
  site = await clientSite();
  edge = await Workerd.start('tests/workers/apps/pages.ts', {
    PAGES: site.origin,
    MILLRACE_TICKET_SECRET: 'a secret of thirty-two characters',
  });
  here = connect({ url: edge.url, token: 'key-of-a' });
});

afterAll(async () => {
  if (executablePath === null) return;
  await Promise.all(gates.map((gate) => gate.stop()));
  await edge.stop();
  site.stop();
});

/** A page with readers of a stream, each of which has had record 0, behind a gate of its own; its waits grow as fast as they may. */
async function opened(name: string): Promise<{ page: LonePage; gate: GateProxy }> {
  const gate = await GateProxy.start(() => edge.url);
  gates.push(gate);
  const at = { executablePath: executablePath ?? '', site: site.origin, url: gate.url };
  return { page: await openReaders({ ...at, here, name, random: 0.99 }), gate };
}

function produce(topic: string, n: number): Promise<void> {
  return produceOne(here, topic, n);
}

// Those of pages run at once: each waits for most of its time.
// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'what waits for the next try goes on when the network is back',
  { concurrent: true },
  async () => {
    const { page, gate } = await opened('BACK');
    await page.setOffline(true);
    gate.shut();
    const sent = page.evaluate(() => (globalThis as unknown as Scope).send(1), null);
    // By then each waits for twelve seconds, but for those that believe it.
    await new Promise((done) => setTimeout(done, 7000));
    gate.reopen();
    const onlineMs = Date.now();
    await page.setOffline(false);
    const times = [await sent, ...(await all(page, 1))].map((atMs) => atMs - onlineMs);
    for (const ms of times) expect(ms).toBeLessThan(WAKE_MS_MAX + ANSWER_MS);
    expect(await left(page)).toBe(0);
  },
);

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'a page that is told again and again that it is online, and is not, asks about once a second',
  { concurrent: true },
  async () => {
    const { page, gate } = await opened('LIES');
    gate.shut();
    const { asked, seconds } = await page.evaluate(async () => {
      let attempts = 0;
      const { fetch } = globalThis;
      globalThis.fetch = (...given: Parameters<typeof fetch>) => {
        attempts += 1;
        return fetch(...given);
      };
      await new Promise((done) => setTimeout(done, 3000));
      const before = attempts;
      const beginMs = performance.now();
      for (let i = 0; i < 250; i++) {
        dispatchEvent(new Event('online'));
        await new Promise((done) => setTimeout(done, 20));
      }
      return { asked: attempts - before, seconds: (performance.now() - beginMs) / 1000 };
    }, null);
    // Of each of four readers, in five seconds and more.
    expect(asked).toBeGreaterThan(8);
    expect(asked).toBeLessThan(4 * ASKED_A_SECOND_MAX * seconds);
    gate.reopen();
    await produce('LIES', 1);
    await all(page, 1);
    expect(await left(page)).toBe(0);
  },
);

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'sockets that a network has forgotten are noticed within seconds of another one',
  { concurrent: true },
  async () => {
    const { page, gate } = await opened('FORGOTTEN');
    await new Promise((done) => setTimeout(done, 8000));
    gate.stall();
    await produce('FORGOTTEN', 1);
    const onlineMs = Date.now();
    await page.evaluate(() => void dispatchEvent(new Event('online')), null);
    const times = (await all(page, 1)).map((atMs) => atMs - onlineMs);
    for (const ms of times) expect(ms).toBeLessThan(WAKE_MS_MAX + WOKEN_SOCKET_MS_MAX + ANSWER_MS);
    expect(await left(page)).toBe(0);
  },
);

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'connections that died while a page was frozen are noticed within seconds of its waking',
  { concurrent: true },
  async () => {
    const { page, gate } = await opened('FROZEN');
    await page.freeze();
    // Connections that nobody uses are closed by then: browsers do so when a machine wakes.
    await new Promise((done) => setTimeout(done, 8000));
    gate.stall();
    await produce('FROZEN', 1);
    await new Promise((done) => setTimeout(done, 1000));
    const awakeMs = Date.now();
    await page.thaw();
    await page.show();
    const times = (await all(page, 1)).map((atMs) => atMs - awakeMs);
    for (const ms of times) expect(ms).toBeLessThan(WAKE_MS_MAX + WOKEN_SOCKET_MS_MAX + ANSWER_MS);
    expect(await left(page)).toBe(0);
  },
);

test('a socket that died while its machine slept is noticed within seconds, without a page that tells', async () => {
  const own = await Workerd.start();
  const stalled = await GateProxy.start(() => own.url);
  const client = connect({ url: stalled.url });
  await client.topics.create({ name: 'slept' });
  vi.useFakeTimers({
    shouldAdvanceTime: true,
    toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
  });
  try {
    await using consumer = client.consumer({ topic: 'slept', transport: 'socket' });
    const records = consumer[Symbol.asyncIterator]();
    const first = records.next();
    await using producer = connect({ url: own.url }).producer();
    await producer.send('slept', { value: '0' });
    expect((await first).value?.offset).toBe(0);
    const second = records.next();
    await vi.advanceTimersByTimeAsync(SOCKET_ASKED_MS);
    stalled.stall();
    await producer.send('slept', { value: '1' });
    vi.setSystemTime(Date.now() + 3_600_000);
    const awake = process.hrtime.bigint();
    await vi.advanceTimersByTimeAsync(SOCKET_ASKED_MS + WOKEN_SOCKET_MS_MAX);
    expect((await second).value?.offset).toBe(1);
    expect(Number(process.hrtime.bigint() - awake) / 1e6).toBeLessThan(ANSWER_MS);
  } finally {
    vi.useRealTimers();
    await stalled.stop();
    await own.stop();
  }
});

test('a machine that slept between two attempts has half of the time to go on', () => {
  vi.useFakeTimers();
  try {
    const retries = new Retries();
    vi.advanceTimersByTime(8 * 3_600_000);
    expect(retries.next(0)).not.toBeNull();
    expect(retries.leftMs).toBe(DELIVERY_MS_MAX - ATTEMPT_MS_MAX);
    // What an attempt takes that is not put off counts in full.
    vi.advanceTimersByTime(ATTEMPT_MS_MAX);
    expect(retries.next(0)).toBeNull();
  } finally {
    vi.useRealTimers();
  }
});
