// Those who wait in memory for something to happen, each for a bounded time; knows nothing of what happens.

import { PortError } from '../../runtime/base/errors.ts';
import { WAITERS_MAX, WAITERS_TIMERS_MAX } from '../../runtime/base/limits.ts';

/**
 * Waiting is a hint: whoever wakes looks again. Lost with the instance, and the caller's call with it. Most are woken long before their time, so
 * that all share one timer, which looks for those whose time has come: setting one for each wait and taking it back costs as much as a read.
 */
export class Waiters {
  /** Who waits, and until when. */
  readonly #wakes = new Map<() => void, number>();
  /** When the timer goes off; Infinity: there is none. */
  #timerMs = Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** How many are set. */
  #timers = 0;

  /** Resolves at the next `wakeAll`, or after `waitMs`. @throws {PortError} OVERLOADED */
  async wait(waitMs: number): Promise<void> {
    if (this.#wakes.size >= WAITERS_MAX) {
      throw new PortError('OVERLOADED', `${WAITERS_MAX} calls wait here (WAITERS_MAX)`);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const untilMs = Date.now() + waitMs;
    this.#wakes.set(resolve, untilMs);
    this.#arm(untilMs);
    await promise;
  }

  wakeAll(): void {
    const wakes = [...this.#wakes.keys()];
    this.#wakes.clear();
    for (const wake of wakes) wake();
  }

  /** One that is set is left to go off for nothing once nobody waits: the object is kept awake for as long as the longest wait, and no longer. */
  #arm(untilMs: number): void {
    if (untilMs >= this.#timerMs) return;
    // Each that waits a little less long than the one before it would leave another one.
    if (this.#timers >= WAITERS_TIMERS_MAX && this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timers -= 1;
    }
    this.#timerMs = untilMs;
    this.#timers += 1;
    this.#timer = setTimeout(() => this.#look(untilMs), Math.max(0, untilMs - Date.now()));
  }

  #look(timerMs: number): void {
    this.#timers -= 1;
    // Another has been set for an earlier time since.
    if (this.#timerMs !== timerMs) return;
    this.#timerMs = Infinity;
    this.#timer = null;
    const nowMs = Date.now();
    let nextMs = Infinity;
    for (const [wake, untilMs] of this.#wakes) {
      if (untilMs > nowMs) {
        nextMs = Math.min(nextMs, untilMs);
        continue;
      }
      this.#wakes.delete(wake);
      wake();
    }
    if (nextMs < Infinity) this.#arm(nextMs);
  }
}
