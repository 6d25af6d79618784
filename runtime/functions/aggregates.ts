// The aggregate functions as declared; what they do is in aggregate-bodies.ts, which the row path fetches. Knows no group.

import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
} from '../data/type.ts';
import { aggregateFunction, ANY, DECIMALS, first, of, parameter } from './declare.ts';
import { AGGREGATE_BODIES } from './parts.ts';
import type { AggregateOverload } from './registry.ts';

/** Values that a collected list holds at most: it is kept and stored as a whole. */
export const COLLECTED_VALUES_MAX = 1000;

const NUMBERS = [of(INTEGER), of(BIGINT), of(DOUBLE)];
const ORDERED = [...NUMBERS, DECIMALS, ...[DATE, TIME, TIMESTAMP, STRING, BYTES].map(of)];

export const AGGREGATES: readonly AggregateOverload[] = [
  ...[[], [parameter('value', ANY)]].map((parameters) =>
    aggregateFunction({
      name: 'COUNT',
      description: 'Counts rows; with an argument, those in which it is not null.',
      parameters,
      returns: BIGINT,
      body: () => AGGREGATE_BODIES.code.COUNT_BODY,
    }),
  ),
  ...[...NUMBERS, DECIMALS].map((pattern) =>
    aggregateFunction({
      name: 'SUM',
      description: 'Adds the values; nulls count nothing.',
      parameters: [parameter('value', pattern)],
      returns: first,
      body: (types) => AGGREGATE_BODIES.code.sumBody(first(types)),
    }),
  ),
  ...[INTEGER, BIGINT, DOUBLE].map((type) =>
    aggregateFunction({
      name: 'SUM_LIST',
      description: 'Adds all items of the lists; nulls count nothing.',
      parameters: [parameter('list', of(array(type)))],
      returns: type,
      body: () => AGGREGATE_BODIES.code.listSumBody(type),
    }),
  ),
  ...NUMBERS.map((pattern) =>
    aggregateFunction({
      name: 'AVG',
      description: 'The average of the values that are not null.',
      parameters: [parameter('value', pattern)],
      returns: DOUBLE,
      body: (types) => AGGREGATE_BODIES.code.averageBody(first(types)),
    }),
  ),
  ...ORDERED.flatMap((pattern) => [
    aggregateFunction({
      name: 'MIN',
      description: 'The least value that is not null.',
      parameters: [parameter('value', pattern)],
      returns: first,
      body: (types) => AGGREGATE_BODIES.code.boundBody(first(types), -1),
    }),
    aggregateFunction({
      name: 'MAX',
      description: 'The greatest value that is not null.',
      parameters: [parameter('value', pattern)],
      returns: first,
      body: (types) => AGGREGATE_BODIES.code.boundBody(first(types), 1),
    }),
  ]),
  ...(['EARLIEST', 'LATEST'] as const).flatMap((which) =>
    [[], [parameter('ignoreNulls', of(BOOLEAN))]].map((options) =>
      aggregateFunction({
        name: `${which}_BY_OFFSET`,
        description: `The ${which === 'LATEST' ? 'last' : 'first'} value; nulls are left out unless asked for.`,
        parameters: [parameter('value', ANY), ...options],
        returns: first,
        body: (types) => AGGREGATE_BODIES.code.offsetBody(first(types), which),
      }),
    ),
  ),
  aggregateFunction({
    name: 'COLLECT_LIST',
    description: `All values in the order of their rows, nulls too, at most ${COLLECTED_VALUES_MAX}.`,
    parameters: [parameter('value', ANY)],
    returns: (types) => array(first(types)),
    body: (types) => AGGREGATE_BODIES.code.listBody(first(types)),
  }),
  ...ORDERED.flatMap((pattern) =>
    [false, true].map((distinct) =>
      aggregateFunction({
        name: distinct ? 'TOPKDISTINCT' : 'TOPK',
        description: `The greatest k ${distinct ? 'different ' : ''}values, greatest first.`,
        parameters: [parameter('value', pattern), parameter('k', of(INTEGER))],
        returns: (types) => array(first(types)),
        body: (types) => AGGREGATE_BODIES.code.topBody(first(types), distinct),
      }),
    ),
  ),
];
