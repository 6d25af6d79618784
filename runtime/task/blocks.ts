// The blocks of input of a task with caches: where one ends, by offsets and by the clock, and what is handed over then; knows no commit.

import { indexAt, offsetAt, type RecordBatch } from '../data/record.ts';
import type { Emit, Operator } from '../operators/operator.ts';
import type { CacheStep } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { OffsetEntry } from '../ports/store.ts';
import type { Run } from './inputs.ts';

/** What blocks are of. */
export interface Blocked {
  readonly operators: readonly Operator[];
  /** What each of them emits to. */
  readonly emits: readonly Emit[];
  readonly clock: Clock;
}

/**
 * A block is what was taken in of `blockOffsets` offsets of an input, from a multiple of it on, wherever fetches, batches and turns were cut.
 * With several inputs the first of them that comes to an end of its own ends the block of all.
 */
export class Blocks {
  readonly #offsets: number;
  readonly #intervalMs: number;
  readonly #blocked: Blocked;
  /** Number of the block of each input's last record. */
  readonly #numbers: number[] = [];
  /** When the first record was taken in that is not handed over. */
  #sinceMs = Infinity;

  constructor({ blockOffsets, intervalMs }: CacheStep, blocked: Blocked) {
    this.#offsets = blockOffsets;
    this.#intervalMs = intervalMs;
    this.#blocked = blocked;
  }

  /** Something waits for the end of a block. */
  get isOpen(): boolean {
    return this.#sinceMs < Infinity;
  }

  /** The wall-clock time at which an open block ends; Infinity when none is. */
  get dueAtMs(): number {
    return this.#sinceMs + this.#intervalMs;
  }

  /** Nothing is to be committed yet. A clock that was set back ends a block too. */
  get isHeld(): boolean {
    return Math.abs(this.#blocked.clock.now() - this.#sinceMs) < this.#intervalMs;
  }

  /** Index behind the records of a batch at `base` that are of the block of the one at `start`. */
  cut(records: RecordBatch, base: number, start: number): number {
    const number = Math.floor(offsetAt(records, base, start) / this.#offsets);
    return indexAt(records, base, (number + 1) * this.#offsets);
  }

  /** Before a run is processed: records may be missing where the block before it should have ended. */
  begin({ input, records, place, from }: Run): void {
    const number = Math.floor(offsetAt(records, place.base, from) / this.#offsets);
    if (this.#numbers[input] !== number) this.handOver();
    this.#numbers[input] = number;
    if (!this.isOpen) this.#sinceMs = this.#blocked.clock.now();
  }

  /** After it was. @param positions behind it */
  end({ input }: Run, positions: readonly OffsetEntry[]): void {
    const next = positions[input]?.next ?? 0;
    if (Math.floor(next / this.#offsets) !== this.#numbers[input]) this.handOver();
  }

  /** Ends the block: what was held back goes on. */
  handOver(): void {
    if (!this.isOpen) return;
    this.#sinceMs = Infinity;
    const { operators, emits } = this.#blocked;
    operators.forEach((operator, index) => operator.handOver?.(emits[index] as Emit));
  }
}
