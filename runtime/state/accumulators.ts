// What holds the accumulator cells of an aggregation: the contract of its two implementations; knows no cell.

import type { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { SlotMemory } from './slot-memory.ts';

/** Rows of a batch to fold, in order, and the output rows that show the results. */
export interface Fold {
  /** Rows to fold: the length of `slots` and `positions` that counts. */
  readonly count: number;
  readonly slots: Int32Array;
  /** Array positions in the batch. */
  readonly positions: Uint32Array;
  /** 1 where the row is taken back; null: all are added. */
  readonly undo: Uint8Array | null;
  /** Output row that shows the result after the fold, -1 for none; null: each row has the output row of its own number. */
  readonly after: Int32Array | null;
  /** Output row that shows the result before the fold, -1 for none. */
  readonly before: Int32Array | null;
  readonly rowsOut: number;
}

/**
 * Accumulators by slot, a small dense number. A slot's bytes are the state value of PROTOCOL.md section 4, the same from
 * each implementation and from the kernel.
 */
export interface Accumulators {
  /** Where the states of all slots lie, all of one size; absent: each for itself. */
  readonly memory?: SlotMemory | undefined;
  /** Makes room for slots below `slots`. */
  reserve(slots: number): void;
  /** Sets a slot to no rows. */
  reset(slot: number): void;
  /** Sets a slot from state bytes. @throws {TaskCorrupted} when they are not the state of these calls */
  load(slot: number, bytes: Uint8Array): void;
  /** The slot's state bytes, a copy. */
  encode(slot: number): Uint8Array;
  /** Appends what `encode` gives; absent: there is no shorter way to it. */
  write?(slot: number, to: ByteWriter): void;
  /** Copies a slot over another one. */
  move(from: number, to: number): void;
  /** Folds the rowtimes (their maximum); the rowtime of each output row. */
  foldRowtimes(batch: Batch, fold: Fold): Float64Array;
  /** Folds the rows into each call's cells; one column of results per call. */
  fold(batch: Batch, fold: Fold): Column[];
}
