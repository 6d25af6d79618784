// What lies unread on a socket of queries is looked at on time, with no timer that is taken back however often all of it is read.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SocketRoom } from '../../../edge/routes/socket-room.ts';
import { SOCKET_UNREAD_BYTES_MAX } from '../../../runtime/base/limits.ts';

beforeEach(() => void vi.useFakeTimers());
// Mocks first: they are of timers that are fake, and would be put back for good.
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a thousand times that all was read take one timer, which ends behind them', async () => {
  const set = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval')];
  const cleared = [vi.spyOn(globalThis, 'clearTimeout'), vi.spyOn(globalThis, 'clearInterval')];
  const asks: string[] = [];
  const room = new SocketRoom({ send: (ask) => void asks.push(ask), giveWay: () => undefined });
  const before = SocketRoom.unreadBytes;
  const bytes = SOCKET_UNREAD_BYTES_MAX / 2;
  for (let i = 0; i < 1_000; i++) {
    const given = await room.give(
      bytes,
      () => true,
      () => undefined,
    );
    expect([given, room.unread]).toEqual([true, bytes]);
    room.answered(asks[i] ?? '');
    expect(room.unread).toBe(0);
  }
  const calls = (spies: readonly { readonly mock: { readonly calls: readonly unknown[] } }[]) =>
    spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  expect([calls(set), calls(cleared)]).toEqual([1, 0]);
  room.close();
  expect(SocketRoom.unreadBytes).toBe(before);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(vi.getTimerCount()).toBe(0);
});
