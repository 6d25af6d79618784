// Counts and reports the rows that an aggregation could not use; knows no window.

import type { OperatorContext } from './operator.ts';

/** Counters of an aggregation: `late` records dropped from every window, `latePairs` of record and window, `dropped` others. */
export class LateRows {
  readonly #context: OperatorContext;
  #late = 0;
  #pairs = 0;
  #dropped = 0;

  constructor(context: OperatorContext) {
    this.#context = context;
  }

  /** A row that came after `late` of its `windows` windows had closed. */
  add(origins: Uint32Array | null, position: number, late: number, windows: number): void {
    if (late === windows) this.#late++;
    this.#pairs += late;
    const origin = origins?.[position] ?? null;
    const reason =
      windows === 1
        ? 'the row came after its window had closed'
        : `the row came after ${late} of its ${windows} windows had closed`;
    this.#context.report({ code: 'LATE', origin, field: '', reason });
  }

  /** A row without a key or a value, or, when `ms` is given, with a rowtime that is none. */
  drop(origins: Uint32Array | null, position: number, ms: number | null): void {
    this.#dropped++;
    if (ms === null) return;
    const origin = origins?.[position] ?? null;
    this.#context.report({
      code: 'TIMESTAMP',
      origin,
      field: 'ROWTIME',
      reason: `${ms} is no time of a row`,
    });
  }

  /** Hands the counts of a batch over. */
  end(): void {
    if (this.#late > 0) this.#context.count('late', this.#late);
    if (this.#pairs > 0) this.#context.count('latePairs', this.#pairs);
    if (this.#dropped > 0) this.#context.count('dropped', this.#dropped);
    this.#late = 0;
    this.#pairs = 0;
    this.#dropped = 0;
  }
}
