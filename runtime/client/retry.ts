// How long to wait before the next attempt, and when to give up; sends nothing.

import { PortError } from '../base/errors.ts';
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
   * @param askedMs what the other side asked for, as of all whom it refused: it is waited out, and up to as long again, not to come back with them
   */
  next(askedMs: number): number | null {
    const most = Math.min(RETRY_WAIT_MS_MAX, this.#waitMs * 3);
    this.#waitMs = RETRY_WAIT_MS_MIN + Math.random() * (most - RETRY_WAIT_MS_MIN);
    const waitMs = Math.max(this.#waitMs, askedMs * (1 + Math.random()));
    return waitMs < this.leftMs ? waitMs : null;
  }
}

/** A connection that held for so long has worked: what cuts it is no failure of the attempts before. */
const HELD_MS = 10_000;

/** The waits between the attempts at a connection that is to last, as long as they bring nothing. */
export class Reconnects {
  readonly #deadlineMs: number;
  #retries: Retries | null = null;
  #openedMs = Infinity;

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /** The connection is there. */
  opened(): void {
    this.#openedMs = performance.now();
  }

  /** Something has come over it. */
  worked(): void {
    this.#retries = null;
  }

  /** How long to wait before the next attempt; null: no other one would change what was thrown, or there is no time left. */
  next(thrown: unknown): number | null {
    const isPassing =
      thrown instanceof PortError &&
      (thrown.code === 'UNAVAILABLE' || thrown.code === 'OVERLOADED');
    if (!isPassing) return null;
    if (performance.now() - this.#openedMs >= HELD_MS) this.#retries = null;
    this.#openedMs = Infinity;
    this.#retries ??= new Retries(this.#deadlineMs);
    return this.#retries.next(0);
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

/** Tries until it is done or refused, or the time is up. @throws the signal's reason; what the last try threw */
export async function retried<T>(
  signal: AbortSignal,
  reconnects: Reconnects,
  attempt: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      const waitMs = reconnects.next(thrown);
      if (waitMs === null || signal.aborted) throw thrown;
      await pause(waitMs, signal);
    }
  }
}
