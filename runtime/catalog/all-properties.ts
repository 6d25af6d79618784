// Reads every WITH property of statements: names, values and their bounds; knows no schema and no format's rules.

import { StatementError } from '../base/errors.ts';
import { NAME_LENGTH_MAX, PARTITIONS_MAX } from '../base/limits.ts';
import type { Literal, Property } from '../sql/ast.ts';
import { type Given, isTopicName, type PropertiesOf, type SourceProperties } from './properties.ts';
import type { KeyWindow } from './source.ts';
import { didYouMean } from './words.ts';

const COMMON = [
  'KAFKA_TOPIC',
  'PARTITIONS',
  'REPLICAS',
  'FORMAT',
  'KEY_FORMAT',
  'VALUE_FORMAT',
  'KEY_DELIMITER',
  'VALUE_DELIMITER',
  'WRAP_SINGLE_VALUE',
  'TIMESTAMP',
  'TIMESTAMP_FORMAT',
  'RETENTION_MS',
  'CLEANUP_POLICY',
] as const;

const OF_CREATE = ['WINDOW_TYPE', 'WINDOW_SIZE', 'SOURCED_BY_CONNECTOR'] as const;

/** A property of WITH; property-meanings.ts says what each means. */
export type WithProperty = (typeof COMMON)[number] | (typeof OF_CREATE)[number] | 'QUERY_ID';

export const ALLOWED: Readonly<Record<PropertiesOf, readonly string[]>> = {
  create: [...COMMON, ...OF_CREATE],
  createAs: COMMON,
  insert: ['QUERY_ID'] satisfies WithProperty[],
};

/** Properties of the language that need a schema registry. */
const UNSUPPORTED =
  /^(KEY|VALUE)_(SCHEMA_ID|SCHEMA_FULL_NAME|AVRO_SCHEMA_FULL_NAME|PROTOBUF_NULLABLE_REPRESENTATION)$/;

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['MILLISECOND', 1],
  ['SECOND', 1_000],
  ['MINUTE', 60_000],
  ['HOUR', 3_600_000],
  ['DAY', 86_400_000],
]);

/** As `readProperties`, for whatever stands there. */
export function readAllProperties(given: readonly Property[], of: PropertiesOf): SourceProperties {
  const warnings: string[] = [];
  const byName = new Map<string, Property>();
  for (const property of given) {
    const name = property.name.text.toUpperCase();
    if (UNSUPPORTED.test(name)) {
      throw new StatementError(
        'UNSUPPORTED',
        `${name} needs a schema registry`,
        property.at,
        'Declare the columns in the statement.',
      );
    }
    if (!ALLOWED[of].includes(name)) {
      throw new StatementError(
        'INVALID',
        `unknown property ${name}`,
        property.at,
        didYouMean(name, ALLOWED[of], `Known are ${ALLOWED[of].join(', ')}.`),
      );
    }
    if (byName.has(name)) {
      throw new StatementError(
        'INVALID',
        `the property ${name} stands twice`,
        property.at,
        'Keep one of them.',
      );
    }
    byName.set(name, property);
  }
  const read = <T>(name: string, as: (property: Property) => T): Given<T> | null => {
    const property = byName.get(name);
    return property === undefined ? null : { value: as(property), at: property.value.at };
  };
  if (byName.has('REPLICAS'))
    warnings.push('REPLICAS means nothing here: the host replicates the log.');
  return {
    topic: read('KAFKA_TOPIC', topicName),
    partitions: read('PARTITIONS', (property) => count(property, PARTITIONS_MAX)),
    format: read('FORMAT', formatName),
    keyFormat: read('KEY_FORMAT', formatName),
    valueFormat: read('VALUE_FORMAT', formatName),
    keyDelimiter: read('KEY_DELIMITER', delimiter),
    valueDelimiter: read('VALUE_DELIMITER', delimiter),
    wrapSingleValue: read('WRAP_SINGLE_VALUE', flag),
    timestamp: read('TIMESTAMP', (property) => identifier(text(property))),
    timestampFormat: read('TIMESTAMP_FORMAT', text),
    windowType: read('WINDOW_TYPE', windowType),
    windowSizeMs: read('WINDOW_SIZE', durationText),
    retentionMs: read('RETENTION_MS', (property) => count(property, Number.MAX_SAFE_INTEGER)),
    compacted: read('CLEANUP_POLICY', cleanupPolicy),
    queryId: read('QUERY_ID', queryId),
    warnings,
  };
}

function refuse(
  property: Property,
  expected: string,
  code: 'INVALID' | 'SYNTAX' = 'INVALID',
): StatementError {
  const { name, value } = property;
  return new StatementError(
    code,
    `${name.text.toUpperCase()} cannot be ${shown(value)}`,
    value.at,
    expected,
  );
}

function shown(value: Literal): string {
  switch (value.kind) {
    case 'Null':
      return 'NULL';
    case 'Decimal':
      return value.text;
    case 'String':
      return `'${value.value}'`;
    default:
      return String(value.value);
  }
}

function text(property: Property): string {
  if (property.value.kind !== 'String')
    throw refuse(property, 'Write the value as text in single quotes.');
  return property.value.value;
}

/** A column's name written within text: upper-cased unless it stands in backticks or double quotes. */
function identifier(written: string): string {
  const quoted = /^(?:`(.*)`|"(.*)")$/s.exec(written);
  return quoted === null ? written.toUpperCase() : (quoted[1] ?? quoted[2] ?? '');
}

function topicName(property: Property): string {
  const name = text(property);
  if (isTopicName(name)) return name;
  throw refuse(
    property,
    `A topic name has 1 to ${NAME_LENGTH_MAX} letters, digits, dots, underscores and hyphens, and does not begin with __.`,
  );
}

/** As a name that stands without quotes, and none of those that queries without one get. */
function queryId(property: Property): string {
  const id = text(property).toUpperCase();
  if (/^(?!C[ST]AS_|CST_|INSERTQUERY_)\w+$/.test(id)) return id;
  throw refuse(
    property,
    'It has letters, digits and underscores, and does not begin with CSAS_, CTAS_, CST_ or INSERTQUERY_.',
  );
}

function whole(property: Property): number | null {
  const { value } = property;
  if (value.kind === 'Integer') return value.value;
  if (value.kind === 'Long') return Number(value.value);
  if (value.kind === 'String' && /^-?\d{1,19}$/.test(value.value)) return Number(value.value);
  return null;
}

function count(property: Property, max: number): number {
  const number = whole(property);
  if (number === null || number < 1 || number > max) {
    throw refuse(property, `It is a whole number from 1 to ${max}.`);
  }
  return number;
}

function flag(property: Property): boolean {
  const { value } = property;
  if (value.kind === 'Boolean') return value.value;
  if (value.kind === 'String' && /^(true|false)$/i.test(value.value))
    return value.value.toLowerCase() === 'true';
  throw refuse(property, 'It is true or false.');
}

function formatName(property: Property): string {
  const name = text(property).toUpperCase();
  if (name === '') throw refuse(property, 'Name a format, for example JSON.');
  return name;
}

function delimiter(property: Property): string {
  const written = text(property);
  if (written.toUpperCase() === 'TAB') return '\t';
  if (written.toUpperCase() === 'SPACE') return ' ';
  if (!/^\S$/u.test(written))
    throw refuse(property, "It is one character; a tab and a space are written 'TAB' and 'SPACE'.");
  return written;
}

function windowType(property: Property): KeyWindow['type'] {
  const name = text(property).toUpperCase();
  if (/^(TUMBLING|HOPPING|SESSION|SLIDING)$/.test(name)) return name as KeyWindow['type'];
  throw refuse(property, 'It is TUMBLING, HOPPING, SESSION or SLIDING.');
}

function durationText(property: Property): number {
  const parts = /^\s*(\d{1,15})\s+([A-Za-z]+)\s*$/.exec(text(property));
  const unit = UNIT_MS.get((parts?.[2] ?? '').toUpperCase().replace(/S$/, ''));
  const size = unit === undefined ? 0 : Number(parts?.[1]) * unit;
  if (size < 1 || !Number.isSafeInteger(size)) {
    // The text is a duration as the grammar has it after SIZE.
    throw refuse(property, "It is a number and a unit, for example '30 SECONDS'.", 'SYNTAX');
  }
  return size;
}

function cleanupPolicy(property: Property): boolean {
  const policies = text(property);
  if (/^(compact|delete)(\s*,\s*(compact|delete))?$/i.test(policies))
    return /compact/i.test(policies);
  throw refuse(property, "It is 'delete', 'compact' or 'compact,delete'.");
}
