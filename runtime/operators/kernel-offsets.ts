// Which records the rows of a batch came from, for aggregates of a whole kernel that ask for it; knows no aggregate.

import { assert } from '../base/assert.ts';
import type { Batch } from '../data/batch.ts';
import type { Kernel } from '../kernel/instance.ts';
import { bringOrigins } from '../kernel/other-functions.ts';
import type { OperatorContext } from './operator.ts';

/** Tells the kernel which records the rows of a batch came from, as `rowContext` tells the row path. */
export function bringOffsets(kernel: Kernel, batch: Batch, { time }: OperatorContext): void {
  const { firstOffset: first = 0 } = time();
  assert(Number.isSafeInteger(first) && first >= 0, 'an offset is a whole number');
  bringOrigins(kernel, batch, { first, origin: batch.origin });
}
