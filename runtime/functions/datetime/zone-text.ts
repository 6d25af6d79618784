// Zones as they are named within texts: printed by the host's names and ours, and read; knows no patterns.

import { ZONES_MAX } from '../../base/limits.ts';
import type { MomentZone } from './moment.ts';
import { type Zone, zoneOf } from './time-zones.ts';
import { ZONE_NAMES } from './zone-names.ts';

const hosts = new Map<string, Intl.DateTimeFormat>();

/** What the host calls the zone at that instant, in English. */
function hostName(region: string, instant: number, style: 'short' | 'long'): string {
  const key = `${style} ${region}`;
  let host = hosts.get(key);
  if (host === undefined) {
    if (hosts.size >= ZONES_MAX) hosts.clear();
    host = new Intl.DateTimeFormat('en-US', { timeZone: region, timeZoneName: style });
    hosts.set(key, host);
  }
  const name = host.formatToParts(instant).find(({ type }) => type === 'timeZoneName');
  return name?.value ?? region;
}

const QUARTER_HOUR_MS = 900_000;

/** The name that was printed last: to ask the host takes longer than all else of a text. */
let printedName = '';
/** What it is of: a zone's name changes with its offset or at a quarter of an hour. */
let printedOf = '';

/** `Pacific Daylight Time`, or short `PDT`; the host's `GMT+5:30` where there is no short name in common use. */
export function regionName(
  region: string,
  { instant, offsetSeconds }: Pick<MomentZone, 'instant' | 'offsetSeconds'>,
  full: boolean,
): string {
  const of = `${region} ${full} ${offsetSeconds} ${Math.floor(instant / QUARTER_HOUR_MS)}`;
  if (of !== printedOf) {
    printedName = askedName(region, instant, full);
    printedOf = of;
  }
  return printedName;
}

function askedName(region: string, instant: number, full: boolean): string {
  const long = hostName(region, instant, 'long');
  if (full) return long;
  const known = ZONE_NAMES.find((name) => name.long === long);
  return known?.short ?? hostName(region, instant, 'short');
}

/** What a text was read as, and where the rest of it begins. */
export interface ReadZone {
  readonly zone: Zone;
  readonly end: number;
}

/** No zone has a longer name. */
const ID_LENGTH_MAX = 64;

/** The longest name of a zone that stands there; `names` takes `PST` as well, `long names` also `Pacific Standard Time`. */
export function readZone(
  text: string,
  at: number,
  names: 'ids' | 'names' | 'long names',
): ReadZone | null {
  const rest = text.slice(at, at + ID_LENGTH_MAX);
  if (names === 'long names') {
    const lower = rest.toLowerCase();
    const long = ZONE_NAMES.find((name) => lower.startsWith(name.long.toLowerCase()));
    const zone = long === undefined ? null : zoneOf(long.region);
    if (long !== undefined && zone !== null) return { zone, end: at + long.long.length };
  }
  const [run = ''] = /^[A-Za-z0-9/_+\-:.~]*/.exec(rest) ?? [];
  for (let length = run.length; length > 0; length--) {
    const zone = zoneCalled(run.slice(0, length), names);
    if (zone !== null) return { zone, end: at + length };
  }
  return null;
}

function zoneCalled(name: string, names: 'ids' | 'names' | 'long names'): Zone | null {
  if (names !== 'ids') {
    const upper = name.toUpperCase();
    const short = ZONE_NAMES.find((candidate) => candidate.short === upper);
    if (short !== undefined) return zoneOf(short.region);
  }
  // Texts are read whatever their case; the host does the same with its names.
  return zoneOf(/^[zZ]$/.test(name) ? 'Z' : name);
}
