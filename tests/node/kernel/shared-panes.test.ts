// Rows of hopping windows that have a group and all windows in common, which whole kernels fold once, beside the naive model that folds each into each window.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { ArgumentType, KernelBounds, KernelProgram } from '../../../runtime/kernel/program.ts';
import { draws } from '../../support/draws.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { coalesced, Model, type Cell, type ModelRow } from './model.ts';
import { keysOf, Subject } from './subject.ts';

const whole = kernelModule();

/** Values at which sums wrap and bounds are told apart only by their order. */
const CELLS: Readonly<Record<ArgumentType, readonly Cell[]>> = {
  I32: [2 ** 31 - 1, -(2 ** 31), 0, -1, 7],
  I64: [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -1n, 3n],
  F64: [0, -0, NaN, Infinity, -Infinity, 0.1, -0.1],
};

const COUNT = { function: 'COUNT', argument: null };

/** All that rows may be put together for: no sum of DOUBLE. */
function programOf(
  type: ArgumentType,
  window: NonNullable<KernelProgram['window']>,
): KernelProgram {
  const names = type === 'F64' ? ['MIN', 'COUNT', 'MAX'] : ['SUM', 'MIN', 'AVG', 'MAX', 'COUNT'];
  return {
    arguments: [type],
    aggregates: [...names.map((name) => ({ function: name, argument: 0 })), COUNT],
    window,
    output: 'groups',
  };
}

function storedOf(subject: Subject): Map<string, string> {
  return new Map(
    [...subject.changes()].map(([name, { state }]) => [name, Buffer.from(state).toString('hex')]),
  );
}

/** The groups that every row makes by itself: one call a row, so that nothing can be put together. */
function oneByOne(program: KernelProgram, rows: readonly ModelRow[]): Map<string, string> {
  const subject = new Subject(program, { rowsMax: 4096 }, whole);
  for (const [i, row] of rows.entries()) subject.process([row], i);
  return storedOf(subject);
}

/** What the kernel does with rows in batches, and what it should. */
function compared(
  program: KernelProgram,
  rows: readonly ModelRow[],
  cuts: readonly number[],
  bounds: Partial<KernelBounds> = {},
): Readonly<Record<'actual' | 'expected', unknown>> {
  const model = new Model(program);
  const subject = new Subject(program, bounds, whole);
  const late: [row: number, windows: number][] = [];
  const expected: unknown[] = [];
  const actual: unknown[] = [];
  for (let from = 0, batch = 0; from < rows.length; batch += 1) {
    const part = rows.slice(from, from + (cuts[batch % cuts.length] ?? 1));
    const before = model.late.length;
    expected.push(coalesced(model.process(part)), model.streamTime);
    for (const [row, missed] of model.late.slice(before)) late.push([from + row, missed]);
    actual.push(subject.process(part, from), subject.kernel.streamTime);
    from += part.length;
  }
  expected.push(late, oneByOne(program, rows));
  actual.push(subject.late, storedOf(subject));
  return { actual, expected };
}

const windows = fc
  .record({
    sizeMs: fc.constantFrom(10, 12, 60),
    hops: fc.constantFrom(2, 3, 5, 7, 10),
    graceMs: fc.constantFrom(0, 3, 25),
  })
  .map(({ sizeMs, hops, graceMs }) => ({ sizeMs, advanceMs: Math.ceil(sizeMs / hops), graceMs }));

const runs = fc.record({
  type: fc.constantFrom<ArgumentType>('I32', 'I64', 'F64'),
  window: windows,
  keys: fc.constantFrom(1, 3, 20),
  /** How far rows come from behind, where any do. */
  back: fc.constantFrom(0, 0, 5, 80),
  steps: fc.constantFrom(0.05, 0.5, 4),
  nulls: fc.boolean(),
  selects: fc.boolean(),
  seed: fc.nat(),
  rowsMax: fc.constantFrom(64, 4096),
  cuts: fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 4 }),
});

test('rows that come to the same windows together leave what they leave one by one', () => {
  fc.assert(
    fc.property(
      runs,
      ({ type, window, keys, back, steps, nulls, selects, seed, rowsMax, cuts }) => {
        const draw = draws(seed + 1);
        const cells = CELLS[type];
        let now = 0;
        const rows = Array.from({ length: 300 }, (): ModelRow => {
          now += steps;
          const key = draw(12);
          return {
            key: key === 0 ? null : `k${draw(keys)}`,
            rowtime: Math.max(0, Math.floor(now) - (draw(4) === 0 ? draw(back + 1) : 0)),
            values: [nulls && draw(4) === 0 ? null : (cells[draw(cells.length)] ?? 0)],
            skipped: selects && draw(3) === 0,
          };
        });
        const { actual, expected } = compared(programOf(type, window), rows, cuts, { rowsMax });
        expect(actual).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
});

test('a batch of more groups and windows than are put together at a time loses and mixes up nothing', () => {
  const window = { sizeMs: 100, advanceMs: 20, graceMs: 1000 };
  const draw = draws(3);
  // Each pair of rows has its own group and slice; and more groups come to it than a batch may put out.
  const rows = Array.from({ length: 4000 }, (_, i) => ({
    key: `k${(i >> 1) % 1500}`,
    rowtime: 200 + draw(2) * 20,
    values: [i],
  }));
  const { actual, expected } = compared(programOf('I32', window), rows, [4000], { rowsMax: 4096 });
  expect(actual).toEqual(expected);
});

test('a group whose rows come from many slices at random has each in its own windows', () => {
  const draw = draws(5);
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    key: 'k',
    rowtime: draw(900) * 10,
    values: [BigInt(i)],
  }));
  const window = { sizeMs: 20, advanceMs: 10, graceMs: 10_000 };
  const { actual, expected } = compared(programOf('I64', window), rows, [3000], { rowsMax: 4096 });
  expect(actual).toEqual(expected);
});

test('a batch ends before the first row that finds no memory, and nothing of that row stays', () => {
  const program = programOf('F64', { sizeMs: 1000, advanceMs: 1, graceMs: 1_000_000 });
  const rows = Array.from({ length: 400 }, (_, i) => ({
    key: `k${i % 2}`,
    rowtime: 1000 + (i >> 3) * 1000,
    values: [i],
  }));
  const small = new Subject(program, { rowsMax: 4096, memoryBytesMax: 16 * 1024 * 1024 }, whole);
  const known = small.kernel.intern(keysOf(['k0', 'k1'])).slice();
  const batch = {
    length: rows.length,
    selection: null,
    ids: Uint32Array.from(rows, (_, i) => known[i % 2] ?? 0),
    rowtime: Float64Array.from(rows, ({ rowtime }) => rowtime),
    arguments: [{ values: Float64Array.from(rows, (_, i) => i), validity: null }],
  };
  let consumed = 0;
  for (let refused: string | null = null; refused === null;) {
    const output = small.kernel.process(batch, consumed);
    ({ consumed, refused } = output);
  }
  expect(consumed).toBeGreaterThan(20);
  expect(consumed).toBeLessThan(rows.length);
  expect(small.kernel.streamTime).toBe(rows[consumed - 1]?.rowtime);
  const kept = rows.slice(0, consumed);
  expect(storedOf(small)).toEqual(oneByOne(program, kept));
});
