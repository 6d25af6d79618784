// Functions of arrays, maps and lambdas: edges that cases as data do not reach, and properties against plain JavaScript.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SERIES_ITEMS_MAX } from '../../../runtime/base/limits.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  type Type,
  type Value,
} from '../../../runtime/data/type.ts';
import { valueEquals } from '../../../runtime/data/value.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { identity } from '../../../runtime/functions/collections.ts';
import type { LambdaFunction } from '../../../runtime/functions/registry.ts';

const registry = builtinRegistry();

/** The function's value for these arguments. */
function applied(name: string, types: readonly Type[], ...values: readonly Value[]): Value {
  const resolved = registry.resolve(name, types);
  if (resolved?.overload.kind !== 'scalar' || resolved.overload.body === null)
    throw new Error(`${name} has no body for these types`);
  if (resolved.overload.nullPropagating && values.includes(null)) return null;
  return resolved.overload.body(resolved.casts)(values, { now: 0, random: () => 0 }, []);
}

const INTS = array(INTEGER);
const DOUBLES = array(DOUBLE);
const TEXTS = array(STRING);

test.each<[string, readonly Type[], readonly Value[], Value]>([
  ['ARRAY_MAX', [DOUBLES], [[0, NaN, null, Infinity]], NaN],
  ['ARRAY_MIN', [DOUBLES], [[0, -0, NaN]], -0],
  ['ARRAY_SORT', [DOUBLES], [[NaN, 0, -0, -1, null]], [-1, -0, 0, NaN, null]],
  ['ARRAY_DISTINCT', [DOUBLES], [[NaN, 0, NaN, -0, 0]], [NaN, 0, -0]],
  ['ARRAY_SORT', [TEXTS], [['\u{1f600}', '\uff00', 'a']], ['a', '\u{1f600}', '\uff00']],
  [
    'ARRAY_SORT',
    [array(BYTES)],
    [[Uint8Array.of(200), Uint8Array.of(3, 1), Uint8Array.of(3)]],
    [Uint8Array.of(3), Uint8Array.of(3, 1), Uint8Array.of(200)],
  ],
  ['ARRAY_DISTINCT', [array(BYTES)], [[Uint8Array.of(1), Uint8Array.of(1)]], [Uint8Array.of(1)]],
  ['ARRAY_DISTINCT', [array(TEXTS)], [[['a,b'], ['a', 'b'], ['a,b']]], [['a,b'], ['a', 'b']]],
  ['ARRAY_DISTINCT', [array(TEXTS)], [[['null'], [null]]], [['null'], [null]]],
  [
    'AS_MAP',
    [TEXTS, INTS],
    [
      ['a', 'a'],
      [1, 2],
    ],
    new Map([['a', 2]]),
  ],
  [
    'GENERATE_SERIES',
    [BIGINT, BIGINT],
    [2n ** 63n - 2n, 2n ** 63n - 1n],
    [2n ** 63n - 2n, 2n ** 63n - 1n],
  ],
  ['GENERATE_SERIES', [INTEGER, INTEGER, INTEGER], [5, 5, -3], [5]],
])('%s of %o', (name, types, values, expected) => {
  expect(applied(name, types, ...values)).toEqual(expected);
});

test('a series of as many numbers as the limit is made, one more is refused', () => {
  const types = [INTEGER, INTEGER];
  expect(applied('GENERATE_SERIES', types, 1, SERIES_ITEMS_MAX)).toHaveLength(SERIES_ITEMS_MAX);
  expect(() => applied('GENERATE_SERIES', types, 0, SERIES_ITEMS_MAX)).toThrow(
    expect.objectContaining({ name: 'RecordError', code: 'EXPRESSION' }),
  );
});

test('functions leave their arguments as they are', () => {
  const given = Object.freeze([3, 1, null, 2]);
  expect(applied('ARRAY_SORT', [INTS], given)).toEqual([1, 2, 3, null]);
  const entries = new Map<Value, Value>([['a', 1]]);
  applied('MAP_UNION', [map(STRING, INTEGER), map(STRING, INTEGER)], entries, new Map([['b', 2]]));
  expect(entries.size).toBe(1);
});

test('every function of collections says what it does, and lambdas are a part of its signature', () => {
  const names = ['ARRAY_SORT', 'MAP_KEYS', 'TRANSFORM', 'FILTER', 'REDUCE', 'SLICE', 'ENTRIES'];
  const overloads = names.flatMap((name) => registry.overloads(name));
  expect(overloads.filter(({ description }) => !description.endsWith('.'))).toEqual([]);
  expect(registry.bySignature('REDUCE', 'REDUCE(ARRAY<T>, S, LAMBDA (S, T) => S)')).not.toBeNull();
  expect(
    registry.bySignature('FILTER', 'FILTER(MAP<K, V>, LAMBDA (K, V) => BOOLEAN)'),
  ).not.toBeNull();
});

test('a lambda is called once an item, in the order of the items', () => {
  const found = registry.bySignature('REDUCE', 'REDUCE(ARRAY<T>, S, LAMBDA (S, T) => S)');
  if (found?.kind !== 'scalar' || found.body === null) throw new Error('REDUCE has no body');
  const seen: Value[] = [];
  const lambda: LambdaFunction = (state = null, item = null) => {
    seen.push(item);
    return Number(state) + Number(item);
  };
  const context = { now: 0, random: () => 0 };
  expect(found.body([INTS, INTEGER, INTEGER])([[1, 2, 3], 10], context, [lambda])).toBe(16);
  expect(seen).toEqual([1, 2, 3]);
});

const ints = fc.array(fc.option(fc.integer({ min: -3, max: 3 })), { maxLength: 12 });

test('sets of arrays agree with sets of JavaScript', () => {
  fc.assert(
    fc.property(ints, ints, (left, right) => {
      const types = [INTS, INTS];
      const has = new Set(right);
      const once = [...new Set(left)];
      expect(applied('ARRAY_DISTINCT', [INTS], left)).toEqual(once);
      expect(applied('ARRAY_EXCEPT', types, left, right)).toEqual(once.filter((x) => !has.has(x)));
      expect(applied('ARRAY_INTERSECT', types, left, right)).toEqual(
        once.filter((x) => has.has(x)),
      );
      expect(applied('ARRAY_UNION', types, left, right)).toEqual([...new Set([...left, ...right])]);
    }),
  );
});

test('the least of an array is the first in order, the greatest the first the other way', () => {
  fc.assert(
    fc.property(ints, (given) => {
      const up = applied('ARRAY_SORT', [INTS], given) as readonly Value[];
      const down = applied('ARRAY_SORT', [INTS, STRING], given, 'DESC') as readonly Value[];
      expect(applied('ARRAY_MIN', [INTS], given)).toBe(up[0] ?? null);
      expect(applied('ARRAY_MAX', [INTS], given)).toBe(down[0] ?? null);
      const known = given.filter((item) => item !== null);
      expect(up).toEqual([...known.sort((a, b) => a - b), ...given.filter((x) => x === null)]);
    }),
  );
});

test('a slice is what is between two places of the array, or nothing where they are not in it', () => {
  const place = fc.integer({ min: -2, max: 14 });
  fc.assert(
    fc.property(ints, place, place, (given, from, to) => {
      const inside = from >= 1 && to <= given.length && from <= to + 1;
      const expected = inside ? given.slice(from - 1, to) : null;
      expect(applied('SLICE', [INTS, INTEGER, INTEGER], given, from, to)).toEqual(expected);
    }),
  );
});

test('a series has its step between all numbers and ends within a step of its end', () => {
  const bound = fc.integer({ min: -50, max: 50 });
  const step = fc.integer({ min: 1, max: 7 });
  fc.assert(
    fc.property(bound, bound, step, (start, end, size) => {
      const by = end < start ? -size : size;
      const made = applied(
        'GENERATE_SERIES',
        [INTEGER, INTEGER, INTEGER],
        start,
        end,
        by,
      ) as number[];
      const expected: number[] = [];
      for (let at = start; by > 0 ? at <= end : at >= end; at += by) expected.push(at);
      expect(made).toEqual(expected);
    }),
  );
});

const nested: fc.Arbitrary<Value> = fc.oneof(
  fc.array(fc.option(fc.constantFrom('', 'a', ',', '"', 'null')), { maxLength: 3 }),
  fc
    .array(fc.tuple(fc.constantFrom('a', 'b', ':'), fc.option(fc.constantFrom('x', ':', '"'))), {
      maxLength: 3,
    })
    .map((entries) => new Map<Value, Value>(entries)),
  fc.uint8Array({ maxLength: 2 }),
  fc.constantFrom<Value>(0, -0, NaN, 1, 1n, null, true, ''),
);

test('values of one type have one identity where they are equal, and two where they are not', () => {
  const pair = fc.tuple(nested, nested).filter(([a, b]) => kindOf(a) === kindOf(b));
  fc.assert(
    fc.property(pair, ([a, b]) => {
      expect(identity(a) === identity(b) || Object.is(identity(a), identity(b))).toBe(
        valueEquals(a, b),
      );
    }),
  );
});

function kindOf(value: Value): string {
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.prototype.toString.call(value);
}

test('collections that differ only in what they hold deeper down are told apart', () => {
  const item = struct([{ name: 'X', type: array(map(STRING, BOOLEAN)) }]);
  const one: Value = [[new Map<Value, Value>([['a', true]])]];
  const other: Value = [[new Map<Value, Value>([['a', false]])]];
  expect(applied('ARRAY_DISTINCT', [array(item)], [one, other, one])).toEqual([one, other]);
  expect(applied('ARRAY_CONTAINS', [array(item), item], [one], other)).toBe(false);
});
