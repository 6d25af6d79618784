// A query on a socket waits for credit: until it comes, or nobody wants rows, or for so long; with one timer however often.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SocketQuery } from '../../../edge/routes/socket-query.ts';
import { SOCKET_STALL_MS } from '../../../runtime/base/limits.ts';

beforeEach(() => void vi.useFakeTimers());
// Mocks first: they are of timers that are fake, and would be put back for good.
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a thousand waits for credit take one timer, and none is taken back', async () => {
  const set = vi.spyOn(globalThis, 'setTimeout');
  const cleared = vi.spyOn(globalThis, 'clearTimeout');
  const query = new SocketQuery(1, 0);
  for (let i = 0; i < 1_000; i++) {
    const credited = query.hasCredit();
    query.grant(1);
    expect(await credited).toBe(true);
    query.credit -= 1;
  }
  expect([set.mock.calls.length, cleared.mock.calls.length]).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(SOCKET_STALL_MS);
  expect(vi.getTimerCount()).toBe(0);
});

test('each wait ends SOCKET_STALL_MS after it began, also one that began while the timer of another ran', async () => {
  const query = new SocketQuery(1, 0);
  void query.hasCredit();
  await vi.advanceTimersByTimeAsync(SOCKET_STALL_MS - 1);
  query.grant(1);
  query.credit -= 1;
  let credited: boolean | null = null;
  void query.hasCredit().then((value) => (credited = value));
  await vi.advanceTimersByTimeAsync(SOCKET_STALL_MS - 1);
  expect(credited).toBe(null);
  await vi.advanceTimersByTimeAsync(1);
  expect(credited).toBe(false);
});

test('whoever waits goes on at once when rows are wanted no more', async () => {
  const leaves = [async (query: SocketQuery) => query.end(), (query: SocketQuery) => query.close()];
  for (const leave of leaves) {
    const query = new SocketQuery(1, 0);
    const credited = query.hasCredit();
    await leave(query);
    expect(await credited).toBe(true);
    expect(query.isWanted).toBe(false);
  }
});

test('a grant of no rows ends no wait: it is not taken for a client that has stalled', async () => {
  const query = new SocketQuery(1, 0);
  let credited: boolean | null = null;
  void query.hasCredit().then((value) => (credited = value));
  query.grant(0);
  await vi.advanceTimersByTimeAsync(SOCKET_STALL_MS - 1);
  expect(credited).toBe(null);
  query.grant(2);
  await vi.advanceTimersByTimeAsync(0);
  expect([credited, query.credit]).toEqual([true, 2]);
});
