// Copies chosen rows of a column into a new one; knows no batch.

import { type Bitmap, type Column, bitAt, bitmap, setBit } from './column.ts';
import type { Value } from './type.ts';

type Numbers = Float64Array | Int32Array | Uint8Array | Uint32Array;

/** Copies the numbers at `positions` into `to`, which has room for exactly them; returns it. */
export function gather<N extends Numbers>(from: N, to: N, positions: Uint32Array): N {
  for (let i = 0; i < positions.length; i++) to[i] = from[positions[i] as number] as number;
  return to;
}

/** The rows at `positions`, in that order. A dictionary is shared, not copied. */
export function gatherColumn(column: Column, positions: Uint32Array): Column {
  const rows = positions.length;
  const validity = gatherBitmap(column.validity, positions);
  switch (column.storage) {
    case 'f64':
      return {
        ...column,
        validity,
        values: gather(column.values, new Float64Array(rows), positions),
      };
    case 'i32':
      return {
        ...column,
        validity,
        values: gather(column.values, new Int32Array(rows), positions),
      };
    case 'u8':
      return {
        ...column,
        validity,
        values: gather(column.values, new Uint8Array(rows), positions),
      };
    case 'dictionary':
      return {
        ...column,
        validity,
        values: gather(column.values, new Uint32Array(rows), positions),
      };
    case 'i64': {
      const from = column.values;
      const values = new BigInt64Array(rows);
      for (let i = 0; i < rows; i++) values[i] = from[positions[i] as number] as bigint;
      return { ...column, validity, values };
    }
    case 'objects': {
      const from = column.values;
      const values: Value[] = [];
      for (let i = 0; i < rows; i++) values.push(from[positions[i] as number] ?? null);
      return { ...column, validity, values };
    }
  }
}

/** The bits at `positions`; null stays null. */
export function gatherBitmap(bits: Bitmap | null, positions: Uint32Array): Bitmap | null {
  if (bits === null) return null;
  const gathered = bitmap(positions.length);
  for (let i = 0; i < positions.length; i++)
    if (bitAt(bits, positions[i] as number)) setBit(gathered, i);
  return gathered;
}
