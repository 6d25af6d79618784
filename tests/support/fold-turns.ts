// Rows folded into a few slots that are moved, restored and reset in between, as choices say; knows no aggregate.

import fc from 'fast-check';
import type { Batch } from '../../runtime/data/batch.ts';
import { valueAt } from '../../runtime/data/column.ts';
import type { Value } from '../../runtime/data/type.ts';
import type { Accumulators, Fold } from '../../runtime/state/accumulators.ts';

export const foldTurns = fc.array(fc.nat(59), { minLength: 40, maxLength: 40 });

/** Folds the rows of several batches, with the old row shown where a choice says so, and moves and restores slots in between. */
export function foldedInTurns(
  to: Accumulators,
  given: readonly Batch[],
  choices: readonly number[],
): { readonly shown: readonly Value[][]; readonly slots: readonly string[] } {
  const shown: Value[][] = [];
  let choice = 0;
  const next = (): number => choices[choice++ % choices.length] as number;
  to.reserve(5);
  for (let slot = 0; slot < 5; slot++) to.reset(slot);
  for (const batch of given) {
    const count = batch.length;
    const before = new Int32Array(count);
    const after = new Int32Array(count);
    const slots = new Int32Array(count);
    let rowsOut = 0;
    for (let k = 0; k < count; k++) {
      slots[k] = next() % 4;
      before[k] = next() % 3 === 0 ? rowsOut++ : -1;
      after[k] = next() % 3 === 0 ? -1 : rowsOut++;
    }
    const positions = Uint32Array.from({ length: count }, (_, i) => i);
    const fold: Fold = { count, slots, positions, undo: null, after, before, rowsOut };
    shown.push([...to.foldRowtimes(batch, fold)]);
    const columns = to.fold(batch, fold);
    for (let i = 0; i < rowsOut; i++) shown.push(columns.map((column) => valueAt(column, i)));
    const [from, into] = [next() % 4, next() % 5];
    if (from !== into) to.move(from, into);
    to.load(from, to.encode(from));
    if (next() % 5 === 0) to.reset(into);
  }
  return {
    shown,
    slots: [0, 1, 2, 3, 4].map((slot) => Buffer.from(to.encode(slot)).toString('hex')),
  };
}
