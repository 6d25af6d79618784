// What the date-time code keeps is bounded, and nothing but speed depends on it.

import { expect, test } from 'vitest';
import {
  DATETIME_PATTERN_LENGTH_MAX,
  DATETIME_PATTERNS_MAX,
  ZONE_DAYS_MAX,
  ZONES_MAX,
} from '../../../runtime/base/limits.ts';
import { civilOf, daysOf } from '../../../runtime/expr/calendar.ts';
import { formatDate, formatTimestamp } from '../../../runtime/functions/datetime/text.ts';
import { zoneOf } from '../../../runtime/functions/datetime/time-zones.ts';

const DAY_MS = 86_400_000;

test('a pattern is as long as the limit, and no longer', () => {
  const longest = '-'.repeat(DATETIME_PATTERN_LENGTH_MAX);
  expect(formatDate(0, longest)).toBe(longest);
  expect(() => formatDate(0, `${longest}-`)).toThrow('more than 1024 characters');
});

test('nested brackets to the limit neither fail nor take long', () => {
  const half = DATETIME_PATTERN_LENGTH_MAX / 2;
  expect(formatDate(0, '[d'.repeat(half))).toBe('1'.repeat(half));
});

test('more patterns than are kept give what they gave', () => {
  const years = (round: number): string[] =>
    Array.from({ length: DATETIME_PATTERNS_MAX + 10 }, (_, i) => formatDate(round, `'${i}'yyyy`));
  expect(years(1)).toEqual(years(0));
  expect(years(0)[DATETIME_PATTERNS_MAX + 9]).toBe(`${DATETIME_PATTERNS_MAX + 9}1970`);
});

test('more zones than are kept give what they gave', () => {
  const regions = Intl.supportedValuesOf('timeZone').slice(0, ZONES_MAX + 10);
  const offsets = (): (number | undefined)[] =>
    regions.map((region) => zoneOf(region)?.offsetSeconds(1e12));
  const first = offsets();
  expect(first).toHaveLength(ZONES_MAX + 10);
  expect(offsets()).toEqual(first);
  const names = (): string[] =>
    regions.map((id) => formatTimestamp(0, 'z', zoneOf(id) ?? undefined));
  expect(names()).toEqual(names());
});

test('more days than are remembered of a zone give what they gave', () => {
  const zone = zoneOf('Europe/Paris');
  const days = Array.from({ length: ZONE_DAYS_MAX + 10 }, (_, i) => i * DAY_MS);
  const first = days.map((at) => zone?.offsetSeconds(at));
  expect(days.map((at) => zone?.offsetSeconds(at))).toEqual(first);
  expect(new Set(first)).toEqual(new Set([3600, 7200]));
});

test('a zone changes its offset at the very millisecond', () => {
  const zone = zoneOf('America/New_York');
  const change = Date.UTC(2026, 2, 8, 7);
  expect(zone?.offsetSeconds(change - 1)).toBe(-5 * 3600);
  expect(zone?.offsetSeconds(change)).toBe(-4 * 3600);
});

test('days are counted as the host counts them, far into both directions', () => {
  for (let days = -800_000; days <= 3_000_000; days += 97) {
    const date = new Date(days * DAY_MS);
    const civil = civilOf(days);
    expect([civil.year, civil.month, civil.day]).toEqual([
      date.getUTCFullYear(),
      date.getUTCMonth() + 1,
      date.getUTCDate(),
    ]);
    expect(daysOf(civil.year, civil.month, civil.day)).toBe(days);
  }
});

test('the name of a zone is that of each moment, whichever was printed before it', () => {
  const summer = Date.UTC(2026, 2, 29, 1);
  const names = (full: boolean, id: string, instants: readonly number[]): string[] =>
    instants.map((instant) =>
      formatTimestamp(instant, full ? 'zzzz' : 'z', zoneOf(id) ?? undefined),
    );
  expect(names(false, 'Europe/Paris', [summer - 1, summer, summer - 1])).toEqual([
    'CET',
    'CEST',
    'CET',
  ]);
  expect(names(true, 'Europe/Paris', [summer])).toEqual(['Central European Summer Time']);
  expect(names(false, 'Europe/Berlin', [summer])).toEqual(['CEST']);
  expect(names(false, 'America/New_York', [summer])).toEqual(['EDT']);
  // The summer of 2016 was its last one, and it went on as the zone's own time.
  const renamed = Date.UTC(2016, 8, 6, 21);
  const [before, after] = names(true, 'Europe/Istanbul', [renamed - 1, renamed]);
  expect(before).not.toBe(after);
});
