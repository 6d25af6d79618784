// Dates, times and timestamps as texts by patterns, in zones: what functions and timestamp columns share. Knows no functions.

import { RecordError } from '../../base/errors.ts';
import { DATETIME_PATTERNS_MAX } from '../../base/limits.ts';
import { DAY_MS } from '../../expr/calendar.ts';
import { momentAt } from './moment.ts';
import { compilePattern, type Part } from './pattern.ts';
import { printPattern } from './pattern-print.ts';
import { ownZone, type Read, readPattern, speaksOf } from './pattern-read.ts';
import { resolveFields } from './resolve-fields.ts';
import { instantOf, UTC, type Zone, zoneOf } from './time-zones.ts';

const compiled = new Map<string, readonly Part[]>();

/** @throws {RecordError} EXPRESSION when the text is no pattern */
export function patternOf(text: string): readonly Part[] {
  let parts = compiled.get(text);
  if (parts === undefined) {
    parts = compilePattern(text);
    if (compiled.size >= DATETIME_PATTERNS_MAX) compiled.clear();
    compiled.set(text, parts);
  }
  return parts;
}

/** @throws {RecordError} EXPRESSION when there is no such zone */
export function zoneNamed(id: string): Zone {
  const zone = zoneOf(id);
  if (zone !== null) return zone;
  throw new RecordError('EXPRESSION', `there is no time zone '${id}'`);
}

/** A day by a pattern of a date. @throws {RecordError} */
export function formatDate(days: number, pattern: string): string {
  return printPattern(patternOf(pattern), { days, ms: null, zone: null });
}

/** Milliseconds of a day by a pattern of a time. @throws {RecordError} */
export function formatTime(ms: number, pattern: string): string {
  return printPattern(patternOf(pattern), { days: null, ms, zone: null });
}

/** Milliseconds since the epoch by a pattern, in that zone. @throws {RecordError} */
export function formatTimestamp(instant: number, pattern: string, zone: Zone = UTC): string {
  return printPattern(patternOf(pattern), momentAt(instant, zone));
}

function readText(text: string, pattern: string): Read {
  const read = readPattern(patternOf(pattern), text);
  if (read !== null) return read;
  throw new RecordError('EXPRESSION', `'${text}' is not written as '${pattern}'`);
}

/** The day that a text names; a missing month or day is the first. @throws {RecordError} */
export function parseDate(text: string, pattern: string): number {
  return resolveFields(readText(text, pattern).fields).days;
}

/** As `parseDate`, of texts that have no time. @throws {RecordError} */
export function parsePureDate(text: string, pattern: string): number {
  const read = readText(text, pattern);
  if (!speaksOf('time', read)) return resolveFields(read.fields).days;
  throw new RecordError('EXPRESSION', `'${pattern}' has a time, and a DATE has none`);
}

/** The milliseconds of the day that a text without a date names. @throws {RecordError} */
export function parsePureTime(text: string, pattern: string): number {
  const read = readText(text, pattern);
  if (!speaksOf('date', read)) return resolveFields(read.fields).ms;
  throw new RecordError('EXPRESSION', `'${pattern}' has a date, and a TIME has none`);
}

/**
 * Milliseconds since the epoch that a text names, in the zone that it names itself or else in that one. What it leaves open is that of
 * 1970-01-01T00:00.
 * @throws {RecordError} EXPRESSION
 */
export function parseTimestamp(text: string, pattern: string, zone: Zone = UTC): number {
  const read = readText(text, pattern);
  const { days, ms } = resolveFields(read.fields);
  return instantOf(days * DAY_MS + ms, ownZone(read) ?? zone);
}

/** Why a text is no pattern; null when it is one. */
export function patternFault(pattern: string): string | null {
  try {
    patternOf(pattern);
    return null;
  } catch (thrown) {
    if (thrown instanceof RecordError) return thrown.message;
    throw thrown;
  }
}

/** Reads a timestamp column of that pattern; the zone is UTC where the text names none. */
export function timestampReader(pattern: string, column: string): (text: string) => number {
  return (text) => {
    try {
      return parseTimestamp(text, pattern);
    } catch (thrown) {
      if (!(thrown instanceof RecordError)) throw thrown;
      throw new RecordError('TIMESTAMP', thrown.message, column, { cause: thrown });
    }
  };
}
