// The one value that flows: rows as columns, with rowtime, operation and origin; knows no operator.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Bitmap, Column } from './column.ts';
import type { Schema } from './schema.ts';

/** What a row of a changelog does to its table. A stream's rows have no operation. */
export const Op = { Insert: 0, UpdateBefore: 1, UpdateAfter: 2, Delete: 3 } as const;
export type Op = (typeof Op)[keyof typeof Op];

/**
 * Rows as columns, immutable once emitted.
 *
 * `selection` holds the positions (in the arrays) of the rows that count, ascending; null means `0 .. length - 1`.
 * Row `i` of the batch stands at position `selection === null ? i : selection[i]` of every array here. Filtering makes
 * a batch with another selection and the same arrays.
 *
 * Op: Insert and UpdateAfter both set the key's row; UpdateBefore carries the old row just before its UpdateAfter and
 * stands only where the plan asks for old rows (`old: true`); Delete is a tombstone: key columns, and the old value
 * columns only where old rows are asked for (else `valueNull` is set).
 */
export interface Batch {
  readonly schema: Schema;
  /** Rows that count, 1 .. BATCH_ROWS_MAX. */
  readonly length: number;
  readonly selection: Uint32Array | null;
  readonly columns: readonly Column[];
  /** Set where the record's value as a whole is null, which differs from a value whose columns are all null. */
  readonly valueNull: Bitmap | null;
  /** Set where the record's key as a whole is null. */
  readonly keyNull: Bitmap | null;
  /** Milliseconds since the Unix epoch, integers. */
  readonly rowtime: Float64Array;
  readonly op: Uint8Array | null;
  /** Position in the task's current input of the record that triggered the row: its headers, partition, offset are there. */
  readonly origin: Uint32Array | null;
}

/** Positions 0 .. BATCH_ROWS_MAX - 1: of rows without a selection, and origins of those that stand where their records do. Not to be changed. */
export const IDENTITY = /* @__PURE__ */ Uint32Array.from({ length: BATCH_ROWS_MAX }, (_, i) => i);

/** Position in the arrays of row `i`. */
export function positionOf(batch: Batch, i: number): number {
  return batch.selection === null ? i : (batch.selection[i] ?? 0);
}

/** The same rows less those not chosen; `positions` are array positions, ascending. Null when none are left. */
export function select(batch: Batch, positions: Uint32Array): Batch | null {
  if (positions.length === 0) return null;
  if (positions.length === batch.length) return batch;
  return { ...batch, selection: positions, length: positions.length };
}

/** Rows `from .. to` (of those that count) by another selection over the same arrays; null when there are none. */
export function slice(batch: Batch, from: number, to: number): Batch | null {
  const first = Math.max(0, from);
  const end = Math.min(batch.length, to);
  if (first >= end) return null;
  if (first === 0 && end === batch.length) return batch;
  const positions = (batch.selection ?? IDENTITY).subarray(first, end);
  return { ...batch, selection: positions, length: positions.length };
}
