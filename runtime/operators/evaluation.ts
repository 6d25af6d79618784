// Joins expressions to a task: logical time, random numbers and problems by row; knows no step.

import type { Batch } from '../data/batch.ts';
import type { Draws } from '../expr/draws.ts';
import type { Evaluation } from '../expr/evaluate.ts';
import { EXPRESSIONS } from '../expr/parts.ts';
import type { RowContext } from '../expr/rows.ts';
import type { LogicalTime, OperatorContext } from './operator.ts';

/**
 * Evaluates one expression of a step on one batch after the other. A random number depends on the input's seed, the offset of the record
 * that triggered the row, the expression, and how many came before for that record: so neither cuts nor restarts change one, and rows of one
 * record have numbers of their own. A row that no record triggered has its key and rowtime in the place of the offset.
 */
export class RowEvaluation implements Evaluation, RowContext {
  readonly #context: OperatorContext;
  readonly #field: string;
  readonly #place: string;
  #draws: Draws | null = null;
  #rows: Batch | null = null;
  #position = 0;
  #time: LogicalTime | null = null;

  /**
   * @param field the output column, for problems
   * @param place tells the expressions of a task apart
   */
  constructor(context: OperatorContext, field: string, place: string) {
    this.#context = context;
    this.#field = field;
    this.#place = place;
  }

  /** Turns to a batch, which it holds until it turns to another one; null: to none. */
  of(batch: Batch | null): this {
    this.#time = this.#context.time();
    this.#rows = batch;
    return this;
  }

  /** What `compute` makes of a batch, which is not held beyond that. */
  over<Made>(batch: Batch, compute: (batch: Batch, evaluation: Evaluation) => Made): Made {
    const made = compute(batch, this.of(batch));
    this.#rows = null;
    return made;
  }

  get now(): number {
    return (this.#time as LogicalTime).now;
  }

  at(position: number): RowContext {
    this.#position = position;
    return this;
  }

  random(): number {
    this.#draws ??= new EXPRESSIONS.code.Draws(this.#place);
    // Expressions are evaluated on a batch alone.
    return this.#draws.draw(this.#time as LogicalTime, this.#rows as Batch, this.#position);
  }

  itemFailed(reason: string): void {
    this.failed(this.#position, reason);
  }

  failed(position: number, reason: string): void {
    const origin = this.#rows?.origin?.[position] ?? null;
    this.#context.report({ code: 'EXPRESSION', origin, field: this.#field, reason });
  }
}
