// The clock port in a Worker or an object: the wall clock, and wake-ups for as long as the instance lives; alarms are the objects' own.

import type { Cancel, Clock } from '../../runtime/ports/clock.ts';

/** Wake-ups here keep a short wait within one event; what must survive the instance is an alarm of its object. */
export const wallClock: Clock = {
  now: () => Date.now(),
  wakeAt(atMs: number, wake: () => void): Cancel {
    const timer = setTimeout(wake, Math.max(0, atMs - Date.now()));
    return () => clearTimeout(timer);
  },
};
