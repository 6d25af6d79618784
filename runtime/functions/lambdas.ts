// Functions that apply lambdas to collections: TRANSFORM, FILTER, REDUCE; knows nothing of how lambdas are evaluated.

import { RecordError } from '../base/errors.ts';
import { array, BOOLEAN, map, STRING, type Value } from '../data/type.ts';
import { weigher } from '../data/value.ts';
import { entries, identity, items } from './collections.ts';
import { first, of, parameter, scalar } from './declare.ts';
import type { LambdaFunction, Pattern, ScalarOverload } from './registry.ts';

const category = 'LAMBDA';

const any = (variable: string): Pattern => ({ pattern: 'any', variable });
const lambda = (parameters: readonly Pattern[], result: Pattern): Pattern => ({
  pattern: 'lambda',
  parameters,
  result,
});

const ITEM = any('T');
const KEY = any('K');
const VALUE = any('V');
const STATE = any('S');
const ARRAY: Pattern = { pattern: 'array', item: ITEM };
const MAP: Pattern = { pattern: 'map', key: KEY, value: VALUE };

/** Never called: a call has the lambdas that its overload declares. */
const NONE: LambdaFunction = () => null;

export const LAMBDAS: readonly ScalarOverload[] = [
  scalar({
    name: 'TRANSFORM',
    category,
    description:
      'The array with each item replaced by what the lambda makes of it, a null item too.',
    parameters: [parameter('array', ARRAY), parameter('item', lambda([ITEM], any('R')))],
    returns: ([, result = STRING]) => array(result),
    body: ([all], _context, _types, [item = NONE]) => {
      const weighed = weigher();
      return items(all).map((each) => weighed(item(each)));
    },
  }),
  scalar({
    name: 'TRANSFORM',
    category,
    description:
      'The map with each key and value replaced by what the two lambdas make of both; null where two keys become one.',
    parameters: [
      parameter('map', MAP),
      parameter('key', lambda([KEY, VALUE], any('R'))),
      parameter('value', lambda([KEY, VALUE], any('U'))),
    ],
    returns: ([, key = STRING, value = STRING]) => map(key, value),
    body: ([all], _context, _types, [keyOf = NONE, valueOf = NONE]) => {
      const into = new Map<Value, Value>();
      const seen = new Set<Value>();
      const weighed = weigher();
      for (const [key, value] of entries(all)) {
        const made = keyOf(key, value);
        const id = identity(made);
        if (seen.has(id))
          throw new RecordError('EXPRESSION', 'TRANSFORM makes one key of several keys of the map');
        seen.add(id);
        into.set(weighed(made), weighed(valueOf(key, value)));
      }
      return into;
    },
  }),
  scalar({
    name: 'FILTER',
    category,
    description: 'The items of the array for which the lambda is true.',
    parameters: [parameter('array', ARRAY), parameter('condition', lambda([ITEM], of(BOOLEAN)))],
    returns: first,
    body: ([all], _context, _types, [condition = NONE]) =>
      items(all).filter((item) => condition(item) === true),
  }),
  scalar({
    name: 'FILTER',
    category,
    description: 'The entries of the map for whose key and value the lambda is true.',
    parameters: [parameter('map', MAP), parameter('condition', lambda([KEY, VALUE], of(BOOLEAN)))],
    returns: first,
    body: ([all], _context, _types, [condition = NONE]) =>
      new Map([...entries(all)].filter(([key, value]) => condition(key, value) === true)),
  }),
  scalar({
    name: 'REDUCE',
    category,
    description:
      'The state after the lambda has made a new one of it and each item; without an array it stays, a null one stays null.',
    parameters: [
      parameter('array', ARRAY),
      parameter('state', STATE),
      parameter('next', lambda([STATE, ITEM], STATE)),
    ],
    returns: ([, state = STRING]) => state,
    nullPropagating: false,
    body: ([all, initial = null], _context, _types, [next = NONE]) =>
      initial === null ? null : items(all).reduce((state, item) => next(state, item), initial),
  }),
  scalar({
    name: 'REDUCE',
    category,
    description:
      'The state after the lambda has made a new one of it and each key and value; without a map it stays, a null one stays null.',
    parameters: [
      parameter('map', MAP),
      parameter('state', STATE),
      parameter('next', lambda([STATE, KEY, VALUE], STATE)),
    ],
    returns: ([, state = STRING]) => state,
    nullPropagating: false,
    body: ([all, initial = null], _context, _types, [next = NONE]) => {
      let state = initial;
      if (state === null) return null;
      for (const [key, value] of entries(all)) state = next(state, key, value);
      return state;
    },
  }),
];
