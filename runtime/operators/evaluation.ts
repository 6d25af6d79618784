// Joins expressions to a task: logical time, seeded random numbers and problems by row; knows no step.

import type { Batch } from '../data/batch.ts';
import type { Evaluation } from '../expr/evaluate.ts';
import type { RowContext } from '../expr/rows.ts';
import type { OperatorContext } from './operator.ts';

/** Mixes 32 bits. Source: the finalizer of MurmurHash3. */
function mixed(bits: number): number {
  let h = bits | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Evaluates one expression of a step on one batch after the other. A random number depends on the input's seed, the row that
 * triggered it, the expression and how many came before on that row, so that cutting the input changes none where the
 * task's seeds count its records.
 */
export class RowEvaluation implements Evaluation, RowContext {
  readonly #context: OperatorContext;
  readonly #field: string;
  readonly #salt: number;
  #origins: Uint32Array | null = null;
  #drawn = 0;
  #position = 0;
  #row = 0;
  now = 0;
  #seed = 0;

  /** @param field the output column, for problems; `salt` tells the expressions of a step apart */
  constructor(context: OperatorContext, field: string, salt: number) {
    this.#context = context;
    this.#field = field;
    this.#salt = salt;
  }

  /** Turns to a batch. */
  of(batch: Batch): this {
    const { now, seed } = this.#context.time();
    this.now = now;
    this.#seed = seed;
    this.#origins = batch.origin;
    return this;
  }

  at(position: number): RowContext {
    this.#position = position;
    this.#row = this.#origins?.[position] ?? position;
    this.#drawn = 0;
    return this;
  }

  random(): number {
    const row = mixed(this.#seed + this.#row);
    const high = mixed(row ^ mixed(this.#salt * 2 + 1)) + ++this.#drawn;
    return ((mixed(high) >>> 5) * 0x400_0000 + (mixed(high ^ 0x9e37_79b9) >>> 6)) / 2 ** 53;
  }

  itemFailed(reason: string): void {
    this.failed(this.#position, reason);
  }

  failed(position: number, reason: string): void {
    const origin = this.#origins?.[position] ?? null;
    this.#context.report({ code: 'EXPRESSION', origin, field: this.#field, reason });
  }
}
