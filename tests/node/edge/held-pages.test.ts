// Long pages of an isolate: bounded by their bytes, shorter while readers are slow, and free again when they are taken or lost.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HeldPages } from '../../../edge/held-pages.ts';
import {
  ANSWER_STALL_MS,
  FETCH_BYTES_MAX,
  PAGE_BYTES_MAX,
  PAGES_HELD_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { collectGarbage } from '../../bench/garbage.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // A line for each that is cut off.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const SHORT = 65_536;

/** A page as long as it may be, as its reader gets it. */
function page(pages: HeldPages): Uint8Array | ReadableStream<Uint8Array> {
  const bytesMax = pages.bytesMax(PAGE_BYTES_MAX);
  return pages.body(new Uint8Array(bytesMax));
}

test('readers who take nothing make pages shorter, never more than may be, and nobody is refused', () => {
  const pages = new HeldPages();
  const stalled: unknown[] = [];
  let shortest = PAGE_BYTES_MAX;
  for (let i = 0; i < 1_000; i++) {
    const bytesMax = pages.bytesMax(PAGE_BYTES_MAX);
    expect(bytesMax).toBeGreaterThanOrEqual(SHORT);
    expect(bytesMax).toBeLessThanOrEqual(shortest);
    shortest = bytesMax;
    // As long as one can become by what stands before short batches.
    stalled.push(pages.body(new Uint8Array(2 * bytesMax)));
    expect(pages.bytes).toBeLessThanOrEqual(PAGES_HELD_BYTES_MAX);
  }
  expect(shortest).toBe(SHORT);
  expect(pages.bytes).toBeGreaterThan(PAGES_HELD_BYTES_MAX / 2);
  expect(stalled).toHaveLength(1_000);
});

test('one reader who takes nothing makes no page of another shorter', async () => {
  const pages = new HeldPages();
  const stalled = page(pages);
  for (let i = 0; i < 100; i++) {
    const body = page(pages);
    expect(body).toBeInstanceOf(ReadableStream);
    expect((await new Response(body as ReadableStream).arrayBuffer()).byteLength).toBe(
      PAGE_BYTES_MAX,
    );
  }
  expect(stalled).toBeInstanceOf(ReadableStream);
  expect(pages.bytes).toBe(PAGE_BYTES_MAX);
});

test('what a reader leaves unread is free again when it goes', async () => {
  const pages = new HeldPages();
  const bodies = Array.from({ length: 5 }, () => page(pages));
  expect(pages.bytes).toBeGreaterThan(PAGE_BYTES_MAX);
  for (const body of bodies) await (body as ReadableStream).cancel();
  expect(pages.bytes).toBe(0);
});

test('what nobody says was taken is free again once the platform has let its answer go', async () => {
  vi.useRealTimers();
  const intervals = vi.spyOn(globalThis, 'setInterval').mockReturnValue(0 as never);
  const pages = new HeldPages();
  for (let i = 0; i < 100; i++) page(pages);
  intervals.mockRestore();
  // References of this turn count as strong.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(pages.bytesMax(PAGE_BYTES_MAX)).toBe(PAGE_BYTES_MAX);
  expect(pages.bytes).toBe(0);
});

test('what the platform has dropped with its timers is held no longer than it may go unread, though no garbage is collected', () => {
  const intervals = vi.spyOn(globalThis, 'setInterval').mockReturnValue(0 as never);
  const pages = new HeldPages();
  const dropped = page(pages);
  intervals.mockRestore();
  vi.advanceTimersByTime(ANSWER_STALL_MS);
  expect(pages.bytes).toBe(PAGE_BYTES_MAX);
  vi.advanceTimersByTime(10_000);
  expect(pages.bytes).toBe(0);
  expect(dropped).toBeInstanceOf(ReadableStream);
});

test('one batch that is longer than the room has those give way that lie there for a second, and is refused before', async () => {
  const pages = new HeldPages();
  const long = (): ReadableStream<Uint8Array> =>
    pages.body(new Uint8Array(FETCH_BYTES_MAX)) as ReadableStream<Uint8Array>;
  const bodies = Array.from({ length: PAGES_HELD_BYTES_MAX / FETCH_BYTES_MAX }, long);
  expect(pages.bytes).toBe(PAGES_HELD_BYTES_MAX);
  expect(long).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  // Before it is read, too.
  expect(() => pages.makeRoom(FETCH_BYTES_MAX)).toThrow('too many pages');
  pages.makeRoom(2 * SHORT);
  await vi.advanceTimersByTimeAsync(1_000);
  long();
  expect(pages.bytes).toBe(PAGES_HELD_BYTES_MAX);
  await vi.advanceTimersByTimeAsync(5_000);
  const [first, second] = bodies;
  await expect(first?.getReader().read()).rejects.toThrow('nothing of this page was read');
  expect((await second?.getReader().read())?.value?.length).toBe(FETCH_BYTES_MAX);
});

test('a page that nobody takes is let go of after a while', async () => {
  const pages = new HeldPages();
  page(pages);
  await vi.advanceTimersByTimeAsync(ANSWER_STALL_MS + 5_000);
  expect([pages.bytes, vi.getTimerCount()]).toEqual([0, 0]);
});

test('short pages are given as they are', () => {
  const pages = new HeldPages();
  const bytes = new Uint8Array(2 * SHORT);
  expect(pages.body(bytes)).toBe(bytes);
  expect(pages.bytes).toBe(0);
});
