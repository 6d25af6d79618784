// Tabs that share an engine: what a browser drops between them, and how many may follow.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FOLLOWERS_MAX, SHARE_ANSWER_MS_MAX } from '../../../runtime/base/limits.ts';
import { SHARE_VERSION } from '../../../runtime/browser/share-protocol.ts';
import {
  attempt,
  execute,
  read,
  rowsIn,
  SharedTabs,
  type TabScope,
  thrownBy,
  workersOf,
} from '../../support/shared-tabs.ts';

const tabs = new SharedTabs();
beforeAll(() => tabs.start(), 60_000);
afterEach(() => tabs.reset());
afterAll(() => tabs.stop());

const STREAM = `CREATE STREAM s (k VARCHAR KEY, n BIGINT) WITH (kafka_topic='s', value_format='json', partitions=1);`;

/** Of a follower's channel the tenth message that the tab says, or would hear, is not there. */
const DROPS = {
  said: `{
    const { prototype } = BroadcastChannel;
    const { postMessage } = prototype;
    let count = 0;
    prototype.postMessage = function (message) {
      if (!this.name.startsWith('millrace:follower:') || ++count !== 10) postMessage.call(this, message);
    };
  }`,
  heard: `{
    const { prototype } = BroadcastChannel;
    const { addEventListener } = prototype;
    let count = 0;
    prototype.addEventListener = function (type, listener) {
      addEventListener.call(this, type, (event) => {
        if (!this.name.startsWith('millrace:follower:') || ++count !== 10) listener(event);
      });
    };
  }`,
};

interface Pretender {
  /** Who has asked for the leader, each as often as it did. */
  asked: string[];
}

/** To be called in a tab: it has the database's lock, and says that the leading Worker has another one, which nobody has. */
async function pretend([database, version, lock = 'ended']: readonly [
  string,
  number,
  (string | null)?,
]): Promise<void> {
  const scope = globalThis as unknown as Pretender;
  scope.asked = [];
  const name = `millrace:${database}`;
  await new Promise<void>((held) => {
    void navigator.locks.request(name, () => new Promise(() => held()));
  });
  const meeting = new BroadcastChannel(`${name}:share`);
  meeting.addEventListener('message', ({ data }) => {
    scope.asked.push(data.follower);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
    meeting.postMessage({ to: data.follower, version, lock, isFull: false });
  });
}

// Without a Chromium there is no page.
describe.skipIf(!tabs.canStart)('in tabs', () => {
  test('of messages that a browser drops none is missing unnoticed, either way', async () => {
    const database = 'dropped';
    const first = await tabs.opened(database);
    await execute(first, STREAM);
    for (const who of ['said', 'heard'] as const) {
      const second = await tabs.fresh();
      await second.evaluate(DROPS[who]);
      expect(await attempt(second, { database, isShared: true })).toBeNull();
      await read(second, 'changes', 'SELECT * FROM s EMIT CHANGES;');
      const ended = await second.evaluate(async () => {
        const { engine, told } = globalThis as unknown as TabScope;
        return await told(async () => {
          for (let i = 0; i < 20; i++) await engine.insert('s', { k: 'a', n: i });
        });
      });
      expect(ended).toMatchObject({ code: 'UNAVAILABLE' });
      expect(ended?.message).toContain('dropped messages');
      await expect
        .poll(async () => (await rowsIn(second, 'changes')).at(-1))
        .toEqual({ thrown: 'UNAVAILABLE' });
      expect(await attempt(second, { database, isShared: true })).toBeNull();
      await second.close();
    }
    expect(await thrownBy(first, 'stats')).toBeNull();
  });

  test('FOLLOWERS_MAX tabs follow one, and the next one when one has gone', async () => {
    const database = 'full';
    const first = await tabs.opened(database);
    await first.evaluate(
      async ([count, version]) => {
        const meeting = new BroadcastChannel('millrace:full:share');
        for (let i = 0; i < count; i++) {
          const follower = `${i}`;
          await new Promise<void>((held) => {
            const name = `millrace:follower:${follower}`;
            void navigator.locks.request(name, async () => {
              held();
              await new Promise<void>((release) =>
                Object.assign(globalThis, { [`release${i}`]: release }),
              );
            });
          });
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
          meeting.postMessage({ follower, version });
        }
      },
      [FOLLOWERS_MAX, SHARE_VERSION] as const,
    );
    const second = await tabs.fresh();
    const options = { database, isShared: true };
    await expect
      .poll(() => attempt(second, options))
      .toMatchObject({ name: 'LimitError', message: expect.stringContaining('64 other tabs') });
    await first.evaluate(() => (globalThis as unknown as { release7: () => void }).release7());
    await expect.poll(() => attempt(second, options)).toBeNull();
  });

  test('a tab whose leader ends as it answers looks for the next one', async () => {
    const database = 'ended';
    const ending = await tabs.fresh();
    await ending.evaluate(pretend, [database, SHARE_VERSION] as const);
    const second = await tabs.fresh();
    const opening = attempt(second, { database, isShared: true });
    await ending.waitForFunction(() => (globalThis as unknown as Pretender).asked.length > 1);
    await ending.close();
    expect(await opening).toBeNull();
    expect(workersOf(second)).toBe(1);
  });

  test('a hidden tab, whose timers come late, asks on while the tab that is to lead says that it opens', async () => {
    const database = 'late';
    const opens = await tabs.fresh();
    await opens.evaluate(pretend, [database, SHARE_VERSION, null] as const);
    const second = await tabs.fresh();
    await second.evaluate((lateMs) => {
      const { setTimeout } = globalThis;
      Object.assign(globalThis, {
        setTimeout: (call: () => void, ms: number) => setTimeout(call, Math.max(ms, lateMs)),
      });
    }, SHARE_ANSWER_MS_MAX * 1.1);
    const refused = attempt(second, { database, isShared: true });
    const asked = () => (globalThis as unknown as Pretender).asked.length > 1;
    const isAsked = opens.waitForFunction(asked).then(() => 'asked again');
    expect(await Promise.race([refused, isAsked])).toBe('asked again');
  });

  test('what a page has closed stays closed, also where it looks for the tab that leads', async () => {
    const database = 'closed';
    const first = await tabs.opened(database);
    const second = await tabs.opened(database);
    const closed = { code: 'UNAVAILABLE', message: 'the engine is closed' };
    await first.evaluate(() => (globalThis as unknown as TabScope).engine.close());
    expect(await thrownBy(first, 'stats')).toMatchObject(closed);
    const thrown = await second.evaluate(async () => {
      const { engine, told } = globalThis as unknown as TabScope;
      const refused = told(() => engine.stats());
      await Promise.resolve();
      await engine.close();
      return await refused;
    });
    expect(thrown).toMatchObject(closed);
    const third = await tabs.opened(database);
    expect([first, second, third].map(workersOf)).toEqual([0, 0, 1]);
  });
});
