// Makes a date and a time of the fields that a text was read as, as java.time resolves them smartly; knows no text and no patterns.

import { RecordError } from '../../base/errors.ts';
import {
  civilOf,
  DAY_MS,
  dayOfMonthWeek,
  dayOfWeek,
  dayOfWeekYear,
  daysOf,
  isLeap,
  monthLength,
} from '../../expr/calendar.ts';
import {
  dateField,
  type Field,
  type Fields,
  isDateField,
  MODIFIED_JULIAN_DAYS,
  RANGES,
} from './moment.ts';

/** A local date and time; what the fields leave open is that of 1970-01-01T00:00. */
export interface Resolved {
  /** Days since the epoch. */
  readonly days: number;
  /** Milliseconds of the day; what is less than one is cut off. */
  readonly ms: number;
}

/** @throws {RecordError} EXPRESSION when a value is out of its range, or two of them contradict each other */
export function resolveFields(read: Readonly<Fields>): Resolved {
  const fields = { ...read };
  for (const field in read) checkRange(field as Field, read[field as Field] as number);
  const { ms, isNextDay } = timeOf(fields);
  const days = dateOf(fields);
  return { days: isNextDay ? days + 1 : days, ms };
}

function checkRange(field: Field, value: number): void {
  const [least, greatest] = RANGES[field];
  if (value >= least && value <= greatest) return;
  throw new RecordError('EXPRESSION', `${value} is no ${field}: it is ${least} to ${greatest}`);
}

function conflict(field: Field, value: number, other: number): RecordError {
  return new RecordError(
    'EXPRESSION',
    `the text contradicts itself: ${field} ${value} and ${other}`,
  );
}

/** Adds what another field means. @throws {RecordError} when it is there with another value */
function imply(fields: Fields, field: Field, value: number): void {
  const known = fields[field];
  if (known !== undefined && known !== value) throw conflict(field, known, value);
  fields[field] = value;
}

const NANOS_PER_MS = 1_000_000;

/** The time of day; 24:00 is the beginning of the next day. */
function timeOf(fields: Fields): { readonly ms: number; readonly isNextDay: boolean } {
  const { clockHour, clockHourOfHalf, halfDay, milliOfDay, nanoOfDay } = fields;
  if (clockHour !== undefined) imply(fields, 'hour', clockHour % 24);
  if (clockHourOfHalf !== undefined) imply(fields, 'hourOfHalf', clockHourOfHalf % 12);
  const { hourOfHalf } = fields;
  if (halfDay !== undefined && hourOfHalf !== undefined)
    imply(fields, 'hour', halfDay * 12 + hourOfHalf);
  if (milliOfDay !== undefined) implyTime(fields, milliOfDay, 0);
  if (nanoOfDay !== undefined) {
    const ms = Math.floor(nanoOfDay / NANOS_PER_MS);
    implyTime(fields, ms, nanoOfDay - ms * NANOS_PER_MS);
  }
  const { hour, minute = 0, second = 0, nano = 0 } = fields;
  if (hour !== undefined && halfDay !== undefined && Math.floor(hour / 12) !== halfDay)
    throw conflict('hour', hour, halfDay);
  if (hour !== undefined && hourOfHalf !== undefined && hour % 12 !== hourOfHalf)
    throw conflict('hour', hour, hourOfHalf);
  const ofDay = hour ?? (halfDay ?? 0) * 12 + (hourOfHalf ?? 0);
  const ms = ((ofDay * 60 + minute) * 60 + second) * 1000 + Math.floor(nano / NANOS_PER_MS);
  if (ms > DAY_MS || (ms === DAY_MS && nano > 0))
    throw new RecordError('EXPRESSION', 'the text is past 24:00');
  return ms === DAY_MS ? { ms: 0, isNextDay: true } : { ms, isNextDay: false };
}

function implyTime(fields: Fields, ms: number, nanos: number): void {
  imply(fields, 'hour', Math.floor(ms / 3_600_000));
  imply(fields, 'minute', Math.floor(ms / 60_000) % 60);
  imply(fields, 'second', Math.floor(ms / 1000) % 60);
  imply(fields, 'nano', (ms % 1000) * NANOS_PER_MS + nanos);
}

function dateOf(fields: Fields): number {
  implyYear(fields);
  const { localDayOfWeek } = fields;
  if (localDayOfWeek !== undefined)
    imply(fields, 'dayOfWeek', localDayOfWeek === 1 ? 7 : localDayOfWeek - 1);
  const days = wholeDate(fields);
  if (days === null) return partialDate(fields);
  for (const name in fields) {
    const field = name as Field;
    const value = fields[field];
    if (value === undefined || !isDateField(field)) continue;
    const own = dateField(field, days);
    if (own !== value) throw conflict(field, value, own);
  }
  return days;
}

/** A year of an era as a year; without an era it is after Christ. */
function implyYear(fields: Fields): void {
  const { yearOfEra, year } = fields;
  if (yearOfEra === undefined) return;
  const era = fields.era ?? (year === undefined || year > 0 ? 1 : 0);
  imply(fields, 'year', era === 1 ? yearOfEra : 1 - yearOfEra);
}

/** The date that the fields name in full, some way or other; null when they leave it open. */
function wholeDate(fields: Fields): number | null {
  const { modifiedJulianDay, year, month, dayOfMonth, dayOfYear, dayOfWeek: weekday } = fields;
  if (modifiedJulianDay !== undefined) return modifiedJulianDay - MODIFIED_JULIAN_DAYS;
  if (year !== undefined && month !== undefined) {
    if (dayOfMonth !== undefined) {
      // They need no check; and the 31st of a shorter month is its last day.
      fields.yearOfEra = fields.year = fields.month = fields.dayOfMonth = undefined;
      return daysOf(year, month, Math.min(dayOfMonth, monthLength(year, month)));
    }
  }
  if (year !== undefined && dayOfYear !== undefined) {
    if (dayOfYear === 366 && !isLeap(year))
      throw new RecordError('EXPRESSION', `the year ${year} has no day 366`);
    return daysOf(year, 1, 1) + dayOfYear - 1;
  }
  if (weekday === undefined) return null;
  const { weekdayInMonth, weekOfMonth, weekYear, week } = fields;
  if (year !== undefined && month !== undefined) {
    if (weekdayInMonth !== undefined) {
      const start = daysOf(year, month, 1) + (weekdayInMonth - 1) * 7;
      return start + ((weekday - dayOfWeek(start) + 7) % 7);
    }
    if (weekOfMonth !== undefined)
      return dayOfMonthWeek(year, month, { week: weekOfMonth, weekday });
  }
  if (weekYear !== undefined && week !== undefined) return dayOfWeekYear(weekYear, week, weekday);
  return null;
}

/** 1970-01-01 with each field set, the smallest first: a day that the month then lacks is its last. */
function partialDate(fields: Fields): number {
  const weekday = fields.dayOfWeek;
  const start = weekday === undefined ? 0 : weekday - dayOfWeek(0);
  let { year, month, day } = civilOf(start);
  day = fields.dayOfMonth ?? day;
  const dayOfYear = fields.dayOfYear;
  if (dayOfYear === 366)
    throw new RecordError('EXPRESSION', 'day 366 needs the year that it is of');
  if (dayOfYear !== undefined) ({ month, day } = civilOf(daysOf(year, 1, 1) + dayOfYear - 1));
  const inMonth = fields.weekdayInMonth;
  if (inMonth !== undefined) day = ((day - 1) % 7) + 1 + (inMonth - 1) * 7;
  month = fields.month ?? month;
  day = Math.min(day, monthLength(year, month));
  year = fields.year ?? year;
  if (fields.era === 0 && year > 0) year = 1 - year;
  return daysOf(year, month, Math.min(day, monthLength(year, month)));
}
