// The aggregate functions over values: nulls, order, limits, undo and merging.

import { expect, test } from 'vitest';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  STRING,
  type Type,
  type Value,
} from '../../../runtime/data/type.ts';
import type { AggregateBody } from '../../../runtime/functions/registry.ts';
import { registry } from '../../support/operator-inputs.ts';

function bodyOf(name: string, ...types: readonly Type[]): AggregateBody {
  const found = registry.resolve(name, types);
  if (found?.overload.kind !== 'aggregate') throw new Error(`no aggregate ${name}`);
  return found.overload.body(found.casts);
}

function folded(body: AggregateBody, rows: readonly (readonly Value[])[]): Value[] {
  const cells = body.initial();
  for (const row of rows) body.add(cells, row);
  expect(cells.length).toBe(body.cells.length);
  return cells;
}

const column = (...values: readonly Value[]): Value[][] => values.map((value) => [value]);

test.each<[string, readonly Type[], readonly (readonly Value[])[], Value]>([
  ['COUNT', [], [[], []], 2n],
  ['COUNT', [STRING], column('a', null, ''), 2n],
  ['SUM', [INTEGER], column(2_147_483_647, 1, null), -2_147_483_648],
  ['SUM', [BIGINT], column(null), 0n],
  ['SUM', [DOUBLE], column(5.4, 100.1), 105.5],
  ['SUM', [decimal(4, 1)], column(54n, 1001n), 1055n],
  ['SUM_LIST', [array(INTEGER)], column([1, 1], [100, null], null), 102],
  ['AVG', [INTEGER], column(1, 2, null), 1.5],
  ['AVG', [BIGINT], column(null), 0],
  ['MIN', [DOUBLE], column(0, -0, NaN), -0],
  ['MAX', [DOUBLE], column(5, NaN, Infinity), NaN],
  ['MIN', [STRING], column('b', 'a', null), 'a'],
  ['MAX', [INTEGER], column(null), null],
  ['MAX', [decimal(4, 2)], column(-100n, 20n), 20n],
  ['LATEST_BY_OFFSET', [INTEGER], column(12, null), 12],
  [
    'LATEST_BY_OFFSET',
    [INTEGER, BOOLEAN],
    [
      [12, false],
      [null, false],
    ],
    null,
  ],
  ['EARLIEST_BY_OFFSET', [INTEGER], column(null, 12, 13), 12],
  [
    'EARLIEST_BY_OFFSET',
    [INTEGER, BOOLEAN],
    [
      [null, false],
      [13, false],
    ],
    null,
  ],
  ['COLLECT_LIST', [STRING], column('b', null, 'b'), ['b', null, 'b']],
  [
    'TOPK',
    [DOUBLE, INTEGER],
    [
      [1, 2],
      [3, 2],
      [3, 2],
      [null, 2],
    ],
    [3, 3],
  ],
  [
    'TOPKDISTINCT',
    [DOUBLE, INTEGER],
    [
      [1, 2],
      [3, 2],
      [3, 2],
      [2, 2],
    ],
    [3, 2],
  ],
])('%s, case %#', (name, types, rows, expected) => {
  const body = bodyOf(name, ...types);
  expect(body.result(folded(body, rows))).toEqual(expected);
});

test.each<[string, readonly Type[], readonly Value[]]>([
  ['COUNT', [STRING], ['a', null, 'b']],
  ['SUM', [INTEGER], [2_147_483_647, 5, null]],
  ['SUM', [decimal(6, 2)], [100n, -50n, null]],
  ['SUM_LIST', [array(BIGINT)], [[1n], [2n, null], null]],
  ['AVG', [BIGINT], [7n, 8n, null]],
  ['COLLECT_LIST', [STRING], ['a', 'b', null]],
])('%s takes back what it added, case %#', (name, types, values) => {
  const body = bodyOf(name, ...types);
  const before = folded(body, column(...values));
  const cells = [...before];
  for (const value of values) body.add(cells, [value]);
  for (const value of [...values].reverse()) body.undo?.(cells, [value]);
  expect(body.undo).not.toBe(null);
  expect(cells).toEqual(before);
});

test.each<[string, readonly Type[]]>([
  ['COUNT', [INTEGER]],
  ['SUM', [INTEGER]],
  ['AVG', [INTEGER]],
  ['MIN', [INTEGER]],
  ['MAX', [INTEGER]],
  ['LATEST_BY_OFFSET', [INTEGER]],
  ['EARLIEST_BY_OFFSET', [INTEGER]],
  ['COLLECT_LIST', [INTEGER]],
])('%s merges what came before with what came after', (name, types) => {
  const body = bodyOf(name, ...types);
  const first = column(3, null, 1);
  const second = column(null, 2, 9);
  const into = folded(body, first);
  body.merge?.(into, folded(body, second));
  expect(body.result(into)).toEqual(body.result(folded(body, [...first, ...second])));
});

test('TOPK merges its values and its k', () => {
  const body = bodyOf('TOPK', INTEGER, INTEGER);
  const into = folded(body, [
    [3, 2],
    [1, 2],
  ]);
  body.merge?.(into, folded(body, [[2, 2]]));
  expect(body.result(into)).toEqual([3, 2]);
  expect(() => folded(body, [[1, 0]])).toThrow('k must be at least 1');
});

test('a decimal sum that overflows is an error, not a wrong number', () => {
  const body = bodyOf('SUM', decimal(4, 1));
  expect(() => folded(body, column(9999n, 1n))).toThrow('numeric overflow');
});

test('a collected list stops at its bound', () => {
  const body = bodyOf('COLLECT_LIST', INTEGER);
  const rows = Array.from({ length: 1005 }, (_, i) => [i]);
  expect(body.result(folded(body, rows))).toHaveLength(1000);
});
