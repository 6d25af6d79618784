// When requests that wait begin, and how many run at once, by how long turns of the event loop take; knows no request and no queue.

import {
  REFUSING_TURN_MS_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  TURN_MS_MAX,
} from '../../runtime/base/limits.ts';

/** So many run at once before anything is known. */
const AT_FIRST = 8;
/** What the platform takes for one refusal, at least; and what share of a turn refusals have that made it long. */
const REFUSAL_MS = 0.1;
const REFUSED_SHARE = 0.4;
/** A turn that is no longer than this has found nothing old to do: the loop has caught up. */
const SHORT_MS = 2;
/** So long the loop may take to catch up; then some begin all the same. */
const BEHIND_MS_MAX = 3 * TURN_MS_MAX;
/** What was seen so long ago says nothing any more. */
const PAUSE_MS = 1_000;
/** What one turn that is too long leaves of them at least, however long it was; and where nobody is refused: it may be another process that made it long. */
const LESS = 0.5;
const LITTLE_LESS = 0.8;
/** As many as begin within this may stay whatever turns take. */
const SHARED_MS = TURN_MS_MAX / 3;
/** So long after a turn that was too long there are no more of them: between two of their steps turns are short. */
const HELD_MS = 200;
/** How many more there are where turns are not too long; and where the loop has caught up at once, as where requests wait for objects elsewhere. */
const MORE = 1.1;
const MUCH_MORE = 1.25;

export interface Loop {
  readonly nowMs: () => number;
  /** Resolves in the next turn of the event loop. */
  readonly turn: () => Promise<void>;
}

/**
 * What has begun is worked on before anything that has come since, and the loop answers those that came last first: whoever is refused waits until it
 * has caught up. So few run at once, few enough for turns of TURN_MS_MAX, or of REFUSING_TURN_MS_MAX while some are refused, and the next ones begin once it has.
 */
export class Pace {
  readonly #loop: Loop;
  #atOnce = AT_FIRST;
  /** When it last looked. */
  #lookedMs = -Infinity;

  /** When a turn was too long last. */
  #longMs = -Infinity;
  /** When one was refused last, and how many since the turn began that is measured. */
  #refusedMs = -Infinity;
  #refusals = 0;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Requests that may run at once now, 1 .. REQUESTS_IN_FLIGHT_MAX. */
  get atOnce(): number {
    return Math.floor(this.#atOnce);
  }

  /** Tells of a refusal. */
  refused(): void {
    this.#refusals += 1;
    this.#refusedMs = this.#loop.nowMs();
  }

  /**
   * Resolves when the next ones may begin; for one caller at a time. Where nobody has been refused of late, one turn is enough: only they wait for the
   * loop to catch up.
   * @param eachMs how much later one begins than the one before it, while some wait; 0: not known. As many as begin within SHARED_MS may stay: it is
   *   another process, or refusals, that made the turn long, and those that share what they cost, as appends do, would share it with fewer
   */
  async next(eachMs = 0): Promise<void> {
    const sinceMs = this.#loop.nowMs();
    if (sinceMs - this.#lookedMs > PAUSE_MS) this.#atOnce = AT_FIRST;
    const isRefusing = sinceMs - this.#refusedMs <= PAUSE_MS;
    let isBehind: boolean;
    let longestMs = 0;
    let refusals = 0;
    do {
      const tookMs = await this.#turn();
      isBehind = isRefusing && tookMs > SHORT_MS;
      longestMs = Math.max(longestMs, tookMs);
      refusals = Math.max(refusals, this.#refusals);
    } while (isBehind && this.#lookedMs - sinceMs < BEHIND_MS_MAX);
    const least = eachMs > 0 ? SHARED_MS / eachMs : 1;
    const boundMs = isRefusing ? REFUSING_TURN_MS_MAX : TURN_MS_MAX;
    if (refusals * REFUSAL_MS > longestMs * REFUSED_SHARE) {
      // Fewer that run would make no turn shorter, and leave all of the loop to refusals.
      this.#allow(MUCH_MORE, least);
    } else if (longestMs > boundMs) {
      this.#longMs = this.#lookedMs;
      this.#allow(Math.max(isRefusing ? LESS : LITTLE_LESS, boundMs / longestMs), least);
    } else if (!isBehind && this.#lookedMs - this.#longMs > HELD_MS) {
      this.#allow(isRefusing || longestMs > SHORT_MS ? MORE : MUCH_MORE, least);
    }
  }

  #allow(times: number, least: number): void {
    const wanted = this.#atOnce * times;
    const lowest = Math.min(this.#atOnce, least);
    this.#atOnce = Math.min(REQUESTS_IN_FLIGHT_MAX, Math.max(1, lowest, wanted));
  }

  /** @returns how long it took */
  async #turn(): Promise<number> {
    const { nowMs, turn } = this.#loop;
    const fromMs = nowMs();
    this.#refusals = 0;
    await turn();
    this.#lookedMs = nowMs();
    return this.#lookedMs - fromMs;
  }
}
