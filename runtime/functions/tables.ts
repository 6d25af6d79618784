// The table functions that come with millrace: EXPLODE, CUBE_EXPLODE; knows no rows but those it makes.

import { RecordError } from '../base/errors.ts';
import { CUBE_COLUMNS_MAX } from '../base/limits.ts';
import { STRING, type Type, type Value } from '../data/type.ts';
import { ANY, first, parameter } from './declare.ts';
import { table } from './declare-rare.ts';
import type { Pattern, TableOverload } from './registry.ts';

const LIST: Pattern = { pattern: 'array', item: ANY };

function itemOf(types: readonly Type[]): Type {
  const type = first(types);
  return type.kind === 'ARRAY' ? type.item : STRING;
}

/** All lists in which some of the items are null instead, the empty one first; an item that is null already adds none. */
function* cube(items: readonly Value[]): Generator<Value> {
  if (items.length > CUBE_COLUMNS_MAX) {
    throw new RecordError(
      'EXPRESSION',
      `CUBE_EXPLODE of ${items.length} columns: they are at most ${CUBE_COLUMNS_MAX}`,
    );
  }
  const last = items.length - 1;
  const filled = items.reduce<number>(
    (bits, item, i) => bits | (item === null ? 0 : 1 << (last - i)),
    0,
  );
  for (let kept = 0; kept <= filled; kept++) {
    // A bit of an item that is null would repeat another list.
    if ((kept & ~filled) === 0)
      yield items.map((item, i) => (kept & (1 << (last - i)) ? item : null));
  }
}

export const TABLES: readonly TableOverload[] = [
  table({
    name: 'EXPLODE',
    description: 'A row for each item of the list.',
    parameters: [parameter('list', LIST)],
    returns: itemOf,
    body: ([list = null]) => list as readonly Value[],
  }),
  table({
    name: 'CUBE_EXPLODE',
    description: `A row for each way to have some of the items of the list null, at most ${CUBE_COLUMNS_MAX} of them.`,
    parameters: [parameter('columns', LIST)],
    returns: first,
    body: ([list = null]) => cube(list as readonly Value[]),
  }),
];
