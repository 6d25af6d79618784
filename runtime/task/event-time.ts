// The time that a column gives a row: a number, or a text by a pattern, whose code is fetched on first use; knows no source and no sink.

import { InvariantError } from '../base/errors.ts';
import type { TimestampColumn } from '../catalog/source.ts';
import { type Column, valueAt } from '../data/column.ts';
import { DATETIME_TEXT } from '../functions/parts.ts';

/** Milliseconds since the epoch; null where the column is. @throws {RecordError} TIMESTAMP for a text that is not as the pattern says */
export type EventTime = (column: Column, row: number) => number | null;

/** @throws {PartMissing} for a pattern, until its code is fetched */
export function eventTime(timestamp: TimestampColumn | null): EventTime {
  const read =
    timestamp === null || timestamp.format === null
      ? null
      : DATETIME_TEXT.code.timestampReader(timestamp.format, timestamp.column);
  return (column, row) => {
    const value = valueAt(column, row);
    if (value === null) return null;
    if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
    if (typeof value === 'string' && read !== null) return read(value);
    throw new InvariantError('the planner admits BIGINT, TIMESTAMP and patterned STRING columns');
  };
}

/** Milliseconds of all rows of a BIGINT or TIMESTAMP column; null when one of them is no usable time, or when it is another column. */
export function wholeTimes(column: Column, rows: number): Float64Array | null {
  if (column.validity !== null) return null;
  if (column.storage === 'f64') {
    const times = column.values.subarray(0, rows);
    return times.every((ms) => ms >= 0) ? times : null;
  }
  if (column.storage !== 'i64') return null;
  const { buffer, byteOffset } = column.values;
  // By words, so that no bigint is made of each.
  const words = new Int32Array(buffer, byteOffset, rows * 2);
  const times = new Float64Array(rows);
  let isUsable = true;
  for (let row = 0; row < rows; row++) {
    const high = words[row * 2 + 1] as number;
    if (high < 0) isUsable = false;
    times[row] = high * 0x1_0000_0000 + ((words[row * 2] as number) >>> 0);
  }
  return isUsable ? times : null;
}
