// What every clock adapter must do; knows no adapter.

import { describe, expect, test } from 'vitest';
import type { Clock } from '../../runtime/ports/clock.ts';

export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets that much time pass. */
  readonly pass: (ms: number) => Promise<void>;
}

export function describeClock(name: string, make: () => ClockUnderTest): void {
  describe(`${name} is a clock`, () => {
    test('does not go back', async () => {
      const { clock, pass } = make();
      const before = clock.now();
      await pass(5);
      expect(clock.now()).toBeGreaterThanOrEqual(before + 4);
    });

    test('wakes once, not before the time asked for', async () => {
      const { clock, pass } = make();
      const woken: number[] = [];
      const atMs = clock.now() + 20;
      clock.wakeAt(atMs, () => woken.push(clock.now()));
      expect(woken).toEqual([]);
      await pass(60);
      expect(woken.length).toBe(1);
      expect(woken[0]).toBeGreaterThanOrEqual(atMs - 1);
    });

    test('wakes for a time that is past', async () => {
      const { clock, pass } = make();
      let woken = 0;
      clock.wakeAt(clock.now() - 1000, () => (woken += 1));
      await pass(20);
      expect(woken).toBe(1);
    });

    test('does not wake what was cancelled', async () => {
      const { clock, pass } = make();
      let woken = 0;
      const cancel = clock.wakeAt(clock.now() + 10, () => (woken += 1));
      cancel();
      await pass(40);
      expect(woken).toBe(0);
    });
  });
}
