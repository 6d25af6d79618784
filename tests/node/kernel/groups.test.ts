// Which groups a kernel makes, and which have changed, while its panes' tables grow and shrink; knows no results.

import { expect, test } from 'vitest';

import type { Kernel } from '../../../runtime/kernel/instance.ts';
import { keysOf, program, Subject } from './subject.ts';

const ROWS_MAX = 4096;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

function intern(kernel: Kernel, from: number, to: number): void {
  for (let at = from; at < to; at += ROWS_MAX)
    kernel.intern(keysOf(range(at, Math.min(to, at + ROWS_MAX)).map(String)));
}

function fold(
  kernel: Kernel,
  ids: readonly number[],
  ms = 0,
): { consumed: number; refused: string | null } {
  return kernel.process({
    length: ids.length,
    selection: null,
    ids: Uint32Array.from(ids),
    rowtime: new Float64Array(ids.length).fill(ms),
    arguments: [{ values: new Float64Array(ids.length), validity: null }],
  });
}

/** Ids of the groups of window 0 that have changed, ascending. */
function changesOf(kernel: Kernel): number[] {
  const changed: number[] = [];
  kernel.collectChanges(({ id, windowStart }) => {
    if (windowStart === 0) changed.push(id);
  });
  return changed.toSorted((a, b) => a - b);
}

test('a batch that ends before a row has made no group of the rows behind it', () => {
  const { kernel } = new Subject(program, {
    rowsMax: ROWS_MAX,
    memoryBytesMax: 16 * 1024 * 1024,
  });
  // A place for each of 60,000 ids; an id beyond the places needs a larger table.
  intern(kernel, 0, 60_000);
  for (let at = 0; at < 50_000; at += 4000) fold(kernel, range(at, at + 4000));
  intern(kernel, 60_000, 70_000);
  expect(changesOf(kernel)).toHaveLength(52_000);
  let windows = 1;
  while (fold(kernel, [0], windows * 10).refused === null) windows += 1;
  expect(windows).toBeGreaterThan(1000);
  const { consumed, refused } = fold(kernel, [7, 66_000, 55_000, 8]);
  expect(refused).toBe('KERNEL_MEMORY_BYTES_MAX');
  expect(consumed).toBe(1);
  expect(changesOf(kernel)).toEqual([7]);
});

test('a window whose table gets smaller, because keys have become many, keeps all of its changes', () => {
  const { kernel } = new Subject(program, { rowsMax: ROWS_MAX });
  // A place for each of 1,000 ids, and a list of a quarter of that; then a hash table, whose list is shorter than what has changed.
  intern(kernel, 0, 1000);
  fold(kernel, range(0, 200));
  intern(kernel, 1000, 20_000);
  fold(kernel, [15_000]);
  expect(changesOf(kernel)).toEqual([...range(0, 200), 15_000]);
});
