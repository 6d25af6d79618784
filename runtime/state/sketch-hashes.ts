// What numbers are to COUNT_DISTINCT, many at once: as if each were written as its bytes. Knows no group.

import { setFloat64 } from '../base/bytes.ts';
import { type Column, isNull } from '../data/column.ts';
import { entryOf } from '../functions/count-distinct.ts';

/** A value's bytes: 1, as it is not null, then the number, then zeros. */
const bytes = new Uint8Array(16);
bytes[0] = 1;
const view = new DataView(bytes.buffer);

/**
 * Writes what `entryOf` gives for the values at these positions, 0 where there is none.
 * @returns false: the column is none of numbers
 */
export function entriesOfNumbers(
  column: Column,
  positions: Uint32Array,
  count: number,
  to: Int32Array,
): boolean {
  const { storage, values } = column;
  if (storage === 'i32') {
    bytes.fill(0, 1);
    for (let k = 0; k < count; k++) {
      const position = positions[k] as number;
      view.setInt32(1, values[position] as number, true);
      to[k] = isNull(column, position) ? 0 : entryOf(bytes, 5);
    }
    return true;
  }
  if (storage !== 'i64' && storage !== 'f64') return false;
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let k = 0; k < count; k++) {
    const position = positions[k] as number;
    if (storage === 'f64' && Number.isNaN(values[position])) setFloat64(view, 1, NaN);
    else {
      view.setInt32(1, words[position * 2] as number, true);
      view.setInt32(5, words[position * 2 + 1] as number, true);
    }
    to[k] = isNull(column, position) ? 0 : entryOf(bytes, 9);
  }
  return true;
}
