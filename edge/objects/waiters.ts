// Those who wait in memory for something to happen, each for a bounded time; knows nothing of what happens.

import { PortError } from '../../runtime/base/errors.ts';
import { WAITERS_MAX } from '../../runtime/base/limits.ts';

/** Waiting is a hint: whoever wakes looks again. Lost with the instance, and the caller's call with it. */
export class Waiters {
  readonly #wakes = new Set<() => void>();

  /** Resolves at the next `wakeAll`, or after `waitMs`. @throws {PortError} OVERLOADED */
  async wait(waitMs: number): Promise<void> {
    if (this.#wakes.size >= WAITERS_MAX) {
      throw new PortError('OVERLOADED', `${WAITERS_MAX} calls wait here (WAITERS_MAX)`);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    this.#wakes.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wakes.delete(resolve);
    }
  }

  wakeAll(): void {
    for (const wake of this.#wakes) wake();
  }
}
