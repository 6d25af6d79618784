// The common aggregate functions as declared; what they do is in aggregate-bodies.ts, which the row path fetches. Knows no group.

import { BIGINT, DOUBLE } from '../data/type.ts';
import { aggregate, ANY, DECIMALS, first, NUMBERS, ORDERED, parameter } from './declare-common.ts';
import { AGGREGATE_BODIES } from './parts.ts';
import type { AggregateOverload } from './registry.ts';

export const AGGREGATES: readonly AggregateOverload[] = [
  ...[[], [parameter('value', ANY)]].map((parameters) =>
    aggregate({
      name: 'COUNT',
      parameters,
      returns: BIGINT,
      body: () => AGGREGATE_BODIES.code.COUNT_BODY,
    }),
  ),
  ...[...NUMBERS, DECIMALS].map((pattern) =>
    aggregate({
      name: 'SUM',
      parameters: [parameter('value', pattern)],
      returns: first,
      body: (types) => AGGREGATE_BODIES.code.sumBody(first(types)),
    }),
  ),
  ...NUMBERS.map((pattern) =>
    aggregate({
      name: 'AVG',
      parameters: [parameter('value', pattern)],
      returns: DOUBLE,
      body: (types) => AGGREGATE_BODIES.code.averageBody(first(types)),
    }),
  ),
  ...ORDERED.flatMap((pattern) => [
    aggregate({
      name: 'MIN',
      parameters: [parameter('value', pattern)],
      returns: first,
      body: (types) => AGGREGATE_BODIES.code.boundBody(first(types), -1),
    }),
    aggregate({
      name: 'MAX',
      parameters: [parameter('value', pattern)],
      returns: first,
      body: (types) => AGGREGATE_BODIES.code.boundBody(first(types), 1),
    }),
  ]),
];
