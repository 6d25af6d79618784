// What whole kernels alone aggregate, by examples and against exact arithmetic; knows the layout of state bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { IDENTITY } from '../../../runtime/data/batch.ts';
import { Kernel } from '../../../runtime/kernel/instance.ts';
import { bringOrigins, OTHER_FUNCTIONS } from '../../../runtime/kernel/other-functions.ts';
import type { KernelProgram } from '../../../runtime/kernel/program.ts';
import { kernelModule, keysOf, Subject } from './subject.ts';

test('the value of a group by offset stands with one more than the offset of its record, and a deviation with its sum and count', () => {
  const names = ['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET', 'STDDEV_SAMP'];
  const program: KernelProgram = {
    arguments: ['I32', 'F64'],
    aggregates: [0, 1].flatMap((argument) => names.map((name) => ({ function: name, argument }))),
    functions: OTHER_FUNCTIONS,
    window: null,
    output: 'groups',
  };
  const first = Number.MAX_SAFE_INTEGER - 2000;
  for (const origin of [null, IDENTITY.subarray(0, 3), Uint32Array.of(900, 700, 800)]) {
    for (const selection of [null, Uint32Array.of(0, 2)]) {
      const kernel = new Kernel(kernelModule, program, { rowsMax: 64 });
      kernel.intern(keysOf(['k']));
      const batch = {
        length: selection?.length ?? 3,
        selection,
        ids: Uint32Array.of(0, 0, 0),
        rowtime: Float64Array.of(1, 1, 1),
        arguments: [
          { values: Int32Array.of(-7, 5, -9), validity: null },
          { values: Float64Array.of(1.5, 2, 4), validity: Uint8Array.of(0b110) },
        ],
      };
      bringOrigins(kernel, batch, { first, origin });
      kernel.process(batch);
      const states: Uint8Array[] = [];
      kernel.collectChanges(({ state }) => states.push(state));
      const view = new DataView(states[0]?.buffer ?? new ArrayBuffer(0));
      const offset = (row: number): bigint => BigInt(first + (origin?.[row] ?? row) + 1);
      const whole = (cell: number): bigint => view.getBigInt64(16 + cell * 8, true);
      const double = (cell: number): number => view.getFloat64(16 + cell * 8, true);
      const isAll = selection === null;
      expect(states.map(({ length }) => length)).toEqual([16 + 14 * 8]);
      expect(view.getBigUint64(8, true)).toBe(0b11_1111_1111_1111n);
      expect([whole(0), whole(1), whole(2), whole(3)]).toEqual([-7n, offset(0), -9n, offset(2)]);
      // Of -7 and 5: 72; and -9 * 3 + 11 is -16, whose square is divided by 6.
      const squares = isAll ? 72 + 256 / 6 : 2;
      expect([whole(4), whole(5), double(6)]).toEqual([
        isAll ? -11n : -16n,
        isAll ? 3n : 2n,
        squares,
      ]);
      const early = isAll ? 1 : 2;
      expect([double(7), whole(8)]).toEqual([isAll ? 2 : 4, offset(early)]);
      expect([double(9), whole(10)]).toEqual([4, offset(2)]);
      expect([double(11), whole(12), double(13)]).toEqual(isAll ? [6, 2n, 2] : [4, 1n, 0]);
    }
  }
});

test('a deviation of BIGINT is that of exact products and sums, rounded once', () => {
  const longs = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }),
    fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 53n + 1n, 0n),
  );
  const counts = fc.oneof(
    fc.bigInt({ min: 1n, max: 2n ** 53n }),
    fc.constantFrom(1n, 2n ** 31n - 2n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 53n),
  );
  fc.assert(
    fc.property(longs, longs, counts, (value, sum, count) => {
      const program: KernelProgram = {
        arguments: ['I64'],
        aggregates: [{ function: 'STDDEV_SAMP', argument: 0 }],
        window: null,
        output: 'groups',
      };
      const subject = new Subject(program);
      const state = new Uint8Array(16 + 3 * 8);
      const view = new DataView(state.buffer);
      view.setBigUint64(8, 7n, true);
      view.setBigInt64(16, sum, true);
      view.setBigInt64(24, count, true);
      subject.restore([{ key: 'k', windowStart: 0, state }]);
      const after = BigInt.asIntN(64, sum + value);
      const n = Number(count + 1n);
      const delta = Number(value * (count + 1n) - after);
      const [row] = subject.process([{ key: 'k', rowtime: 0, values: [value] }]);
      expect(row?.results).toEqual([String((delta * delta) / (n * (n - 1)) / (n - 1))]);
    }),
    { numRuns: 500 },
  );
});
