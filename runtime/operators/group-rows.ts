// A row of a batch for each group that the kernel lists, whose key it shows; knows no kernel.

import type { Batch } from '../data/batch.ts';

/** Cost: a write a row of the batch, a read a group. */
export class GroupRows {
  /** A row of the last batch by group id, for those that it has. */
  #rows = new Uint32Array(0);

  /**
   * For each of these groups the array position of a row of it.
   * @param ids of the rows, by array position; those without a group have one beyond all others
   * @param groups that the batch has
   */
  of(batch: Batch, ids: Uint32Array, groups: Uint32Array): Uint32Array {
    const { selection, length } = batch;
    let last = 0;
    for (let i = 0; i < groups.length; i++) last = Math.max(last, groups[i] as number);
    if (last >= this.#rows.length) this.#rows = new Uint32Array((last + 1) * 2);
    const rows = this.#rows;
    for (let i = 0; i < length; i++) {
      const position = selection === null ? i : (selection[i] as number);
      const id = ids[position] as number;
      if (id <= last) rows[id] = position;
    }
    return groups.map((id) => rows[id] as number);
  }
}
