// Chooses the formats of a source's key and value from properties and defaults, and asks them what they refuse; knows no bytes.

import type { Position } from '../base/errors.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Formats, FormatSpec } from '../formats/serde.ts';
import { RARER_TYPES, WORDS } from './parts.ts';
import type { Given, SourceProperties } from './properties.ts';
import { isNested } from './types.ts';

const KNOWN = ['JSON', 'KAFKA', 'DELIMITED', 'NONE', 'COLUMNAR'];

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
    throw WORDS.code.twoWaysToFormat(both.at);
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
    throw WORDS.code.noValueFormat(at);
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
  if (given !== null && !KNOWN.includes(format))
    throw WORDS.code.unknownFormat(format, KNOWN, given.at);
  if (delimiter !== null && format !== 'DELIMITED') {
    throw WORDS.code.noDelimiter(part, format, delimiter.at);
  }
  const kept =
    given === null || given.value === inherited?.format ? (inherited?.options ?? []) : [];
  return {
    format,
    options: delimiter === null ? kept : [['DELIMITER', delimiter.value]],
    wrap: false,
  };
}

function wrapped(format: string, given: Given<boolean> | null, fallback: boolean): boolean {
  if (format === 'JSON') return given?.value ?? fallback;
  if (given?.value === true) {
    throw WORDS.code.noWrapping(format, given.at);
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
    throw WORDS.code.absentFormat(chosen.format, formats, at);
  }
  const map =
    part === 'key'
      ? columns.find(({ type }) => isNested(type) && RARER_TYPES.code.holdsMap(type))
      : undefined;
  if (map !== undefined) {
    throw WORDS.code.mapInKey(map.name, at);
  }
  // A stream without key columns has null keys, which every format can write.
  if (part === 'key' && columns.length === 0) return;
  const refused = format.refuse(columns, part, chosen);
  if (refused === null) return;
  throw WORDS.code.formatRefuses(part, refused, at);
}

/**
 * WRAP_SINGLE_VALUE says something only of a single value column.
 * @throws {StatementError} INVALID beside several columns
 */
export function checkWrap(properties: SourceProperties, valueColumns: number): void {
  if (properties.wrapSingleValue !== null && valueColumns !== 1) {
    throw WORDS.code.wrapsSeveral(properties.wrapSingleValue.at);
  }
}
