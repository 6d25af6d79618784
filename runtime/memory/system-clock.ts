// The clock of the machine, for hosts that have timers; knows nothing else.

import type { Clock } from '../ports/clock.ts';

/** Timers cannot wait for longer than this; a later wake-up comes early, which a hint may. */
const TIMER_MS_MAX = 2_147_483_647;

/** Wall-clock time and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wakeAt: (atMs, wake) => {
    const timer = setTimeout(wake, Math.min(TIMER_MS_MAX, Math.max(0, atMs - Date.now())));
    return () => clearTimeout(timer);
  },
};
