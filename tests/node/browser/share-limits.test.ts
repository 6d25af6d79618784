// Tabs that share an engine: what a browser drops between them, and how many may follow.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FOLLOWERS_MAX } from '../../../runtime/base/limits.ts';
import { SHARE_VERSION } from '../../../runtime/browser/share-protocol.ts';
import { findChromium } from '../../support/chromium.ts';
import {
  attempt,
  execute,
  read,
  rowsIn,
  SharedTabs,
  type TabScope,
  thrownBy,
} from '../../support/shared-tabs.ts';

const executablePath = findChromium();
let tabs: SharedTabs;

beforeAll(async () => {
  if (executablePath !== null) tabs = await SharedTabs.start(executablePath);
}, 60_000);
afterEach(() => tabs?.reset());
afterAll(() => tabs?.stop());

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

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in tabs', () => {
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
});
