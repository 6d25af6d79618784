// Hopping windows on the kernel path where one batch takes several turns, at the limit of windows to a row, and where memory ends.

import { createHash, type Hash } from 'node:crypto';

import { expect, test } from 'vitest';

import {
  KERNEL_MEMORY_BYTES_MAX,
  KERNEL_WINDOWS_PER_ROW_MAX,
} from '../../../runtime/base/limits.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { aggregate } from '../../../runtime/operators/aggregate.ts';
import { kernelAggregate } from '../../../runtime/operators/kernel-aggregate.ts';
import type { WindowSpec } from '../../../runtime/plan/step.ts';
import { batchesOf } from '../../support/operator-contract.ts';
import { OperatorRun } from '../../support/operator-harness.ts';
import {
  aggregateStep,
  callOf,
  kernelModule,
  registry,
  windowOf,
} from '../../support/operator-inputs.ts';

const INPUT = prettySchema('K:STRING key | L:BIGINT | D:DOUBLE @rowtime');
const calls = [
  callOf('COUNT', INPUT),
  callOf('MAX', INPUT, 1),
  callOf('SUM', INPUT, 2),
  callOf('MIN', INPUT, 2),
];
const module = kernelModule();

function runs(window: WindowSpec): { readonly row: OperatorRun; readonly kernel: OperatorRun } {
  const step = aggregateStep(INPUT, calls, { window });
  return {
    row: new OperatorRun((context) => aggregate(step, INPUT, context, registry)),
    kernel: new OperatorRun((context) => kernelAggregate(step, INPUT, context, registry, module)),
  };
}

function batch(rows: number, keys: number, rowtimeOf: (i: number) => number): Batch {
  const [made] = batchesOf(
    INPUT,
    Array.from({ length: rows }, (_, i) => ({
      values: [i % 7 === 6 ? null : `k${i % keys}`, BigInt(i * 31), i / 8],
      rowtime: rowtimeOf(i),
    })),
  );
  if (made === undefined) throw new Error('rows make a batch');
  return made;
}

/** All rows put out, however they are cut into batches: a digest of each column's bytes. */
function digestsOf(run: OperatorRun): string[] {
  const digests: Hash[] = [];
  for (const { rowtime, op, columns } of run.emitted) {
    const arrays = [rowtime, op, ...columns.map(({ values }) => values)];
    for (const [i, values] of arrays.entries()) {
      if (!ArrayBuffer.isView(values)) throw new Error('a column of numbers is an array of them');
      const { buffer, byteOffset, byteLength } = values;
      digests[i] ??= createHash('sha256');
      digests[i].update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return digests.map((digest) => digest.digest('hex'));
}

function seen(run: OperatorRun): unknown {
  run.commit();
  const { counters, problems, streamTimeMs } = run;
  return {
    rows: run.emitted.reduce((sum, { length }) => sum + length, 0),
    columns: digestsOf(run),
    state: run.state.lines().join('\n'),
    counters: Object.fromEntries(counters),
    problems,
    streamTimeMs,
  };
}

test('a row in as many windows as the kernel takes, and a batch whose output fills many', () => {
  const size = KERNEL_WINDOWS_PER_ROW_MAX;
  const { row, kernel } = runs(windowOf(size, size / 4, 1));
  // Some rows come when part of their windows have closed, one when all have.
  const back = (i: number): number => (i % 10 === 9 ? size : 0) + (i === 49 ? size : 0);
  const rows = batch(60, 5, (i) => 5 * size + i * 3 - back(i));
  for (const run of [row, kernel]) run.process(rows);
  expect(kernel.emitted.length).toBeGreaterThan(10);
  expect(kernel.counters.get('late')).toBe(1);
  expect(kernel.counters.get('latePairs')).toBeGreaterThan(2 * size);
  expect(seen(kernel)).toEqual(seen(row));
});

test('groups that the kernel has no room for are set aside within a batch, and brought back', () => {
  // Each row stands in 1,000 windows of its own, none closes, and each takes 640 bytes: together more than 64 MiB.
  const { row, kernel } = runs(windowOf(1000, 1_000_000, 1));
  const rows = batch(140, 2, (i) => 1000 + i * 1000);
  const again = batch(2, 1, (i) => 1500 + i * 400);
  for (const run of [row, kernel]) run.process(rows).process(again);
  expect(seen(kernel)).toEqual(seen(row));
  expect(kernel.state.entries.size).toBeGreaterThan(KERNEL_MEMORY_BYTES_MAX / 640);
});
