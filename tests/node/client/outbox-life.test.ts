// An outbox in pages that Chromium freezes, or keeps in its back/forward cache: nobody waits for them, and each record is there once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../../support/chromium.ts';
import { LonePage } from '../../support/lone-page.ts';
import { OutboxPages, type OutboxScope } from '../../support/outbox-pages.ts';

const executablePath = findChromium();
/** Within five seconds another tab goes on with what a frozen one has begun; on a busy machine it takes some times as long. Chromium ends a transaction that stands open after a minute. */
const TAKEN_OVER_MS = 20_000;
let pages: OutboxPages;
let first: LonePage;
let second: LonePage;

beforeAll(async () => {
  if (executablePath === null) return;
  pages = await OutboxPages.start(executablePath);
  first = await LonePage.open(executablePath, pages.origin);
  second = await first.beside(pages.origin);
  for (const page of [first, second]) await open(page);
});

afterAll(async () => {
  await first?.close();
  await pages?.stop();
});

async function open(page: LonePage): Promise<void> {
  while (!(await page.evaluate(() => 'OutboxStore' in globalThis, null)));
  await page.evaluate(async (url) => {
    const scope = globalThis as unknown as OutboxScope;
    scope.key = 'key-of-a';
    await scope.open(url, 'life');
    addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }));
  }, pages.proxy.url);
}

/** Sends records `<name> 0` to `<name> 9`. @returns how long it takes until the edge has them, in ms */
function sent(page: LonePage, topic: string, name: string): Promise<number> {
  return page.evaluate(
    async ([topic, name]) => {
      const { outbox } = globalThis as unknown as OutboxScope;
      const begunMs = performance.now();
      for (let i = 0; i < 10; i++)
        await outbox.send(topic, { value: JSON.stringify(`${name} ${i}`) });
      await outbox.flush();
      return performance.now() - begunMs;
    },
    [topic, name] as const,
  );
}

/** Freezes a page that has nothing under way: Chromium by itself freezes none whose transaction others wait for. */
async function freeze(page: LonePage): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_000)), null);
  await page.freeze();
}

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in pages', () => {
  test('a tab that is frozen holds up no other, whichever of them sends', async () => {
    await pages.edge.topics.create({ name: 'frozen', partitions: 1 });
    await sent(first, 'frozen', 'before');
    await freeze(first);
    expect(await sent(second, 'frozen', 'meanwhile')).toBeLessThan(TAKEN_OVER_MS);
    await first.thaw();
    await freeze(second);
    expect(await sent(first, 'frozen', 'behind')).toBeLessThan(TAKEN_OVER_MS);
    await second.thaw();
    await sent(second, 'frozen', 'last');
    const counts = { before: 10, meanwhile: 10, behind: 10, last: 10 };
    expect(await pages.checkOnce('frozen', counts)).toBe(true);
  });

  test('a page in the back/forward cache holds up none, and goes on or is loaded anew with the way back', async () => {
    await pages.edge.topics.create({ name: 'left', partitions: 1 });
    await sent(first, 'left', 'before');
    await first.goTo(`${pages.origin}/next`);
    const path = () => first.evaluate(() => location.pathname, null).catch(() => '');
    await expect.poll(path).toBe('/next');
    expect(await sent(second, 'left', 'meanwhile')).toBeLessThan(TAKEN_OVER_MS);
    await first.goBack();
    await expect.poll(path).toBe('/');
    if (!(await first.evaluate(() => 'persisted' in globalThis, null))) await open(first);
    expect(await sent(first, 'left', 'behind')).toBeLessThan(TAKEN_OVER_MS);
    const counts = { before: 10, meanwhile: 10, behind: 10 };
    expect(await pages.checkOnce('left', counts)).toBe(true);
  });
});
