// The outbox in Chromium over workerd: what a page has sent is appended once, over lost networks and replies, tabs that close and topics made again.

import process from 'node:process';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CLIENT_OUTBOX_BYTES_MAX,
  CLIENT_OUTBOX_RECORDS_MAX,
} from '../../../runtime/base/limits.ts';
import { partitionOf } from '../../../runtime/base/hash.ts';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { type Outbox, openOutbox, type OutboxState } from '../../../runtime/outbox/index.ts';
import { CHROMIUM_FLAGS, findChromium } from '../../support/chromium.ts';
import { draws } from '../../support/draws.ts';
import { type Fault, FaultProxy } from '../../support/fault-proxy.ts';
import { ScriptSite } from '../../support/script-site.ts';
import { Workerd } from '../../support/workerd.ts';

const executablePath = findChromium();
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const SCRIPT = `
  import { connect } from 'millrace/client';
  import { openOutbox } from 'millrace/outbox';
  Object.assign(globalThis, {
    open: async (url, database) => {
      const client = connect({ url, token: () => globalThis.key });
      const onState = (state) => (globalThis.state = state);
      globalThis.outbox = await openOutbox(client, { database, onState });
    },
  });`;

interface Scope {
  key: string;
  open: (url: string, database: string) => Promise<void>;
  outbox: Outbox;
  state: OutboxState;
}

let workerd: Workerd;
let proxy: FaultProxy;
let site: ScriptSite;
let context: BrowserContext;
let edge: Client;
/** What becomes of appends on their way from the pages. */
let appending: () => Fault = () => 'none';

beforeAll(async () => {
  if (executablePath === null) return;
  site = await ScriptSite.start(SCRIPT);
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
  context = await browser.newContext();
  workerd = await Workerd.start('tests/workers/apps/pages.ts', { PAGES: site.origin });
  const isAppend = (method: string, path: string): boolean =>
    method === 'POST' && path.endsWith('/batch');
  proxy = await FaultProxy.start(
    () => workerd.url,
    ({ method, path }) => (isAppend(method, path) ? appending() : 'none'),
  );
  edge = connect({ url: workerd.url, token: 'key-of-a' });
}, 60_000);

afterEach(async () => {
  appending = () => 'none';
  for (const page of context?.pages() ?? []) await page.close();
});

afterAll(async () => {
  if (executablePath === null) return;
  await context.browser()?.close();
  site.stop();
  await proxy.stop();
  await workerd.stop();
});

/** A tab with an outbox open. */
async function opened(database: string, key = 'key-of-a'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.waitForFunction(() => 'open' in globalThis);
  await page.evaluate(
    async ([url, database, key]) => {
      const scope = globalThis as unknown as Scope;
      scope.key = key;
      await scope.open(url, database);
    },
    [proxy.url, database, key] as const,
  );
  return page;
}

/** Sends values `<name> 0` to `<name> <count - 1>`, keys among them and none. */
function send(page: Page, topic: string, name: string, count: number): Promise<void> {
  return page.evaluate(
    async ([topic, name, count]) => {
      const { outbox } = globalThis as unknown as Scope;
      for (let i = 0; i < count; i++)
        await outbox.send(topic, {
          key: i % 3 === 0 ? null : `k${i % 3}`,
          value: JSON.stringify(`${name} ${i}`),
        });
    },
    [topic, name, count] as const,
  );
}

function stateOf(page: Page): Promise<{ pending: number; refused: number; error: string | null }> {
  return page.evaluate(async () => {
    const { pending, refused, error } = await (globalThis as unknown as Scope).outbox.state();
    return { pending, refused, error: (error as { code?: string } | null)?.code ?? null };
  });
}

const SENT = { pending: 0, refused: 0, error: null };

/** What is in a topic, by partition. */
async function valuesIn(topic: string): Promise<string[][]> {
  const { bounds } = await edge.topics.describe(topic);
  const values: string[][] = bounds.map(() => []);
  const last = bounds.reduce((sum, { start, highWatermark }) => sum + highWatermark - start, 0);
  if (last === 0) return values;
  let read = 0;
  await using consumer = edge.consumer({ topic });
  for await (const { partition, value } of consumer) {
    values[partition]?.push(JSON.parse(new TextDecoder().decode(value ?? undefined)) as string);
    if (++read === last) break;
  }
  return values;
}

/** Each value of each name is there once, and those of one partition in the order of `send`. */
async function expectOnce(topic: string, counts: Readonly<Record<string, number>>): Promise<void> {
  const partitions = await valuesIn(topic);
  const expected = Object.entries(counts).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, i) => `${name} ${i}`),
  );
  expect(partitions.flat().toSorted()).toEqual(expected.toSorted());
  for (const values of partitions) {
    for (const name of Object.keys(counts)) {
      const numbers = values.flatMap((value) =>
        value.startsWith(`${name} `) ? [Number(value.slice(name.length + 1))] : [],
      );
      // Records without a key are in a partition of the tab's own choice, and each key is in one.
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  }
}

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in a page', () => {
  test('what tabs send without a network is appended once by the tab that is left', async () => {
    await edge.topics.create({ name: 'orders', partitions: 3 });
    const first = await opened('shop');
    const second = await opened('shop');
    await context.setOffline(true);
    await send(first, 'orders', 'first', 40);
    await send(second, 'orders', 'second', 40);
    expect(await stateOf(second)).toMatchObject({ pending: 80, refused: 0 });
    // It holds the lock, and has perhaps begun.
    await first.close();
    await context.setOffline(false);
    await second.evaluate(() => (globalThis as unknown as Scope).outbox.flush());
    expect(await stateOf(second)).toEqual(SENT);
    expect(await second.evaluate(() => (globalThis as unknown as Scope).state)).toEqual(SENT);
    await expectOnce('orders', { first: 40, second: 40 });
  });

  test('replies that are lost, and a tab that does not live to hear one, append nothing twice', async () => {
    await edge.topics.create({ name: 'replies', partitions: 2 });
    appending = () => 'lose reply';
    const page = await opened('replies');
    await send(page, 'replies', 'a', 20);
    await expect
      .poll(() => proxy.counts.get('lose reply') ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(3);
    await expect
      .poll(() => stateOf(page))
      .toEqual({ pending: 20, refused: 0, error: 'UNAVAILABLE' });
    await page.close();
    appending = () => 'none';
    const next = await opened('replies');
    await send(next, 'replies', 'b', 20);
    await next.evaluate(() => (globalThis as unknown as Scope).outbox.flush());
    await expectOnce('replies', { a: 20, b: 20 });
  });

  test('whatever the network does, and however often the page is loaded again', async () => {
    const command = `SEED=${SEED} npx vitest run --project node tests/node/client/outbox.test.ts`;
    const draw = draws(SEED);
    const faults = ['lose request', 'lose reply', 'cut reply', 'repeat', 'busy', 'none'] as const;
    await edge.topics.create({ name: 'wild', partitions: 3 });
    appending = () => faults[draw(faults.length)] ?? 'none';
    const counts: Record<string, number> = {};
    for (let life = 0; life < 4; life++) {
      const page = await opened('wild');
      const name = `life${life}`;
      counts[name] = 10 + draw(30);
      await send(page, 'wild', name, counts[name]);
      await page.waitForTimeout(draw(400));
      if (life < 3) await page.close();
      else await page.evaluate(() => (globalThis as unknown as Scope).outbox.flush());
    }
    await expectOnce('wild', counts).catch((thrown: unknown) => {
      throw new Error(`it fails with ${command}`, { cause: thrown });
    });
    expect([...proxy.counts.keys()]).toContain('cut reply');
  });

  // With as many partitions, and with others: then keys have another place.
  test.each([2, 3])(
    'a topic that was made again with %i partitions has what was not acknowledged',
    async (partitions) => {
      const topic = `again${partitions}`;
      await edge.topics.create({ name: topic, partitions: 2 });
      const page = await opened(topic);
      await send(page, topic, 'before', 10);
      await page.evaluate(() => (globalThis as unknown as Scope).outbox.flush());
      appending = () => 'lose request';
      await send(page, topic, 'behind', 10);
      const lost = proxy.counts.get('lose request') ?? 0;
      await expect.poll(() => proxy.counts.get('lose request') ?? 0).toBeGreaterThan(lost);
      await edge.topics.delete(topic);
      await edge.topics.create({ name: topic, partitions });
      appending = () => 'none';
      await page.evaluate(() => (globalThis as unknown as Scope).outbox.flush());
      await expectOnce(topic, { behind: 10 });
      const placed = (await valuesIn(topic)).map((values) =>
        values.filter((value) => Number(value.slice(7)) % 3 === 1),
      );
      expect(placed.findIndex((values) => values.length > 0)).toBe(
        partitionOf(new TextEncoder().encode('k1'), partitions),
      );
    },
  );

  test('a record that is refused is put aside with its reason, alone, and sent again or forgotten', async () => {
    await edge.topics.create({ name: 'timed' });
    const page = await opened('refused');
    const refused = await page.evaluate(async () => {
      const { outbox } = globalThis as unknown as Scope;
      const tomorrow = Date.now() + 86_400_000;
      for (let i = 0; i < 20; i++)
        await outbox.send('timed', {
          value: JSON.stringify(`t ${i}`),
          timestamp: i === 13 ? tomorrow : Date.now(),
        });
      await outbox.send('nowhere', { key: 'k', value: '"n 0"' });
      await outbox.send('timed', { key: 'k', value: '"elsewhere"', partition: 7 });
      await outbox.flush();
      const found = await outbox.refused();
      return found.map(({ id, topic, code, mayBeThere }) => ({ id, topic, code, mayBeThere }));
    });
    const about = refused.map(({ topic, code, mayBeThere }) => [topic, code, mayBeThere]);
    expect(about).toEqual([
      ['timed', 'INVALID_TIMESTAMP', false],
      ['nowhere', 'UNKNOWN_TOPIC', false],
      ['timed', 'UNKNOWN_PARTITION', false],
    ]);
    const [left] = await valuesIn('timed');
    expect(left).toEqual(Array.from({ length: 20 }, (_, i) => `t ${i}`).filter((_, i) => i !== 13));

    await edge.topics.create({ name: 'nowhere' });
    const ids = refused.map(({ id }) => id);
    await page.evaluate(async ([late = 0, nowhere = 0, misplaced = 0]) => {
      const { outbox } = globalThis as unknown as Scope;
      await outbox.discard(late);
      await outbox.discard(misplaced);
      await outbox.retry(nowhere);
      await outbox.flush();
    }, ids);
    expect(await stateOf(page)).toEqual(SENT);
    await expectOnce('nowhere', { n: 1 });
    const unknown = await page.evaluate(
      (id) => (globalThis as unknown as Scope).outbox.retry(id),
      5,
    );
    expect(unknown).toBe(false);
  });

  test('what a key that has expired held back goes on with another', async () => {
    await edge.topics.create({ name: 'keyed' });
    const page = await opened('keyed', 'one that has expired');
    await send(page, 'keyed', 'a', 5);
    await expect
      .poll(() => stateOf(page))
      .toEqual({ pending: 5, refused: 0, error: 'UNAUTHORIZED' });
    await page.evaluate(() => {
      (globalThis as unknown as Scope).key = 'key-of-a';
    });
    await page.evaluate(() => (globalThis as unknown as Scope).outbox.flush());
    await expectOnce('keyed', { a: 5 });
  });

  test('it keeps as many records, and bytes, as it may', async () => {
    // Nothing of it is sent.
    const page = await opened('full', 'one that has expired');
    const outcomes = await page.evaluate(
      async ([recordsMax, bytesMax]) => {
        const { outbox } = globalThis as unknown as Scope;
        const request = indexedDB.open('millrace outbox of full');
        const database = await new Promise<IDBDatabase>((resolve) => {
          request.onsuccess = () => resolve(request.result);
        });
        /** As if so many, and one other, were kept. */
        const setTotals = (totals: object): Promise<void> =>
          new Promise((resolve) => {
            const change = database.transaction('totals', 'readwrite');
            change.objectStore('totals').put(totals, 'all');
            change.oncomplete = () => resolve();
          });
        const outcome = (): Promise<string> =>
          outbox.send('none', { value: '1' }).then(
            () => 'kept',
            (thrown: { limit?: string }) => thrown.limit ?? 'another error',
          );
        const found: string[] = [];
        await setTotals({ pending: recordsMax - 2, refused: 1, bytes: 0 });
        found.push(await outcome(), await outcome());
        await setTotals({ pending: 0, refused: 0, bytes: bytesMax - 129 });
        found.push(await outcome(), await outcome());
        return found;
      },
      [CLIENT_OUTBOX_RECORDS_MAX, CLIENT_OUTBOX_BYTES_MAX] as const,
    );
    expect(outcomes).toEqual([
      'kept',
      'CLIENT_OUTBOX_RECORDS_MAX',
      'kept',
      'CLIENT_OUTBOX_BYTES_MAX',
    ]);
  });
});

test('a host without IndexedDB is refused', async () => {
  const client = connect({ url: 'http://127.0.0.1:1' });
  await expect(openOutbox(client, { database: 'none' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});
