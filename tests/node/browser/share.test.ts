// Several tabs of Chromium with one engine: what one says the others see, and what follows when one of them ends.

import process from 'node:process';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { OPEN_PUSH_QUERIES_MAX, SHARE_ANSWER_MS_MAX } from '../../../runtime/base/limits.ts';
import { SHARE_VERSION } from '../../../runtime/browser/share-protocol.ts';
import { draws } from '../../support/draws.ts';
import { crash, frozen } from '../../support/outbox-pages.ts';
import {
  attempt,
  execute,
  pulled,
  read,
  rowsIn,
  SharedTabs,
  type TabScope,
  thrownBy,
  workersOf,
} from '../../support/shared-tabs.ts';

/** Tabs that are closed or crash, one a round. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 8);
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Push queries of a tab that follows. */
const OF_FOLLOWER = 50;
const tabs = new SharedTabs();
const acknowledged: string[] = [];

beforeAll(async () => {
  if (!tabs.canStart) return;
  await tabs.start();
  await tabs.context.exposeFunction('acknowledged', (id: string) => void acknowledged.push(id));
});

afterEach(async () => {
  await tabs.reset();
  acknowledged.length = 0;
});
afterAll(() => tabs.stop());

const STREAM = `CREATE STREAM s (k VARCHAR KEY, n BIGINT) WITH (kafka_topic='s', value_format='json', partitions=1);`;
const TABLE = 'CREATE TABLE t AS SELECT k, COUNT(*) AS c, SUM(n) AS total FROM s GROUP BY k;';

async function end(page: Page, how: 'close' | 'crash' | 'end the engine of'): Promise<void> {
  if (how === 'close') await page.close();
  else if (how === 'crash') await crash(page);
  else await page.evaluate(() => (globalThis as unknown as TabScope).engine.close());
}

/** Begins to write in a tab. */
async function write(page: Page, name: string): Promise<void> {
  await page.evaluate((name) => {
    const scope = globalThis as unknown as TabScope;
    void scope.write(name).finally(() => (scope.rows[name] = []));
  }, name);
}

/** Ends it. */
async function written(page: Page, name: string): Promise<void> {
  await page.evaluate(() => ((globalThis as unknown as TabScope).isOver = true));
  await page.waitForFunction((name) => (globalThis as unknown as TabScope).rows[name], name);
}

/** How often each of the keys was counted that were inserted once, as the table says. */
async function counts(page: Page): Promise<ReadonlyMap<string, number>> {
  expect(await thrownBy(page, 'idle')).toBeNull();
  const rows = (await pulled(page, 'SELECT k, c FROM t;')) as readonly { K: string; C: number }[];
  return new Map(rows.map(({ K, C }) => [K, C]));
}

/** Every acknowledged record is there once, and none twice. */
async function expectOnce(page: Page): Promise<void> {
  const counted = await counts(page);
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(acknowledged.filter((id) => counted.get(id) !== 1)).toEqual([]);
  expect([...counted].filter(([, count]) => count !== 1)).toEqual([]);
}

// Without a Chromium there is no page.
describe.skipIf(!tabs.canStart)('in tabs', () => {
  test('a second tab starts no Worker, and sees what the first one does, as the first sees it', async () => {
    const first = await tabs.opened('two');
    const second = await tabs.opened('two');
    expect([workersOf(first), workersOf(second)]).toEqual([1, 0]);
    await execute(first, STREAM);
    await execute(second, TABLE);
    for (const tab of [first, second]) await read(tab, 'changes', 'SELECT * FROM s EMIT CHANGES;');
    await execute(second, `INSERT INTO s VALUES ('a', 1);`);
    await execute(first, `INSERT INTO s VALUES ('b', 2);`);
    await execute(second, `INSERT INTO s VALUES ('a', 3);`);
    const rows = [
      { K: 'a', N: 1 },
      { K: 'b', N: 2 },
      { K: 'a', N: 3 },
    ];
    for (const tab of [first, second])
      await expect.poll(() => rowsIn(tab, 'changes')).toEqual(rows);
    for (const tab of [first, second]) {
      expect(await thrownBy(tab, 'idle')).toBeNull();
      const total = { K: 'a', C: 2, TOTAL: 4 };
      expect(await pulled(tab, `SELECT * FROM t WHERE k = 'a';`)).toEqual([total]);
    }
  });

  test('a follower has every call: errors with their places, records, PRINT, stats, and rows that the Worker hands over', async () => {
    const first = await tabs.opened('calls');
    const second = await tabs.opened('calls');
    await execute(first, STREAM);
    expect(await thrownBy(second, 'execute', 'CREATE\n  NONSENSE s;')).toMatchObject({
      name: 'StatementError',
      line: 2,
      column: 3,
    });
    expect(await thrownBy(second, 'topicRecords', 'none')).toMatchObject({ code: 'UNKNOWN_TOPIC' });
    expect(await thrownBy(second, 'query', 'SELECT * FROM none;')).toMatchObject({
      code: 'UNKNOWN_SOURCE',
    });
    const seen = await second.evaluate(async () => {
      const { engine } = globalThis as unknown as TabScope;
      await engine.execute(
        `CREATE STREAM long (k VARCHAR KEY, v VARCHAR) WITH (kafka_topic='long', value_format='json', partitions=1);`,
      );
      const text = 'x'.repeat(100_000);
      const sent = Array.from({ length: 40 }, (_, i) => `${i}${text}`);
      const rows = await engine.query('SELECT * FROM long EMIT CHANGES LIMIT 40;');
      for (const v of sent)
        await engine.produce('long', [{ key: 'k', value: JSON.stringify({ V: v }) }]);
      const read = (await rows.all()).map(({ V }) => V);
      const [record] = await engine.topicRecords('long');
      const lines = [];
      for await (const line of await engine.print('PRINT long FROM BEGINNING LIMIT 1;'))
        lines.push(line);
      const { topics } = await engine.stats();
      return {
        isSame: JSON.stringify(read) === JSON.stringify(sent),
        length: record?.value?.length,
        lines: lines.length,
        topics,
        error: await engine.errorOf('none'),
      };
    });
    expect(seen).toMatchObject({
      isSame: true,
      length: 100_009,
      topics: { s: { in: 0 }, long: { in: 40 } },
      error: null,
    });
    expect(seen.lines).toBeGreaterThan(0);
  });

  test.each(['close', 'crash', 'end the engine of'] as const)(
    'to %s the tab that leads ends what is under way in the other, which leads with its next call',
    async (how) => {
      const database = `ends by ${how}`;
      const first = await tabs.opened(database);
      const second = await tabs.opened(database);
      await execute(first, STREAM + TABLE);
      await read(second, 'changes', 'SELECT * FROM s EMIT CHANGES;');
      await second.evaluate(() => {
        const scope = globalThis as unknown as TabScope & { acknowledged: (id: string) => unknown };
        const load = async (): Promise<void> => {
          for (let i = 0; ; i++) {
            await scope.engine.insert('s', { k: `${i}`, n: i });
            // Not waited for: one is under way whenever the leader ends.
            void scope.acknowledged(`${i}`);
          }
        };
        void scope.told(load).then((thrown) => (scope.rows['load'] = [{ ...thrown }]));
      });
      await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
      await end(first, how);
      await expect
        .poll(() => rowsIn(second, 'load'))
        .toEqual([expect.objectContaining({ name: 'PortError', code: 'UNAVAILABLE' })]);
      await expect
        .poll(async () => (await rowsIn(second, 'changes')).at(-1))
        .toEqual({ thrown: 'UNAVAILABLE' });
      expect(await thrownBy(second, 'stats')).toBeNull();
      expect(workersOf(second)).toBe(1);
      await expectOnce(second);
    },
  );

  test.each(['close', 'crash', 'end the engine of'] as const)(
    'to %s a follower closes all that it had open at the leader, and nothing else',
    async (how) => {
      const database = `follower, by ${how}`;
      const first = await tabs.opened(database);
      const second = await tabs.opened(database);
      await execute(first, STREAM);
      await read(first, 'changes', 'SELECT * FROM s EMIT CHANGES;');
      /** Opens so many. @returns what was thrown */
      const open = (page: Page, count: number) =>
        page.evaluate(async (count) => {
          const { told, engine } = globalThis as unknown as TabScope;
          return await told(async () => {
            for (let i = 0; i < count; i++) await engine.query('SELECT * FROM s EMIT CHANGES;');
          });
        }, count);
      // All others are the leader's own, which are opened sooner.
      expect(await open(first, OPEN_PUSH_QUERIES_MAX - 1 - OF_FOLLOWER)).toBeNull();
      expect(await open(second, OF_FOLLOWER)).toBeNull();
      const one = ['query', 'SELECT * FROM s EMIT CHANGES;'] as const;
      expect(await thrownBy(first, ...one)).toMatchObject({ code: 'LIMIT' });
      await end(second, how);
      let freed = 0;
      await expect
        .poll(async () => {
          while (freed < OF_FOLLOWER && (await open(first, 1)) === null) freed += 1;
          return freed;
        })
        .toBe(OF_FOLLOWER);
      expect(await thrownBy(first, ...one)).toMatchObject({ code: 'LIMIT' });
      await execute(first, `INSERT INTO s VALUES ('a', 1);`);
      await expect.poll(() => rowsIn(first, 'changes')).toEqual([{ K: 'a', N: 1 }]);
    },
  );

  test('a tab that does not share is not followed: LOCKED, once it has not answered for SHARE_ANSWER_MS_MAX', async () => {
    const database = 'not shared';
    const first = await tabs.fresh();
    expect(await attempt(first, { database })).toBeNull();
    const second = await tabs.fresh();
    const begunMs = performance.now();
    const refused = await attempt(second, { database, isShared: true });
    expect(performance.now() - begunMs).toBeGreaterThan(SHARE_ANSWER_MS_MAX);
    expect(refused).toMatchObject({ name: 'PortError', code: 'LOCKED' });
    expect(refused?.message).toContain('it was not opened with openShared');
    expect(await thrownBy(first, 'stats')).toBeNull();
  });

  test('a tab of another deployment is not followed, and does not follow: LOCKED, and which tab to reload', async () => {
    const database = 'deployed';
    const old = await tabs.fresh();
    await old.evaluate(async (version) => {
      const name = 'millrace:deployed';
      await new Promise<void>((held) => {
        void navigator.locks.request(name, () => new Promise(() => held()));
      });
      const meeting = new BroadcastChannel(`${name}:share`);
      meeting.addEventListener('message', ({ data }) =>
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
        meeting.postMessage({ to: data.follower, version, lock: 'any' }),
      );
    }, SHARE_VERSION - 1);
    const second = await tabs.fresh();
    const refused = await attempt(second, { database, isShared: true });
    expect(refused).toMatchObject({ name: 'PortError', code: 'LOCKED' });
    expect(refused?.message).toContain('reload that tab');
    await old.close();
    await expect.poll(() => attempt(second, { database, isShared: true })).toBeNull();
    const answer = await (
      await tabs.fresh()
    ).evaluate(
      (version) =>
        new Promise((resolve) => {
          const meeting = new BroadcastChannel('millrace:deployed:share');
          meeting.addEventListener('message', ({ data }) => resolve(data));
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
          meeting.postMessage({ follower: 'old', version });
        }),
      SHARE_VERSION - 1,
    );
    expect(answer).toMatchObject({ to: 'old', version: SHARE_VERSION });
  });

  test('where only the page of the leader stands still its Worker answers; when it ends another one does', async () => {
    const first = await tabs.opened('frozen leader');
    const second = await tabs.opened('frozen leader');
    await execute(first, STREAM);
    const thaw = await frozen(first);
    expect(await thrownBy(second, 'stats')).toBeNull();
    await thaw();
    expect([workersOf(first), workersOf(second)]).toEqual([1, 0]);
    await first.close();
    expect(await thrownBy(second, 'stats')).toBeNull();
    expect(workersOf(second)).toBe(1);
  });

  test('memory is not shared', async () => {
    const options = { storage: 'memory', isShared: true } as const;
    expect(await attempt(await tabs.fresh(), options)).toMatchObject({ name: 'TypeError' });
  });

  test('of tabs that open at once one leads', async () => {
    const pages = await Promise.all([tabs.fresh(), tabs.fresh(), tabs.fresh()]);
    const options = { database: 'at once', isShared: true } as const;
    expect(await Promise.all(pages.map((page) => attempt(page, options)))).toEqual([
      null,
      null,
      null,
    ]);
    expect(pages.map(workersOf).toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
  });

  test('three tabs that are closed, crash and open anew have every acknowledged record once', async () => {
    const draw = draws(SEED);
    console.log(`SEED=${SEED} npx vitest run --project node tests/node/browser/share.test.ts`);
    const database = 'rounds';
    let made = 0;
    const begun = async (): Promise<{ page: Page; name: string }> => {
      const name = `tab ${made++}`;
      const page = await tabs.opened(database);
      if (made === 1) await execute(page, STREAM + TABLE);
      await write(page, name);
      return { page, name };
    };
    const open = [await begun(), await begun(), await begun()];
    for (let round = 0; round < ROUNDS; round++) {
      await new Promise((resolve) => setTimeout(resolve, draw(400)));
      const [{ page } = await begun()] = open.splice(draw(3), 1);
      await (draw(2) === 0 ? page.close() : crash(page));
      open.push(await begun());
    }
    for (const { page, name } of open) await written(page, name);
    const [last] = open;
    if (last === undefined) throw new Error('no tab is left');
    await expectOnce(last.page);
    expect(open.map(({ page }) => workersOf(page)).toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
  });
});
