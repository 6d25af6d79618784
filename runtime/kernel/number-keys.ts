// The ids of keys that are one column of numbers, by the numbers: whole kernels alone find them so; knows no operator.

import { TYPE_F64, TYPE_I32, TYPE_I64 } from './abi.ts';
import { granted } from './exports.ts';
import type { Kernel, KernelBatch } from './instance.ts';
import { rowsReached } from './other-functions.ts';
import type { Values } from './views.ts';

function typeOf(values: Values): number {
  if (values instanceof Int32Array) return TYPE_I32;
  return values instanceof BigInt64Array ? TYPE_I64 : TYPE_F64;
}

/**
 * Writes the ids of a batch's rows, by array position; those of other positions are unspecified. The names of the groups are those of
 * data/key-columns.ts. Cost: copies the numbers in and the ids out.
 * @throws {LimitError} the dictionary or the memory is full; keys before the refused one keep their ids
 */
export function internNumbers(
  kernel: Kernel,
  values: Values,
  batch: Pick<KernelBatch, 'selection' | 'length'>,
  ids: Uint32Array,
): void {
  const { selection } = batch;
  const rows = rowsReached(batch);
  const numbers = values.subarray(0, rows);
  const { buffer, byteOffset, byteLength } = numbers;
  granted(kernel.calls.reserveKeys(byteLength));
  kernel.forgetRows();
  const views = kernel.views.attach();
  views.keys(byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
  if (selection !== null) views.selection.set(selection);
  granted(kernel.calls.internNumbers(typeOf(values), rows, selection?.length ?? -1));
  ids.set(kernel.views.attach().ids.subarray(0, rows));
}
