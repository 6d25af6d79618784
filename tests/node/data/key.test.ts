// Keys, cells and values as bytes: the order of bytes is the order of SQL, and what is written is read.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../../runtime/base/bytes.ts';
import { compareBytes } from '../../../runtime/base/byte-arrays.ts';
import { PortError } from '../../../runtime/base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../../../runtime/base/limits.ts';
import { columnBuilder } from '../../../runtime/data/builder.ts';
import { decodeCells, encodeCells } from '../../../runtime/data/cells.ts';
import {
  type ByteRange,
  decodeKey,
  encodeKey,
  prefixRange,
  valueRange,
  windowKey,
  windowRange,
  writeKey,
} from '../../../runtime/data/key.ts';
import {
  BIGINT,
  DOUBLE,
  INTEGER,
  STRING,
  type Type,
  type Value,
  decimal,
} from '../../../runtime/data/type.ts';
import {
  fromTwosComplement,
  readValue,
  twosComplement,
  writeValue,
} from '../../../runtime/data/value-bytes.ts';
import { valueEquals } from '../../../runtime/data/value.ts';
import { nullable, orderedTypes, present, thrownBy, types } from './arbitrary.ts';

/** SQL order with nulls first: an oracle that knows nothing of bytes but those of BYTES and of UTF-8. */
function compareValues(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (typeof a === 'string' && typeof b === 'string') {
    const pointsA = Array.from(a, (character) => character.codePointAt(0) ?? 0);
    const pointsB = Array.from(b, (character) => character.codePointAt(0) ?? 0);
    const at = pointsA.findIndex((point, i) => point !== pointsB[i]);
    if (at < 0) return pointsA.length - pointsB.length;
    return (pointsA[at] ?? 0) - (pointsB[at] ?? -1);
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  if (a === 0 && b === 0) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  return a < b ? -1 : a > b ? 1 : 0;
}

const keys = fc
  .array(orderedTypes, { minLength: 1, maxLength: 3 })
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      a: fc.tuple(...columns.map(nullable)),
      b: fc.tuple(...columns.map(nullable)),
      // Often the same beginning, so that later columns decide.
      shared: fc.nat(columns.length),
    }),
  )
  .map(({ columns, a, b, shared }) => ({
    columns,
    a,
    b: b.map((value, i) => (i < shared ? (a[i] ?? null) : value)),
  }));

test('key bytes compare as the keys do', () => {
  fc.assert(
    fc.property(keys, ({ columns, a, b }) => {
      const expected =
        a.map((value, i) => compareValues(value, b[i] ?? null)).find((order) => order !== 0) ?? 0;
      expect(Math.sign(compareBytes(encodeKey(columns, a), encodeKey(columns, b)))).toBe(
        Math.sign(expected),
      );
    }),
    { numRuns: 5000 },
  );
});

test('a key is read as it was written, from values or from columns, with its window', () => {
  const shape = fc.array(types, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(
      shape.chain((columns) =>
        fc.record({ columns: fc.constant(columns), values: fc.tuple(...columns.map(nullable)) }),
      ),
      fc.integer({ min: -(2 ** 40), max: 2 ** 45 }),
      ({ columns, values }, ms) => {
        const key = encodeKey(columns, values);
        const to = new ByteWriter();
        const made = columns.map((type, i) => {
          const builder = columnBuilder(type);
          builder.append(null);
          builder.append(values[i] ?? null);
          return builder.finish();
        });
        writeKey(to, made, 1);
        expect(to.finish()).toEqual(key);
        const session = decodeKey(columns, windowKey(key, ms, ms + 5));
        expect(valueEquals(session.values, values)).toBe(true);
        expect([session.windowStart, session.windowEnd]).toEqual([BigInt(ms), BigInt(ms + 5)]);
        expect(decodeKey(columns, key)).toMatchObject({ windowStart: null, windowEnd: null });
      },
    ),
    { numRuns: 1000 },
  );
});

function within(range: ByteRange, key: Uint8Array): boolean {
  return (
    (range.from === null || compareBytes(key, range.from) >= 0) &&
    (range.to === null || compareBytes(key, range.to) < 0)
  );
}

test('a range holds exactly the keys between its bounds, whatever their windows', () => {
  const bounded = orderedTypes.chain((type) =>
    fc.record({
      type: fc.constant(type),
      key: nullable(type),
      lower: fc.option(fc.record({ value: present(type), inclusive: fc.boolean() })),
      upper: fc.option(fc.record({ value: present(type), inclusive: fc.boolean() })),
      windowMs: fc.option(fc.nat()),
    }),
  );
  fc.assert(
    fc.property(bounded, ({ type, key, lower, upper, windowMs }) => {
      const above =
        lower === null || compareValues(key, lower.value) >= (lower.inclusive ? 0 : 1e-9);
      const below =
        upper === null || compareValues(key, upper.value) <= (upper.inclusive ? 0 : -1e-9);
      const plain = encodeKey([type], [key]);
      const bytes = windowMs === null ? plain : windowKey(plain, windowMs);
      expect(within(valueRange(type, lower, upper), bytes)).toBe(key !== null && above && below);
    }),
    { numRuns: 2000 },
  );
});

test('the windows of a key are found by their start', () => {
  const key = encodeKey([STRING], ['a']);
  const range = windowRange(key, 10, 20);
  for (const [start, inside] of [
    [9, false],
    [10, true],
    [20, true],
    [21, false],
  ] as const) {
    expect(within(range, windowKey(key, start))).toBe(inside);
  }
  expect(within(windowRange(key, null, null), windowKey(key, -5))).toBe(true);
  expect(within(prefixRange(key), encodeKey([STRING], ['a\0']))).toBe(false);
  expect(prefixRange(Uint8Array.of(0xff, 0xff)).to).toBeNull();
  expect(prefixRange(Uint8Array.of(1, 0xff)).to).toEqual(Uint8Array.of(2));
});

test('the sessions of a key are found by their end', () => {
  const key = encodeKey([STRING], ['a']);
  const range = windowRange(key, 10, 20);
  for (const [end, inside] of [
    [9, false],
    [10, true],
    [20, true],
    [21, false],
  ] as const) {
    expect(within(range, windowKey(key, end - 8, end))).toBe(inside);
  }
});

test('key bytes are as the protocol says', () => {
  expect([...encodeKey([STRING, INTEGER], ['a\0', -1])]).toEqual([
    1, 0x61, 0, 0xff, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff,
  ]);
  expect([...encodeKey([decimal(4, 1)], [-200n])]).toEqual([1, 0x7e, 0xff, 0x38]);
  expect([...encodeKey([BIGINT], [null])]).toEqual([0]);
  const widest = decimal(DECIMAL_DIGITS_MAX, 0);
  for (const digits of ['9'.repeat(DECIMAL_DIGITS_MAX), `-${'9'.repeat(DECIMAL_DIGITS_MAX)}`]) {
    const bytes = encodeKey([widest], [BigInt(digits)]);
    expect(decodeKey([widest], bytes).values).toEqual([BigInt(digits)]);
  }
  expect([...encodeKey([DOUBLE], [1])]).toEqual([1, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0]);
});

const cells = fc
  .array(types, { maxLength: 70 })
  .chain((columns) =>
    fc.record({ columns: fc.constant(columns), values: fc.tuple(...columns.map(nullable)) }),
  );

test('cells are read as they were written', () => {
  fc.assert(
    fc.property(cells, fc.integer(), ({ columns, values }, rowtime) => {
      const bytes = encodeCells(columns, rowtime, values);
      const read = decodeCells(columns, bytes);
      expect(read.rowtime).toBe(rowtime);
      expect(valueEquals(read.values, values)).toBe(true);
      expect(encodeCells(columns, rowtime, read.values)).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('cells are as the protocol says', () => {
  const bytes = encodeCells([BIGINT, STRING, DOUBLE, INTEGER], 1, [-2n, 'ab', null, -3]);
  const view = new DataView(bytes.buffer);
  expect(view.getFloat64(0, true)).toBe(1);
  expect(view.getBigUint64(8, true)).toBe(0b1011n);
  expect(view.getBigInt64(16, true)).toBe(-2n);
  expect([view.getUint32(24, true), view.getUint32(28, true)]).toEqual([0, 6]);
  expect(view.getBigInt64(32, true)).toBe(0n);
  expect(view.getBigInt64(40, true)).toBe(-3n);
  expect([...bytes.subarray(48)]).toEqual([2, 0, 0, 0, 0x61, 0x62]);
});

test('damaged cells, keys and values end in a PortError or in another value', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  });
  const isFine = (thrown: unknown) => thrown === null || thrown instanceof PortError;
  fc.assert(
    fc.property(cells, damage, fc.nat(), ({ columns, values }, writes, cut) => {
      const read = (whole: Uint8Array, decode: (bytes: Uint8Array) => unknown) => {
        const bytes = whole.slice(0, whole.length - (cut % 3));
        for (const [at, byte] of writes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return thrownBy(() => decode(bytes));
      };
      expect(
        isFine(read(encodeCells(columns, 0, values), (bytes) => decodeCells(columns, bytes))),
      ).toBe(true);
      expect(isFine(read(encodeKey(columns, values), (bytes) => decodeKey(columns, bytes)))).toBe(
        true,
      );
    }),
    { numRuns: 1000 },
  );
});

test('a damaged count does not make a billion items', () => {
  const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0);
  const type: Type = { kind: 'ARRAY', item: INTEGER };
  expect(() => readValue(new ByteReader(bytes), type)).toThrow('do not fit');
});

test("two's complement is the shortest, and read back", () => {
  expect([...twosComplement(0n)]).toEqual([0]);
  expect([...twosComplement(127n)]).toEqual([127]);
  expect([...twosComplement(128n)]).toEqual([0, 128]);
  expect([...twosComplement(-128n)]).toEqual([128]);
  expect([...twosComplement(-129n)]).toEqual([255, 127]);
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (value) => {
      expect(fromTwosComplement(twosComplement(value))).toBe(value);
    }),
  );
});

test('a value of another type is refused before it is written', () => {
  expect(() => writeValue(new ByteWriter(), BIGINT, 1)).toThrow('no BIGINT');
  expect(() => encodeKey([STRING], [1])).toThrow('no STRING key');
  expect(() => encodeCells([BIGINT], 0, [1])).toThrow('a cell wants a bigint');
});
