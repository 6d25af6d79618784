// Where records were put, as numbers; knows no record.

import type { ProducedAt } from '../engine/insert.ts';

/** In the order of the records, two numbers each: partition and offset. */
export type PackedPlaces = readonly number[];

/** @param places with gaps where a record was refused */
export function placed(places: readonly (ProducedAt | undefined)[]): PackedPlaces {
  const numbers: number[] = [];
  for (const place of places) numbers.push(place?.partition ?? 0, place?.offset ?? 0);
  return numbers;
}

/** Those of the records `from .. to`. */
export function placesOf(places: PackedPlaces, from = 0, to = places.length / 2): ProducedAt[] {
  const found: ProducedAt[] = [];
  for (let i = from * 2; i < to * 2; i += 2)
    found.push({ partition: places[i] ?? 0, offset: places[i + 1] ?? 0 });
  return found;
}
