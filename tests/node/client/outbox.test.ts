// The outbox in Chromium over workerd: what a page has sent is appended once, over lost networks and replies, pages loaded again and topics made again.

import process from 'node:process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CLIENT_OUTBOX_BATCHES_MAX,
  CLIENT_OUTBOX_BYTES_MAX,
  CLIENT_OUTBOX_RECORDS_MAX,
} from '../../../runtime/base/limits.ts';
import { partitionOf } from '../../../runtime/base/hash.ts';
import { connect } from '../../../runtime/client/index.ts';
import { openOutbox } from '../../../runtime/outbox/index.ts';
import { findChromium } from '../../support/chromium.ts';
import { draws } from '../../support/draws.ts';
import {
  flush,
  OutboxPages,
  type OutboxScope,
  send,
  SENT,
  stateOf,
} from '../../support/outbox-pages.ts';

const executablePath = findChromium();
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let pages: OutboxPages;

beforeAll(async () => {
  if (executablePath !== null) pages = await OutboxPages.start(executablePath);
});

afterEach(() => pages?.reset());
afterAll(() => pages?.stop());

interface Noted {
  /** Connections to IndexedDB that are open. */
  connections: IDBDatabase[];
  closings: number;
  isOver: boolean;
}

/** Has a page note the connections that it opens. */
function noteConnections(): void {
  const scope = globalThis as unknown as Noted;
  scope.connections = [];
  const factory = indexedDB;
  const open = factory.open.bind(factory);
  factory.open = (...args) => {
    const opening = open(...args);
    opening.addEventListener('success', () => scope.connections.push(opening.result));
    return opening;
  };
}

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in a page', () => {
  test('replies that are lost, and a tab that does not live to hear one, append nothing twice', async () => {
    await pages.edge.topics.create({ name: 'replies', partitions: 2 });
    pages.appending = () => 'lose reply';
    const page = await pages.opened('replies');
    await send(page, 'replies', 'a', 20);
    await expect.poll(() => pages.proxy.counts.get('lose reply') ?? 0).toBeGreaterThan(3);
    await expect
      .poll(() => stateOf(page))
      .toEqual({ pending: 20, refused: 0, error: 'UNAVAILABLE' });
    await page.close();
    pages.appending = () => 'none';
    const next = await pages.opened('replies');
    await send(next, 'replies', 'b', 20);
    await flush(next);
    expect(await pages.checkOnce('replies', { a: 20, b: 20 })).toBe(true);
  });

  test('whatever the network does, and however often the page is loaded again', async () => {
    const command = `SEED=${SEED} npx vitest run --project node tests/node/client/outbox.test.ts`;
    const draw = draws(SEED);
    const faults = ['lose request', 'lose reply', 'cut reply', 'repeat', 'busy', 'none'] as const;
    await pages.edge.topics.create({ name: 'wild', partitions: 3 });
    let lost = 0;
    pages.appending = () => {
      const fault = faults[draw(faults.length)] ?? 'none';
      if (fault !== 'none') lost += 1;
      return fault;
    };
    const counts: Record<string, number> = {};
    for (let life = 0; life < 4; life++) {
      const page = await pages.opened('wild');
      const name = `life${life}`;
      counts[name] = 10 + draw(30);
      await send(page, 'wild', name, counts[name]);
      await page.waitForTimeout(draw(400));
      if (life < 3) await page.close();
      else await flush(page);
    }
    await pages.checkOnce('wild', counts).catch((thrown: unknown) => {
      throw new Error(`it fails with ${command}`, { cause: thrown });
    });
    expect(lost).toBeGreaterThan(0);
    // Two of three attempts fail, and waits double: a batch that is unlucky takes long.
  });

  // With as many partitions, and with others: then keys have another place.
  test.each([2, 3])(
    'a topic that was made again with %i partitions has what was not acknowledged',
    async (partitions) => {
      const topic = `again${partitions}`;
      await pages.edge.topics.create({ name: topic, partitions: 2 });
      const page = await pages.opened(topic);
      await send(page, topic, 'before', 10);
      await flush(page);
      pages.appending = () => 'lose request';
      await send(page, topic, 'behind', 10);
      const lost = pages.proxy.counts.get('lose request') ?? 0;
      await expect.poll(() => pages.proxy.counts.get('lose request') ?? 0).toBeGreaterThan(lost);
      await pages.edge.topics.delete(topic);
      await pages.edge.topics.create({ name: topic, partitions });
      pages.appending = () => 'none';
      await flush(page);
      expect(await pages.checkOnce(topic, { behind: 10 })).toBe(true);
      const placed = (await pages.valuesIn(topic)).map((values) =>
        values.filter((value) => Number(value.slice(7)) % 3 === 1),
      );
      expect(placed.findIndex((values) => values.length > 0)).toBe(
        partitionOf(new TextEncoder().encode('k1'), partitions),
      );
    },
  );

  test('a record that is refused is put aside with its reason, alone, and sent again or forgotten', async () => {
    await pages.edge.topics.create({ name: 'timed' });
    const page = await pages.opened('refused');
    const refused = await page.evaluate(async () => {
      const { outbox } = globalThis as unknown as OutboxScope;
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
    const [left] = await pages.valuesIn('timed');
    expect(left).toEqual(Array.from({ length: 20 }, (_, i) => `t ${i}`).filter((_, i) => i !== 13));

    await pages.edge.topics.create({ name: 'nowhere' });
    const ids = refused.map(({ id }) => id);
    await page.evaluate(async ([late = 0, nowhere = 0, misplaced = 0]) => {
      const { outbox } = globalThis as unknown as OutboxScope;
      await outbox.discard(late);
      await outbox.discard(misplaced);
      await outbox.retry(nowhere);
      await outbox.flush();
    }, ids);
    expect(await stateOf(page)).toEqual(SENT);
    expect(await pages.checkOnce('nowhere', { n: 1 })).toBe(true);
    const unknown = await page.evaluate(
      (id) => (globalThis as unknown as OutboxScope).outbox.retry(id),
      5,
    );
    expect(unknown).toBe(false);
  });

  test('what a key that has expired held back goes on with another', async () => {
    await pages.edge.topics.create({ name: 'keyed' });
    const page = await pages.opened('keyed', 'one that has expired');
    await send(page, 'keyed', 'a', 5);
    await expect
      .poll(() => stateOf(page))
      .toEqual({ pending: 5, refused: 0, error: 'UNAUTHORIZED' });
    await page.evaluate(() => {
      (globalThis as unknown as OutboxScope).key = 'key-of-a';
    });
    await flush(page);
    expect(await pages.checkOnce('keyed', { a: 5 })).toBe(true);
  });

  test('a partition that takes nothing holds up no other, not of its own topic either', async () => {
    await pages.edge.topics.create({ name: 'held', partitions: 2 });
    await pages.edge.topics.create({ name: 'free' });
    pages.appending = (path) => (path.includes('/held/partitions/0/') ? 'busy' : 'none');
    const page = await pages.opened('held');
    const sent = page.evaluate(async () => {
      const { outbox } = globalThis as unknown as OutboxScope;
      for (let i = 0; i < 60; i++)
        await outbox.send(i % 3 === 2 ? 'free' : 'held', {
          value: JSON.stringify(`h ${i}`),
          partition: i % 3 === 1 ? 1 : 0,
        });
    });
    await sent;
    await expect
      .poll(() => stateOf(page))
      .toEqual({ pending: 20, refused: 0, error: 'UNAVAILABLE' });
    const every = (first: number): string[] =>
      Array.from({ length: 20 }, (_, i) => `h ${3 * i + first}`);
    expect(await pages.valuesIn('held')).toEqual([[], every(1)]);
    expect(await pages.valuesIn('free')).toEqual([every(2)]);
    pages.appending = () => 'none';
    await flush(page);
    expect(await pages.valuesIn('held')).toEqual([every(0), every(1)]);
    expect(await stateOf(page)).toEqual(SENT);
  });

  test('as many partitions are tried at a time as may be, and the others behind them', async () => {
    const partitions = CLIENT_OUTBOX_BATCHES_MAX + 1;
    await pages.edge.topics.create({ name: 'wide', partitions });
    const tried = new Set<string>();
    pages.appending = (path) => {
      tried.add(path);
      return 'busy';
    };
    const page = await pages.opened('wide');
    await page.evaluate(async (count) => {
      const { outbox } = globalThis as unknown as OutboxScope;
      for (let partition = 0; partition < count; partition++)
        await outbox.send('wide', { value: JSON.stringify(`w ${partition}`), partition });
    }, partitions);
    await expect.poll(() => tried.size).toBe(CLIENT_OUTBOX_BATCHES_MAX);
    await page.waitForTimeout(500);
    expect(tried.size).toBe(CLIENT_OUTBOX_BATCHES_MAX);
    pages.appending = () => 'none';
    await flush(page);
    expect(await pages.checkOnce('wide', { w: partitions })).toBe(true);
  });

  test('connections to its database that the browser closes, whenever it likes, lose and double nothing', async () => {
    await pages.edge.topics.create({ name: 'closed', partitions: 2 });
    await pages.context.addInitScript(noteConnections);
    const page = await pages.opened('closed');
    let replies = 0;
    pages.appending = () => (++replies % 3 === 0 ? 'lose reply' : 'none');
    const closing = page.evaluate(() => {
      const scope = globalThis as unknown as Noted;
      scope.isOver = false;
      scope.closings = 0;
      const close = (): void => {
        // Some tell of it, as the browser does, some are only found closed: Safari tells last.
        for (const connection of scope.connections.splice(0)) {
          connection.close();
          scope.closings += 1;
          if (scope.closings % 2 === 0) connection.dispatchEvent(new Event('close'));
        }
        if (!scope.isOver) setTimeout(close, 30);
      };
      close();
    });
    await closing;
    await send(page, 'closed', 'a', 100);
    await flush(page);
    const closings = await page.evaluate(() => {
      const scope = globalThis as unknown as Noted;
      scope.isOver = true;
      return scope.closings;
    });
    expect(closings).toBeGreaterThan(5);
    expect(await stateOf(page)).toEqual(SENT);
    expect(await pages.checkOnce('closed', { a: 100 })).toBe(true);
  });

  test('where the browser has cleared what it kept, it says so once and goes on', async () => {
    await pages.edge.topics.create({ name: 'cleared', partitions: 1 });
    const page = await pages.opened('cleared');
    await send(page, 'cleared', 'before', 3);
    await flush(page);
    await pages.context.setOffline(true);
    await send(page, 'cleared', 'gone', 5);
    const session = await pages.context.newCDPSession(page);
    const { origin } = pages;
    await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
    const told = await page.evaluate(async () => {
      const { outbox, errors } = globalThis as unknown as OutboxScope;
      const own = await outbox.state().catch(({ message }: Error) => [message]);
      const { pending } = await outbox.state();
      // Whoever sends may have come first.
      return [...errors, ...(Array.isArray(own) ? own : []), `${pending} pending`];
    });
    expect(told.filter((text) => text.includes('has cleared'))).toHaveLength(1);
    expect(told.at(-1)).toBe('0 pending');
    await pages.context.setOffline(false);
    await send(page, 'cleared', 'behind', 5);
    await flush(page);
    // What had been read to be sent may have been.
    const values = (await pages.valuesIn('cleared')).flat();
    expect(new Set(values).size).toBe(values.length);
    expect(values.filter((value) => !value.startsWith('gone'))).toEqual([
      ...[0, 1, 2].map((i) => `before ${i}`),
      ...[0, 1, 2, 3, 4].map((i) => `behind ${i}`),
    ]);
  });

  test('it keeps as many records, and bytes, as it may', async () => {
    // Nothing of it is sent.
    const page = await pages.opened('full', 'one that has expired');
    const outcomes = await page.evaluate(
      async ([recordsMax, bytesMax]) => {
        const { outbox } = globalThis as unknown as OutboxScope;
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

test.each([
  [{}, 'openOutbox: database is string, not undefined'],
  [{ database: 'shop', onstate: () => undefined }, "openOutbox has no option 'onstate'"],
])('options that are none are refused: %o', async (options, told) => {
  const client = connect({ url: 'http://127.0.0.1:1' });
  const opening = openOutbox(client, options as { database: string });
  await expect(opening).rejects.toThrow(told);
});

test('a host without IndexedDB is refused', async () => {
  const client = connect({ url: 'http://127.0.0.1:1' });
  await expect(openOutbox(client, { database: 'none' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});
