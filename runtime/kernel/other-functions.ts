// The functions of a whole kernel, and the records that its rows came from; knows no operator and no schema.

import { IDENTITY } from '../data/batch.ts';
import {
  FUNCTION_EARLIEST,
  FUNCTION_LATEST,
  FUNCTION_STDDEV_SAMP,
  FUNCTION_STDDEV_SAMPLE,
} from './abi.ts';
import type { Kernel, KernelBatch } from './instance.ts';
import type { KernelFunction } from './program.ts';

/** Those that only a whole kernel has. */
export const OTHER_FUNCTIONS: Readonly<Record<string, KernelFunction>> = {
  EARLIEST_BY_OFFSET: { code: FUNCTION_EARLIEST, cells: 2, type: null },
  LATEST_BY_OFFSET: { code: FUNCTION_LATEST, cells: 2, type: null },
  STDDEV_SAMP: { code: FUNCTION_STDDEV_SAMP, cells: 3, type: 'F64' },
  STDDEV_SAMPLE: { code: FUNCTION_STDDEV_SAMPLE, cells: 3, type: 'F64' },
};

/** How many positions, from 0 on, hold the rows of a batch and what stands between them; as `Kernel.copyRows` has it, which pages load. */
export function rowsReached({
  selection,
  length,
}: Pick<KernelBatch, 'selection' | 'length'>): number {
  return selection === null ? length : (selection[selection.length - 1] ?? -1) + 1;
}

/** Which records the rows of a batch came from. */
export interface Origins {
  /** Offset of the record that rows of origin 0 came from. */
  readonly first: number;
  /** By array position; null: each row's origin is its position. */
  readonly origin: Uint32Array | null;
}

/** Tells a kernel which records the rows came from that it is given next. Cost: a call; where a program asks for offsets, a copy of origins that are not the positions. */
export function bringOrigins(
  { calls, views }: Kernel,
  batch: Pick<KernelBatch, 'selection' | 'length'>,
  { first, origin }: Origins,
): void {
  const given = origin !== null && !isIdentity(origin);
  const address = calls.offsets(first, Number(given)) >>> 0;
  if (address === 0 || !given) return;
  const rows = rowsReached(batch);
  new Uint32Array(views.attach().memory, address, rows).set(origin.subarray(0, rows));
}

/** True for part of IDENTITY from its beginning on. */
function isIdentity({ buffer, byteOffset }: Uint32Array): boolean {
  return buffer === IDENTITY.buffer && byteOffset === IDENTITY.byteOffset;
}
