// Several tabs with one outbox in Chromium: one sends, and another goes on with it when that is closed, crashes, freezes or loses its network.

import process from 'node:process';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../../support/chromium.ts';
import { draws } from '../../support/draws.ts';
import {
  crash,
  flush,
  frozen,
  OutboxPages,
  type OutboxScope,
  send,
  SENT,
  stateOf,
} from '../../support/outbox-pages.ts';

const executablePath = findChromium();
/** Tabs that are ended, frozen or cut off, one a round. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 20);
/** Within five seconds another tab goes on with what a frozen one has begun; on a busy machine it takes some times as long. */
const TAKEN_OVER_MS = 5_000;
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let pages: OutboxPages;

beforeAll(async () => {
  if (executablePath !== null) pages = await OutboxPages.start(executablePath);
});

afterEach(() => pages?.reset());
afterAll(() => pages?.stop());

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in pages', () => {
  test('what tabs send without a network is appended once by the tab that is left', async () => {
    await pages.edge.topics.create({ name: 'orders', partitions: 3 });
    const first = await pages.opened('shop');
    const second = await pages.opened('shop');
    await pages.context.setOffline(true);
    await send(first, 'orders', 'first', 40);
    await send(second, 'orders', 'second', 40);
    expect(await stateOf(second)).toMatchObject({ pending: 80, refused: 0 });
    // It holds the lock, and has perhaps begun.
    await first.close();
    await pages.context.setOffline(false);
    await flush(second);
    expect(await stateOf(second)).toEqual(SENT);
    expect(await second.evaluate(() => (globalThis as unknown as OutboxScope).state)).toEqual(SENT);
    expect(await pages.checkOnce('orders', { first: 40, second: 40 })).toBe(true);
  });

  test('a tab that is frozen in the middle of sending is relieved within five seconds', async () => {
    await pages.edge.topics.create({ name: 'frozen', partitions: 2 });
    pages.appending = () => 'lose reply';
    const first = await pages.opened('frozen');
    await send(first, 'frozen', 'first', 10);
    const lost = pages.proxy.counts.get('lose reply') ?? 0;
    await expect.poll(() => pages.proxy.counts.get('lose reply') ?? 0).toBeGreaterThan(lost);
    const second = await pages.opened('frozen');
    const thaw = await frozen(first);
    pages.appending = () => 'none';
    const begunMs = performance.now();
    await send(second, 'frozen', 'second', 10);
    await flush(second);
    expect(performance.now() - begunMs).toBeLessThan(4 * TAKEN_OVER_MS);
    // What it would have gone on with is done.
    await thaw();
    await send(first, 'frozen', 'thawed', 10);
    await flush(first);
    expect(await pages.checkOnce('frozen', { first: 10, second: 10, thawed: 10 })).toBe(true);
  });

  // As one does that thaws between its look at the lock and its change.
  test('a tab that another one has taken over from neither begins nor settles anything', async () => {
    const page = await pages.opened('relieved');
    const outcomes = await page.evaluate(async () => {
      const { OutboxStore } = globalThis as unknown as OutboxScope;
      const [frozen, other] = [
        await OutboxStore.open('a store of two tabs'),
        await OutboxStore.open('a store of two tabs'),
      ];
      const nothing = { key: null, value: null, timestamp: 0, headers: [] };
      await frozen.add({ topic: 't', partition: null, ...nothing });
      const place = { topic: 't', partitions: 2, incarnation: 'i', bytes: new Uint8Array(1) };
      const made = { ...place, records: [1], weight: 128 };
      const begin = (store: typeof frozen, partition: number) =>
        store.begin([{ ...made, partition }], () => `producer ${partition}`, 1000);
      await frozen.takeTurn();
      const [old] = await begin(frozen, 0);
      const { batches: left } = await other.takeTurn();
      const told: string[] = [];
      const attempt = async (work: Promise<unknown>): Promise<void> => {
        told.push(
          await work.then(
            () => 'done',
            (thrown: { code: string }) => thrown.code,
          ),
        );
      };
      if (old === undefined) throw new Error('it was begun');
      await attempt(begin(frozen, 1));
      await attempt(frozen.acknowledged(old));
      await attempt(frozen.released(old));
      await attempt(frozen.renew(old, { incarnation: 'another' }));
      await attempt(frozen.refuse([1], old, { code: '', message: '', mayBeThere: true }));
      // What it keeps is not of its turn.
      await attempt(frozen.add({ topic: 't', partition: null, ...nothing }));
      for (const batch of left) await attempt(other.acknowledged(batch));
      return [told, await frozen.totals()];
    });
    const refused = Array.from({ length: 5 }, () => 'FENCED');
    expect(outcomes).toEqual([
      [...refused, 'done', 'done'],
      { pending: 1, refused: 0, bytes: 128 },
    ]);
  });

  test('three tabs that are closed, crash, freeze and lose their network append all once', async () => {
    const command = `SEED=${SEED} npx vitest run --project node tests/node/client/outbox-tabs.test.ts`;
    const draw = draws(SEED + 1);
    await pages.edge.topics.create({ name: 'tabs', partitions: 3 });
    const faults = ['lose request', 'lose reply', 'none', 'none', 'none'] as const;
    pages.appending = () => faults[draw(faults.length)] ?? 'none';
    const counts: Record<string, number> = {};
    const tabs: Page[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      while (tabs.length < 3) tabs.push(await pages.opened('tabs'));
      const [tab] = tabs.splice(draw(3), 1);
      if (tab === undefined) throw new Error('there are three');
      const name = `round${round}`;
      counts[name] = 1 + draw(12);
      await send(tab, 'tabs', name, counts[name]);
      const fault = draw(4);
      if (fault === 0) await tab.close();
      else if (fault === 1) await crash(tab);
      else if (fault === 2) {
        // It comes back to what others have done meanwhile.
        const thaw = await frozen(tab);
        await tabs[0]?.waitForTimeout(draw(3) === 0 ? TAKEN_OVER_MS : draw(300));
        await thaw();
        tabs.push(tab);
      } else {
        await pages.context.setOffline(true);
        await tab.waitForTimeout(draw(300));
        await pages.context.setOffline(false);
        tabs.push(tab);
      }
    }
    pages.appending = () => 'none';
    const [last] = tabs;
    await last?.evaluate(() => (globalThis as unknown as OutboxScope).outbox.flush());
    await pages.checkOnce('tabs', counts).catch((thrown: unknown) => {
      throw new Error(`it fails with ${command}`, { cause: thrown });
    });
    expect(Object.keys(counts)).toHaveLength(ROUNDS);
  });
});
