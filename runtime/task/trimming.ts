// Lets records of internal topics go that lie well behind their only reader; knows no task.

import { PortError } from '../base/errors.ts';
import { REPARTITION_RECORDS_MAX } from '../base/limits.ts';
import type { OffsetEntry } from '../ports/store.ts';
import type { TaskOptions } from './task.ts';

/** Of one task. */
export class Trimming {
  readonly #log: TaskOptions['log'];
  readonly #recordsMax: number;
  /** By internal topic: below this its records were let go. */
  readonly #trimmed: Map<string, number>;

  constructor({
    log,
    plan,
    internalChecksums: isShared = true,
  }: Pick<TaskOptions, 'log' | 'plan' | 'internalChecksums'>) {
    this.#log = log;
    this.#trimmed = new Map(plan.internalTopics.map(({ name }) => [name, 0]));
    // Nobody reads a query's own topics again below a committed position, and however few records there are they may be long.
    this.#recordsMax = isShared ? REPARTITION_RECORDS_MAX : 0;
  }

  /** A hint that may fail. @param positions that are committed */
  async trim(positions: readonly OffsetEntry[]): Promise<void> {
    for (const { at, next } of positions) {
      const trimmed = this.#trimmed.get(at.topic);
      if (trimmed === undefined || next - trimmed <= this.#recordsMax) continue;
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
