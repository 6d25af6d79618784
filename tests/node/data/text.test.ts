// Values as text for people: Java's doubles, decimals, JSON, public rows.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DECIMAL_DIGITS_MAX } from '../../../runtime/base/limits.ts';
import { decimalText, parseDecimal } from '../../../runtime/data/decimal-text.ts';
import { doubleText } from '../../../runtime/data/double-text.ts';
import { jsonText } from '../../../runtime/data/json-text.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { publicRow, publicValue } from '../../../runtime/data/row.ts';
import { parseType } from '../../../runtime/data/type-text.ts';
import {
  BIGINT,
  DOUBLE,
  STRING,
  array,
  decimal,
  map,
  struct,
  typeText,
} from '../../../runtime/data/type.ts';
import { types } from './arbitrary.ts';

test('doubles are spelled as Java spells them', () => {
  const cases = [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-1.5, '-1.5'],
    [100, '100.0'],
    [9_999_999, '9999999.0'],
    [9_999_999.5, '9999999.5'],
    [1e7, '1.0E7'],
    [12_345_678.9, '1.23456789E7'],
    [-1e10, '-1.0E10'],
    [0.001, '0.001'],
    [0.000_999, '9.99E-4'],
    [1e-5, '1.0E-5'],
    [1.25e-7, '1.25E-7'],
    [1e21, '1.0E21'],
    [1.797_693_134_862_315_7e308, '1.7976931348623157E308'],
    [0.1 + 0.2, '0.30000000000000004'],
    [Number.MIN_VALUE, '4.9E-324'],
    [-1e-323, '-9.9E-324'],
    [2e23, '2.0E23'],
    [2 ** 62, '4.611686018427388E18'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
  ] as const;
  for (const [value, spelled] of cases) expect(doubleText(value)).toBe(spelled);
});

test('a double is read back from its text', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(Number(doubleText(value))).toBe(value);
      expect(doubleText(value)).toMatch(/^-?(?:\d+\.\d+(?:E-?\d+)?|NaN|Infinity)$/u);
    }),
    { numRuns: 5000 },
  );
});

test('decimals keep their scale and are read back', () => {
  expect(decimalText(1234n, 2)).toBe('12.34');
  expect(decimalText(-5n, 3)).toBe('-0.005');
  expect(decimalText(-5n, 0)).toBe('-5');
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      fc.nat(38),
      (value, scale) => {
        expect(parseDecimal(decimalText(value, scale), 38, scale)).toBe(value);
      },
    ),
  );
});

test('a decimal as wide as one can be is read with all its digits', () => {
  const nines = '9'.repeat(DECIMAL_DIGITS_MAX);
  expect(parseDecimal(`-0.${nines}`, DECIMAL_DIGITS_MAX, DECIMAL_DIGITS_MAX)).toBe(-BigInt(nines));
  expect(parseDecimal(`1${nines}`, DECIMAL_DIGITS_MAX, 0)).toBe('excess');
});

test('a decimal that does not fit is not rounded', () => {
  expect(parseDecimal('1.250', 3, 2)).toBe(125n);
  expect(parseDecimal('1.255', 3, 2)).toBe('excess');
  expect(parseDecimal('12.5', 3, 2)).toBe('excess');
  expect(parseDecimal('1e2', 5, 2)).toBe(10_000n);
  expect(parseDecimal('100e-3', 5, 2)).toBe(10n);
  expect(parseDecimal('1e999999', 38, 0)).toBe('excess');
  expect(parseDecimal('1e-999999', 38, 0)).toBe('excess');
  expect(parseDecimal('0e999999', 38, 0)).toBe(0n);
  for (const wrong of ['', '.', '-', 'e1', '1e', '1e1234567', '0x1', '1,5']) {
    expect(parseDecimal(wrong, 38, 2)).toBeNull();
  }
});

test('types are read back from their text', () => {
  fc.assert(
    fc.property(types, (type) => {
      expect(parseType(typeText(type))).toEqual(type);
    }),
  );
  expect(parseType('STRUCT<`a``b, <` MAP<STRING, DECIMAL(4, 2)>, `C` ARRAY<BIGINT>>')).toEqual(
    struct([
      { name: 'a`b, <', type: map(STRING, decimal(4, 2)) },
      { name: 'C', type: array(BIGINT) },
    ]),
  );
  for (const wrong of [
    '',
    'NUMBER',
    'ARRAY<>',
    'ARRAY<X>',
    'MAP<STRING>',
    'STRUCT<`A` X>',
    'ARRAY<STRING, STRING>',
  ]) {
    expect(parseType(wrong)).toBeNull();
  }
});

test('JSON text keeps digits and spells infinities as text', () => {
  expect(jsonText(array(DOUBLE), [1, Number.NaN, -Infinity, null])).toBe(
    '[1.0,"NaN","-Infinity",null]',
  );
  expect(jsonText(map(STRING, decimal(4, 2)), new Map([['__proto__', 5n]]))).toBe(
    '{"__proto__":0.05}',
  );
  expect(jsonText(BIGINT, 2n ** 63n - 1n)).toBe('9223372036854775807');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(jsonText(STRING, text))).toBe(text.toWellFormed());
    }),
  );
});

test('a public row has numbers where they are exact, text for decimals, and no prototype', () => {
  const rows = batch(
    'K:STRING key | __proto__:BIGINT | B:BIGINT | D:DECIMAL(5, 2) | S:STRUCT<`__proto__` INTEGER> | M:MAP<STRING, BIGINT> @rowtime',
    'a | 9007199254740991 | 9007199254740993 | 1.50 | {"__proto__":7} | {"constructor":1} @0',
  );
  const row = publicRow(rows, 0);
  expect(Object.getPrototypeOf(row)).toBeNull();
  expect(Object.keys(row)).toEqual(['K', '__proto__', 'B', 'D', 'S', 'M']);
  expect([row['__proto__'], row['B'], row['D']]).toEqual([
    9_007_199_254_740_991,
    9_007_199_254_740_993n,
    '1.50',
  ]);
  expect(Object.entries(row['S'] ?? {})).toEqual([['__proto__', 7]]);
  expect(row['M']).toEqual(new Map([['constructor', 1]]));
  expect(publicValue(array(BIGINT), [1n, null], { bigint: 'bigint' })).toEqual([1n, null]);
});
