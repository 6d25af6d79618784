// The table functions over values: order, nulls, the limit.

import { expect, test } from 'vitest';
import { CUBE_COLUMNS_MAX } from '../../../runtime/base/limits.ts';
import { array, INTEGER, map, STRING, type Value } from '../../../runtime/data/type.ts';
import type { TableBody } from '../../../runtime/functions/registry.ts';
import { registry } from '../../support/operator-inputs.ts';

function bodyOf(name: string): TableBody {
  const found = registry.resolve(name, [array(INTEGER)]);
  if (found?.overload.kind !== 'table') throw new Error(`no table function ${name}`);
  expect(found.overload.nullPropagating).toBe(true);
  return found.overload.body(found.casts);
}

test.each<[string, Value, readonly Value[]]>([
  ['EXPLODE', [3, null, 3], [3, null, 3]],
  ['EXPLODE', [], []],
  ['CUBE_EXPLODE', [], [[]]],
  ['CUBE_EXPLODE', [null], [[null]]],
  [
    'CUBE_EXPLODE',
    [1, 2],
    [
      [null, null],
      [null, 2],
      [1, null],
      [1, 2],
    ],
  ],
  [
    'CUBE_EXPLODE',
    [1, null, 3],
    [
      [null, null, null],
      [null, null, 3],
      [1, null, null],
      [1, null, 3],
    ],
  ],
])('%s of %o gives %o', (name, argument, rows) => {
  expect([...bodyOf(name)([argument])]).toEqual(rows);
});

test('the type of a row follows the list', () => {
  expect(registry.resolve('EXPLODE', [array(map(STRING, INTEGER))])?.type).toEqual(
    map(STRING, INTEGER),
  );
  expect(registry.resolve('CUBE_EXPLODE', [array(STRING)])?.type).toEqual(array(STRING));
  expect(registry.resolve('EXPLODE', [map(STRING, INTEGER)])).toBe(null);
});

test('a cube has as many columns as the limit, and no more', () => {
  const columns = (n: number): Value => Array.from({ length: n }, (_, i) => i);
  const cube = bodyOf('CUBE_EXPLODE');
  let rows = 0;
  for (const _ of cube([columns(CUBE_COLUMNS_MAX)])) rows++;
  expect(rows).toBe(2 ** CUBE_COLUMNS_MAX);
  expect(() => [...cube([columns(CUBE_COLUMNS_MAX + 1)])]).toThrow(
    `CUBE_EXPLODE of ${CUBE_COLUMNS_MAX + 1} columns: they are at most ${CUBE_COLUMNS_MAX}`,
  );
});
