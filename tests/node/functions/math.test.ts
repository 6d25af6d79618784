// The functions of numbers that round and of real numbers, one line a claim.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimalText } from '../../../runtime/data/decimal-text.ts';
import { BIGINT, decimal, DOUBLE, INTEGER, type Type } from '../../../runtime/data/type.ts';
import type { Expr, LiteralJson } from '../../../runtime/expr/expr.ts';
import { call, failureOf, literal, valueOf } from '../../support/expressions.ts';
import { registry } from '../../support/operator-inputs.ts';

const int = (value: number | null): Expr => literal(value, INTEGER);
const big = (value: string): Expr => literal(value, BIGINT);
const double = (value: LiteralJson): Expr => literal(value, DOUBLE);
const money = (value: string): Expr => literal(value, decimal(6, 2));

test.each<[string, readonly Expr[], unknown]>([
  ['ROUND', [int(7)], 7n],
  ['TRUNC', [int(-7)], -7n],
  ['TRUNC', [big('9007199254740993')], 9_007_199_254_740_993n],
  ['TRUNC', [double(1.99)], 1n],
  ['TRUNC', [double(-1.99)], -1n],
  ['TRUNC', [double(1e300)], 9_223_372_036_854_775_807n],
  ['TRUNC', [double('NaN')], 0n],
  ['TRUNC', [double(1.239), int(2)], 1.23],
  ['TRUNC', [double(-1.239), int(2)], -1.23],
  ['TRUNC', [double(1.005), int(3)], 1.005],
  ['TRUNC', [double(129.9), int(-1)], 120],
  ['TRUNC', [double(1e300), int(2)], 1e300],
  ['TRUNC', [double(1.5), int(null)], null],
  ['TRUNC', [money('-12.99')], -12n],
  ['TRUNC', [money('-12.99'), int(1)], -1290n],
  ['TRUNC', [money('12.99'), int(-1)], 1000n],
  ['TRUNC', [money('12.99'), int(-9)], 0n],
  ['TRUNC', [money('12.99'), int(4)], 1299n],
  ['CBRT', [int(27)], 3],
  ['CBRT', [double(-8)], -2],
  ['EXP', [int(0)], 1],
  ['EXP', [double(1)], Math.E],
  ['EXP', [double(1000)], Infinity],
  ['LN', [int(1)], 0],
  ['LN', [double(0)], -Infinity],
  ['LN', [double(-1)], NaN],
  ['LOG', [double(Math.E)], 1],
  ['LOG', [int(2), int(8)], 3],
  ['LOG', [int(10), double(0)], -Infinity],
  ['LOG', [int(1), int(8)], NaN],
  ['LOG', [int(0), int(8)], NaN],
  ['LOG', [int(-2), int(8)], NaN],
  ['LOG', [int(2), int(-8)], NaN],
  ['POWER', [int(2), int(10)], 1024],
  ['POWER', [int(2), big('-1')], 0.5],
  ['POWER', [int(10), int(400)], Infinity],
  ['POWER', [int(2), int(null)], null],
  ['PI', [], Math.PI],
  ['DEGREES', [double(Math.PI)], 180],
  ['RADIANS', [int(180)], Math.PI],
  ['SIN', [int(0)], 0],
  ['COS', [big('0')], 1],
  ['TAN', [money('0.00')], 0],
  ['COT', [int(0)], Infinity],
  ['COT', [double(-0)], -Infinity],
  ['SINH', [int(0)], 0],
  ['COSH', [int(0)], 1],
  ['TANH', [double('Infinity')], 1],
  ['ASIN', [double(2)], NaN],
  ['ACOS', [int(1)], 0],
  ['ATAN', [double('Infinity')], Math.PI / 2],
  ['ATAN2', [int(0), int(-1)], Math.PI],
  ['SQRT', [big('4')], 2],
  // Java's order: NaN above all, -0.0 below 0.0.
  ['GREATEST', [double('NaN'), double(1)], NaN],
  ['GREATEST', [double(1), double('NaN')], NaN],
  ['LEAST', [double('NaN'), double(1)], 1],
  ['LEAST', [double(1), double('NaN')], 1],
  ['LEAST', [double(0), double(-0), double(0)], -0],
  ['GREATEST', [double(-0), double(0), double(-0)], 0],
])('%s, case %#', (name, given, expected) => {
  expect(valueOf(call(name, ...given))).toEqual(expected);
});

test.each<[string, readonly Type[], Type]>([
  ['ROUND', [INTEGER], BIGINT],
  ['TRUNC', [INTEGER], BIGINT],
  ['TRUNC', [DOUBLE], BIGINT],
  ['TRUNC', [DOUBLE, INTEGER], DOUBLE],
  ['TRUNC', [decimal(7, 3)], decimal(4, 0)],
  ['TRUNC', [decimal(2, 2)], decimal(1, 0)],
  ['TRUNC', [decimal(7, 3), INTEGER], decimal(7, 3)],
  ['POWER', [INTEGER, BIGINT], DOUBLE],
  ['LN', [decimal(4, 1)], DOUBLE],
])('%s of %o is %o', (name, given, expected) => {
  expect(registry.resolve(name, given)?.type).toEqual(expected);
});

test('a DECIMAL that a function makes fits its type, or the function fails', () => {
  for (const name of ['CEIL', 'FLOOR']) {
    expect(valueOf(call(name, money('9999.00')))).toBe(999_900n);
    expect(valueOf(call(name, money('-9999.00')))).toBe(-999_900n);
  }
  expect(failureOf(call('CEIL', money('9999.01')))).toContain('numeric overflow');
  expect(failureOf(call('FLOOR', money('-9999.01')))).toContain('numeric overflow');
  expect(failureOf(call('ROUND', money('9999.95'), int(1)))).toContain('numeric overflow');
});

test('ROUND and TRUNC of a DECIMAL are those of its text, however many places go', () => {
  const digits = fc.bigInt({ min: -(10n ** 12n) + 1n, max: 10n ** 12n - 1n });
  const places = fc.oneof(
    fc.integer({ min: -14, max: 6 }),
    fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
  );
  const type = decimal(13, 4);
  fc.assert(
    fc.property(digits, places, (unscaled, count) => {
      const text = `${unscaled < 0n ? '-' : ''}${decimalText(unscaled < 0n ? -unscaled : unscaled, 4)}`;
      const gone = Math.max(0, Math.min(4 - count, 20));
      const unit = 10n ** BigInt(gone);
      const below = unscaled - (((unscaled % unit) + unit) % unit);
      const isUp = (unscaled - below) * 2n >= unit;
      const given = [literal(text, type), int(count)];
      expect(valueOf(call('ROUND', ...given))).toBe(gone > 0 && isUp ? below + unit : below);
      expect(valueOf(call('TRUNC', ...given))).toBe(unscaled - (unscaled % unit));
    }),
  );
});
