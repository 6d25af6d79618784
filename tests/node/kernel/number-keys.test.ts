// Keys of one column of numbers, found by the numbers, against the same keys as bytes; knows no aggregate.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { LimitError } from '../../../runtime/base/errors.ts';
import type { Column } from '../../../runtime/data/column.ts';
import { KeyColumns } from '../../../runtime/data/key-columns.ts';
import { BIGINT, DATE, DOUBLE, INTEGER, TIMESTAMP } from '../../../runtime/data/type.ts';
import { TYPE_I64 } from '../../../runtime/kernel/abi.ts';
import { Kernel } from '../../../runtime/kernel/instance.ts';
import { internNumbers } from '../../../runtime/kernel/number-keys.ts';
import { KernelKeys } from '../../../runtime/operators/number-keys.ts';
import { kernelModule, keysOf } from './subject.ts';

const start = (entriesMax = 1000): Kernel =>
  new Kernel(
    kernelModule,
    {
      arguments: [],
      aggregates: [{ function: 'COUNT', argument: null }],
      window: null,
      output: 'groups',
    },
    { rowsMax: 64, entriesMax },
  );

const rows = { minLength: 1, maxLength: 60 };
const bits = fc.constantFrom(
  0n,
  1n << 63n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0xfff8_0000_0000_0001n,
  0x7ff0_0000_0000_0001n,
);
const longs = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
type NumberColumn = Column & { readonly storage: 'i32' | 'i64' | 'f64' };

const columns: fc.Arbitrary<NumberColumn> = fc.oneof(
  fc
    .array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer()), rows)
    .chain((values) =>
      fc.constantFrom(INTEGER, DATE).map((type) => ({ type, values: Int32Array.from(values) })),
    )
    .map((column) => ({ ...column, validity: null, storage: 'i32' as const })),
  fc.array(longs, rows).map((values) => ({
    type: BIGINT,
    validity: null,
    storage: 'i64' as const,
    values: BigInt64Array.from(values),
  })),
  // The bits of a NaN are kept where none of its value is read.
  fc
    .array(fc.oneof(bits, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), rows)
    .chain((values) =>
      fc.constantFrom(DOUBLE, TIMESTAMP).map((type) => ({
        type,
        values: new Float64Array(BigUint64Array.from(values).buffer),
      })),
    )
    .map((column) => ({ ...column, validity: null, storage: 'f64' as const })),
);

function batchOf(column: Column, selection: Uint32Array | null) {
  const { length } = column.values;
  return {
    schema: { columns: [] },
    length: selection?.length ?? length,
    selection,
    columns: [column],
    valueNull: null,
    keyNull: null,
    rowtime: new Float64Array(length),
    op: null,
    origin: null,
  };
}

test('numbers have the ids and the names that their bytes have, whichever comes first', () => {
  const runs = fc.array(fc.tuple(columns, fc.boolean(), fc.boolean()), { maxLength: 4 });
  fc.assert(
    fc.property(runs, (all) => {
      const kernel = start();
      const known = new Map<number, string>();
      for (const [column, selects, bytesFirst] of all) {
        const odd = Uint32Array.from({ length: column.values.length >> 1 }, (_, i) => i * 2 + 1);
        const batch = batchOf(column, selects && odd.length > 0 ? odd : null);
        const names = new KeyColumns();
        names.write(batch, [column]);
        const offsets = names.offsets.slice(0, batch.length + 1);
        const bytes = names.bytes.slice(0, offsets[batch.length]);
        const byBytes = (): number[] => [...kernel.intern({ bytes, offsets })];
        const before = bytesFirst ? byBytes() : null;
        const ids = new Uint32Array(column.values.length);
        internNumbers(kernel, column.values, batch, ids);
        const own = [...(batch.selection ?? ids.keys())].map((position) => ids[position] ?? -1);
        expect(own).toEqual(before ?? byBytes());
        own.forEach((id, i) => {
          const name = bytes.slice(offsets[i], offsets[i + 1]);
          expect(kernel.keyOf(id)).toEqual(name);
          const text = name.join();
          expect(known.get(id) ?? text).toBe(text);
          known.set(id, text);
        });
      }
    }),
    { numRuns: 200 },
  );
});

test('where a number is null, or one of several key columns, keys are found by their bytes', () => {
  const values = Int32Array.of(5, 6, 5);
  const plain: Column = { type: INTEGER, validity: null, storage: 'i32', values };
  const holed: Column = { ...plain, validity: Uint8Array.of(0b101) };
  const [kernel, ids] = [start(), new Uint32Array(3)];
  const keys = new KernelKeys([INTEGER], kernel);
  expect(keys.assign(batchOf(holed, null), [holed], ids)).toBe(true);
  expect([...ids]).toEqual([0, 0xffff_ffff, 0]);
  expect(keys.assign(batchOf(plain, null), [plain], ids)).toBe(false);
  // A row without a key has the name without bytes.
  expect([...ids]).toEqual([0, 2, 0]);
  const two = new KernelKeys([INTEGER, INTEGER], kernel);
  expect(two.assign(batchOf(plain, null), [plain, holed], ids)).toBe(false);
  expect([...ids]).toEqual([3, 4, 3]);
});

test('a full dictionary refuses the next number, and goes on with those that it knows', () => {
  const kernel = start(3);
  const ids = new Uint32Array(4);
  const of = (...numbers: bigint[]) =>
    internNumbers(
      kernel,
      BigInt64Array.from(numbers),
      { selection: null, length: numbers.length },
      ids,
    );
  expect(() => of(1n, 2n, 3n, 4n)).toThrow(LimitError);
  of(3n, 1n, 2n);
  expect([...ids.subarray(0, 3)]).toEqual([2, 0, 1]);
});

test('a call that makes no sense is refused', () => {
  const kernel = start();
  const { calls } = kernel;
  const { selection } = kernel.views.attach();
  expect(calls.internNumbers(9, 1, -1)).toBeLessThan(0);
  expect(calls.internNumbers(TYPE_I64, 65, -1)).toBeLessThan(0);
  expect(calls.internNumbers(TYPE_I64, 1, 65)).toBeLessThan(0);
  selection[0] = 5;
  expect(calls.internNumbers(TYPE_I64, 5, 1)).toBeLessThan(0);
  expect(calls.internNumbers(TYPE_I64, 6, 1)).toBe(0);
  kernel.intern(keysOf(['a']));
  expect(calls.internNumbers(TYPE_I64, 0, -1)).toBe(0);
});
