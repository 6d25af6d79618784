// Functions of regular expressions: as Java's where RE2 can, refused where it cannot, and linear in time.

import { expect, test } from 'vitest';
import {
  PATTERN_INSTRUCTIONS_MAX,
  PATTERN_LENGTH_MAX,
  PATTERNS_MAX,
} from '../../../runtime/base/limits.ts';
import { INTEGER, type Value } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { PatternCache } from '../../../runtime/functions/patterns.ts';
import { call, failureOf, literal, text, valueOf } from '../../support/expressions.ts';

type Given = string | number | null;

const argument = (given: Given): Expr =>
  typeof given === 'number' ? literal(given, INTEGER) : text(given);

const of = (name: string, ...given: readonly Given[]) =>
  valueOf(call(name, ...given.map(argument)));

test.each<[string, readonly Given[], Value]>([
  ['REGEXP_EXTRACT', ['(.*) (.*)', 'hello there', 2], 'there'],
  ['REGEXP_EXTRACT', ['e.', 'hello there'], 'el'],
  ['REGEXP_EXTRACT', ['(x)?l', 'hello', 1], null],
  ['REGEXP_EXTRACT', ['l', 'hello', 1], null],
  ['REGEXP_EXTRACT', ['x', 'hello'], null],
  ['REGEXP_EXTRACT', ['x*', 'hello'], ''],
  ['REGEXP_EXTRACT', ['(?<first>h)(?i:E)', 'hello', 1], 'h'],
  ['REGEXP_EXTRACT', ['(?<=e)l', 'hello'], 'l'],
  ['REGEXP_EXTRACT', ['\\Q.*\\E', 'a.*'], '.*'],
  ['REGEXP_EXTRACT', ['(a|ab)(c|bcd)(d*)', 'abcd', 2], 'bcd'],
  ['REGEXP_EXTRACT', [null, 'hello'], null],
  ['REGEXP_EXTRACT_ALL', ['(\\w+) (\\w+)', 'hello there nice day', 2], ['there', 'day']],
  ['REGEXP_EXTRACT_ALL', ['o*', 'foo'], ['', 'oo', '']],
  ['REGEXP_EXTRACT_ALL', ['(x)?o', 'foo', 1], [null, null]],
  ['REGEXP_EXTRACT_ALL', ['x', 'foo'], []],
  ['REGEXP_EXTRACT_ALL', ['x', 'foo', 1], null],
  ['REGEXP_EXTRACT_ALL', ['😀', 'a😀b😀'], ['😀', '😀']],
  ['REGEXP_REPLACE', ['foobar', '(foo|bar)', 'cat'], 'catcat'],
  ['REGEXP_REPLACE', ['abc', '', 'n'], 'nanbncn'],
  ['REGEXP_REPLACE', ['aababa', '(ab)+', 'xy'], 'axya'],
  ['REGEXP_REPLACE', ['ab', '(a)(b)', '$2$1$0'], 'baab'],
  ['REGEXP_REPLACE', ['ab', '(a)(b)', '$12'], 'a2'],
  ['REGEXP_REPLACE', ['ab', '(?<x>a)', '${x}${x}'], 'aab'],
  ['REGEXP_REPLACE', ['ab', 'a', '\\$1\\\\'], '$1\\b'],
  ['REGEXP_REPLACE', ['ab', '(x)?b', '[$1]'], 'a[]'],
  ['REGEXP_REPLACE', ['ab', 'x', '\\'], 'ab'],
  ['REGEXP_REPLACE', ['ab', 'a', null], null],
  ['REGEXP_SPLIT_TO_ARRAY', ['x-y', 'x'], ['', '-y']],
  ['REGEXP_SPLIT_TO_ARRAY', ['x-y', '.'], ['', '', '', '']],
  ['REGEXP_SPLIT_TO_ARRAY', ['a-b-ccatd', '(-|cat)'], ['a', 'b', 'c', 'd']],
  ['REGEXP_SPLIT_TO_ARRAY', ['aababa', 'ab'], ['a', '', 'a']],
  ['REGEXP_SPLIT_TO_ARRAY', ['', 'z'], ['']],
  ['REGEXP_SPLIT_TO_ARRAY', ['x-y', ''], ['x', '-', 'y']],
  ['REGEXP_SPLIT_TO_ARRAY', ['', ''], ['']],
  ['REGEXP_SPLIT_TO_ARRAY', ['AB', '^'], ['AB']],
  ['REGEXP_SPLIT_TO_ARRAY', ['AB', '$'], ['AB']],
  ['REGEXP_SPLIT_TO_ARRAY', ['a,,b,', ',*'], ['a', '', 'b']],
  ['REGEXP_SPLIT_TO_ARRAY', ['ab cd', '\\b'], ['ab', ' ', 'cd']],
  ['REGEXP_SPLIT_TO_ARRAY', ['A--', '-'], ['A', '', '']],
])('%s of %o, case %#', (name, given, expected) => {
  expect(of(name, ...given)).toEqual(expected);
});

test.each<[string, readonly Given[], string]>([
  ['REGEXP_EXTRACT', ['(()', 'a'], 'cannot be used'],
  ['REGEXP_EXTRACT', ['(a)\\1', 'aa'], 'cannot be used'],
  ['REGEXP_EXTRACT', ['a(?=b)', 'ab'], 'cannot be used'],
  ['REGEXP_EXTRACT', ['a++', 'aa'], 'cannot be used'],
  ['REGEXP_EXTRACT', ['[a-z&&[^b]]', 'a'], 'not supported'],
  ['REGEXP_EXTRACT', ['[a[bc]]', 'a'], 'not supported'],
  ['REGEXP_EXTRACT', ['a', 'a', -1], 'no group -1'],
  ['REGEXP_EXTRACT_ALL', ['a{1000}'.repeat(11), 'a'], `${PATTERN_INSTRUCTIONS_MAX} are the most`],
  ['REGEXP_REPLACE', ['a', 'a', '$1'], 'no group 1'],
  ['REGEXP_REPLACE', ['a', 'a', '${x}'], "no group 'x'"],
  ['REGEXP_REPLACE', ['a', 'a', 'cost: $'], "'$' stands alone"],
  ['REGEXP_REPLACE', ['a', 'a', '\\'], "'\\' stands alone"],
])('%s of %o fails on its row, case %#', (name, given, reason) => {
  expect(failureOf(call(name, ...given.map(argument)))).toContain(reason);
});

test.each(['[]a]', '[^]a]', '\\[a[b]', '[\\]a]b&&', '\\Q[[\\E[a]'])(
  'brackets that are plain characters are not classes within classes: %s',
  (pattern) => {
    expect(failureOf(call('REGEXP_EXTRACT', text(pattern), text('')))).not.toContain(
      'within another',
    );
  },
);

test('a pattern has at most PATTERN_LENGTH_MAX characters', () => {
  const most = 'a'.repeat(PATTERN_LENGTH_MAX);
  expect(of('REGEXP_EXTRACT', most, most)).toBe(most);
  expect(failureOf(call('REGEXP_EXTRACT', text(`${most}a`), text(most)))).toContain('the most');
});

test('a pattern compiles to at most PATTERN_INSTRUCTIONS_MAX instructions', () => {
  // An instruction a letter, and a few around them.
  const most = 'a{999}'.repeat(10);
  expect(of('REGEXP_EXTRACT', most, 'a')).toBeNull();
});

test('a pattern that backtracking cannot finish is done in a moment', () => {
  const started = performance.now();
  expect(of('REGEXP_EXTRACT', '(a*)*(a*)*b', 'a'.repeat(20_000))).toBeNull();
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('the last PATTERNS_MAX patterns are kept, refused ones too', () => {
  const cache = new PatternCache();
  const first = cache.get('p0');
  for (let i = 1; i < PATTERNS_MAX; i++) cache.get(`p${i}`);
  expect(cache.get('p0')).toBe(first);
  cache.get('one more');
  expect(cache.get('p0')).not.toBe(first);
  expect(() => cache.get('(')).toThrow('cannot be used');
  expect(() => cache.get('(')).toThrow('cannot be used');
});
