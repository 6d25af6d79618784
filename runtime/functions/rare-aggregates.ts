// The aggregate functions that fewer queries call, gathered; what each does is in a file of its theme. Knows no group.

import { array, BIGINT, DOUBLE, INTEGER } from '../data/type.ts';
import { COLLECTING } from './collecting-aggregates.ts';
import { COUNT_DISTINCT } from './count-distinct.ts';
import { aggregate, of, parameter } from './declare.ts';
import { OFFSETS } from './offset-aggregates.ts';
import { AGGREGATE_BODIES } from './parts.ts';
import type { AggregateOverload } from './registry.ts';
import { STATISTICS } from './statistics-aggregates.ts';
import { TOP } from './top-aggregates.ts';

export const RARE_AGGREGATES: readonly AggregateOverload[] = [
  ...COLLECTING,
  ...OFFSETS,
  ...STATISTICS,
  ...TOP,
  COUNT_DISTINCT,
  ...[INTEGER, BIGINT, DOUBLE].map((type) =>
    aggregate({
      name: 'SUM_LIST',
      description: 'Adds all items of the lists; nulls count nothing.',
      parameters: [parameter('list', of(array(type)))],
      returns: type,
      body: () => AGGREGATE_BODIES.code.listSumBody(type),
    }),
  ),
];
