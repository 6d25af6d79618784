// Functions of dates and times as texts, and of time zones; patterns and zones are in datetime/. Knows no other theme.

import { RecordError } from '../base/errors.ts';
import {
  BIGINT,
  DATE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
  type Value,
} from '../data/type.ts';
import { bigintOf } from '../expr/cast.ts';
import {
  formatDate,
  formatTime,
  formatTimestamp,
  parseDate,
  parsePureDate,
  parsePureTime,
  parseTimestamp,
  zoneNamed,
} from './datetime/text.ts';
import { UTC, type Zone } from './datetime/time-zones.ts';
import { of, parameter, scalar } from './declare.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'DATE_TIME';

const PATTERN = parameter('pattern', of(STRING));
const ZONE = parameter('timeZone', of(STRING));

const DAYS_MAX = 2_147_483_647;

function inDays(days: number): number {
  if (Math.abs(days) <= DAYS_MAX) return days;
  throw new RecordError('EXPRESSION', 'the date is beyond what a DATE can be');
}

/** A function of a value and a pattern. */
function patterned(
  name: string,
  description: string,
  [from, to]: readonly [Type, Type],
  compute: (value: Value, pattern: string) => Value,
): ScalarOverload {
  return scalar({
    name,
    category,
    description,
    parameters: [parameter(from === STRING ? 'text' : 'value', of(from)), PATTERN],
    returns: to,
    body: ([value = null, pattern = null]) => compute(value, pattern as string),
  });
}

/** A function of a value, a pattern and, where it is given, a zone, which is UTC otherwise. */
function zoned(
  name: string,
  description: string,
  [from, to]: readonly [Type, Type],
  compute: (value: Value, pattern: string, zone: Zone) => Value,
): ScalarOverload[] {
  return [
    patterned(name, `${description}, in UTC.`, [from, to], (value, pattern) =>
      compute(value, pattern, UTC),
    ),
    scalar({
      name,
      category,
      description: `${description}, in that time zone.`,
      parameters: [parameter(from === STRING ? 'text' : 'value', of(from)), PATTERN, ZONE],
      returns: to,
      body: ([value = null, pattern = null, zone = null]) =>
        compute(value, pattern as string, zoneNamed(zone as string)),
    }),
  ];
}

export const TIME_TEXTS: readonly ScalarOverload[] = [
  patterned('FORMAT_DATE', 'A date as text of that pattern.', [DATE, STRING], (value, pattern) =>
    formatDate(value as number, pattern),
  ),
  patterned('FORMAT_TIME', 'A time as text of that pattern.', [TIME, STRING], (value, pattern) =>
    formatTime(value as number, pattern),
  ),
  ...zoned(
    'FORMAT_TIMESTAMP',
    'A timestamp as text of that pattern',
    [TIMESTAMP, STRING],
    (value, pattern, zone) => formatTimestamp(value as number, pattern, zone),
  ),
  patterned(
    'PARSE_DATE',
    'The date that a text of that pattern names; a missing month or day is the first.',
    [STRING, DATE],
    (text, pattern) => inDays(parsePureDate(text as string, pattern)),
  ),
  patterned(
    'PARSE_TIME',
    'The time that a text of that pattern names.',
    [STRING, TIME],
    (text, pattern) => parsePureTime(text as string, pattern),
  ),
  ...zoned(
    'PARSE_TIMESTAMP',
    'The timestamp that a text of that pattern names',
    [STRING, TIMESTAMP],
    (text, pattern, zone) => parseTimestamp(text as string, pattern, zone),
  ),
  scalar({
    name: 'CONVERT_TZ',
    category,
    description: 'A timestamp moved by what the clocks of one time zone are ahead of the other.',
    parameters: [
      parameter('timestamp', of(TIMESTAMP)),
      parameter('fromTimeZone', of(STRING)),
      parameter('toTimeZone', of(STRING)),
    ],
    returns: TIMESTAMP,
    body: ([value = null, from = null, to = null]) => {
      const instant = value as number;
      const behind = zoneNamed(from as string).offsetSeconds(instant);
      return instant + (zoneNamed(to as string).offsetSeconds(instant) - behind) * 1000;
    },
  }),
  patterned(
    'DATETOSTRING',
    'Days since the Unix epoch as text of that pattern; FORMAT_DATE does it for a DATE.',
    [INTEGER, STRING],
    (value, pattern) => formatDate(value as number, pattern),
  ),
  patterned(
    'STRINGTODATE',
    'Days since the Unix epoch of the date that a text names; PARSE_DATE gives a DATE.',
    [STRING, INTEGER],
    (text, pattern) => inDays(parseDate(text as string, pattern)),
  ),
  ...zoned(
    'STRINGTOTIMESTAMP',
    'Milliseconds since the Unix epoch that a text of that pattern names',
    [STRING, BIGINT],
    (text, pattern, zone) => bigintOf(parseTimestamp(text as string, pattern, zone)),
  ),
  ...zoned(
    'TIMESTAMPTOSTRING',
    'Milliseconds since the Unix epoch as text of that pattern',
    [BIGINT, STRING],
    (value, pattern, zone) => formatTimestamp(Number(value), pattern, zone),
  ),
];
