// Lets records of internal topics go that lie well behind their only reader; knows no task.

import { PortError } from '../base/errors.ts';
import { REPARTITION_RECORDS_MAX } from '../base/limits.ts';
import type { Plan } from '../plan/step.ts';
import type { Log } from '../ports/log.ts';
import type { OffsetEntry } from '../ports/store.ts';

/** Of one task. */
export class Trimming {
  readonly #log: Log;
  readonly #internal: ReadonlySet<string>;
  /** By internal topic: below this its records were let go. */
  readonly #trimmed = new Map<string, number>();

  constructor({ log, plan }: { readonly log: Log; readonly plan: Plan }) {
    this.#log = log;
    this.#internal = new Set(plan.internalTopics.map(({ name }) => name));
  }

  /** A hint that may fail. @param positions that are committed */
  async trim(positions: readonly OffsetEntry[]): Promise<void> {
    for (const { at, next } of positions) {
      const trimmed = this.#trimmed.get(at.topic) ?? 0;
      if (!this.#internal.has(at.topic) || next - trimmed <= REPARTITION_RECORDS_MAX) continue;
      const before = next - REPARTITION_RECORDS_MAX / 2;
      this.#trimmed.set(at.topic, before);
      try {
        await this.#log.trim(at, before);
      } catch (thrown) {
        if (!(thrown instanceof PortError)) throw thrown;
      }
    }
  }
}
