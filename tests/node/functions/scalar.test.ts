// The scalar functions, one line a claim.

import { expect, test } from 'vitest';
import {
  array,
  BIGINT,
  BYTES,
  decimal,
  DOUBLE,
  INTEGER,
  STRING,
  TIMESTAMP,
} from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { call, literal, text, valueOf } from '../../support/expressions.ts';

const int = (value: number | null): Expr => literal(value, INTEGER);
const big = (value: string): Expr => literal(value, BIGINT);
const double = (value: number): Expr => literal(value, DOUBLE);
const money = (value: string): Expr => literal(value, decimal(6, 2));
const bytes = (value: string): Expr => literal(value, BYTES);
const nothing = int(null);
const items = (...values: readonly number[]): Expr => ({
  expr: 'array',
  items: values.map(int),
  type: array(INTEGER),
});

test.each<[string, readonly Expr[], unknown]>([
  ['COALESCE', [nothing, int(2), int(3)], 2],
  ['COALESCE', [nothing, nothing], null],
  ['IFNULL', [nothing, int(7)], 7],
  ['IFNULL', [int(1), int(7)], 1],
  ['NULLIF', [int(10), int(10)], null],
  ['NULLIF', [int(9), int(10)], 9],
  ['NULLIF', [items(1, 2), items(1, 2)], null],
  ['NULLIF', [nothing, int(10)], null],
  ['AS_VALUE', [text('k')], 'k'],
  ['ABS', [int(-3)], 3],
  ['ABS', [int(-2_147_483_648)], -2_147_483_648],
  ['ABS', [big('-9007199254740993')], 9_007_199_254_740_993n],
  ['ABS', [money('-1.50')], 150n],
  ['ABS', [literal(null, DOUBLE)], null],
  ['CEIL', [double(1.2)], 2],
  ['CEIL', [money('1.01')], 200n],
  ['CEIL', [money('-1.01')], -100n],
  ['FLOOR', [double(-1.2)], -2],
  ['FLOOR', [money('-1.01')], -200n],
  ['FLOOR', [money('1.99')], 100n],
  ['ROUND', [double(0.5)], 1n],
  ['ROUND', [double(-0.5)], 0n],
  ['ROUND', [double(-1.5)], -1n],
  ['ROUND', [double(0.499_999_999_999_999_94)], 0n],
  ['ROUND', [double(1.005), int(2)], 1.01],
  ['ROUND', [double(-1.25), int(1)], -1.2],
  ['ROUND', [double(-1.26), int(1)], -1.3],
  ['ROUND', [double(1e-7), int(2)], 0],
  ['ROUND', [double(1.5e-7), int(7)], 2e-7],
  ['ROUND', [double(1e300), int(20)], 1e300],
  ['ROUND', [double(0.049_999_999_999_999_996), int(1)], 0],
  ['ROUND', [double(1234.5), int(-2)], 1200],
  ['ROUND', [money('1.50')], 2n],
  ['ROUND', [money('-1.50')], -1n],
  ['ROUND', [money('-1.51')], -2n],
  ['ROUND', [literal('0.75', decimal(2, 2))], 1n],
  ['ROUND', [money('12.35'), int(1)], 1240n],
  ['ROUND', [money('-12.35'), int(1)], -1230n],
  ['ROUND', [money('15.00'), int(-1)], 2000n],
  ['ROUND', [money('12.35'), int(5)], 1235n],
  ['ROUND', [money('12.35'), int(-2_000_000_000)], 0n],
  ['SIGN', [double(-0.1)], -1],
  ['SIGN', [big('0')], 0],
  ['SQRT', [int(9)], 3],
  ['SQRT', [double(-1)], NaN],
  ['LEAST', [int(3), nothing, int(1)], 1],
  ['GREATEST', [text('a'), text('b')], 'b'],
  ['GREATEST', [money('1.50'), literal('1.5001', decimal(6, 4))], 15_001n],
  ['RANDOM', [], 0],
  ['LCASE', [text('ÄB')], 'äb'],
  ['UCASE', [text('äb')], 'ÄB'],
  ['INITCAP', [text('the  qUICK\tfox')], 'The  Quick\tFox'],
  // Only ASCII white space parts words, as Java's \\s does.
  ['INITCAP', [text(' élan\u00a0vital')], ' Élan\u00a0vital'],
  ['LEN', [text('日本')], 2],
  ['LEN', [bytes('AAEC')], 3],
  ['TRIM', [text(' \t a b\n')], 'a b'],
  ['SUBSTRING', [text('stream'), int(2)], 'tream'],
  ['SUBSTRING', [text('stream'), int(-3)], 'eam'],
  ['SUBSTRING', [text('stream'), int(2), int(3)], 'tre'],
  ['SUBSTRING', [text('stream'), int(-4), int(2)], 're'],
  ['SUBSTRING', [text('stream'), int(5), int(9)], 'am'],
  ['SUBSTRING', [text('stream'), int(9)], ''],
  ['SUBSTRING', [text('stream'), int(-9)], 'stream'],
  ['SUBSTRING', [text('stream'), int(-9), int(2)], 'st'],
  ['SUBSTRING', [text('stream'), int(0), int(2)], 'st'],
  ['SUBSTRING', [text('stream'), int(2), int(-1)], ''],
  ['SUBSTRING', [text('stream'), nothing], null],
  ['SUBSTRING', [bytes('AAECAw=='), int(3)], Uint8Array.of(2, 3)],
  ['CONCAT', [text('a'), text(null), text('c')], 'ac'],
  ['CONCAT', [bytes('AA=='), bytes('AQ==')], Uint8Array.of(0, 1)],
  ['REPLACE', [text('a.a.b'), text('a'), text('$&')], '$&.$&.b'],
  ['SPLIT', [text('a,b,,'), text(',')], ['a', 'b', '', '']],
  ['REPLACE', [text('ab'), text(''), text('-')], '-a-b-'],
  ['SPLIT', [text('a😀'), text('')], ['a', '😀']],
  ['SPLIT', [text(''), text('')], ['']],
  ['SPLIT', [bytes('AQACAAM='), bytes('AA==')], [1, 2, 3].map((byte) => Uint8Array.of(byte))],
  ['SPLIT', [bytes('AQEBAg=='), bytes('AQE=')], [new Uint8Array(0), Uint8Array.of(1, 2)]],
  ['SPLIT', [bytes('AQI='), bytes('')], [Uint8Array.of(1), Uint8Array.of(2)]],
  ['SPLIT', [bytes(''), bytes('')], [new Uint8Array(0)]],
  ['UNIX_TIMESTAMP', [], 1_234n],
  ['UNIX_TIMESTAMP', [literal(5, TIMESTAMP)], 5n],
  ['UNIX_DATE', [], 0],
  ['FROM_UNIXTIME', [big('17')], 17],
])('%s, case %#', (name, given, expected) => {
  expect(valueOf(call(name, ...given))).toEqual(expected);
});

test('a text that is not a number of its kind fails on its row and nowhere else', () => {
  const bad: Expr = { expr: 'cast', argument: text('x'), type: INTEGER };
  expect(valueOf(call('COALESCE', bad, int(1)))).toBeInstanceOf(Error);
});

test('types say what they are', () => {
  expect(call('LEN', text('x')).type).toBe(INTEGER);
  expect(call('SPLIT', text('x'), text('y')).type).toEqual(array(STRING));
});
