// When requests that wait begin, and how many run at once, by how long turns of the event loop take; knows no request and no queue.

import { REQUESTS_IN_FLIGHT_MAX, TURN_MS_MAX } from '../../runtime/base/limits.ts';

/** So many run at once before anything is known. */
const AT_FIRST = 8;
/** A turn that is no longer than this has found nothing old to do: the loop has caught up. */
const SHORT_MS = 2;
/** So long the loop may take to catch up; then some begin all the same, because refusals alone may keep it busy. */
const BEHIND_MS_MAX = 3 * TURN_MS_MAX;
/** What was seen so long ago says nothing any more. */
const PAUSE_MS = 1_000;
/** What one turn that is too long leaves of them at least, however long it was. */
const LESS = 0.5;
/** How many more there are where turns are not too long; and where the loop has caught up at once, as where requests wait for objects elsewhere. */
const MORE = 1.1;
const MUCH_MORE = 2;

export interface Loop {
  readonly nowMs: () => number;
  /** Resolves in the next turn of the event loop. */
  readonly turn: () => Promise<void>;
}

/**
 * What has begun is worked on before anything that has come since, and the loop answers those that came last first: whoever is refused waits until it
 * has caught up. So few run at once, few enough for turns of TURN_MS_MAX, and the next ones begin once it has.
 */
export class Pace {
  readonly #loop: Loop;
  #atOnce = AT_FIRST;
  /** When it last looked. */
  #lookedMs = -Infinity;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Requests that may run at once now, 1 .. REQUESTS_IN_FLIGHT_MAX. */
  get atOnce(): number {
    return Math.floor(this.#atOnce);
  }

  /** Resolves when the next ones may begin; for one caller at a time. */
  async next(): Promise<void> {
    const { nowMs, turn } = this.#loop;
    const sinceMs = nowMs();
    if (sinceMs - this.#lookedMs > PAUSE_MS) this.#atOnce = AT_FIRST;
    let longestMs = 0;
    let tookMs: number;
    do {
      const fromMs = nowMs();
      await turn();
      this.#lookedMs = nowMs();
      tookMs = this.#lookedMs - fromMs;
      longestMs = Math.max(longestMs, tookMs);
    } while (tookMs > SHORT_MS && this.#lookedMs - sinceMs < BEHIND_MS_MAX);
    if (longestMs > TURN_MS_MAX) {
      this.#atOnce = Math.max(1, this.#atOnce * Math.max(LESS, TURN_MS_MAX / longestMs));
    } else if (tookMs <= SHORT_MS) {
      const more = longestMs <= SHORT_MS ? MUCH_MORE : MORE;
      this.#atOnce = Math.min(REQUESTS_IN_FLIGHT_MAX, this.#atOnce * more);
    }
  }
}
