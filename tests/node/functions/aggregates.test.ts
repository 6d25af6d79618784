// The aggregate functions over values: nulls, order, limits, constants, overflow.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ATTR_VALUES_MAX,
  COLLECTED_VALUES_MAX,
  GROUP_VALUES_MAX,
  HISTOGRAM_KEYS_MAX,
} from '../../../runtime/base/limits.ts';
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
  type Value,
} from '../../../runtime/data/type.ts';
import { type AggregateOf, bodyOf, column, folded } from '../../support/aggregates.ts';
import { registry } from '../../support/operator-inputs.ts';

const of = (name: string, ...types: readonly Type[]): AggregateOf => ({ name, types });
const int = (value: number): readonly [Type, Value] => [INTEGER, value];
const bool = (value: boolean): readonly [Type, Value] => [BOOLEAN, value];
const withConstants = (
  name: string,
  type: Type,
  ...constants: readonly (readonly [Type, Value])[]
): AggregateOf => ({ name, types: [type], constants });

test.each<[AggregateOf, readonly (readonly Value[])[], Value]>([
  [of('COUNT'), [[], []], 2n],
  [of('COUNT', STRING), column('a', null, ''), 2n],
  [of('SUM', INTEGER), column(2_147_483_647, 1, null), -2_147_483_648],
  [of('SUM', BIGINT), column(null), 0n],
  [of('SUM', DOUBLE), column(5.4, 100.1), 105.5],
  [of('SUM', decimal(4, 1)), column(54n, 100n), 154n],
  [of('SUM_LIST', array(INTEGER)), column([1, 1], [100, null], null), 102],
  [of('AVG', INTEGER), column(1, 2, null), 1.5],
  [of('AVG', BIGINT), column(null), 0],
  [of('MIN', DOUBLE), column(0, -0, NaN), -0],
  [of('MAX', DOUBLE), column(5, NaN, Infinity), NaN],
  [of('MIN', STRING), column('b', 'a', null), 'a'],
  [of('MAX', INTEGER), column(null), null],
  [of('MAX', decimal(4, 2)), column(-100n, 20n), 20n],
  [of('LATEST_BY_OFFSET', INTEGER), column(12, null), 12],
  [withConstants('LATEST_BY_OFFSET', INTEGER, bool(false)), column(12, null), null],
  [withConstants('LATEST_BY_OFFSET', INTEGER, int(2)), column(1, 2, null, 3), [2, 3]],
  [
    withConstants('LATEST_BY_OFFSET', INTEGER, int(2), bool(false)),
    column(1, 2, null, 3),
    [null, 3],
  ],
  [of('EARLIEST_BY_OFFSET', INTEGER), column(null, 12, 13), 12],
  [withConstants('EARLIEST_BY_OFFSET', INTEGER, bool(false)), column(null, 13), null],
  [withConstants('EARLIEST_BY_OFFSET', INTEGER, int(2)), column(null, 1, 2, 3), [1, 2]],
  [
    withConstants('EARLIEST_BY_OFFSET', INTEGER, int(2), bool(false)),
    column(null, 1, 2),
    [null, 1],
  ],
  [of('COLLECT_LIST', STRING), column('b', null, 'b'), ['b', null, 'b']],
  [of('COLLECT_SET', STRING), column('b', null, 'b', null, 'a'), ['b', null, 'a']],
  [of('COLLECT_SET', DOUBLE), column(NaN, NaN, 0, -0), [NaN, 0, -0]],
  [of('COLLECT_SET', array(INTEGER)), column([1, null], [1, null], [1]), [[1, null], [1]]],
  [
    of('HISTOGRAM', STRING),
    column('a', 'b', null, 'a'),
    new Map([
      ['a', 2n],
      ['b', 1n],
    ]),
  ],
  [of('ATTR', STRING), column('a', 'a'), 'a'],
  [of('ATTR', STRING), column('a', 'b'), null],
  [of('ATTR', STRING), column(null, 'a'), null],
  [of('ATTR', array(INTEGER)), column([1], [1]), [1]],
  [withConstants('TOPK', DOUBLE, int(2)), column(1, 3, 3, null), [3, 3]],
  [withConstants('TOPK', DOUBLE, int(2)), column(1, NaN, -0, 0), [NaN, 1]],
  [withConstants('TOPKDISTINCT', DOUBLE, int(2)), column(1, 3, 3, 2), [3, 2]],
  [withConstants('TOPKDISTINCT', STRING, int(5)), column('a', 'c', 'a', 'b'), ['c', 'b', 'a']],
  [
    { name: 'TOPK', types: [INTEGER, STRING, DOUBLE], constants: [int(2)] },
    [
      [1, 'one', 0.5],
      [3, null, null],
      [null, 'left out', 1],
      [3, 'after its equal', 2],
    ],
    [
      [3, null, null],
      [3, 'after its equal', 2],
    ],
  ],
  [of('STDDEV_SAMP', INTEGER), column(5), 0],
  [of('STDDEV_SAMP', INTEGER), column(2, 4, null, 9), 13],
  [of('STDDEV_SAMPLE', BIGINT), column(2n, 4n, 9n), Math.sqrt(13)],
  [of('STDDEV_SAMPLE', DOUBLE), column(1, 1, 1), 0],
  [
    of('CORRELATION', DOUBLE, DOUBLE),
    [
      [1, 2],
      [null, 5],
      [2, 4],
      [3, 6],
    ],
    1,
  ],
  [of('CORRELATION', INTEGER, INTEGER), [[1, 2]], NaN],
  [of('COUNT_DISTINCT', STRING), column('a', 'b', null, 'a'), 2n],
])('%o over %o is %o', (call, rows, expected) => {
  const body = bodyOf(call);
  expect(body.result(folded(body, rows))).toEqual(expected);
});

test.each<[string, readonly (Type | null)[]]>([
  ['AVG', [decimal(4, 2)]],
  ['CORRELATION', [INTEGER, DOUBLE]],
  ['HISTOGRAM', [INTEGER]],
  ['SUM_LIST', [array(STRING)]],
  ['TOPK', [BOOLEAN, INTEGER]],
  ['LATEST_BY_OFFSET', [STRING, BIGINT]],
])('%s does not take %o: arguments of aggregates are not widened', (name, types) => {
  expect(registry.resolve(name, types)).toBe(null);
});

test('the entries of TOPK with further columns are structs of what was given', () => {
  const type = registry.resolve('TOPK', [INTEGER, STRING, array(BIGINT), INTEGER])?.type;
  expect(type).toEqual(
    array({
      kind: 'STRUCT',
      fields: [
        { name: 'sort_col', type: INTEGER },
        { name: 'col0', type: STRING },
        { name: 'col1', type: array(BIGINT) },
      ],
    }),
  );
});

test('a decimal sum that overflows is fatal, not a wrong number', () => {
  const body = bodyOf(of('SUM', decimal(4, 1)));
  expect(() => folded(body, column(9999n, 1n))).toThrow(
    expect.objectContaining({
      name: 'LimitError',
      message: 'numeric overflow: a sum of DECIMAL(4, 1) came to 1000.0',
    }),
  );
  expect(folded(body, column(-9999n))).toEqual([-9999n]);
});

test.each<[string, Readonly<Record<string, string>>, number]>([
  ['COLLECT_LIST', {}, COLLECTED_VALUES_MAX],
  ['COLLECT_SET', {}, COLLECTED_VALUES_MAX],
  ['COLLECT_LIST', { 'ksql.functions.collect_list.limit': '3' }, 3],
  ['COLLECT_SET', { 'ksql.functions.collect_set.limit': '0' }, 0],
  ['COLLECT_LIST', { 'ksql.functions.collect_list.limit': '-1' }, 1005],
])('%s with %o stops at %d values, merged ones too', (name, settings, most) => {
  const body = bodyOf({ name, types: [INTEGER], settings });
  const rows = Array.from({ length: 1005 }, (_, i) => [i]);
  expect(body.result(folded(body, rows))).toHaveLength(most);
  const into = folded(body, rows.slice(0, 500));
  body.merge?.(into, folded(body, rows.slice(500)));
  expect(body.result(into)).toEqual(body.result(folded(body, rows)));
});

test.each([
  [STRING, (i: number): Value => `v${i}`],
  [BIGINT, (i: number): Value => BigInt(i) * 2n ** 40n],
  [DOUBLE, (i: number): Value => i - 0.5],
])('a set of many of %o has each once, and sets that go on from one part', (type, valueOf) => {
  const body = bodyOf(of('COLLECT_SET', type));
  const values = Array.from({ length: 100 }, (_, i) => (i === 40 ? null : valueOf(i)));
  const both = folded(body, column(...values.slice(0, 90), ...values.slice(0, 90)));
  expect(body.result(both)).toEqual(values.slice(0, 90));
  const [first, second] = [[...both], [...both]];
  for (const value of [...values.slice(90, 95), ...values]) body.add(first, [value], 0);
  for (const value of [...values.slice(95).toReversed(), ...values.slice(0, 95)])
    body.add(second, [value], 0);
  expect(body.result(first)).toEqual(values);
  expect(body.result(second)).toEqual([
    ...values.slice(0, 90),
    ...values.slice(95).toReversed(),
    ...values.slice(90, 95),
  ]);
  expect(body.result(both)).toEqual(values.slice(0, 90));
});

test.each(['TOPK', 'TOPKDISTINCT'])('%s of rows in any order is what sorting gives', (name) => {
  const body = bodyOf(withConstants(name, INTEGER, int(3)));
  const rows = fc.array(fc.integer({ min: -4, max: 6 }), { maxLength: 20 });
  fc.assert(
    fc.property(rows, (values) => {
      const sorted = values.toSorted((a, b) => b - a);
      const distinct = name === 'TOPK' ? sorted : [...new Set(sorted)];
      expect(body.result(folded(body, column(...values)))).toEqual(distinct.slice(0, 3));
    }),
  );
});

test('a histogram counts at its limit what it knows, and lets new keys be', () => {
  const body = bodyOf(of('HISTOGRAM', STRING));
  const rows = Array.from({ length: HISTOGRAM_KEYS_MAX + 1 }, (_, i) => [`key ${i}`]);
  const cells = folded(body, [...rows, ['key 0'], [`key ${HISTOGRAM_KEYS_MAX}`]]);
  const counts = body.result(cells) as ReadonlyMap<Value, Value>;
  expect(counts.size).toBe(HISTOGRAM_KEYS_MAX);
  expect(counts.get('key 0')).toBe(2n);
  body.undo?.(cells, [`key ${HISTOGRAM_KEYS_MAX}`]);
  expect(body.result(cells)).toEqual(counts);
});

test.each<[AggregateOf, string | null]>([
  [withConstants('TOPK', INTEGER, int(0)), 'k must be 1 .. 10000'],
  [withConstants('TOPK', INTEGER, int(GROUP_VALUES_MAX)), null],
  [withConstants('TOPK', INTEGER, int(GROUP_VALUES_MAX + 1)), 'k must be 1 .. 10000'],
  [withConstants('EARLIEST_BY_OFFSET', INTEGER, int(GROUP_VALUES_MAX)), null],
  [withConstants('EARLIEST_BY_OFFSET', INTEGER, int(GROUP_VALUES_MAX + 1)), 'n must be 1 .. 10000'],
  [withConstants('TOPKDISTINCT', INTEGER, [INTEGER, null]), 'k must be 1 .. 10000'],
  [withConstants('LATEST_BY_OFFSET', INTEGER, int(0)), 'n must be 1 .. 10000'],
  [withConstants('EARLIEST_BY_OFFSET', INTEGER, int(1), [BOOLEAN, null]), 'a constant is NULL'],
])('%o is refused: %s', ({ name, types, constants = [] }, why) => {
  const found = registry.resolve(name, [...types, ...constants.map(([type]) => type)]);
  if (found?.overload.kind !== 'aggregate') throw new Error('it is an aggregate');
  const given = { constants: constants.map(([, value]) => value), settings: {} };
  expect(found.overload.refuses?.(given)).toBe(why);
});

test('a histogram that was shown, or copied, stays as it is', () => {
  const body = bodyOf(of('HISTOGRAM', STRING));
  const cells = folded(body, column('a', 'b'));
  const shown = body.result(cells);
  const copy = body.copy?.(cells) ?? [];
  folded(body, column('a', 'c'), 0, cells);
  body.undo?.(copy, ['b']);
  const into = folded(body, column('d'));
  body.merge?.(into, cells);
  body.add(into, ['a'], 0);
  const counts = (from: Value | undefined) => Object.fromEntries(from as Map<string, bigint>);
  expect(counts(shown)).toEqual({ a: 1n, b: 1n });
  expect(counts(cells[0])).toEqual({ a: 2n, b: 1n, c: 1n });
  expect(counts(copy[0])).toEqual({ a: 1n });
  expect(counts(into[0])).toEqual({ d: 1n, a: 3n, b: 1n, c: 1n });
});

test('between two rows that are shown a histogram is one map', () => {
  const body = bodyOf(of('HISTOGRAM', STRING));
  const cells = folded(body, column('a'));
  const [before] = cells;
  folded(body, column('a', 'b'), 0, cells);
  expect(cells[0]).toBe(before);
  expect(body.result(cells)).toBe(before);
  folded(body, column('a'), 0, cells);
  expect(cells[0]).not.toBe(before);
});

test('ATTR tells as many values apart as its limit, and fails on another one', () => {
  const body = bodyOf(of('ATTR', INTEGER));
  const cells = folded(body, column(...Array.from({ length: ATTR_VALUES_MAX }, (_, i) => i)));
  body.add(cells, [0], 0);
  const before = [...cells];
  expect(() => body.add(cells, [ATTR_VALUES_MAX], 0)).toThrow(
    expect.objectContaining({ name: 'RecordError', code: 'EXPRESSION' }),
  );
  expect(cells).toEqual(before);
  // What was not counted is not taken back; of two sessions the values beyond the limit are left out.
  body.undo?.(cells, [ATTR_VALUES_MAX]);
  body.merge?.(cells, folded(body, column(-1)));
  expect(cells).toEqual(before);
  for (let i = 1; i < ATTR_VALUES_MAX; i++) body.undo?.(cells, [i]);
  expect(body.result(cells)).toBe(0);
});

test.each(['COLLECT_LIST', 'COLLECT_SET'])(
  'a negative limit of %s is the greatest there is',
  (name) => {
    const property = `ksql.functions.${name.toLowerCase()}.limit`;
    const collecting = { ...of(name, INTEGER), settings: { [property]: '-1' } };
    const rows = column(...Array.from({ length: GROUP_VALUES_MAX + 1 }, (_, i) => i));
    expect(body(collecting, rows)).toHaveLength(GROUP_VALUES_MAX);
  },
);

function body(call: AggregateOf, rows: Value[][]): Value {
  const made = bodyOf(call);
  return made.result(folded(made, rows));
}

test('the earliest and the latest are so by offset, not by the session that they come from', () => {
  const earliest = bodyOf(of('EARLIEST_BY_OFFSET', INTEGER));
  const latest = bodyOf(of('LATEST_BY_OFFSET', INTEGER));
  const some = bodyOf(withConstants('LATEST_BY_OFFSET', INTEGER, int(2)));
  for (const [body, expected] of [
    [earliest, 7],
    [latest, 1],
    [some, [8, 1]],
  ] as const) {
    // The session that begins earlier came later.
    const into = folded(body, column(1), 5);
    body.merge?.(into, folded(body, column(7, 8), 3));
    expect(body.result(into)).toEqual(expected);
  }
});

test('maps are equal whatever the order of their entries', () => {
  const one = new Map<Value, Value>([
    ['a', 1],
    ['b', null],
  ]);
  const other = new Map([...one].reverse());
  const type = map(STRING, INTEGER);
  for (const [name, expected] of [
    ['COUNT_DISTINCT', 1n],
    ['COLLECT_SET', [one]],
    ['ATTR', one],
  ] as const) {
    const body = bodyOf(of(name, type));
    expect(body.result(folded(body, column(one, other)))).toEqual(expected);
  }
});
