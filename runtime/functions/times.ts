// Functions of time that need no patterns and no zones: the epoch's numbers, and sums; knows no other theme.

import { RecordError } from '../base/errors.ts';
import { BIGINT, DATE, INTEGER, TIME, TIMESTAMP, type Type } from '../data/type.ts';
import { bigintOf } from '../expr/cast.ts';
import { dayOf, startOfDay, timeOf } from '../expr/datetime.ts';
import { of, parameter, scalar, UNIT } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'DATE_TIME';

const UNIT_MS: ReadonlyMap<unknown, number> = new Map([
  ['MILLISECONDS', 1],
  ['SECONDS', 1000],
  ['MINUTES', 60_000],
  ['HOURS', 3_600_000],
  ['DAYS', 86_400_000],
]);

/** A TIMESTAMP has a calendar date up to here, in ms. */
const INSTANT_MAX = 8.64e15;
const DAYS_MAX = 2_147_483_647;

function within(value: number, most: number, type: Type): number {
  if (Math.abs(value) <= most) return value;
  throw new RecordError('EXPRESSION', `${value} is beyond what a ${type.kind} can be`);
}

/** The two functions that move a time: forward and back. */
function moved(
  type: Type,
  [add, subtract]: readonly [string, string],
  move: (value: number, ms: number) => number,
): ScalarOverload[] {
  const signed = (name: string, sign: 1 | -1): ScalarOverload =>
    scalar({
      name,
      category,
      description: `A ${type.kind} so many units ${sign > 0 ? 'later' : 'earlier'}.`,
      parameters: [
        parameter('unit', UNIT),
        parameter('interval', of(INTEGER)),
        parameter(type.kind.toLowerCase(), of(type)),
      ],
      returns: type,
      body: ([unit = null, interval = null, value = null]) =>
        move(value as number, (interval as number) * (UNIT_MS.get(unit) ?? 0) * sign),
    });
  return [signed(add, 1), signed(subtract, -1)];
}

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
    // As far as one is read, in records too.
    body: ([value = null]) => within(Number(value), Number.MAX_SAFE_INTEGER, TIMESTAMP),
  }),
  scalar({
    name: 'FROM_DAYS',
    category,
    description: 'Days since the Unix epoch as a date.',
    parameters: [parameter('days', of(INTEGER))],
    returns: DATE,
    body: ([value = null]) => value,
  }),
  // The day in which the sum falls.
  ...moved(DATE, ['DATEADD', 'DATESUB'], (days, ms) =>
    within(dayOf(startOfDay(days) + ms), DAYS_MAX, DATE),
  ),
  // A time of day goes round at midnight.
  ...moved(TIME, ['TIMEADD', 'TIMESUB'], (time, ms) => timeOf(time + ms)),
  ...moved(TIMESTAMP, ['TIMESTAMPADD', 'TIMESTAMPSUB'], (instant, ms) =>
    within(instant + ms, INSTANT_MAX, TIMESTAMP),
  ),
];
