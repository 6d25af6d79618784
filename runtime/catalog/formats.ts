// Chooses the formats of a source's key and value from properties and defaults, and asks them what they refuse; knows no bytes.

import { type Position, StatementError } from '../base/errors.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Formats, FormatSpec } from '../formats/serde.ts';
import { didYouMean } from './nearest.ts';
import type { Given, SourceProperties } from './properties.ts';
import { holdsMap } from './types.ts';

/** Formats of the language that need a schema registry. */
const UNSUPPORTED = new Set(['AVRO', 'PROTOBUF', 'PROTOBUF_NOSR', 'JSON_SR']);
const KNOWN = ['JSON', 'KAFKA', 'DELIMITED', 'NONE', 'COLUMNAR', ...UNSUPPORTED];

/** Formats that a statement need not name. */
export interface FormatDefaults {
  readonly key: string;
  /** null: VALUE_FORMAT must be given. */
  readonly value: string | null;
  /** Whether a single value column stands in an object. */
  readonly wrap: boolean;
}

export interface SourceFormats {
  readonly key: FormatSpec;
  readonly value: FormatSpec;
}

/** The formats of what is read or written when nothing is declared: those of a query's source. */
export type Inherited = SourceFormats | null;

/**
 * The formats that a statement's properties, its query's source and the defaults give, in that order.
 * @param at where the statement stands, for what is missing
 * @throws {StatementError} INVALID when no value format is known or properties contradict each other
 */
export function chooseFormats(
  properties: SourceProperties,
  defaults: FormatDefaults,
  inherited: Inherited,
  at: Position,
): SourceFormats {
  const { format, keyFormat, valueFormat } = properties;
  const both = keyFormat ?? valueFormat;
  if (format !== null && both !== null) {
    throw new StatementError(
      'INVALID',
      'FORMAT stands beside KEY_FORMAT or VALUE_FORMAT',
      both.at,
      'FORMAT sets both: use it alone, or the other two.',
    );
  }
  const key = spec(
    keyFormat ?? format,
    properties.keyDelimiter,
    inherited?.key ?? null,
    defaults.key,
    'KEY',
  );
  const value = spec(
    valueFormat ?? format,
    properties.valueDelimiter,
    inherited?.value ?? null,
    defaults.value,
    'VALUE',
  );
  if (value === null) {
    throw new StatementError(
      'INVALID',
      'the property VALUE_FORMAT is missing',
      at,
      "Add VALUE_FORMAT='JSON', or another format, to WITH (...).",
    );
  }
  return {
    // A null key spec cannot be: the default key format is always known.
    key: key ?? { format: defaults.key, options: [], wrap: false },
    value: { ...value, wrap: wrapped(value.format, properties.wrapSingleValue, defaults.wrap) },
  };
}

function spec(
  given: Given<string> | null,
  delimiter: Given<string> | null,
  inherited: FormatSpec | null,
  fallback: string | null,
  part: 'KEY' | 'VALUE',
): FormatSpec | null {
  const format = given?.value ?? inherited?.format ?? fallback;
  if (format === null) return null;
  if (given !== null) checkName(format, given.at);
  if (delimiter !== null && format !== 'DELIMITED') {
    throw new StatementError(
      'INVALID',
      `${part}_DELIMITER means nothing to the format ${format}`,
      delimiter.at,
      'Only DELIMITED has a delimiter.',
    );
  }
  const kept =
    given === null || given.value === inherited?.format ? (inherited?.options ?? []) : [];
  return {
    format,
    options: delimiter === null ? kept : [['DELIMITER', delimiter.value]],
    wrap: false,
  };
}

function checkName(format: string, at: Position): void {
  if (UNSUPPORTED.has(format)) {
    throw new StatementError(
      'UNSUPPORTED',
      `the format ${format} is not supported yet`,
      at,
      'Use JSON, DELIMITED, KAFKA or NONE.',
    );
  }
  if (!KNOWN.includes(format)) {
    throw new StatementError(
      'INVALID',
      `unknown format ${format}`,
      at,
      didYouMean(format, KNOWN, 'Known are JSON, DELIMITED, KAFKA and NONE.'),
    );
  }
}

function wrapped(format: string, given: Given<boolean> | null, fallback: boolean): boolean {
  if (format === 'JSON') return given?.value ?? fallback;
  if (given?.value === true) {
    throw new StatementError(
      'INVALID',
      `the format ${format} cannot wrap a single value`,
      given.at,
      'Leave WRAP_SINGLE_VALUE out, or use JSON.',
    );
  }
  return false;
}

/**
 * Asks the format whether it can hold the columns.
 * @throws {StatementError} INVALID with the format's own reason; UNSUPPORTED when this build has no such format
 */
export function checkFormat(
  columns: readonly SchemaColumn[],
  part: 'key' | 'value',
  chosen: FormatSpec,
  formats: Formats,
  at: Position,
): void {
  const format = formats.get(chosen.format);
  if (format === undefined) {
    throw new StatementError(
      'UNSUPPORTED',
      `the format ${chosen.format} is not supported yet`,
      at,
      `Supported are ${[...formats.keys()].join(', ')}.`,
    );
  }
  const map = part === 'key' ? columns.find((column) => holdsMap(column.type)) : undefined;
  if (map !== undefined) {
    throw new StatementError(
      'INVALID',
      `the key column ${map.name} holds a MAP`,
      at,
      'A map has no one encoding, so it cannot be a key: use its entries.',
    );
  }
  // A stream without key columns has null keys, which every format can write.
  if (part === 'key' && columns.length === 0) return;
  const refused = format.refuse(columns, part, chosen);
  if (refused === null) return;
  throw new StatementError(
    'INVALID',
    `${part} format: ${refused}`,
    at,
    'Choose another format or other columns.',
  );
}

/**
 * WRAP_SINGLE_VALUE says something only of a single value column.
 * @throws {StatementError} INVALID beside several columns
 */
export function checkWrap(properties: SourceProperties, valueColumns: number): void {
  if (properties.wrapSingleValue !== null && valueColumns !== 1) {
    throw new StatementError(
      'INVALID',
      'WRAP_SINGLE_VALUE stands beside several value columns',
      properties.wrapSingleValue.at,
      'It means something only where there is exactly one.',
    );
  }
}
