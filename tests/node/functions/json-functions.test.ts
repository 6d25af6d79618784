// Functions of JSON texts: numbers keep their digits, the rest is as Jackson, which ksqlDB reads JSON with, has it.

import { expect, test } from 'vitest';
import { JSON_DEPTH_MAX, JSON_NUMBER_DIGITS_MAX } from '../../../runtime/base/limits.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  type Type,
  type Value,
} from '../../../runtime/data/type.ts';
import { jsonOf } from '../../../runtime/functions/to-json.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { call, failureOf, literal, text, valueOf } from '../../support/expressions.ts';

const of = (name: string, ...given: readonly (string | null)[]) =>
  valueOf(call(name, ...given.map(text)));

const LOG = '{"log":{"cloud":"gcp","n":4,"list":[1.50,[true,null],{"a b":"x"}]},"dot.ted":"é"}';

test.each([
  ['$.log.cloud', 'gcp'],
  ['$.log.n', '4'],
  ['$.log.list[0]', '1.50'],
  ['$.log.list[1]', '[true,null]'],
  ['$.log.list[1][1]', 'null'],
  ['$.log.list[2]["a b"]', 'x'],
  ['$["dot.ted"]', 'é'],
  ['$[log].list.2', '{"a b":"x"}'],
  ['$.log.list[3]', null],
  ['$.log.list.a', null],
  ['$.log.cloud.x', null],
  ['$.other', null],
])('the path %s leads to %s', (path, expected) => {
  expect(of('EXTRACTJSONFIELD', LOG, path)).toBe(expected);
});

test.each(['log', '', '$.', '$..log', '$.log.list[-1]', '$.log.*', '$[]', '$["a', '$.a-b', '$ .a'])(
  '%s is no path',
  (path) => {
    expect(failureOf(call('EXTRACTJSONFIELD', text(LOG), text(path)))).toContain('is no path');
  },
);

test('a path may quote a quote and a backslash', () => {
  expect(of('EXTRACTJSONFIELD', '{"a\\"\\\\":1}', '$["a\\"\\\\"]')).toBe('1');
});

test.each([
  ['12345678901234567890123', '12345678901234567890123'],
  ['-0', '0'],
  ['1.23450', '1.23450'],
  ['-0.0', '0.0'],
  ['1e3', '1E+3'],
  ['1.5E-3', '0.0015'],
  ['15e-8', '1.5E-7'],
  ['1.50e2', '150'],
  ['1.5e400', '1.5E+400'],
])('the number %s is extracted as %s', (written, expected) => {
  expect(of('EXTRACTJSONFIELD', `[${written}]`, '$[0]')).toBe(expected);
});

test('JSON_CONCAT writes numbers without exponents, up to JSON_NUMBER_DIGITS_MAX digits', () => {
  expect(of('JSON_CONCAT', '1e3', '[1.5e-7]')).toBe('[1000,0.00000015]');
  const most = `1e${JSON_NUMBER_DIGITS_MAX}`;
  expect(of('JSON_CONCAT', most)).toBe(`1${'0'.repeat(JSON_NUMBER_DIGITS_MAX)}`);
  const beyond = text(`1e${JSON_NUMBER_DIGITS_MAX + 1}`);
  expect(failureOf(call('JSON_CONCAT', beyond))).toContain('the most');
});

test.each([
  ['[1, 2, 3]', true],
  [' {} ', true],
  ['1', true],
  ['"abc"', true],
  ['null', true],
  ['', false],
  ['  ', false],
  ['abc', false],
  ['1a', false],
  ['nullx', false],
  ["{'a':1}", false],
  ['[1,]', false],
  ['01', false],
  ['NaN', false],
  [null, false],
  // Only the first value is read, as in ksqlDB.
  ['[1] 2', true],
  ['1 2', true],
])('IS_JSON_STRING of %s is %s', (given, expected) => {
  expect(of('IS_JSON_STRING', given)).toBe(expected);
});

test('JSON is read down to JSON_DEPTH_MAX', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  expect(of('IS_JSON_STRING', nested(JSON_DEPTH_MAX))).toBe(true);
  expect(of('IS_JSON_STRING', nested(JSON_DEPTH_MAX + 1))).toBe(false);
});

test.each<[string, Value, Type, boolean]>([
  ['[2147483647, {"ab":null}, [4], 4]', 4, INTEGER, true],
  ['[[4]]', 4, INTEGER, false],
  ['[9007199254740993]', '9007199254740993', BIGINT, true],
  ['[9007199254740992]', '9007199254740993', BIGINT, false],
  ['[1]', 1, DOUBLE, false],
  ['[1.0]', 1, INTEGER, false],
  ['[-1.6E3]', -1600, DOUBLE, true],
  ['[1.50]', '1.5', decimal(3, 1), true],
  ['[1.55]', '1.5', decimal(3, 1), false],
  ['["a\\u0062"]', 'ab', STRING, true],
  ['[1]', '1', STRING, false],
  ['[true]', true, BOOLEAN, true],
  ['[true]', false, BOOLEAN, false],
  ['[null]', null, STRING, true],
  ['["null"]', null, STRING, false],
  ['[]', null, STRING, false],
  ['{"a":1}', 1, INTEGER, false],
  ['', 1, INTEGER, false],
  ['[1, x', 1, INTEGER, true],
  ['[x, 1]', 1, INTEGER, false],
])('whether %s contains %s of %o: %s', (json, value, type, expected) => {
  const given = literal(value as string | number | boolean | null, type);
  expect(valueOf(call('JSON_ARRAY_CONTAINS', text(json), given))).toBe(expected);
});

test('a null text is no array', () => {
  expect(of('JSON_ARRAY_CONTAINS', null, 'a')).toBeNull();
});

test('an array has a length and items, an object keys and records; all else has none', () => {
  expect(of('JSON_ARRAY_LENGTH', '[1, [1, [2]], 3]')).toBe(3);
  expect(of('JSON_ITEMS', '[ {"b": 1.0, "a": "x\\/"}, 2, null ]')).toEqual([
    '{"b":1.0,"a":"x/"}',
    '2',
    'null',
  ]);
  expect(of('JSON_KEYS', '{"b":1,"a":{"c":2},"b":3}')).toEqual(['b', 'a']);
  expect(of('JSON_RECORDS', '{"b":1,"a":"x","b":[3]}')).toEqual(
    new Map([
      ['b', '[3]'],
      ['a', '"x"'],
    ]),
  );
  for (const other of ['1', '{}', '', null]) expect(of('JSON_ARRAY_LENGTH', other)).toBeNull();
  for (const other of ['1', '{}', '', null]) expect(of('JSON_ITEMS', other)).toBeNull();
  for (const other of ['1', '[]', '', null]) expect(of('JSON_KEYS', other)).toBeNull();
  for (const other of ['1', '[]', '', null]) expect(of('JSON_RECORDS', other)).toBeNull();
  expect(of('JSON_ARRAY_LENGTH', 'abc')).toBeInstanceOf(Error);
});

test.each<[readonly (string | null)[], string | null]>([
  [['{"a": 1}', '{"b": 2}'], '{"a":1,"b":2}'],
  [['{"a": {"5": 6}, "c": 1}', '{"a": {"3": 4}}'], '{"a":{"3":4},"c":1}'],
  [['[1, [2]]', '[[[3]]]'], '[1,[2],[[3]]]'],
  [['null', 'null'], '[null,null]'],
  [['[1, 2]', '{"a": 1}', '3'], '[1,2,{"a":1},3]'],
  [['{}', '{}'], '{}'],
  [['[]', '[]'], '[]'],
  [[' 1 '], '1'],
  [['', '[1]'], null],
  [[null, '[1]'], null],
])('JSON_CONCAT of %o is %s', (given, expected) => {
  expect(of('JSON_CONCAT', ...given)).toBe(expected);
});

test('what is not JSON is not joined', () => {
  expect(of('JSON_CONCAT', 'abc', '[1]')).toBeInstanceOf(Error);
});

test.each<[Type, Value, string]>([
  [INTEGER, 1, '1'],
  [BIGINT, 9_007_199_254_740_993n, '9007199254740993'],
  [DOUBLE, 1e10, '1.0E10'],
  [DOUBLE, NaN, '"NaN"'],
  [decimal(5, 3), 1500n, '1.500'],
  [BOOLEAN, true, 'true'],
  [STRING, 'a"\u001f/é', '"a\\"\\u001F/é"'],
  [{ kind: 'BYTES' }, Uint8Array.of(1, 2), '"AQI="'],
  [{ kind: 'TIME' }, 48_300_000, '"13:25"'],
  [{ kind: 'DATE' }, 18_911, '"2021-10-11"'],
  [{ kind: 'TIMESTAMP' }, 1_625_055_519_446, '"2021-06-30T12:18:39.446"'],
  [array(INTEGER), [1, null, 3], '[1,null,3]'],
  [
    map(STRING, INTEGER),
    new Map([
      ['d', 4],
      ['c', 2],
    ]),
    '{"c":2,"d":4}',
  ],
  [
    map(INTEGER, STRING),
    new Map([
      [10, 'x'],
      [9, 'y'],
    ]),
    '{"10":"x","9":"y"}',
  ],
  [
    struct([
      { name: 'NAME', type: STRING },
      { name: 'ID', type: { kind: 'DATE' } },
    ]),
    ['A', 0],
    '{"ID":"1970-01-01","NAME":"A"}',
  ],
  [struct([]), [], '{}'],
  [array(map(STRING, array(STRING))), [new Map([['a', []]]), new Map()], '[{"a":[]},{}]'],
])('TO_JSON_STRING of %o: %o', (type, value, expected) => {
  expect(jsonOf(type, value)).toBe(expected);
});

test('TO_JSON_STRING of a null is a text', () => {
  const nothing: Expr = literal(null, DOUBLE);
  expect(valueOf(call('TO_JSON_STRING', nothing))).toBe('null');
});
