// When requests that wait begin, and how many run at once, by how long turns of the event loop take; knows no request and no queue.

import {
  REFUSING_TURN_MS_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  TURN_MS_MAX,
} from '../../runtime/base/limits.ts';

/** So many run at once before anything is known. */
const AT_FIRST = 8;
/** What one refusal takes of a turn. */
const REFUSAL_MS = 0.1;
/** As many are refused in a turn where the loop has caught up. */
const FEW_REFUSALS = 8;
/** What has begun may take so much of the time that refusals took, at least. */
const WORK_SHARE = 0.5;
/** A turn that is no longer than this has found nothing old to do: the loop has caught up. */
const SHORT_MS = 2;
/** So long the loop may take to catch up; then some begin all the same. */
const BEHIND_MS_MAX = 2 * TURN_MS_MAX;
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
  /**
   * Resolves in the next turn of the event loop. workerd leaves out its I/O where a timer is due when it comes round, as one is that was set before work
   * of a millisecond: only of two turns in a row the second one has read and answered what there was.
   */
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

  /** true: some have been refused of late. */
  get isRefusing(): boolean {
    return this.#loop.nowMs() - this.#refusedMs <= PAUSE_MS;
  }

  /** Tells of a refusal. */
  refused(): void {
    this.#refusals += 1;
    this.#refusedMs = this.#loop.nowMs();
  }

  /**
   * Resolves when the next ones may begin; for one caller at a time, as soon as others have begun. Where nobody has been refused of late, one turn is
   * enough: only they wait for the loop to catch up.
   * @param eachMs how much later one begins than the one before it, while some wait; 0: not known. As many as begin within SHARED_MS may stay: it is
   *   another process that made the turn long, and those that share what they cost, as appends do, would share it with fewer
   */
  async next(eachMs = 0): Promise<void> {
    const sinceMs = this.#loop.nowMs();
    if (sinceMs - this.#lookedMs > PAUSE_MS) this.#atOnce = AT_FIRST;
    const { isRefusing } = this;
    // What has begun is worked on within this turn.
    const work = await this.#turn();
    const workMs = work.tookMs - work.refusals * REFUSAL_MS;
    const workedMs = this.#lookedMs;
    let isBehind = isRefusing;
    while (isBehind && this.#lookedMs - workedMs < BEHIND_MS_MAX) {
      const { tookMs, refusals } = await this.#turn();
      isBehind = tookMs > SHORT_MS || refusals > FEW_REFUSALS;
    }
    const least = eachMs > 0 ? SHARED_MS / eachMs : 1;
    const refusingMs = this.#lookedMs - workedMs;
    const boundMs = isRefusing
      ? Math.max(REFUSING_TURN_MS_MAX, refusingMs * WORK_SHARE)
      : TURN_MS_MAX;
    if (workMs > boundMs) {
      this.#longMs = this.#lookedMs;
      this.#allow(Math.max(isRefusing ? LESS : LITTLE_LESS, boundMs / workMs), least);
    } else if (this.#lookedMs - this.#longMs > HELD_MS) {
      this.#allow(isRefusing || workMs > SHORT_MS ? MORE : MUCH_MORE, least);
    }
  }

  #allow(times: number, least: number): void {
    const wanted = this.#atOnce * times;
    const lowest = Math.min(this.#atOnce, least);
    this.#atOnce = Math.min(REQUESTS_IN_FLIGHT_MAX, Math.max(1, lowest, wanted));
  }

  /** @returns how long it took, and how many were refused meanwhile */
  async #turn(): Promise<{ readonly tookMs: number; readonly refusals: number }> {
    const { nowMs, turn } = this.#loop;
    const fromMs = nowMs();
    this.#refusals = 0;
    await turn();
    this.#lookedMs = nowMs();
    return { tookMs: this.#lookedMs - fromMs, refusals: this.#refusals };
  }
}
