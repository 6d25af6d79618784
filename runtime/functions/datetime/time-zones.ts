// Time zones by their names: offsets of instants, and instants of local times; knows no patterns and reads no clock.

import { RecordError } from '../../base/errors.ts';
import { ZONE_DAYS_MAX, ZONES_MAX } from '../../base/limits.ts';
import { DAY_MS } from '../../expr/calendar.ts';
import { ZONE_NAMES } from './zone-names.ts';

export interface Zone {
  readonly id: string;
  /** The name under which the host knows the zone's rules; null: its offset never changes. */
  readonly region: string | null;
  /** Seconds ahead of UTC at that instant, in ms since the epoch. */
  offsetSeconds(instant: number): number;
}

/** No zone is further from UTC. */
export const OFFSET_SECONDS_MAX = 64_800;

/** A zone with one offset for ever; `id` is how it was written. */
export function fixedZone(id: string, seconds: number): Zone {
  return { id, region: null, offsetSeconds: () => seconds };
}

export const UTC = fixedZone('Z', 0);

/** `+01`, `-7`, `+0530`, `+05:30:15`, also behind UTC, GMT or UT. */
const OFFSET = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?:(\d\d)(\d\d)?|:(\d\d)(?::(\d\d))?)?$/;

/** The zone that an offset names; null when it is none. */
function offsetZone(id: string): Zone | null {
  const found = OFFSET.exec(id);
  if (found === null) return null;
  const [, sign, hours, minutes = found[5] ?? '0', seconds = found[6] ?? '0'] = found;
  const ahead = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (Number(minutes) > 59 || Number(seconds) > 59 || ahead > OFFSET_SECONDS_MAX) return null;
  return fixedZone(id, sign === '-' ? -ahead : ahead);
}

/** What a zone does on one day: its offset, and where it changes, from when to what. */
interface ZoneDay {
  readonly before: number;
  readonly changesAt: number;
  readonly after: number;
}

/** Milliseconds since the epoch that a calendar of the host reaches. */
const INSTANT_MAX = 8.64e15 - DAY_MS;

class Region implements Zone {
  readonly id: string;
  readonly region: string;
  readonly #host: Intl.DateTimeFormat;
  /** What is known of days, by their number; asking the host is slow. */
  readonly #days = new Map<number, ZoneDay>();

  constructor(id: string, region: string) {
    this.id = id;
    this.region = region;
    this.#host = new Intl.DateTimeFormat('en-US', {
      timeZone: region,
      timeZoneName: 'longOffset',
    });
  }

  offsetSeconds(instant: number): number {
    if (!(Math.abs(instant) < INSTANT_MAX)) {
      throw new RecordError('EXPRESSION', `no zone has an offset at ${instant}`);
    }
    const number = Math.floor(instant / DAY_MS);
    let day = this.#days.get(number);
    if (day === undefined) {
      if (this.#days.size >= ZONE_DAYS_MAX) this.#days.clear();
      day = this.#learned(number * DAY_MS);
      this.#days.set(number, day);
    }
    return instant < day.changesAt ? day.before : day.after;
  }

  /** Clocks change at most once a day. */
  #learned(start: number): ZoneDay {
    const before = this.#ask(start);
    const after = this.#ask(start + DAY_MS);
    if (before === after) return { before, changesAt: Infinity, after };
    let low = start;
    let high = start + DAY_MS;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ask(middle) === before) low = middle;
      else high = middle;
    }
    return { before, changesAt: high, after };
  }

  /** The host writes `1/1/1970, GMT-08:00`; a whole GMT is written without digits by some. */
  #ask(instant: number): number {
    const text = this.#host.format(instant);
    const written = text.slice(text.lastIndexOf('GMT'));
    return offsetZone(written)?.offsetSeconds(instant) ?? 0;
  }
}

const known = new Map<string, Zone | null>();

/** Short names that are zones of their own in the time zone database. */
const OWN_ZONES = new Set(['EST', 'MST', 'HST', 'CET', 'EET', 'WET']);

/** The zone of that name; null when there is none. Names: `Z`, offsets, UTC, GMT, UT, `Europe/Paris`, `PST`. */
export function zoneOf(id: string): Zone | null {
  let zone = known.get(id);
  if (zone === undefined) {
    if (known.size >= ZONES_MAX) known.clear();
    zone = found(id);
    known.set(id, zone);
  }
  return zone;
}

function found(id: string): Zone | null {
  if (id === 'Z' || id === 'UTC' || id === 'GMT' || id === 'UT') return fixedZone(id, 0);
  // Hosts do not agree on the other short names.
  const name = OWN_ZONES.has(id) ? undefined : ZONE_NAMES.find(({ short }) => short === id);
  const region = name?.region ?? id;
  return offsetZone(id) ?? (/^[A-Za-z]/.test(id) ? hostZone(id, region) : null);
}

function hostZone(id: string, region: string): Zone | null {
  try {
    return new Region(id, region);
  } catch (thrown) {
    // The host refuses what it does not know, by the language's rule with this error.
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

/**
 * The instant of a local time in ms since the epoch as if it were in UTC. Where clocks are put back it is the earlier one; a time
 * that they leap over is as much later as they leap.
 */
export function instantOf(local: number, zone: Zone): number {
  const before = zone.offsetSeconds(local - DAY_MS) * 1000;
  const after = zone.offsetSeconds(local + DAY_MS) * 1000;
  const earlier = local - before;
  if (before === after || zone.offsetSeconds(earlier) * 1000 === before) return earlier;
  const later = local - after;
  return zone.offsetSeconds(later) * 1000 === after ? later : earlier;
}
