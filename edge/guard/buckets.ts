// How many requests each key sends: a bucket of tokens a key, in this isolate; knows no request.

import {
  KEY_REQUESTS_BURST_MAX,
  KEY_REQUESTS_SECOND_MAX,
  KEYS_COUNTED_MAX,
} from '../../runtime/base/limits.ts';

export interface RateLimits {
  /** Absent: KEY_REQUESTS_SECOND_MAX. */
  readonly requestsSecond?: number | undefined;
  /** How many may come at once after a pause. Absent: KEY_REQUESTS_BURST_MAX. */
  readonly requestsBurst?: number | undefined;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class Buckets {
  readonly #perMs: number;
  readonly #most: number;
  /** The one that was asked for last stands last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor({ requestsSecond, requestsBurst }: RateLimits) {
    this.#perMs = (requestsSecond ?? KEY_REQUESTS_SECOND_MAX) / 1000;
    this.#most = requestsBurst ?? KEY_REQUESTS_BURST_MAX;
  }

  /** Takes a token of a key. @returns after how many ms there is one again; 0: it was taken */
  take(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#most, atMs: nowMs };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > KEYS_COUNTED_MAX) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest); // It begins again full, as after a pause.
        break;
      }
    }
    const since = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.#most, bucket.tokens + since * this.#perMs);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.#perMs);
    bucket.tokens -= 1;
    return 0;
  }
}
