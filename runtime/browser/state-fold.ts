// The rewriting of a state log, a bit with each commit; fetched when the first log has grown too long. Knows no rows.

import type { ResidentTables } from '../ports/resident.ts';
import type { StateBytes, TableId } from '../ports/store.ts';
import { sizeOf } from './state-log.ts';

/** A rewriting that goes on: tables by name, keys in order, up to where it has come. */
export interface Fold {
  /** Rows below it go when all that is live has been written again. */
  readonly from: number;
  readonly oldBytes: number;
  readonly tables: readonly TableId[];
  readonly at: number;
  /** The first key not yet written again; null: the table's first. */
  readonly next: Uint8Array | null;
}

/** The next live entries to be written again, and how far the rewriting is then. */
export interface FoldStep {
  readonly again: readonly StateBytes[];
  readonly fold: Fold | null;
}

/** @param bytes how much, about, is written again */
export function foldStep(tables: ResidentTables, begun: Fold, bytes: number): FoldStep {
  const again: StateBytes[] = [];
  let fold = begun;
  let left = bytes;
  while (left > 0) {
    const { at, next } = fold;
    const table = fold.tables[at];
    if (table === undefined) break;
    fold = { ...fold, at: at + 1, next: null };
    // A new scan for every step: what an older one has read ahead may have changed since.
    for (const { key, value } of tables.scan(table, { from: next, to: null })) {
      if (left <= 0) {
        fold = { ...fold, at, next: key };
        break;
      }
      const change = { table, key, value };
      again.push(change);
      left -= sizeOf(change);
    }
  }
  return { again, fold };
}
