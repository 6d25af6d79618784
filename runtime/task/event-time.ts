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
