// Where records were put, as two arrays handed over; knows no record.

import type { ProducedAt } from '../engine/insert.ts';
import { handingOver } from './calls.ts';

/** Where records were put, in their order. */
export interface PackedPlaces {
  readonly partitions: Uint32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
}

export function placed(places: readonly ProducedAt[]): PackedPlaces {
  const partitions = Uint32Array.from(places, ({ partition }) => partition);
  const offsets = Float64Array.from(places, ({ offset }) => offset);
  return handingOver({ partitions, offsets }, [partitions.buffer, offsets.buffer]);
}
