// The pattern of a TIMESTAMP column of text, and which columns need one; knows no sink.

import { type Position, StatementError } from '../base/errors.ts';
import type { Given } from '../catalog/properties.ts';
import type { TimestampColumn } from '../catalog/source.ts';
import type { Schema } from '../data/schema.ts';
import { DATETIME_TEXT } from '../functions/parts.ts';

/** The pattern; null where the column is a time by itself. @throws {StatementError} TYPE_MISMATCH, INVALID */
function timestampFormatOf(
  kind: string,
  format: { readonly value: string; readonly at: Position } | null,
  at: Position,
): string | null {
  if (kind === 'STRING') {
    if (format !== null) {
      const fault = DATETIME_TEXT.code.patternFault(format.value);
      if (fault === null) return format.value;
      throw new StatementError('INVALID', fault, format.at, "It is written as 'yyyy-MM-dd'.");
    }
    throw new StatementError(
      'TYPE_MISMATCH',
      'the TIMESTAMP column is STRING',
      at,
      'Add TIMESTAMP_FORMAT with its pattern.',
    );
  }
  if (kind !== 'BIGINT' && kind !== 'TIMESTAMP') {
    throw new StatementError(
      'TYPE_MISMATCH',
      `the TIMESTAMP column is ${kind}`,
      at,
      'It is BIGINT, TIMESTAMP or STRING.',
    );
  }
  if (format === null) return null;
  throw new StatementError(
    'INVALID',
    `TIMESTAMP_FORMAT means nothing to ${kind}`,
    format.at,
    'It is for STRING columns.',
  );
}

/** The column that gives records their time, where that is not simply a BIGINT. @throws {StatementError} */
export function rarerTimestamp(
  timestamp: Given<string> | null,
  format: Given<string> | null,
  { columns }: Schema,
): TimestampColumn | null {
  if (timestamp === null) {
    if (format === null) return null;
    throw new StatementError(
      'INVALID',
      'TIMESTAMP_FORMAT without TIMESTAMP',
      format.at,
      'Name the column.',
    );
  }
  const { value, at } = timestamp;
  const column = columns.find(
    ({ name, role }) => name === value && (role === 'key' || role === 'value'),
  );
  if (column === undefined) {
    throw new StatementError(
      'UNKNOWN_COLUMN',
      `the TIMESTAMP column ${value} does not exist`,
      at,
      'It is a column of the stream or table.',
    );
  }
  return { column: column.name, format: timestampFormatOf(column.type.kind, format, at) };
}
