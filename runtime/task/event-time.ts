// The times that a column gives all rows at once; row by row is pseudo-columns.ts's. Knows no source and no sink.

import type { Column } from '../data/column.ts';

/** Milliseconds of all rows of a BIGINT or TIMESTAMP column; null when one of them is no usable time, or when it is another column. */
export function wholeTimes(column: Column, rows: number): Float64Array | null {
  if (column.validity !== null) return null;
  if (column.storage === 'f64') {
    const times = column.values.subarray(0, rows);
    for (let row = 0; row < rows; row++) {
      const ms = times[row] as number;
      if (!(ms >= 0 && ms < 2 ** 53)) return null;
    }
    return times;
  }
  if (column.storage !== 'i64') return null;
  const { buffer, byteOffset } = column.values;
  // By words, so that no bigint is made of each.
  const words = new Int32Array(buffer, byteOffset, rows * 2);
  const times = new Float64Array(rows);
  let isUsable = true;
  for (let row = 0; row < rows; row++) {
    const high = words[row * 2 + 1] as number;
    // Negative, or 2^53 and more.
    if (high >>> 21 !== 0) isUsable = false;
    times[row] = high * 0x1_0000_0000 + ((words[row * 2] as number) >>> 0);
  }
  return isUsable ? times : null;
}
