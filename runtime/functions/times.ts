// Functions of time that need no patterns and no zones; knows no other theme.

import { BIGINT, DATE, INTEGER, TIMESTAMP } from '../data/type.ts';
import { bigintOf } from '../expr/cast.ts';
import { dayOf } from '../expr/datetime.ts';
import { of, parameter, scalar } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'DATE_TIME';

export const TIMES: readonly ScalarOverload[] = [
  scalar({
    name: 'UNIX_TIMESTAMP',
    category,
    description: 'The logical time of the row in milliseconds since the Unix epoch.',
    parameters: [],
    returns: BIGINT,
    body: (_values, context) => bigintOf(context.now),
  }),
  scalar({
    name: 'UNIX_TIMESTAMP',
    category,
    description: 'A timestamp in milliseconds since the Unix epoch.',
    parameters: [parameter('timestamp', of(TIMESTAMP))],
    returns: BIGINT,
    body: ([value = null]) => bigintOf(value as number),
  }),
  scalar({
    name: 'UNIX_DATE',
    category,
    description: 'The logical day of the row in days since the Unix epoch.',
    parameters: [],
    returns: INTEGER,
    body: (_values, context) => dayOf(context.now),
  }),
  scalar({
    name: 'UNIX_DATE',
    category,
    description: 'A date in days since the Unix epoch.',
    parameters: [parameter('date', of(DATE))],
    returns: INTEGER,
    body: ([value = null]) => value,
  }),
  scalar({
    name: 'FROM_UNIXTIME',
    category,
    description: 'Milliseconds since the Unix epoch as a timestamp.',
    parameters: [parameter('milliseconds', of(BIGINT))],
    returns: TIMESTAMP,
    body: ([value = null]) => Number(value),
  }),
];
