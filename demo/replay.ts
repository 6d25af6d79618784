// The clock of the replay: which earthquakes have arrived by now, at a speed; knows neither engine nor page.

import type { Quake } from './quakes.ts';

/** The longest step that one frame can make, in real ms: a tab that was hidden does not catch up in a burst. */
const STEP_MS_MAX = 250;

/** Turns real time into time of arrival. It starts at the first arrival and ends with the last. */
export class Replay {
  /** Replayed seconds a second. */
  speed: number;
  isPlaying = true;
  readonly #quakes: readonly Quake[];
  #nowMs: number;
  #next = 0;

  constructor(quakes: readonly Quake[], speed: number) {
    this.#quakes = quakes;
    this.speed = speed;
    this.#nowMs = quakes[0]?.arrivalMs ?? 0;
  }

  /** The time of arrival that the replay has reached. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many earthquakes have arrived. */
  get arrived(): number {
    return this.#next;
  }

  get isFinished(): boolean {
    return this.#next === this.#quakes.length;
  }

  /** Moves on by real time. @returns what arrived, in order */
  advance(realMs: number): readonly Quake[] {
    if (!this.isPlaying || this.isFinished) return [];
    const lastMs = this.#quakes.at(-1)?.arrivalMs ?? 0;
    const nowMs = this.#nowMs + Math.min(realMs, STEP_MS_MAX) * this.speed;
    this.#nowMs = Math.min(nowMs, lastMs);
    const from = this.#next;
    while ((this.#quakes[this.#next]?.arrivalMs ?? Infinity) <= this.#nowMs) this.#next += 1;
    return this.#quakes.slice(from, this.#next);
  }

  restart(): void {
    this.#next = 0;
    this.#nowMs = this.#quakes[0]?.arrivalMs ?? 0;
    this.isPlaying = true;
  }
}
