// Aggregations of tables in a whole kernel, which takes old rows back; knows no aggregate.

import { type Batch, Op } from '../data/batch.ts';
import { BUFFER_OPERATIONS } from '../kernel/abi.ts';
import type { Kernel } from '../kernel/instance.ts';
import { rowsReached } from '../kernel/other-functions.ts';
import { bringOffsets } from './kernel-offsets.ts';
import type { Operator, OperatorContext } from './operator.ts';

/** Tells the kernel what stands beside the columns of a batch and its program asks for: what rows of tables do, or which records rows came from. */
export function bring(kernel: Kernel, batch: Batch, context: OperatorContext): void {
  if (kernel.program.output !== 'changes') {
    bringOffsets(kernel, batch, context);
    return;
  }
  const { calls, views } = kernel;
  const rows = rowsReached(batch);
  const address = calls.buffer(BUFFER_OPERATIONS, 0) >>> 0;
  const operations = new Uint8Array(views.attach().memory, address, rows);
  if (batch.op === null) operations.fill(Op.Insert);
  else operations.set(batch.op.subarray(0, rows));
}

/** As an aggregation whose kernel has the output `changes`, less the rows that are old ones: the new ones that follow show what both did. */
export function overTable(aggregation: Operator): Operator {
  return {
    name: aggregation.name,
    schema: aggregation.schema,
    process(side, batch, out) {
      aggregation.process(side, batch, (made) => {
        const shown = withoutOld(made);
        if (shown !== null) out(shown);
      });
    },
    advance: (ms, out) => aggregation.advance?.(ms, out),
    changes: (into, intoBlock) => aggregation.changes?.(into, intoBlock),
  };
}

/** @param batch has operations and no selection */
function withoutOld(batch: Batch): Batch | null {
  const { length } = batch;
  const op = batch.op as Uint8Array;
  const positions = new Uint32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    positions[count] = i;
    count += Number(op[i] !== Op.UpdateBefore);
  }
  if (count === length) return batch;
  return count === 0 ? null : { ...batch, selection: positions.subarray(0, count), length: count };
}
