// What happens to rows that most batches have none of: filtered, late, without a key or a value, chosen from others; knows no step but the filter.

import { type Batch, positionOf } from '../data/batch.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import { gather, gatherColumn } from '../data/dense.ts';
import { type KernelOutput, NULL_GROUP } from '../kernel/instance.ts';
import type { LateRows } from './late-rows.ts';
import { isRowtime, type TimeWindow, windowsOf } from './window-time.ts';

export { filter } from './filter.ts';
export { LateRows } from './late-rows.ts';
export { nullWhere, withValue } from './null-values.ts';
export { groupOps, readsBeyondKey, wholeNulls } from './rekeyed.ts';
export { assignRows, FamilyIds, writePiece } from './rarer-pieces.ts';

/** What the kernel has made of a batch, from a row on. */
export interface Folded {
  readonly batch: Batch;
  readonly output: KernelOutput;
  readonly from: number;
  /** Of the groups, by array position, or codes, none of which is NULL_GROUP. */
  readonly ids: Uint32Array;
  readonly window: TimeWindow | null;
}

/** Reports the rows that the kernel has not used, or not in every window. */
export function reportUnused({ batch, output, from, ids, window }: Folded, to: LateRows): void {
  const { late, lateWindows, consumed } = output;
  for (let i = 0; i < late.length; i++) {
    const position = late[i] as number;
    const ms = batch.rowtime[position] as number;
    const windows = window === null ? 1 : windowsOf(window, ms);
    to.add(batch.origin, position, lateWindows?.[i] ?? 1, windows);
  }
  for (let i = from; i < consumed; i++) {
    const position = positionOf(batch, i);
    const ms = batch.rowtime[position] as number;
    if (ids[position] === NULL_GROUP) to.drop(batch.origin, position, null);
    else if (!isRowtime(ms)) to.drop(batch.origin, position, ms);
  }
}

/** The rows behind the first `consumed`. */
export function behind(batch: Batch, consumed: number): Batch {
  const left = batch.length - consumed;
  const selection =
    batch.selection?.subarray(consumed) ??
    Uint32Array.from({ length: left }, (_, i) => consumed + i);
  return { ...batch, selection, length: left };
}

/** Key columns and origins of the rows at these positions. */
export function carriedChosen(
  { origin }: Batch,
  keys: readonly Column[],
  positions: Uint32Array,
): { readonly keys: Column[]; readonly origin: Uint32Array | null } {
  return {
    keys: keys.map((column) => gatherColumn(column, positions)),
    origin: origin && gather(origin, new Uint32Array(positions.length), positions),
  };
}

/** Positions of the rows that have a value, and no null among their keys. */
export function keyedRows(batch: Batch, keys: readonly Column[]): Uint32Array {
  const { valueNull, length } = batch;
  const kept = new Uint32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const position = positionOf(batch, i);
    const isGone = valueNull !== null && bitAt(valueNull, position);
    if (!isGone && !keys.some((column) => isNull(column, position))) kept[count++] = position;
  }
  return kept.subarray(0, count);
}
