// Functions about nulls and about keys as values; knows no other theme.

import { valueEquals } from '../data/value.ts';
import { ANY, first, parameter, scalar, variadic } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'CONDITIONAL';

export const NULLS: readonly ScalarOverload[] = [
  scalar({
    name: 'COALESCE',
    category,
    description: 'The first argument that is not null; null where all are.',
    parameters: [parameter('first', ANY), variadic('others', ANY)],
    returns: first,
    nullPropagating: false,
    body: (values) => values.find((value) => value !== null) ?? null,
  }),
  scalar({
    name: 'IFNULL',
    category,
    description: 'The first argument, or the second where the first is null.',
    parameters: [parameter('value', ANY), parameter('otherwise', ANY)],
    returns: first,
    nullPropagating: false,
    body: ([value = null, otherwise = null]) => value ?? otherwise,
  }),
  scalar({
    name: 'NULLIF',
    category,
    description:
      'Null where both arguments are equal, else the first; a null second one leaves the first.',
    parameters: [parameter('value', ANY), parameter('other', ANY)],
    returns: first,
    nullPropagating: false,
    body: ([value = null, other = null]) => (valueEquals(value, other) ? null : value),
  }),
  scalar({
    name: 'AS_VALUE',
    category: 'OTHER',
    description: 'Its argument, a null too: copies a key column into the value.',
    parameters: [parameter('key', ANY)],
    returns: first,
    nullPropagating: false,
    body: ([value = null]) => value,
  }),
];
