// Those who wait for something to happen: until it does, or until their time has come, by one timer for all.

import { expect, test, vi } from 'vitest';
import { Waiters } from '../../../edge/objects/waiters.ts';
import { WAITERS_MAX, WAITERS_TIMERS_MAX } from '../../../runtime/base/limits.ts';

test('each waits until its time has come, or all are woken, and one timer is enough', async () => {
  vi.useFakeTimers();
  try {
    const waiters = new Waiters();
    const done: number[] = [];
    const wait = (ms: number): void => void waiters.wait(ms).then(() => done.push(ms));
    for (const ms of [300, 100, 200, 200, 0]) wait(ms);
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toEqual([0]);
    await vi.advanceTimersByTimeAsync(99);
    expect(done).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toEqual([0, 100]);
    await vi.advanceTimersByTimeAsync(100);
    expect(done).toEqual([0, 100, 200, 200]);
    waiters.wakeAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toEqual([0, 100, 200, 200, 300]);
    // Those that come after a wake-up do not hang on the timers of those before.
    for (let i = 0; i < 50; i++) {
      wait(1_000 + i);
      waiters.wakeAll();
    }
    wait(500);
    expect(vi.getTimerCount()).toBeLessThan(5);
    await vi.advanceTimersByTimeAsync(499);
    expect(done.at(-1)).toBe(1_049);
    await vi.advanceTimersByTimeAsync(1);
    expect(done.at(-1)).toBe(500);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('WAITERS_MAX may wait; one more is refused, until one of them is woken', async () => {
  const waiters = new Waiters();
  const waiting = Array.from({ length: WAITERS_MAX }, () => waiters.wait(60_000));
  await expect(waiters.wait(60_000)).rejects.toMatchObject({ code: 'OVERLOADED' });
  waiters.wakeAll();
  await Promise.all(waiting);
  await waiters.wait(0);
});

test('however many wait less long than those before them, few timers are set, and each goes on in time', async () => {
  vi.useFakeTimers();
  try {
    const waiters = new Waiters();
    const lateMs: number[] = [];
    const wait = (ms: number): void => {
      const dueMs = Date.now() + ms;
      void waiters.wait(ms).then(() => lateMs.push(Date.now() - dueMs));
    };
    for (let ms = 20_000; ms > 10_000; ms--) {
      wait(ms);
      if (ms % 1_000 === 1) waiters.wakeAll();
    }
    expect(vi.getTimerCount()).toBe(WAITERS_TIMERS_MAX);
    await vi.advanceTimersByTimeAsync(0);
    expect(lateMs).toHaveLength(10_000);
    lateMs.length = 0;
    for (let ms = 9_000; ms > 0; ms -= 3) wait(ms);
    expect(vi.getTimerCount()).toBe(WAITERS_TIMERS_MAX);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(lateMs).toEqual(Array.from({ length: 3_000 }, () => 0));
    await vi.advanceTimersByTimeAsync(11_000);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
