// Those who wait in memory for something to happen, each for a bounded time; knows nothing of what happens.

/** Waiting is a hint: whoever wakes looks again. Lost with the instance, and the caller's call with it. */
export class Waiters {
  readonly #wakes = new Set<() => void>();

  /** Resolves at the next `wakeAll`, or after `waitMs`. */
  async wait(waitMs: number): Promise<void> {
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
