// The fields that a date-time pattern speaks of, and their values at a moment; knows no patterns and no text.

import {
  civilOf,
  DAY_MS,
  dayOfWeek,
  dayOfYear,
  floorMod,
  weekOf,
  weekOfMonth,
} from '../../expr/calendar.ts';
import type { Zone } from './time-zones.ts';

export type DateField =
  | 'era'
  | 'year'
  | 'yearOfEra'
  | 'quarter'
  | 'month'
  | 'dayOfMonth'
  | 'dayOfYear'
  | 'weekYear'
  | 'week'
  | 'weekOfMonth'
  | 'weekdayInMonth'
  | 'dayOfWeek'
  | 'localDayOfWeek'
  | 'modifiedJulianDay';

export type TimeField =
  | 'halfDay'
  | 'hour'
  | 'clockHour'
  | 'hourOfHalf'
  | 'clockHourOfHalf'
  | 'minute'
  | 'second'
  | 'nano'
  | 'milliOfDay'
  | 'nanoOfDay';

export type Field = DateField | TimeField;

/** Values of fields; undefined: nothing is known of it. */
export type Fields = { [F in Field]?: number | undefined };

const NANOS_PER_MS = 1_000_000;

/** Least and greatest value of each field that has such; a year may have nine digits. */
export const RANGES: Readonly<Record<Field, readonly [least: number, greatest: number]>> = {
  era: [0, 1],
  year: [-999_999_999, 999_999_999],
  yearOfEra: [1, 1_000_000_000],
  quarter: [1, 4],
  month: [1, 12],
  dayOfMonth: [1, 31],
  dayOfYear: [1, 366],
  weekYear: [-999_999_999, 999_999_999],
  week: [1, 54],
  weekOfMonth: [0, 6],
  weekdayInMonth: [1, 5],
  dayOfWeek: [1, 7],
  localDayOfWeek: [1, 7],
  modifiedJulianDay: [-365_243_000_000, 365_242_000_000],
  halfDay: [0, 1],
  hour: [0, 24],
  // Hours of clocks begin with 1, and a 0 is understood.
  clockHour: [0, 24],
  hourOfHalf: [0, 11],
  clockHourOfHalf: [0, 12],
  minute: [0, 59],
  second: [0, 59],
  nano: [0, 999_999_999],
  milliOfDay: [0, DAY_MS - 1],
  nanoOfDay: [0, DAY_MS * NANOS_PER_MS - 1],
};

const DATE_FIELDS: ReadonlySet<Field> = new Set<DateField>([
  'era',
  'year',
  'yearOfEra',
  'quarter',
  'month',
  'dayOfMonth',
  'dayOfYear',
  'weekYear',
  'week',
  'weekOfMonth',
  'weekdayInMonth',
  'dayOfWeek',
  'localDayOfWeek',
  'modifiedJulianDay',
]);

export function isDateField(field: Field): field is DateField {
  return DATE_FIELDS.has(field);
}

/** What a pattern prints: a date, a time of day, or both with the zone they are in. */
export interface Moment {
  /** Days since the epoch; null: there is no date. */
  readonly days: number | null;
  /** Milliseconds of the day; null: there is no time. */
  readonly ms: number | null;
  /** null: there is no zone. */
  readonly zone: MomentZone | null;
}

export interface MomentZone {
  readonly zone: Zone;
  /** Milliseconds since the epoch. */
  readonly instant: number;
  /** Ahead of UTC. */
  readonly offsetSeconds: number;
}

/** The moment of an instant in a zone. */
export function momentAt(instant: number, zone: Zone): Moment {
  const offsetSeconds = zone.offsetSeconds(instant);
  const local = instant + offsetSeconds * 1000;
  const days = Math.floor(local / DAY_MS);
  return { days, ms: local - days * DAY_MS, zone: { zone, instant, offsetSeconds } };
}

/** The value of a field; null where the moment has no such part. */
export function fieldOf(field: Field, { days, ms }: Moment): number | null {
  if (isDateField(field)) return days === null ? null : dateField(field, days);
  return ms === null ? null : timeField(field, ms);
}

/** A field of a date that exists. */
export function dateField(field: DateField, days: number): number {
  switch (field) {
    case 'era':
      return civilOf(days).year > 0 ? 1 : 0;
    case 'year':
      return civilOf(days).year;
    case 'yearOfEra': {
      const { year } = civilOf(days);
      return year > 0 ? year : 1 - year;
    }
    case 'quarter':
      return Math.floor((civilOf(days).month - 1) / 3) + 1;
    case 'month':
      return civilOf(days).month;
    case 'dayOfMonth':
      return civilOf(days).day;
    case 'dayOfYear':
      return dayOfYear(days);
    case 'weekYear':
      return weekOf(days).year;
    case 'week':
      return weekOf(days).week;
    case 'weekOfMonth':
      return weekOfMonth(days);
    case 'weekdayInMonth':
      return Math.floor((civilOf(days).day - 1) / 7) + 1;
    case 'dayOfWeek':
      return dayOfWeek(days);
    case 'localDayOfWeek':
      return (dayOfWeek(days) % 7) + 1;
    case 'modifiedJulianDay':
      return days + MODIFIED_JULIAN_DAYS;
  }
}

/** Days from 1858-11-17 to the epoch. */
export const MODIFIED_JULIAN_DAYS = 40_587;

function timeField(field: TimeField, ms: number): number {
  const hour = Math.floor(ms / 3_600_000);
  switch (field) {
    case 'halfDay':
      return hour < 12 ? 0 : 1;
    case 'hour':
      return hour;
    case 'clockHour':
      return hour === 0 ? 24 : hour;
    case 'hourOfHalf':
      return hour % 12;
    case 'clockHourOfHalf':
      return hour % 12 === 0 ? 12 : hour % 12;
    case 'minute':
      return Math.floor(ms / 60_000) % 60;
    case 'second':
      return Math.floor(ms / 1000) % 60;
    case 'nano':
      return floorMod(ms, 1000) * NANOS_PER_MS;
    case 'milliOfDay':
      return ms;
    case 'nanoOfDay':
      return ms * NANOS_PER_MS;
  }
}
