// Reads the WITH properties of plain statements; any other goes to all-properties.ts, which is fetched on first use. Knows no schema.

import type { Position } from '../base/errors.ts';
import { NAME_LENGTH_MAX, PARTITIONS_MAX } from '../base/limits.ts';
import type { Property } from '../sql/ast.ts';
import { ALL_PROPERTIES } from './parts.ts';
import type { KeyWindow } from './source.ts';

/** A property's value and where it stands. */
export interface Given<T> {
  readonly value: T;
  readonly at: Position;
}

/** What WITH (...) says; null where it says nothing. */
export interface SourceProperties {
  readonly topic: Given<string> | null;
  readonly partitions: Given<number> | null;
  /** Sets both formats. */
  readonly format: Given<string> | null;
  readonly keyFormat: Given<string> | null;
  readonly valueFormat: Given<string> | null;
  readonly keyDelimiter: Given<string> | null;
  readonly valueDelimiter: Given<string> | null;
  readonly wrapSingleValue: Given<boolean> | null;
  readonly timestamp: Given<string> | null;
  readonly timestampFormat: Given<string> | null;
  readonly windowType: Given<KeyWindow['type']> | null;
  readonly windowSizeMs: Given<number> | null;
  readonly retentionMs: Given<number> | null;
  readonly compacted: Given<boolean> | null;
  /** The id that the statement wants for its query. */
  readonly queryId: Given<string> | null;
  readonly warnings: readonly string[];
}

/** Which statement the properties belong to: they allow different ones. */
export type PropertiesOf = 'create' | 'createAs' | 'insert';

const NOTHING: SourceProperties = {
  topic: null,
  partitions: null,
  format: null,
  keyFormat: null,
  valueFormat: null,
  keyDelimiter: null,
  valueDelimiter: null,
  wrapSingleValue: null,
  timestamp: null,
  timestampFormat: null,
  windowType: null,
  windowSizeMs: null,
  retentionMs: null,
  compacted: null,
  queryId: null,
  warnings: [],
};

type Plain = 'topic' | 'partitions' | 'format' | 'keyFormat' | 'valueFormat' | 'timestamp';

const PLAIN: ReadonlyMap<string, Plain> = new Map([
  ['KAFKA_TOPIC', 'topic'],
  ['PARTITIONS', 'partitions'],
  ['FORMAT', 'format'],
  ['KEY_FORMAT', 'keyFormat'],
  ['VALUE_FORMAT', 'valueFormat'],
  ['TIMESTAMP', 'timestamp'],
]);

/**
 * Reads the properties.
 * @throws {StatementError} INVALID for unknown or repeated properties and for values out of their bounds; SYNTAX for a size that is no
 *   duration; UNSUPPORTED for those of a schema registry
 */
export function readProperties(given: readonly Property[], of: PropertiesOf): SourceProperties {
  const read: { [Name in Plain]?: Given<unknown> } = {};
  for (const { name, value: literal } of given) {
    const known = PLAIN.get(name.text.toUpperCase());
    const value =
      literal.kind === 'Integer' || literal.kind === 'String'
        ? plainValue(known, literal.value)
        : null;
    if (of === 'insert' || known === undefined || known in read || value === null)
      return ALL_PROPERTIES.code.readAllProperties(given, of);
    read[known] = { value, at: literal.at };
  }
  return { ...NOTHING, ...(read as Partial<SourceProperties>) };
}

/** null: not of the plain kind. */
function plainValue(property: Plain | undefined, value: string | number): string | number | null {
  if (typeof value === 'number')
    return property === 'partitions' && value >= 1 && value <= PARTITIONS_MAX ? value : null;
  if (property === 'topic') return isTopicName(value) ? value : null;
  return property !== 'partitions' && /^\w+$/.test(value) ? value.toUpperCase() : null;
}

/** True for names that a user's topic may have; those that begin with two underscores are for internal topics. */
export function isTopicName(name: string): boolean {
  return /^(?!__|\.{1,2}$)[A-Za-z0-9._-]+$/.test(name) && name.length <= NAME_LENGTH_MAX;
}
