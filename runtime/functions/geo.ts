// The distance of two places on earth; knows no other function.

import { RecordError } from '../base/errors.ts';
import { DOUBLE, type Value } from '../data/type.ts';
import { of, parameter, scalar, text } from './declare.ts';
import { refused } from './refused.ts';
import type { ScalarOverload } from './registry.ts';

/** The earth's radius as the unit's number, and the names of the unit. */
const UNITS = [
  { radius: 6371, names: ['km', 'kilometer', 'kilometers', 'kilometre', 'kilometres'] },
  { radius: 3959, names: ['mi', 'mile', 'miles'] },
] as const;

const LATITUDE_MAX = 90;
const LONGITUDE_MAX = 180;

/** @throws {RecordError} EXPRESSION for another unit */
function radiusIn(unit: string | null): number {
  const name = (unit ?? '').trim().toLowerCase() || UNITS[0].names[0];
  const found = UNITS.find(({ names }) => (names as readonly string[]).includes(name));
  if (found === undefined) throw refused(name, 'is no unit of distance: there are KM and MILES');
  return found.radius;
}

function checkRange(value: number, max: number, what: string): void {
  if (Math.abs(value) > max)
    throw new RecordError('EXPRESSION', `${value} is no ${what}: it is between -${max} and ${max}`);
}

const radians = (degrees: number): number => (degrees / 180) * Math.PI;
const haversine = (angle: number): number => Math.sin(angle / 2) ** 2;

/** The great-circle distance by the haversine formula, in the radius's unit. */
function distance(places: readonly number[], radius: number): number {
  const [lat1 = 0, lon1 = 0, lat2 = 0, lon2 = 0] = places;
  for (const latitude of [lat1, lat2]) checkRange(latitude, LATITUDE_MAX, 'latitude');
  for (const longitude of [lon1, lon2]) checkRange(longitude, LONGITUDE_MAX, 'longitude');
  const across =
    haversine(radians(lon2 - lon1)) * Math.cos(radians(lat1)) * Math.cos(radians(lat2));
  return 2 * Math.asin(Math.sqrt(haversine(radians(lat2 - lat1)) + across)) * radius;
}

const PLACES = ['lat1', 'lon1', 'lat2', 'lon2'].map((name) => parameter(name, of(DOUBLE)));

export const GEO: readonly ScalarOverload[] = [PLACES, [...PLACES, text('unit')]].map(
  (parameters) =>
    scalar({
      name: 'GEO_DISTANCE',
      category: 'MATHEMATICAL',
      description:
        'The great-circle distance of two places given in degrees, in kilometres (KM, the default, also where the unit is null) or MILES; null where a degree is null.',
      parameters,
      returns: DOUBLE,
      // A null unit is the usual one.
      nullPropagating: false,
      body: (values: readonly Value[]) => {
        const places = values.slice(0, PLACES.length);
        if (places.includes(null)) return null;
        return distance(
          places as number[],
          radiusIn((values[PLACES.length] ?? null) as string | null),
        );
      },
    }),
);
