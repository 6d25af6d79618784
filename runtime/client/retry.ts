// How long to wait before the next attempt, and when to give up; sends nothing.

import { DELIVERY_MS_MAX, RETRY_WAIT_MS_MAX, RETRY_WAIT_MS_MIN } from '../base/limits.ts';

/**
 * The waits between the attempts at one thing: each at random between the least wait and three times the one before, so that clients
 * that failed together do not come back together. Until the deadline, then never again.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (decorrelated).
 */
export class Retries {
  readonly #endMs: number;
  #waitMs = RETRY_WAIT_MS_MIN;

  /** @param deadlineMs from now; at most DELIVERY_MS_MAX */
  constructor(deadlineMs: number = DELIVERY_MS_MAX) {
    this.#endMs = performance.now() + Math.min(deadlineMs, DELIVERY_MS_MAX);
  }

  /** What is left until the deadline; 0 or less: nothing. */
  get leftMs(): number {
    return this.#endMs - performance.now();
  }

  /**
   * How long to wait before the next attempt; null: there is no time left for one.
   * @param askedMs what the other side asked for
   */
  next(askedMs: number): number | null {
    const most = Math.min(RETRY_WAIT_MS_MAX, this.#waitMs * 3);
    this.#waitMs = RETRY_WAIT_MS_MIN + Math.random() * (most - RETRY_WAIT_MS_MIN);
    const waitMs = Math.max(this.#waitMs, askedMs);
    return waitMs < this.leftMs ? waitMs : null;
  }
}

/** Resolves after that time. @throws the signal's reason, at once when it is aborted */
export function pause(ms: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const give = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', give);
      resolve();
    }, ms);
    signal?.addEventListener('abort', give, { once: true });
  });
}
