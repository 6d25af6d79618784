// A clock that stands still until it is turned by hand; for tests and for runs that must not depend on the wall clock.

import { assert } from '../base/assert.ts';
import type { Cancel, Clock } from '../ports/clock.ts';

interface Alarm {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time as a value: `advance` moves it and calls what is due, in order of time, then of asking. */
export class ManualClock implements Clock {
  #ms: number;
  readonly #alarms = new Set<Alarm>();

  constructor(startMs = 0) {
    this.#ms = startMs;
  }

  now(): number {
    return this.#ms;
  }

  wakeAt(atMs: number, wake: () => void): Cancel {
    const alarm = { atMs, wake };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** When the next wake-up is due; null when none waits. */
  get nextMs(): number | null {
    let next: number | null = null;
    for (const { atMs } of this.#alarms) if (next === null || atMs < next) next = atMs;
    return next;
  }

  /** Turns the clock forward to `ms` and calls every wake-up that came due on the way, those asked for meanwhile included. */
  advanceTo(ms: number): void {
    assert(ms >= this.#ms, 'a clock does not go back');
    for (;;) {
      let due: Alarm | null = null;
      for (const alarm of this.#alarms) {
        if (alarm.atMs <= ms && (due === null || alarm.atMs < due.atMs)) due = alarm;
      }
      if (due === null) break;
      this.#alarms.delete(due);
      this.#ms = Math.max(this.#ms, due.atMs);
      due.wake();
    }
    this.#ms = ms;
  }

  advance(byMs: number): void {
    this.advanceTo(this.#ms + byMs);
  }
}
