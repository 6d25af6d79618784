// Batches on their way from the tasks of a query to its reader: bounded, with back-pressure, a limit of rows and an end; knows no query.

import { PUSH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, slice } from '../data/batch.ts';

interface Waiting {
  readonly batch: Batch;
  readonly onTaken: (() => void) | undefined;
}

interface Writer extends Waiting {
  readonly resolve: () => void;
}

/**
 * Tasks wait in `put` while the reader is behind, so that what waits never grows beyond PUSH_ROWS_MAX; in their order, or a large batch would
 * wait for as long as small ones of others come.
 */
export class RowQueue {
  #batches: Waiting[] = [];
  /** Those before them, the first one last: an array moves all others when its first one is taken. */
  #next: Waiting[] = [];
  #rows = 0;
  #left: number;
  #end: { readonly error: Error | null } | null = null;
  readonly #onEnd: () => void;
  #wakeReader: (() => void) | null = null;
  /** Those who wait for room, in their order. */
  readonly #writers: Writer[] = [];
  /** Those who wait until nothing waits. */
  #wakeWatchers: (() => void)[] = [];
  readonly #rowsMax: number;

  /** @param onEnd called once when no more rows are wanted or none will come */
  constructor(options: { limit: number | null; onEnd: () => void; rowsMax?: number | undefined }) {
    this.#left = options.limit ?? Infinity;
    this.#onEnd = options.onEnd;
    this.#rowsMax = options.rowsMax ?? PUSH_ROWS_MAX;
  }

  /** As many rows have come as were wanted. */
  get isFull(): boolean {
    return this.#left === 0;
  }

  /**
   * Takes a batch. Resolves when there was room for it, or when nobody wants it.
   * @param onTaken called as the reader takes it
   */
  put(batch: Batch, onTaken?: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#writers.push({ batch, onTaken, resolve });
      if (this.#writers.length === 1) this.#letIn();
    });
  }

  /** Takes what writers wait with, as far as there is room. */
  #letIn(): void {
    for (let first; (first = this.#writers[0]) !== undefined; first.resolve()) {
      const { batch, onTaken } = first;
      const isOver = this.#end !== null;
      if (!isOver && this.#rows > 0 && this.#rows + batch.length > this.#rowsMax) return;
      this.#writers.shift();
      const kept = isOver ? null : slice(batch, 0, Math.min(batch.length, this.#left));
      if (kept === null) continue;
      this.#left -= kept.length;
      this.#rows += kept.length;
      this.#batches.push({ batch: kept, onTaken });
      if (this.#left === 0) this.end(null);
      this.#wakeReader?.();
    }
  }

  /** No more rows will come: after those that wait, the reader sees the end or the error. */
  end(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#wakeReader?.();
    this.#letIn();
    for (const wake of this.#wakeWatchers.splice(0)) wake();
    this.#onEnd();
  }

  /** The reader has gone: nothing that waits is wanted. */
  cancel(): void {
    this.#batches = [];
    this.#next = [];
    this.#rows = 0;
    this.end(null);
  }

  /** Resolves when nothing waits and the reader has come back for more, or at the end. */
  async drained(): Promise<void> {
    while (this.#end === null && (this.#rows > 0 || this.#wakeReader === null)) {
      await new Promise<void>((resolve) => this.#wakeWatchers.push(resolve));
    }
  }

  /** The next batch; null at the end. @throws the error that ended the query, once the rows before it were read */
  async next(): Promise<Batch | null> {
    for (;;) {
      if (this.#next.length === 0) this.#next = this.#batches.splice(0).reverse();
      const waiting = this.#next.pop();
      if (waiting !== undefined) {
        this.#rows -= waiting.batch.length;
        waiting.onTaken?.();
        this.#letIn();
        return waiting.batch;
      }
      if (this.#end !== null) {
        if (this.#end.error !== null) throw this.#end.error;
        return null;
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
        for (const wake of this.#wakeWatchers.splice(0)) wake();
      });
      this.#wakeReader = null;
    }
  }
}
