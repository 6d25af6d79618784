// The code of KERNEL_KEYS where the kernel is a whole one: keys of one column of numbers are found by the numbers; knows no aggregate.

import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { Type } from '../data/type.ts';
import type { Kernel } from '../kernel/instance.ts';
import { internNumbers } from '../kernel/number-keys.ts';
import { KernelKeys as KeysByBytes } from './kernel-keys.ts';

export { writeNamedKey } from './kernel-keys.ts';

/** As in kernel-keys.ts; groups are called the same. */
export class KernelKeys extends KeysByBytes {
  readonly #kernel: Kernel;

  constructor(types: readonly Type[], kernel: Kernel) {
    super(types, kernel);
    this.#kernel = kernel;
  }

  override assign(batch: Batch, columns: readonly Column[], ids: Uint32Array): boolean {
    const [column, second] = columns;
    if (
      second !== undefined ||
      batch.rowtime.length > this.#kernel.rowsMax ||
      (column?.storage !== 'i32' && column?.storage !== 'i64' && column?.storage !== 'f64') ||
      (column.validity ?? batch.keyNull ?? batch.valueNull) !== null
    )
      return super.assign(batch, columns, ids);
    internNumbers(this.#kernel, column.values, batch, ids);
    return false;
  }
}
