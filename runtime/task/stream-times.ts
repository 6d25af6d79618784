// The stream times of a task's steps, and which of them a commit has to say; knows no step.

import type { StreamTime } from '../operators/operator.ts';

/** By step; the task's own logical times stand among them. */
export class StreamTimes {
  readonly #times = new Map<string, StreamTime>();
  readonly #committed = new Map<string, number>();

  constructor(committed: readonly { readonly step: string; readonly ms: number }[]) {
    for (const { step, ms } of committed) {
      this.#times.set(step, { ms });
      this.#committed.set(step, ms);
    }
  }

  /** That of a step, which moves it; -Infinity at first. */
  of(step: string): StreamTime {
    let time = this.#times.get(step);
    if (time === undefined) this.#times.set(step, (time = { ms: -Infinity }));
    return time;
  }

  /** Those that have moved since the last call. */
  changed(): { step: string; ms: number }[] {
    const changed: { step: string; ms: number }[] = [];
    for (const [step, { ms }] of this.#times) {
      if (ms === -Infinity || this.#committed.get(step) === ms) continue;
      this.#committed.set(step, ms);
      changed.push({ step, ms });
    }
    return changed;
  }
}
