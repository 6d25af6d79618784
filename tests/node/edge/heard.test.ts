// What comes and what does not: silence is told on time, with one timer however much comes.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { heard } from '../../../edge/routes/heard.ts';

beforeEach(() => void vi.useFakeTimers());
// Mocks first: they are of timers that are fake, and would be put back for good.
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function* numbers(count: number): AsyncGenerator<number, void> {
  for (let i = 0; i < count; i++) yield i;
}

/** A number each time that those ms have passed, then nothing for ever. */
async function* after(...waitsMs: readonly number[]): AsyncGenerator<number, void> {
  for (const ms of waitsMs) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    yield ms;
  }
  await new Promise(() => undefined);
}

test('a thousand items take one timer, which ends with them', async () => {
  const set = vi.spyOn(globalThis, 'setTimeout');
  const cleared = vi.spyOn(globalThis, 'clearTimeout');
  let count = 0;
  for await (const item of heard(numbers(1_000), 15_000)) expect(item).toBe(count++);
  expect(count).toBe(1_000);
  expect([set.mock.calls.length, cleared.mock.calls.length]).toEqual([1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});

test('silence is told when that time has passed since the last item, and again after as long', async () => {
  const items = heard(after(100, 900), 1_000);
  const beganMs = Date.now();
  const told: string[] = [];
  void (async () => {
    for await (const item of items) told.push(`${String(item)} at ${Date.now() - beganMs}`);
  })();
  await vi.advanceTimersByTimeAsync(3_500);
  expect(told).toEqual(['100 at 100', '900 at 1000', 'null at 2000', 'null at 3000']);
});

test('what is waited for has one listener, however often nothing comes', async () => {
  const waiting = new Promise<IteratorResult<number>>(() => undefined);
  const then = vi.spyOn(waiting, 'then');
  const items = heard({ [Symbol.asyncIterator]: () => ({ next: () => waiting }) }, 1_000);
  let silences = 0;
  void (async () => {
    for await (const item of items) if (item === null) silences++;
  })();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([silences, then.mock.calls.length]).toEqual([10, 1]);
});

test('what goes wrong while silence is told is thrown by the next item', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error('gone')), 1_500);
  const items = heard({ [Symbol.asyncIterator]: () => ({ next: () => promise }) }, 1_000);
  const silent = items.next();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await silent).toEqual({ done: false, value: null });
  await vi.advanceTimersByTimeAsync(1_000); // It fails while nobody asks.
  await expect(items.next()).rejects.toThrow('gone');
});
