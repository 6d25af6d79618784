// Lets records of internal topics go that lie well behind their only reader; knows no task.

import { PortError } from '../base/errors.ts';
import { OWN_REPARTITION_RECORDS_MAX, REPARTITION_RECORDS_MAX } from '../base/limits.ts';
import type { OffsetEntry } from '../ports/store.ts';
import type { TaskOptions } from './task.ts';

/** Of one task. */
export class Trimming {
  readonly #log: TaskOptions['log'];
  readonly #internal: ReadonlySet<string>;
  readonly #recordsMax: number;
  /** By internal topic: below this its records were let go. */
  readonly #trimmed = new Map<string, number>();

  constructor({
    log,
    plan,
    internalChecksums: isShared = true,
  }: Pick<TaskOptions, 'log' | 'plan' | 'internalChecksums'>) {
    this.#log = log;
    this.#internal = new Set(plan.internalTopics.map(({ name }) => name));
    this.#recordsMax = isShared ? REPARTITION_RECORDS_MAX : OWN_REPARTITION_RECORDS_MAX;
  }

  /** A hint that may fail. @param positions that are committed */
  async trim(positions: readonly OffsetEntry[]): Promise<void> {
    for (const { at, next } of positions) {
      const trimmed = this.#trimmed.get(at.topic) ?? 0;
      if (!this.#internal.has(at.topic) || next - trimmed <= this.#recordsMax) continue;
      const before = next - this.#recordsMax / 2;
      this.#trimmed.set(at.topic, before);
      try {
        await this.#log.trim(at, before);
      } catch (thrown) {
        if (!(thrown instanceof PortError)) throw thrown;
      }
    }
  }
}
