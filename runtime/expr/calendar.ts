// The proleptic ISO calendar as arithmetic over days since the epoch; knows no zones, no patterns and no text.

export const DAY_MS = 86_400_000;

export interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Days of 400 years, after which the calendar repeats. */
const CYCLE_DAYS = 146_097;
/** Days from 0000-03-01, where the arithmetic begins, to 1970-01-01. */
const EPOCH_DAYS = 719_468;

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function monthLength(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since the epoch of a date that exists. */
export function daysOf(year: number, month: number, day: number): number {
  // Years are counted from March, so that the day that comes and goes is the last.
  const counted = month <= 2 ? year - 1 : year;
  const cycle = Math.floor(counted / 400);
  const inCycle = counted - cycle * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const days = inCycle * 365 + Math.floor(inCycle / 4) - Math.floor(inCycle / 100) + dayOfYear;
  return cycle * CYCLE_DAYS + days - EPOCH_DAYS;
}

/** The last day that was asked for, since year, month and day are asked for one by one. */
let knownDays = NaN;
let known: Civil;

export function civilOf(days: number): Civil {
  if (days === knownDays) return known;
  knownDays = days;
  const shifted = days + EPOCH_DAYS;
  const cycle = Math.floor(shifted / CYCLE_DAYS);
  const inCycle = shifted - cycle * CYCLE_DAYS;
  // The last day of a leap year counts to it: of four years, not of a hundred, and of the whole cycle.
  const leaps =
    Math.floor(inCycle / 1460) - Math.floor(inCycle / 36_524) + Math.floor(inCycle / 146_096);
  const yearOfCycle = Math.floor((inCycle - leaps) / 365);
  const before = 365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100);
  const dayOfYear = inCycle - before;
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  known = {
    year: yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
  return known;
}

/** 1 is Monday, 7 Sunday. */
export function dayOfWeek(days: number): number {
  return floorMod(days + 3, 7) + 1;
}

export function dayOfYear(days: number): number {
  return days - daysOf(civilOf(days).year, 1, 1) + 1;
}

export function floorMod(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}

/** Days from the Sunday that begins the week to that day: weeks are those of the United States, as in Java's default. */
function sinceSunday(days: number): number {
  return floorMod(days + 4, 7);
}

/** The Sunday at or before 1 January: the first day of the week-based year. */
function weekYearStart(year: number): number {
  const newYear = daysOf(year, 1, 1);
  return newYear - sinceSunday(newYear);
}

/** The week-based year and its week: week 1 is the one with 1 January in it. */
export function weekOf(days: number): { readonly year: number; readonly week: number } {
  const { year } = civilOf(days);
  const own = days >= weekYearStart(year + 1) ? year + 1 : year;
  return { year: own, week: Math.floor((days - weekYearStart(own)) / 7) + 1 };
}

/** The day of a week-based year's week that is that day of the week (1 is Monday). */
export function dayOfWeekYear(year: number, week: number, weekday: number): number {
  return weekYearStart(year) + (week - 1) * 7 + (weekday % 7);
}

/** The week of the month, of which the first may be of one day. */
export function weekOfMonth(days: number): number {
  const { day } = civilOf(days);
  return Math.floor((sinceSunday(days - day + 1) + day - 1) / 7) + 1;
}

/** The day of the month's week that is that day of the week (1 is Monday); it may lie beside the month. */
export function dayOfMonthWeek(
  year: number,
  month: number,
  { week, weekday }: { readonly week: number; readonly weekday: number },
): number {
  const first = daysOf(year, month, 1);
  return first - sinceSunday(first) + (week - 1) * 7 + (weekday % 7);
}
