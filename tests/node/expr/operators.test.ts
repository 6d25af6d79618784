// Comparison, logic, arithmetic, LIKE, IN, CASE and subscripts, by typed loops and row by row.

import { expect, test } from 'vitest';
import { batch } from '../../../runtime/data/pretty.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  type Type,
} from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import {
  arithmetic,
  call,
  cast,
  column,
  compare,
  evaluate,
  literal,
  logic,
  not,
  text,
  valueOf,
} from '../../support/expressions.ts';

const int = (value: number | null): Expr => literal(value, INTEGER);
const big = (value: string | null): Expr => literal(value, BIGINT);
const double = (value: number | string | null): Expr => literal(value, DOUBLE);
const bool = (value: boolean | null): Expr => literal(value, BOOLEAN);
const byZero = (type: Type, zero: Expr, other: Expr): Expr => arithmetic('/', other, zero, type);

test('whole numbers wrap, cut when they are divided and fail on a zero', () => {
  expect(valueOf(arithmetic('+', int(2_147_483_647), int(1), INTEGER))).toBe(-2_147_483_648);
  expect(valueOf(arithmetic('*', int(65_536), int(65_536), INTEGER))).toBe(0);
  expect(valueOf(arithmetic('/', int(-7), int(2), INTEGER))).toBe(-3);
  expect(valueOf(arithmetic('%', int(-7), int(2), INTEGER))).toBe(-1);
  expect(valueOf(arithmetic('+', big('9223372036854775807'), big('1'), BIGINT))).toBe(-(2n ** 63n));
  expect(valueOf(arithmetic('/', big('-7'), big('2'), BIGINT))).toBe(-3n);
  expect(valueOf(byZero(INTEGER, int(0), int(1)))).toEqual(new Error('0: division by zero'));
  expect(valueOf(byZero(BIGINT, big('0'), big('1')))).toEqual(new Error('0: division by zero'));
});

test('doubles follow IEEE 754, by zero too', () => {
  expect(valueOf(byZero(DOUBLE, double(0), double(1)))).toBe(Infinity);
  expect(valueOf(byZero(DOUBLE, double(0), double(0)))).toBeNaN();
  expect(valueOf(arithmetic('%', double(-7.5), double(2), DOUBLE))).toBe(-1.5);
  expect(valueOf(compare('=', double('NaN'), double('NaN')))).toBe(false);
  expect(valueOf(compare('<>', double('NaN'), double('NaN')))).toBe(true);
  expect(valueOf(compare('=', double(0), double(-0)))).toBe(true);
});

test('decimals round half away from zero and fail beyond their precision', () => {
  const two = decimal(4, 2);
  const three = decimal(6, 3);
  expect(valueOf(arithmetic('+', literal('1.50', two), literal('0.25', two), decimal(5, 2)))).toBe(
    175n,
  );
  expect(valueOf(arithmetic('/', literal('1.00', two), literal('3.00', two), three))).toBe(333n);
  expect(valueOf(arithmetic('/', literal('-2.00', two), literal('3.00', two), three))).toBe(-667n);
  expect(valueOf(arithmetic('%', literal('7.50', two), literal('2.00', two), two))).toBe(150n);
  const product = arithmetic('*', literal('99.99', two), literal('99.99', two), two);
  expect(valueOf(product)).toBeInstanceOf(Error);
  expect(valueOf(compare('=', literal('1.50', two), literal('1.500', three)))).toBe(true);
});

test('a comparison with a null is false, so its negation is true', () => {
  expect(valueOf(compare('=', int(null), int(1)))).toBe(false);
  expect(valueOf(not(compare('=', int(null), int(1))))).toBe(true);
  expect(valueOf(not(bool(null)))).toBe(null);
  const rows = batch('A:INTEGER | B:INTEGER', '1 | 1', 'null | 1', '1 | null', 'null | null');
  const equal = compare('=', column(0, INTEGER), column(1, INTEGER));
  expect(evaluate(equal, rows).values).toEqual([true, false, false, false]);
  const distinct: Expr = {
    expr: 'distinct',
    distinct: true,
    left: column(0, INTEGER),
    right: column(1, INTEGER),
    type: BOOLEAN,
  };
  expect(evaluate(distinct, rows).values).toEqual([false, true, true, false]);
});

test('AND and OR have three truth values, by loops and by rows alike', () => {
  const three = [true, false, null];
  const rows = batch(
    'A:BOOLEAN | B:BOOLEAN',
    ...three.flatMap((a) => three.map((b) => `${String(a)} | ${String(b)}`)),
  );
  const a = column(0, BOOLEAN);
  const b = column(1, BOOLEAN);
  // COALESCE has no loop, so that the whole expression goes row by row.
  const slow = call('COALESCE', b, b);
  const and = [true, false, null, false, false, false, null, false, null];
  const or = [true, true, true, true, false, null, true, null, null];
  for (const right of [b, slow]) {
    expect(evaluate(logic('AND', a, right), rows).values).toEqual(and);
    expect(evaluate(logic('OR', a, right), rows).values).toEqual(or);
  }
});

test('AND does not look at the right side when the left decides', () => {
  const fails = compare('=', byZero(INTEGER, int(0), int(1)), int(1));
  expect(valueOf(logic('AND', bool(false), fails))).toBe(false);
  expect(valueOf(logic('AND', bool(true), fails))).toBeInstanceOf(Error);
});

test('only the rows that are selected are evaluated', () => {
  const rows = batch('A:INTEGER', '0', '2', '0', '5');
  const selected = { ...rows, selection: Uint32Array.of(1, 3), length: 2 };
  const divided = arithmetic('/', int(10), column(0, INTEGER), INTEGER);
  expect(evaluate(divided, selected)).toEqual({ values: [5, 2], failures: [] });
  expect(evaluate(divided, rows).failures).toEqual(['0: division by zero', '2: division by zero']);
});

test('texts in a dictionary are compared once an entry, and null ones not at all', () => {
  const rows = batch('A:STRING', 'b', 'a', 'null', 'b');
  const left = column(0, STRING);
  expect(evaluate(compare('=', left, text('b')), rows).values).toEqual([true, false, false, true]);
  expect(evaluate(compare('<', left, text('b')), rows).values).toEqual([false, true, false, false]);
  expect(evaluate(compare('=', left, left), rows).values).toEqual([true, true, false, true]);
});

const like = (value: string | null, pattern: string, escape: string | null = null): Expr => ({
  expr: 'like',
  negated: false,
  argument: text(value),
  pattern: text(pattern),
  escape,
  type: BOOLEAN,
});

test.each([
  ['foo', 'f%', true],
  ['foo', '%o', true],
  ['foo', '%o%', true],
  ['foo', 'f', false],
  ['foo', 'f_o', true],
  ['foo', '_', false],
  ['', '%', true],
  ['abcabd', '%ab_', true],
  ['a.c', 'a.c', true],
  ['abc', 'a.c', false],
  ['x😀y', 'x_y', true],
  ['mississippi', 'm%iss%pi', true],
  ['mississippi', 'm%iss%pa', false],
])('%j LIKE %j is %j', (value, pattern, expected) => {
  expect(valueOf(like(value, pattern))).toBe(expected);
});

test('an escape character makes the next one plain', () => {
  expect(valueOf(like('50%', '50!%', '!'))).toBe(true);
  expect(valueOf(like('500', '50!%', '!'))).toBe(false);
  expect(valueOf(like('a!', 'a!!', '!'))).toBe(true);
  expect(valueOf(like('a', 'a!', '!'))).toBeInstanceOf(Error);
});

test('a pattern that is slow to backtrack is not slow here', () => {
  expect(valueOf(like('a'.repeat(20_000), `${'%a'.repeat(30)}b`))).toBe(false);
});

test('IN finds an item, and no null is in any list', () => {
  const within = (value: Expr, negated: boolean): Expr => ({
    expr: 'in',
    negated,
    argument: value,
    list: [int(1), int(null), int(3)],
    type: BOOLEAN,
  });
  expect(valueOf(within(int(3), false))).toBe(true);
  expect(valueOf(within(int(2), false))).toBe(false);
  expect(valueOf(within(int(2), true))).toBe(true);
  expect(valueOf(within(int(null), false))).toBe(false);
});

test('CASE evaluates the branch that is taken and no other', () => {
  const boom = byZero(INTEGER, int(0), int(1));
  const chosen: Expr = {
    expr: 'case',
    branches: [
      { when: bool(null), then: boom },
      { when: bool(true), then: int(7) },
      { when: compare('=', boom, int(1)), then: boom },
    ],
    otherwise: boom,
    type: INTEGER,
  };
  expect(valueOf(chosen)).toBe(7);
  expect(valueOf({ ...chosen, branches: [], otherwise: null })).toBe(null);
});

test('an array is counted from 1, or from its end by negative numbers', () => {
  const items: Expr = { expr: 'array', items: [int(10), int(20), int(30)], type: array(INTEGER) };
  const at = (index: number): Expr => ({
    expr: 'subscript',
    base: items,
    index: int(index),
    type: INTEGER,
  });
  expect([1, 3, -1, -3, 0, 4, -4].map((index) => valueOf(at(index)))).toEqual([
    10,
    30,
    30,
    10,
    null,
    null,
    null,
  ]);
});

test('a map gives null for a key that it has not, `__proto__` included', () => {
  const entries: Expr = {
    expr: 'map',
    entries: [{ key: text('a'), value: int(1) }],
    type: map(STRING, INTEGER),
  };
  const at = (key: string): Expr => ({
    expr: 'subscript',
    base: entries,
    index: text(key),
    type: INTEGER,
  });
  expect([valueOf(at('a')), valueOf(at('b')), valueOf(at('__proto__'))]).toEqual([1, null, null]);
});

test('texts are joined, and a null makes the whole null', () => {
  const joined = (right: string | null): Expr => ({
    expr: 'concat',
    left: text('a'),
    right: text(right),
    type: STRING,
  });
  expect(valueOf(joined('b'))).toBe('ab');
  expect(valueOf(joined(null))).toBe(null);
  expect(valueOf(cast(joined('1'), INTEGER))).toBeInstanceOf(Error);
});
