// A task's state: resident in memory, and in the database a log of deltas that is rewritten bit by bit; knows no offsets and no outputs.

import { decodeDelta, encodeDeltas } from '../ports/delta.ts';
import { ResidentTables } from '../ports/resident.ts';
import type { StateBytes } from '../ports/store.ts';
import { RARE_ROWS } from './parts.ts';
import type { Fold, FoldStep } from './state-fold.ts';
import { owned } from './transactions.ts';

/** The log is rewritten once it is so much longer than twice what it would be if written anew. */
const FOLD_BYTES = 1_048_576;
/** A commit rewrites at least such a part of FOLD_BYTES, and twice as much as it writes itself: so the rewriting comes to an end. */
const STEPS = 16;

const NO_STEP: FoldStep = { again: [], fold: null };

/** One row of the database: `[task, sequence]` to a delta (ports/delta.ts). */
export interface Blob {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** What a commit does to the log's rows. */
export interface StateWrite {
  readonly puts: readonly Blob[];
  /** Rows below this sequence go; null: none. */
  readonly removeBelow: number | null;
  /** To be called once the transaction is complete, and only then. */
  readonly applied: () => void;
}

/**
 * The rows in the order of their sequence, each setting and removing keys, make the state. A put costs the browser some 80 µs however
 * small it is, so a commit puts its changes as one delta, not as a row a key. What is overwritten stays in older rows: when they are too
 * many, commits write live entries again behind the newest row, a little each, until all rows before can go. Bytes written in all are at
 * most about three times those of the changes; nothing ever stops to tidy up.
 */
export class StateLog {
  readonly tables = new ResidentTables();
  readonly #foldBytes: number;
  #next = 0;
  #storedBytes = 0;
  /** What the log would take, or took, when written anew. */
  #liveBytes = 0;
  #fold: Fold | null = null;

  /**
   * @param rows in the order of their sequence
   * @throws {PortError} CORRUPT
   */
  constructor(rows: readonly Blob[], foldBytes: number = FOLD_BYTES) {
    this.#foldBytes = foldBytes;
    for (const { sequence, bytes } of rows) {
      this.tables.apply(decodeDelta(bytes).map(ownedChange));
      this.#next = sequence + 1;
      this.#storedBytes += bytes.length;
    }
    for (const table of this.tables.ids) {
      for (const { key, value } of this.tables.entries(table)) {
        this.#liveBytes += sizeOf({ table, key, value });
      }
    }
  }

  /** Bytes of all rows. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** What to write for a commit of these changes; without an effect until `applied`. @throws {PartMissing} when it rewrites */
  write(changes: readonly StateBytes[]): StateWrite {
    const kept = changes.map(ownedChange);
    const { again, fold } = this.#foldStep(kept);
    // What is written again is as it was before this commit, so it stands before the commit's own changes.
    const blobs = [...encodeDeltas(again), ...encodeDeltas(kept)];
    const puts = blobs.map((bytes, i): Blob => ({ sequence: this.#next + i, bytes }));
    const isFolded = fold !== null && fold.at === fold.tables.length;
    return {
      puts,
      removeBelow: isFolded ? fold.from : null,
      applied: () => {
        this.tables.apply(kept);
        this.#next += blobs.length;
        for (const { length } of blobs) this.#storedBytes += length;
        this.#fold = isFolded ? null : fold;
        if (isFolded) {
          this.#storedBytes -= fold.oldBytes;
          this.#liveBytes = this.#storedBytes;
        }
      },
    };
  }

  #foldStep(changes: readonly StateBytes[]): FoldStep {
    const fold = this.#fold ?? this.#started();
    if (fold === null) return NO_STEP;
    const bytes = changes.reduce((sum, change) => sum + sizeOf(change), 0);
    return RARE_ROWS.code.foldStep(this.tables, fold, Math.max(this.#foldBytes / STEPS, 2 * bytes));
  }

  #started(): Fold | null {
    if (this.#storedBytes <= 2 * this.#liveBytes + this.#foldBytes) return null;
    const tables = this.tables.ids;
    return { from: this.#next, oldBytes: this.#storedBytes, tables, at: 0, next: null };
  }
}

/** Bytes that the change takes in a delta. */
export function sizeOf({ table, key, value }: StateBytes): number {
  return 12 + table.length + key.length + (value?.length ?? 0);
}

/** Keys and values outlive the commit: views would hold on to more than themselves. */
function ownedChange({ table, key, value }: StateBytes): StateBytes {
  return { table, key: owned(key), value: value === null ? null : owned(value) };
}
