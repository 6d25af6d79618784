// Numbers of keys that are one column of numbers: by the numbers themselves they are those that the keys' bytes give, with the same bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { type Batch, select } from '../../../runtime/data/batch.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import { schema } from '../../../runtime/data/schema.ts';
import {
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../runtime/data/type.ts';
import { type NumberIndex, numberIndex } from '../../../runtime/state/number-index.ts';
import { indexOfSome, type KeyIndex, NO_KEY, RowKeys } from '../../../runtime/state/row-keys.ts';

const keyed = (...types: readonly Type[]) =>
  schema(types.map((type, i) => ({ name: `K${i}`, type, role: 'key' as const })));

function over(type: Type, index: KeyIndex): RowKeys {
  const locate = (bytes: Uint8Array, from: number, to: number): number =>
    index.intern(bytes, from, to);
  return new RowKeys(keyed(type), { locate, index }, { session: false });
}

function indexOf(type: Type): NumberIndex {
  const index = numberIndex([keyed(type), keyed(type)]);
  if (index === null) throw new Error(`${type.kind} is no number`);
  return index;
}

function batchOf(type: Type, values: readonly Value[]): Batch {
  const builder = new BatchBuilder(keyed(type));
  for (const value of values) builder.append([value], 0);
  return builder.finish() as Batch;
}

/** A key of one column that is null is so as a whole; where the column alone says it rows are not taken one by one. */
const inColumn = (batch: Batch): Batch => ({ ...batch, keyNull: null });

const ints = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer(),
  fc.constantFrom(-2_147_483_648, 2_147_483_647, 65_536, 131_072),
);
const longs = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n, -(2n ** 32n), 2n ** 31n),
);
const doubles = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, -5e-324),
);
const CASES: readonly (readonly [string, Type, fc.Arbitrary<Value>])[] = [
  ['INTEGER', INTEGER, ints],
  ['DATE', DATE, ints],
  ['BIGINT', BIGINT, longs],
  ['DOUBLE', DOUBLE, doubles],
  ['TIMESTAMP', TIMESTAMP, fc.oneof(fc.nat(), fc.integer())],
];

test.each(CASES)('of %s: at once, chosen, one by one and by their bytes', (_, type, value) => {
  const rows = fc.array(fc.option(value, { freq: 10 }), { minLength: 1, maxLength: 60 });
  const turns = fc.array(fc.tuple(rows, fc.boolean(), fc.array(fc.boolean(), { minLength: 60 })), {
    minLength: 1,
    maxLength: 6,
  });
  const property = fc.property(turns, (all) => {
    const index = indexOf(type);
    const byBytes = new Interner();
    const numbers = over(type, index);
    const expected = over(type, byBytes);
    for (const [values, isAtOnce, passes] of all) {
      const made = batchOf(type, values);
      const whole = isAtOnce ? inColumn(made) : made;
      const chosen = Uint32Array.from(values.keys()).filter((i) => passes[i] === true);
      for (const batch of [whole, select(whole, chosen)]) {
        if (batch === null) continue;
        const wanted = expected.assign(batch).slice(0, batch.length);
        expect(numbers.assign(batch).slice(0, batch.length)).toEqual(wanted);
      }
    }
    expect(index.size).toBe(byBytes.size);
    for (let id = 0; id < index.size; id++) {
      const key = byBytes.key(id);
      expect(index.key(id)).toEqual(key);
      expect(index.lengthOf()).toBe(key.length);
      expect(index.intern(Uint8Array.of(9, ...key, 9), 1, key.length + 1)).toBe(id);
    }
    const others = Array.from({ length: index.size }, (_, id) => id).filter((id) => id % 3 > 0);
    const [some, wanted] = [index, byBytes].map((of) => indexOfSome(of, others.toReversed()));
    expect(some?.size).toBe(others.length);
    others.toReversed().forEach((id, at) => {
      expect(some?.key(at)).toEqual(index.key(id));
      expect(some?.key(at)).toEqual(wanted?.key(at));
    });
  });
  fc.assert(property);
});

test.each([
  ['that follow one another', (n: number) => n],
  ['with steps of a power of two', (n: number) => n * 65_536],
  ['that differ in their upper word alone', (n: number) => n * 4_294_967_296],
])('as many numbers as there may be %s', (_, numberOf) => {
  const index = indexOf(BIGINT);
  const keys = over(BIGINT, index);
  const count = 100_000;
  for (let from = 0; from < count; from += 4000) {
    const values = Array.from({ length: 4000 }, (_, i) => BigInt(numberOf(from + i)));
    const ids = keys.assign(inColumn(batchOf(BIGINT, values)));
    expect([ids[0], ids[3999]]).toEqual([from, from + 3999]);
  }
  expect(index.size).toBe(count);
  const again = keys.assign(
    inColumn(batchOf(BIGINT, [numberOf(count - 1), numberOf(1)].map(BigInt))),
  );
  expect(again.slice(0, 2)).toEqual(Int32Array.of(count - 1, 1));
  expect(index.bytesHeld / count).toBeLessThan(32);
});

test('a null has no number', () => {
  const keys = over(DOUBLE, indexOf(DOUBLE));
  const batch = inColumn(batchOf(DOUBLE, [7, null, NaN, null, 7]));
  expect(keys.assign(batch).slice(0, 5)).toEqual(Int32Array.of(0, NO_KEY, 1, NO_KEY, 0));
});

test.each([
  ['texts', [keyed(STRING), keyed(STRING)]],
  ['booleans', [keyed(BOOLEAN)]],
  ['two columns', [keyed(BIGINT, BIGINT)]],
  ['numbers of two kinds', [keyed(BIGINT), keyed(INTEGER)]],
  ['no column', [keyed()]],
  [
    'windows',
    [
      schema([
        { name: 'K', type: BIGINT, role: 'key' },
        { name: 'WINDOWSTART', type: BIGINT, role: 'window' },
      ]),
    ],
  ],
])('keys of %s have no such index', (_, inputs) => {
  expect(numberIndex(inputs)).toBeNull();
});
