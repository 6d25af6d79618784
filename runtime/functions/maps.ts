// Functions of maps: keys, values, entries, union; knows no lambda and no other theme.

import { array, BOOLEAN, map, STRING, struct, type Type, type Value } from '../data/type.ts';
import { weigher } from '../data/value.ts';
import { entries, items } from './collections.ts';
import { ANY, first, of, parameter, scalar } from './declare.ts';
import type { Pattern, ScalarOverload } from './registry.ts';

const category = 'MAP';

const KEYS: Pattern = { pattern: 'any', variable: 'K' };
const ANY_MAP: Pattern = { pattern: 'map', key: KEYS, value: ANY };
const TEXT_MAP: Pattern = { pattern: 'map', key: of(STRING), value: ANY };

/** The type of the keys or the values of the first argument. */
function partOf(types: readonly Type[], part: 'key' | 'value'): Type {
  const own = first(types);
  return own.kind === 'MAP' ? own[part] : own;
}

/** The order of UTF-16 units, as Java orders text; null stands first. */
function byKey([a]: readonly [Value, Value], [b]: readonly [Value, Value]): number {
  const left = (a ?? '') as string;
  const right = (b ?? '') as string;
  return left < right ? -1 : left > right ? 1 : 0;
}

export const MAPS: readonly ScalarOverload[] = [
  scalar({
    name: 'AS_MAP',
    category,
    description:
      'A map of the keys in one array and the values in another; a key without a value has null.',
    parameters: [
      parameter('keys', { pattern: 'array', item: of(STRING) }),
      parameter('values', { pattern: 'array', item: ANY }),
    ],
    returns: ([, values]) => map(STRING, values?.kind === 'ARRAY' ? values.item : STRING),
    body: ([keys, values]) =>
      new Map(items(keys).map((key, index) => [key, items(values)[index] ?? null])),
  }),
  scalar({
    name: 'ENTRIES',
    category,
    description:
      'The entries of the map as structs of K and V, by key where they are to be sorted.',
    parameters: [parameter('map', TEXT_MAP), parameter('sorted', of(BOOLEAN))],
    returns: (types) =>
      array(
        struct([
          { name: 'K', type: STRING },
          { name: 'V', type: partOf(types, 'value') },
        ]),
      ),
    body: ([of, sorted]) => {
      const all = [...entries(of)];
      return sorted === true ? all.sort(byKey) : all;
    },
  }),
  scalar({
    name: 'MAP_KEYS',
    category,
    description: 'The keys of the map.',
    parameters: [parameter('map', ANY_MAP)],
    returns: (types) => array(partOf(types, 'key')),
    body: ([of]) => [...entries(of).keys()],
  }),
  scalar({
    name: 'MAP_VALUES',
    category,
    description: 'The values of the map.',
    parameters: [parameter('map', ANY_MAP)],
    returns: (types) => array(partOf(types, 'value')),
    body: ([of]) => [...entries(of).values()],
  }),
  scalar({
    name: 'MAP_UNION',
    category,
    description:
      'The entries of both maps, of the second where both have a key; a null map counts as empty beside one that is not.',
    parameters: [parameter('first', ANY_MAP), parameter('second', ANY_MAP)],
    returns: first,
    nullPropagating: false,
    body: ([left = null, right = null]) =>
      left === null && right === null
        ? null
        : weigher()(new Map([...entries(left), ...entries(right)])),
  }),
];
