// Long pages of an isolate: bounded by their bytes, shorter while readers are slow, and free again when they are taken or lost.

import { expect, test } from 'vitest';
import { HeldPages } from '../../../edge/held-pages.ts';
import {
  FETCH_BYTES_MAX,
  PAGE_BYTES_MAX,
  PAGES_HELD_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { collectGarbage } from '../../bench/garbage.ts';

/** A page as long as it may be, as its reader gets it. */
function page(pages: HeldPages): Uint8Array | ReadableStream<Uint8Array> {
  const bytesMax = pages.bytesMax(PAGE_BYTES_MAX);
  return pages.body(new Uint8Array(bytesMax), bytesMax);
}

test('readers who take nothing make pages shorter, never more than may be, and nobody is refused', () => {
  const pages = new HeldPages();
  const stalled: unknown[] = [];
  let shortest = PAGE_BYTES_MAX;
  for (let i = 0; i < 1_000; i++) {
    const bytesMax = pages.bytesMax(PAGE_BYTES_MAX);
    expect(bytesMax).toBeGreaterThanOrEqual(FETCH_BYTES_MAX);
    expect(bytesMax).toBeLessThanOrEqual(shortest);
    shortest = bytesMax;
    // As long as one can become by what stands before short batches.
    const length = bytesMax > FETCH_BYTES_MAX ? 2 * bytesMax : bytesMax;
    stalled.push(pages.body(new Uint8Array(length), bytesMax));
    expect(pages.bytes).toBeLessThanOrEqual(PAGES_HELD_BYTES_MAX);
  }
  expect(shortest).toBe(FETCH_BYTES_MAX);
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
  const pages = new HeldPages();
  for (let i = 0; i < 100; i++) page(pages);
  // References of this turn count as strong.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(pages.bytesMax(PAGE_BYTES_MAX)).toBe(PAGE_BYTES_MAX);
  expect(pages.bytes).toBe(0);
});

test('pages of the usual length are given as they are', () => {
  const pages = new HeldPages();
  const bytes = new Uint8Array(FETCH_BYTES_MAX);
  expect(pages.body(bytes, pages.bytesMax(FETCH_BYTES_MAX))).toBe(bytes);
  expect(pages.bytes).toBe(0);
});
