// How long to wait before the next attempt, and when to give up; sends nothing.

import { PortError } from '../base/errors.ts';
import {
  ATTEMPT_MS_MAX,
  DELIVERY_MS_MAX,
  RETRY_WAIT_MS_MAX,
  RETRY_WAIT_MS_MIN,
} from '../base/limits.ts';
import { onWake } from './wake.ts';

/**
 * The waits between the attempts at one thing: each at random between the least wait and three times the one before, so that clients
 * that failed together do not come back together. Until the deadline, then never again.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (decorrelated).
 */
export class Retries {
  #endMs: number;
  #waitMs = RETRY_WAIT_MS_MIN;
  /** When the attempt that is under way began. */
  #begunMs = performance.now();

  /** @param deadlineMs from now, at most DELIVERY_MS_MAX; null: as long as somebody keeps what is tried */
  constructor(deadlineMs: number | null = DELIVERY_MS_MAX) {
    this.#endMs =
      deadlineMs === null ? Infinity : this.#begunMs + Math.min(deadlineMs, DELIVERY_MS_MAX);
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
    const now = performance.now();
    this.#endMs += Math.max(0, now - this.#begunMs - ATTEMPT_MS_MAX);
    const most = Math.min(RETRY_WAIT_MS_MAX, this.#waitMs * 3);
    this.#waitMs = RETRY_WAIT_MS_MIN + Math.random() * (most - RETRY_WAIT_MS_MIN);
    const waitMs = Math.max(this.#waitMs, askedMs * (1 + Math.random()));
    this.#begunMs = now + waitMs;
    return this.#begunMs < this.#endMs ? waitMs : null;
  }

  /**
   * Waits for the next attempt; false: there is no time left for one. It ends early when the page wakes, unless the other side asked for it, and
   * what follows is tried as often as at first: it was the network that was away.
   * @throws the signal's reason
   */
  async wait(askedMs: number, signal?: AbortSignal | undefined): Promise<boolean> {
    const waitMs = this.next(askedMs);
    if (waitMs === null) return false;
    if (await pause(waitMs, { signal, endsEarly: askedMs === 0 })) this.#waitMs = RETRY_WAIT_MS_MIN;
    return true;
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

  /** Waits for the next attempt; false: no other one would change what was thrown, or there is no time left. @throws the signal's reason */
  async wait(thrown: unknown, signal: AbortSignal): Promise<boolean> {
    const isPassing =
      thrown instanceof PortError &&
      (thrown.code === 'UNAVAILABLE' || thrown.code === 'OVERLOADED');
    if (!isPassing || signal.aborted) return false;
    if (performance.now() - this.#openedMs >= HELD_MS) this.#retries = null;
    this.#openedMs = Infinity;
    this.#retries ??= new Retries(this.#deadlineMs);
    return this.#retries.wait(0, signal);
  }
}

/** Resolves after that time, or early, then with true. @throws the signal's reason, at once when it is aborted */
async function pause(
  ms: number,
  { signal, endsEarly }: { readonly signal: AbortSignal | undefined; readonly endsEarly: boolean },
): Promise<boolean> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const give = (): void => reject(signal?.reason as Error);
  const timer = setTimeout(() => resolve(false), ms);
  const end = endsEarly ? onWake(() => resolve(true)) : null;
  signal?.addEventListener('abort', give);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    end?.();
    signal?.removeEventListener('abort', give);
  }
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
      if (!(await reconnects.wait(thrown, signal))) throw thrown;
    }
  }
}
