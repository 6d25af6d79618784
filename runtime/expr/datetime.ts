// ISO text of TIME, DATE and TIMESTAMP and back, in UTC; knows no patterns and no time zones but offsets.

import { civilOf, DAY_MS, daysOf, monthLength } from './calendar.ts';

const two = (value: number): string => String(value).padStart(2, '0');

/** Milliseconds of the day as `HH:mm`, with seconds and then milliseconds only where they are not zero. */
export function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000) % 60;
  const millis = ms % 1000;
  const minutes = `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}`;
  if (seconds === 0 && millis === 0) return minutes;
  const whole = `${minutes}:${two(seconds)}`;
  return millis === 0 ? whole : `${whole}.${String(millis).padStart(3, '0')}`;
}

/** Days since the epoch as `yyyy-MM-dd`; a year of more or less than four digits has a sign. */
export function dateText(days: number): string {
  const { year, month, day } = civilOf(days);
  const digits = String(Math.abs(year)).padStart(4, '0');
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  return `${sign}${digits}-${two(month)}-${two(day)}`;
}

/** Milliseconds since the epoch as `yyyy-MM-ddTHH:mm:ss.SSS`, in UTC and without saying so. */
export function timestampText(ms: number): string {
  const time = timeOf(ms);
  const clock = timeText(time).slice(0, 5);
  const seconds = two(Math.floor(time / 1000) % 60);
  return `${dateText(dayOf(ms))}T${clock}:${seconds}.${String(time % 1000).padStart(3, '0')}`;
}

/** Reads fixed groups of digits and single characters off a text; the cost is its length. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  /** Steps over one of these characters and returns it, or ''. */
  take(oneOf: string): string {
    const here = this.#text.charAt(this.#at);
    if (here === '' || !oneOf.includes(here)) return '';
    this.#at++;
    return here;
  }

  /** A number of `least .. most` digits, or NaN. */
  digits(least: number, most: number): number {
    let value = 0;
    let count = 0;
    while (count < most) {
      const code = this.#text.charCodeAt(this.#at + count);
      if (!(code >= 48 && code <= 57)) break;
      value = value * 10 + code - 48;
      count++;
    }
    if (count < least) return NaN;
    this.#at += count;
    return value;
  }

  /** A fraction of a second in milliseconds, of 1 to 9 digits, or NaN. */
  fraction(): number {
    const from = this.#at;
    const value = this.digits(1, 9);
    return Math.floor(value * 10 ** (3 - (this.#at - from)) + 1e-9);
  }
}

/**
 * `HH:mm[:ss[.SSS]]` as milliseconds of the day; NaN when it is not one.
 * @param isPartial true: the hour may stand alone, and 24 is the end of the day
 */
function scanTime(from: Scanner, isPartial = false): number {
  const hours = from.digits(2, 2);
  let minutes = 0;
  let seconds = 0;
  let millis = 0;
  if (from.take(':') !== '') {
    minutes = from.digits(2, 2);
    if (from.take(':') !== '') {
      seconds = from.digits(2, 2);
      if (from.take('.') !== '') millis = from.fraction();
    }
  } else if (!isPartial) return NaN;
  const last = isPartial && minutes + seconds + millis === 0 ? 24 : 23;
  if (!(hours <= last && minutes < 60 && seconds < 60)) return NaN;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
}

/**
 * `yyyy[-MM[-dd]]` as days since the epoch, missing parts being 1; a year behind a sign has four to six digits. NaN when it is not one
 * or no such day exists.
 */
function scanDate(from: Scanner): number {
  const sign = from.take('+-');
  const size = from.digits(4, sign === '' ? 4 : 6);
  const year = sign === '-' ? -size : size;
  let month = 1;
  let day = 1;
  if (from.take('-') !== '') {
    month = from.digits(2, 2);
    if (from.take('-') !== '') day = from.digits(2, 2);
  }
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= monthLength(year, month);
  return exists ? daysOf(year, month, day) : NaN;
}

/** No zone is further from UTC. */
const OFFSET_MS_MAX = 64_800_000;

/** `Z`, `+HH`, `+HHmm` or `+HH:mm` as milliseconds ahead of UTC; 0 at the end of the text; NaN when it is none. */
function scanOffset(from: Scanner): number {
  if (from.done || from.take('Z') !== '') return 0;
  const sign = from.take('+-');
  if (sign === '') return NaN;
  const hours = from.digits(2, 2);
  from.take(':');
  const minutes = from.done ? 0 : from.digits(2, 2);
  if (!(minutes < 60)) return NaN;
  const ms = (hours * 60 + minutes) * 60_000;
  if (ms > OFFSET_MS_MAX) return NaN;
  return sign === '-' ? -ms : ms;
}

/** Milliseconds of the day, or null when the text is no time. */
export function parseTime(text: string): number | null {
  const scanner = new Scanner(text);
  const ms = scanTime(scanner);
  return Number.isNaN(ms) || !scanner.done ? null : ms;
}

/** Days since the epoch, or null when the text is no date. */
export function parseDate(text: string): number | null {
  const scanner = new Scanner(text);
  const days = scanDate(scanner);
  return Number.isNaN(days) || !scanner.done ? null : days;
}

/**
 * Milliseconds since the epoch of a date, or a date, `T` and a time with or without an offset; else null. What the text leaves out at
 * its end, from the month on, is the least that it can be; the offset is 0.
 * @param isPartial true: the minutes may be left out too, and 24 is the end of the day
 */
export function parseTimestamp(text: string, isPartial = false): number | null {
  const scanner = new Scanner(text);
  const days = scanDate(scanner);
  const isDate = scanner.take('T') === '';
  const time = isDate || scanner.done ? 0 : scanTime(scanner, isPartial);
  const ms = days * DAY_MS + time - (isDate ? 0 : scanOffset(scanner));
  return Number.isNaN(ms) || !scanner.done ? null : ms;
}

/** The day of a timestamp. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** The milliseconds of the day of a timestamp. */
export function timeOf(ms: number): number {
  return ms - Math.floor(ms / DAY_MS) * DAY_MS;
}

/** The first millisecond of a day. */
export function startOfDay(days: number): number {
  return days * DAY_MS;
}
