// Which records the engine counted and which it dropped, read off the changes of its table; knows no rule of windows.

import { HOUR_MS } from './format.ts';
import type { Quake } from './quakes.ts';

export type Verdict = 'pending' | 'counted' | 'late';

/**
 * Matches changes to records. Each record that is counted makes one change, in the order of the log, and a window that is closed for a
 * network never opens again: so the next record of a change's network and hour is the one that made it, and those passed over were late.
 */
export class Verdicts {
  readonly #quakes: readonly Quake[];
  readonly #verdicts: Verdict[];
  #settled = 0;
  #changes = 0;

  constructor(quakes: readonly Quake[]) {
    this.#quakes = quakes;
    this.#verdicts = quakes.map(() => 'pending');
  }

  /** Changes seen so far. */
  get changes(): number {
    return this.#changes;
  }

  /** Records before this index have their verdict. */
  get settled(): number {
    return this.#settled;
  }

  of(index: number): Verdict {
    return this.#verdicts[index] ?? 'pending';
  }

  /** Takes one change of the table. @throws {Error} when no record can have made it */
  change(net: string, windowStart: number): void {
    const isIts = ({ net: itsNet, timeMs }: Quake): boolean =>
      itsNet === net && timeMs - (timeMs % HOUR_MS) === windowStart;
    for (let i = this.#settled; i < this.#quakes.length; i++) {
      const quake = this.#quakes[i];
      if (quake === undefined || !isIts(quake)) continue;
      this.#verdicts.fill('late', this.#settled, i);
      this.#verdicts[i] = 'counted';
      this.#settled = i + 1;
      this.#changes += 1;
      return;
    }
    throw new Error(`no record left can have changed ${net} at ${windowStart}`);
  }

  /** The engine has taken in `records` records and made `changes` changes: when all of these were seen, what made none was late. */
  settle(records: number, changes: number): void {
    if (changes !== this.#changes || records <= this.#settled) return;
    this.#verdicts.fill('late', this.#settled, records);
    this.#settled = records;
  }

  reset(): void {
    this.#verdicts.fill('pending');
    this.#settled = 0;
    this.#changes = 0;
  }
}
