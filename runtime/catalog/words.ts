// The words for what the catalog and its statements' properties refuse, fetched when something is refused; knows no rule.

import { type Position, StatementError } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import type { Type } from '../data/type.ts';
import type { Formats } from '../formats/serde.ts';
import { nearestName } from './nearest-name.ts';
import { BUILT_IN } from './types.ts';

function invalid(message: string, at: Position | null, hint: string): StatementError {
  return new StatementError('INVALID', message, at, hint);
}

/** A hint that names the nearest known name, or `otherwise`. */
export function didYouMean(name: string, known: Iterable<string>, otherwise = ''): string {
  const near = nearestName(name, known);
  return near === null ? otherwise : `Did you mean ${near}?`;
}

export function unknownSource(
  name: string,
  known: Iterable<string>,
  at: Position | null,
): StatementError {
  return new StatementError(
    'UNKNOWN_SOURCE',
    `there is no stream or table ${name}`,
    at,
    didYouMean(name, known, 'SHOW STREAMS and SHOW TABLES list what there is.'),
  );
}

export function tooMany(most: number): StatementError {
  return new StatementError(
    'LIMIT',
    `there are ${most} already`,
    null,
    'DROP or TERMINATE one first.',
  );
}

export function twoWaysToFormat(at: Position): StatementError {
  return invalid(
    'FORMAT stands beside KEY_FORMAT or VALUE_FORMAT',
    at,
    'FORMAT sets both: use it alone, or the other two.',
  );
}

export function noValueFormat(at: Position): StatementError {
  return invalid(
    'the property VALUE_FORMAT is missing',
    at,
    "Add VALUE_FORMAT='JSON', or another format, to WITH (...).",
  );
}

export function noDelimiter(part: string, format: string, at: Position): StatementError {
  return invalid(
    `${part}_DELIMITER means nothing to the format ${format}`,
    at,
    'Only DELIMITED has a delimiter.',
  );
}

/** Formats of the language that need a schema registry. */
const UNSUPPORTED: readonly string[] = ['AVRO', 'PROTOBUF', 'PROTOBUF_NOSR', 'JSON_SR'];

/** @param known formats that are supported */
export function unknownFormat(
  format: string,
  known: readonly string[],
  at: Position,
): StatementError {
  if (UNSUPPORTED.includes(format)) {
    return new StatementError(
      'UNSUPPORTED',
      `the format ${format} is not supported yet`,
      at,
      'Use JSON, DELIMITED, KAFKA or NONE.',
    );
  }
  const names = [...known, ...UNSUPPORTED];
  const hint = didYouMean(format, names, 'Known are JSON, DELIMITED, KAFKA and NONE.');
  return invalid(`unknown format ${format}`, at, hint);
}

export function noWrapping(format: string, at: Position): StatementError {
  return invalid(
    `the format ${format} cannot wrap a single value`,
    at,
    'Leave WRAP_SINGLE_VALUE out, or use JSON.',
  );
}

export function absentFormat(format: string, formats: Formats, at: Position): StatementError {
  return new StatementError(
    'UNSUPPORTED',
    `the format ${format} is not supported yet`,
    at,
    `Supported are ${[...formats.keys()].join(', ')}.`,
  );
}

export function mapInKey(column: string, at: Position): StatementError {
  return invalid(
    `the key column ${column} holds a MAP`,
    at,
    'A map has no one encoding, so it cannot be a key: use its entries.',
  );
}

export function formatRefuses(part: string, reason: string, at: Position): StatementError {
  return invalid(`${part} format: ${reason}`, at, 'Choose another format or other columns.');
}

export function wrapsSeveral(at: Position): StatementError {
  return invalid(
    'WRAP_SINGLE_VALUE stands beside several value columns',
    at,
    'It means something only where there is exactly one.',
  );
}

export function unknownType(
  name: string,
  custom: ReadonlyMap<string, Type>,
  at: Position,
): StatementError {
  const known = [...BUILT_IN.keys(), ...custom.keys()];
  const hint = didYouMean(name, known, 'Custom types are made with CREATE TYPE.');
  return invalid(`unknown type ${name}`, at, hint);
}

export function repeatedField(name: string, at: Position): StatementError {
  return invalid(
    `the field ${name} stands twice in one STRUCT`,
    at,
    'Give each field its own name.',
  );
}

export function noDecimal(precision: number, scale: number, at: Position): StatementError {
  return invalid(
    `DECIMAL(${precision}, ${scale}) is not a type`,
    at,
    `The precision is 1 to ${DECIMAL_DIGITS_MAX}, the scale 0 to the precision.`,
  );
}
