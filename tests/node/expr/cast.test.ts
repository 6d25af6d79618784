// CAST between the types, its texts, and what it refuses.

import { expect, test } from 'vitest';
import { prettyValue } from '../../../runtime/data/pretty-value.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
  type Type,
  typeText,
  type Value,
} from '../../../runtime/data/type.ts';
import { castBetween, castOf } from '../../../runtime/expr/cast.ts';

const D42 = decimal(4, 2);

const shown = (value: Value, type: Type): string => `${typeText(type)} ${prettyValue(type, value)}`;

const casts: readonly [Value, Type, Type, Value][] = [
  [5n, BIGINT, INTEGER, 5],
  [2_147_483_648n, BIGINT, INTEGER, -2_147_483_648],
  [1.9, DOUBLE, INTEGER, 1],
  [-1.9, DOUBLE, INTEGER, -1],
  [1e30, DOUBLE, INTEGER, 2_147_483_647],
  [NaN, DOUBLE, INTEGER, 0],
  [1e30, DOUBLE, BIGINT, 9_223_372_036_854_775_807n],
  [-1e30, DOUBLE, BIGINT, -9_223_372_036_854_775_808n],
  [199n, D42, INTEGER, 1],
  [-199n, D42, BIGINT, -1n],
  [' 42 ', STRING, INTEGER, 42],
  ['-9007199254740993', STRING, BIGINT, -9_007_199_254_740_993n],
  ['1.5e3', STRING, DOUBLE, 1500],
  ['Infinity', STRING, DOUBLE, Infinity],
  [3, INTEGER, BIGINT, 3n],
  [9_007_199_254_740_993n, BIGINT, DOUBLE, 9_007_199_254_740_992],
  [125n, D42, DOUBLE, 1.25],
  [1, INTEGER, D42, 100n],
  [0.125, DOUBLE, D42, 13n],
  [-0.125, DOUBLE, D42, -13n],
  ['0.994', STRING, D42, 99n],
  ['1e-1', STRING, D42, 10n],
  [1255n, decimal(5, 3), D42, 126n],
  ['TRUE', STRING, BOOLEAN, true],
  [' Ye ', STRING, BOOLEAN, true],
  ['on', STRING, BOOLEAN, false],
  [true, BOOLEAN, STRING, 'true'],
  [1e7, DOUBLE, STRING, '1.0E7'],
  [10, DOUBLE, STRING, '10.0'],
  [-5n, D42, STRING, '-0.05'],
  [0, TIMESTAMP, STRING, '1970-01-01T00:00:00.000'],
  [-62_230_291_200_000, TIMESTAMP, STRING, '-0002-01-01T00:00:00.000'],
  [2_147_483_647, DATE, STRING, '+5881580-07-11'],
  ['+12345-06-07', STRING, DATE, 3_789_548],
  ['-0002-01-01', STRING, DATE, -720_258],
  ['2020', STRING, TIMESTAMP, 1_577_836_800_000],
  ['2020-02', STRING, TIMESTAMP, 1_580_515_200_000],
  ['2020-02T10:00', STRING, TIMESTAMP, 1_580_551_200_000],
  ['2020-01-01T', STRING, TIMESTAMP, 1_577_836_800_000],
  ['2020-01-01T10:00Z', STRING, TIMESTAMP, 1_577_872_800_000],
  ['2020-01-01T10:00-0700', STRING, TIMESTAMP, 1_577_898_000_000],
  ['2020-01-01T10:00:00.25+01', STRING, TIMESTAMP, 1_577_869_200_250],
  ['2020-02', STRING, DATE, 18_293],
  ['23:59:59.999999999', STRING, TIME, 86_399_999],
  ['AAE=', STRING, BYTES, Uint8Array.of(0, 1)],
  [-1, TIMESTAMP, STRING, '1969-12-31T23:59:59.999'],
  [5000, TIME, STRING, '00:00:05'],
  [60_000, TIME, STRING, '00:01'],
  [19_000, DATE, STRING, '2022-01-08'],
  ['2022-01-08', STRING, DATE, 19_000],
  ['00:00:00.010', STRING, TIME, 10],
  ['00:01', STRING, TIME, 60_000],
  ['1970-01-01T00:00:01.5', STRING, TIMESTAMP, 1500],
  ['1970-01-02', STRING, TIMESTAMP, 86_400_000],
  ['1970-01-02T', STRING, TIMESTAMP, 86_400_000],
  ['1970-01-01T01:00:00+01:00', STRING, TIMESTAMP, 0],
  [86_400_000 * 3 + 5, TIMESTAMP, DATE, 3],
  [86_400_000 * 3 + 5, TIMESTAMP, TIME, 5],
  [-1, TIMESTAMP, DATE, -1],
  [3, DATE, TIMESTAMP, 86_400_000 * 3],
  [[1, null, 3], array(INTEGER), STRING, '[1, null, 3]'],
  [[1n, null], array(BIGINT), array(INTEGER), [1, null]],
];

test.each(casts.map((line) => [shown(line[0], line[1]), typeText(line[2]), line] as const))(
  '%s cast to %s',
  (_value, _type, [value, from, to, expected]) => {
    expect(castOf(from, to)(value)).toEqual(expected);
  },
);

test('maps and structs are cast item by item, and structs by the names of their fields', () => {
  const entries = new Map<Value, Value>([['k', '10']]);
  expect(castOf(map(STRING, STRING), map(STRING, INTEGER))(entries)).toEqual(new Map([['k', 10]]));
  expect(castOf(map(STRING, STRING), STRING)(entries)).toBe('{k=10}');
  const from = struct([
    { name: 'F0', type: BIGINT },
    { name: 'F1', type: STRING },
  ]);
  const to = struct([
    { name: 'F0', type: STRING },
    { name: 'F3', type: STRING },
  ]);
  expect(castOf(from, to)([1n, '3'])).toEqual(['1', null]);
  expect(castOf(from, STRING)([1n, '3'])).toBe('Struct{F0=1,F1=3}');
});

const refused: readonly [Value, Type, Type][] = [
  ['1.5', STRING, INTEGER],
  ['2147483648', STRING, INTEGER],
  ['', STRING, INTEGER],
  ['0x10', STRING, DOUBLE],
  ['', STRING, DOUBLE],
  ['x', STRING, D42],
  [100, INTEGER, D42],
  [99.995, DOUBLE, D42],
  ['1e2000', STRING, D42],
  ['25:00', STRING, TIME],
  ['2023-02-29', STRING, DATE],
  ['2023-2-1', STRING, DATE],
  ['12023-02-01', STRING, DATE],
  ['2023-01-01 10:00', STRING, TIMESTAMP],
  ['2023-01-01T10', STRING, TIMESTAMP],
  ['2023-01-01T10:00+0060', STRING, TIMESTAMP],
  ['2023-01-01T10:00+19', STRING, TIMESTAMP],
  ['2023-01-01+01', STRING, TIMESTAMP],
  ['10:00:00.', STRING, TIME],
  ['?', STRING, BYTES],
  ['2023-01-01Tx', STRING, TIMESTAMP],
  ['1970-01-01T24:00', STRING, TIMESTAMP],
];

test.each(refused.map((line) => [shown(line[0], line[1]), typeText(line[2]), line] as const))(
  '%s has no counterpart in %s',
  (_value, _type, [value, from, to]) => {
    expect(() => castOf(from, to)(value)).toThrow(
      expect.objectContaining({ name: 'RecordError', code: 'EXPRESSION' }),
    );
  },
);

test('a cast that the language has not is refused when it is planned', () => {
  expect(castBetween(STRING, map(STRING, INTEGER))).toBe(null);
  expect(castBetween(BYTES, INTEGER)).toBe(null);
  expect(castBetween(BYTES, STRING)).toBe(null);
  expect(castBetween(TIME, DATE)).toBe(null);
  expect(castBetween(TIME, TIMESTAMP)).toBe(null);
  expect(castBetween(DATE, TIME)).toBe(null);
  expect(castBetween(TIMESTAMP, BIGINT)).toBe(null);
  expect(castBetween(INTEGER, DATE)).toBe(null);
  expect(castBetween(INTEGER, BOOLEAN)).toBe(null);
  expect(() => castOf(STRING, map(STRING, INTEGER))).toThrow(
    `there is no CAST of STRING to ${typeText(map(STRING, INTEGER))}`,
  );
});
