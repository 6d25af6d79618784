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
import { type DateField, dateField, type Field, MODIFIED_JULIAN_DAYS, RANGES } from './moment.ts';

/** A local date and time; what the fields leave open is that of 1970-01-01T00:00. */
export interface Resolved {
  /** Days since the epoch. */
  readonly days: number;
  /** Milliseconds of the day; what is less than one is cut off. */
  readonly ms: number;
}

/** @throws {RecordError} EXPRESSION when a value is out of its range, or two of them contradict each other */
export function resolveFields(read: ReadonlyMap<Field, number>): Resolved {
  const fields = new Fields(read);
  for (const [field, value] of read) checkRange(field, value);
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

/** The fields that are not used up. */
class Fields {
  readonly #values: Map<Field, number>;

  constructor(read: ReadonlyMap<Field, number>) {
    this.#values = new Map(read);
  }

  has(...fields: readonly Field[]): boolean {
    return fields.every((field) => this.#values.has(field));
  }

  get(field: Field): number | undefined {
    return this.#values.get(field);
  }

  /** Uses the field up. */
  take(field: Field): number | undefined {
    const value = this.#values.get(field);
    this.#values.delete(field);
    return value;
  }

  /** Adds what another field means. @throws {RecordError} when it is there with another value */
  imply(field: Field, value: number): void {
    const known = this.#values.get(field);
    if (known !== undefined && known !== value) throw conflict(field, known, value);
    this.#values.set(field, value);
  }

  rest(): Iterable<readonly [Field, number]> {
    return this.#values;
  }
}

const NANOS_PER_MS = 1_000_000;

/** The time of day; 24:00 is the beginning of the next day. */
function timeOf(fields: Fields): { readonly ms: number; readonly isNextDay: boolean } {
  const clockHour = fields.take('clockHour');
  if (clockHour !== undefined) fields.imply('hour', clockHour % 24);
  const clockHourOfHalf = fields.take('clockHourOfHalf');
  if (clockHourOfHalf !== undefined) fields.imply('hourOfHalf', clockHourOfHalf % 12);
  if (fields.has('halfDay', 'hourOfHalf')) {
    const half = fields.take('halfDay') ?? 0;
    fields.imply('hour', half * 12 + (fields.take('hourOfHalf') ?? 0));
  }
  const milliOfDay = fields.take('milliOfDay');
  const nanoOfDay = fields.take('nanoOfDay');
  if (milliOfDay !== undefined) implyTime(fields, milliOfDay, 0);
  if (nanoOfDay !== undefined) {
    const ms = Math.floor(nanoOfDay / NANOS_PER_MS);
    implyTime(fields, ms, nanoOfDay - ms * NANOS_PER_MS);
  }
  const hour = fields.take('hour');
  const minute = fields.take('minute') ?? 0;
  const second = fields.take('second') ?? 0;
  const nano = fields.take('nano') ?? 0;
  const half = fields.take('halfDay');
  const hourOfHalf = fields.take('hourOfHalf');
  if (hour !== undefined && half !== undefined && Math.floor(hour / 12) !== half)
    throw conflict('hour', hour, half);
  if (hour !== undefined && hourOfHalf !== undefined && hour % 12 !== hourOfHalf)
    throw conflict('hour', hour, hourOfHalf);
  const ofDay = hour ?? (half ?? 0) * 12 + (hourOfHalf ?? 0);
  const ms = ((ofDay * 60 + minute) * 60 + second) * 1000 + Math.floor(nano / NANOS_PER_MS);
  if (ms > DAY_MS || (ms === DAY_MS && nano > 0))
    throw new RecordError('EXPRESSION', 'the text is past 24:00');
  return ms === DAY_MS ? { ms: 0, isNextDay: true } : { ms, isNextDay: false };
}

function implyTime(fields: Fields, ms: number, nanos: number): void {
  fields.imply('hour', Math.floor(ms / 3_600_000));
  fields.imply('minute', Math.floor(ms / 60_000) % 60);
  fields.imply('second', Math.floor(ms / 1000) % 60);
  fields.imply('nano', (ms % 1000) * NANOS_PER_MS + nanos);
}

function dateOf(fields: Fields): number {
  implyYear(fields);
  const localDay = fields.take('localDayOfWeek');
  if (localDay !== undefined) fields.imply('dayOfWeek', localDay === 1 ? 7 : localDay - 1);
  const days = wholeDate(fields);
  if (days === null) return partialDate(fields);
  for (const [field, value] of fields.rest()) {
    const own = dateField(field as DateField, days);
    if (own !== value) throw conflict(field, value, own);
  }
  return days;
}

/** A year of an era as a year; without an era it is after Christ. */
function implyYear(fields: Fields): void {
  const yearOfEra = fields.take('yearOfEra');
  if (yearOfEra === undefined) return;
  const year = fields.get('year');
  const era = fields.take('era') ?? (year === undefined || year > 0 ? 1 : 0);
  fields.imply('year', era === 1 ? yearOfEra : 1 - yearOfEra);
}

/** The date that the fields name in full, some way or other; null when they leave it open. */
function wholeDate(fields: Fields): number | null {
  const modifiedJulianDay = fields.take('modifiedJulianDay');
  if (modifiedJulianDay !== undefined) return modifiedJulianDay - MODIFIED_JULIAN_DAYS;
  if (fields.has('year', 'month', 'dayOfMonth')) {
    const year = fields.take('year') ?? 0;
    const month = fields.take('month') ?? 0;
    const day = fields.take('dayOfMonth') ?? 0;
    // The 31st of a shorter month is its last day.
    return daysOf(year, month, Math.min(day, monthLength(year, month)));
  }
  if (fields.has('year', 'dayOfYear')) {
    const year = fields.take('year') ?? 0;
    const day = fields.take('dayOfYear') ?? 0;
    if (day === 366 && !isLeap(year))
      throw new RecordError('EXPRESSION', `the year ${year} has no day 366`);
    return daysOf(year, 1, 1) + day - 1;
  }
  if (fields.has('year', 'month', 'weekdayInMonth', 'dayOfWeek')) {
    const from = daysOf(fields.get('year') ?? 0, fields.get('month') ?? 0, 1);
    const start = from + ((fields.get('weekdayInMonth') ?? 1) - 1) * 7;
    return start + (((fields.get('dayOfWeek') ?? 1) - dayOfWeek(start) + 7) % 7);
  }
  if (fields.has('year', 'month', 'weekOfMonth', 'dayOfWeek')) {
    const week = fields.get('weekOfMonth') ?? 1;
    const weekday = fields.get('dayOfWeek') ?? 1;
    return dayOfMonthWeek(fields.get('year') ?? 0, fields.get('month') ?? 0, { week, weekday });
  }
  if (fields.has('weekYear', 'week', 'dayOfWeek')) {
    const year = fields.get('weekYear') ?? 0;
    return dayOfWeekYear(year, fields.get('week') ?? 1, fields.get('dayOfWeek') ?? 1);
  }
  return null;
}

/** 1970-01-01 with each field set, the smallest first: a day that the month then lacks is its last. */
function partialDate(fields: Fields): number {
  const weekday = fields.get('dayOfWeek');
  const start = weekday === undefined ? 0 : weekday - dayOfWeek(0);
  let { year, month, day } = civilOf(start);
  day = fields.get('dayOfMonth') ?? day;
  const dayOfYear = fields.get('dayOfYear');
  if (dayOfYear === 366)
    throw new RecordError('EXPRESSION', 'day 366 needs the year that it is of');
  if (dayOfYear !== undefined) ({ month, day } = civilOf(daysOf(year, 1, 1) + dayOfYear - 1));
  const inMonth = fields.get('weekdayInMonth');
  if (inMonth !== undefined) day = ((day - 1) % 7) + 1 + (inMonth - 1) * 7;
  month = fields.get('month') ?? month;
  day = Math.min(day, monthLength(year, month));
  year = fields.get('year') ?? year;
  if (fields.get('era') === 0 && year > 0) year = 1 - year;
  return daysOf(year, month, Math.min(day, monthLength(year, month)));
}
