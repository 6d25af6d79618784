// Analyzes CREATE STREAM and CREATE TABLE over a topic: columns, keys, headers, window, formats; knows no queries.

import { type Position, StatementError } from '../base/errors.ts';
import { NAME_LENGTH_MAX } from '../base/limits.ts';
import { checkFormat, checkWrap, chooseFormats } from '../catalog/formats.ts';
import { readProperties } from '../catalog/properties.ts';
import type { HeaderColumn } from '../catalog/source.ts';
import { HEADERS_TYPE, isHeadersType, resolveType } from '../catalog/types.ts';
import { schema, type SchemaColumn, WINDOW_COLUMNS } from '../data/schema.ts';
import { BYTES, type Type, typeText } from '../data/type.ts';
import type { ColumnDefinition, CreateSource, Name } from '../sql/ast.ts';
import type { AnalyzeOptions, CreateSourceAnalysis } from './analysis.ts';
import { RARER } from './parts.ts';
import { isReserved } from './scope.ts';
import { formatDefaults, partitionsOf } from './settings.ts';
import { timestampOf } from './sink.ts';

/** Partitions of a topic that nobody has given a number, where topics are not known. */
const DEFAULT_PARTITIONS = 1;

/** Names of sources are bounded. @throws {StatementError} LIMIT */
export function checkName(name: Name): void {
  if (name.text.length >= 1 && name.text.length <= NAME_LENGTH_MAX) return;
  throw new StatementError(
    'LIMIT',
    `the name has ${name.text.length} characters`,
    name.at,
    `It has 1 to ${NAME_LENGTH_MAX}.`,
  );
}

/** The name has been checked to be free. @throws {StatementError} */
export function analyzeCreateSource(
  statement: CreateSource,
  options: AnalyzeOptions,
): CreateSourceAnalysis {
  const kind = statement.sourceType === 'TABLE' ? 'table' : 'stream';
  const properties = readProperties(statement.properties, 'create');
  if (properties.topic === null) {
    throw new StatementError(
      'INVALID',
      'the property KAFKA_TOPIC is missing',
      statement.at,
      "Add KAFKA_TOPIC='...' to WITH (...).",
    );
  }
  const formats = chooseFormats(properties, formatDefaults(options), null, statement.at);
  if (statement.columns === null || statement.columns.length === 0) {
    throw new StatementError(
      'INVALID',
      `${statement.name.text} has no columns`,
      statement.name.at,
      'Declare them in parentheses behind the name: no schema registry tells them.',
    );
  }
  const { columns, headers } = columnsOf(statement.columns, kind, options.catalog.types);
  const keys = columns.filter((column) => column.role === 'key');
  const values = columns.filter((column) => column.role === 'value');
  const isWindowed = properties.windowType !== null || properties.windowSizeMs !== null;
  const window = isWindowed ? RARER.code.keyWindow(properties, keys, statement.name.at) : null;
  if (kind === 'table' && keys.length === 0) {
    throw new StatementError(
      'INVALID',
      'a table has a PRIMARY KEY',
      statement.name.at,
      'Add PRIMARY KEY to a column.',
    );
  }
  checkWrap(properties, values.length);
  const keyAt = (properties.keyFormat ?? properties.format)?.at ?? statement.name.at;
  const valueAt = (properties.valueFormat ?? properties.format)?.at ?? statement.name.at;
  checkFormat(keys, 'key', formats.key, options.formats, keyAt);
  checkFormat(values, 'value', formats.value, options.formats, valueAt);
  const all = schema([
    ...keys,
    ...(window === null ? [] : WINDOW_COLUMNS),
    ...values,
    ...columns.filter((column) => column.role === 'pseudo'),
  ]);
  const topic = properties.topic.value;
  const partitions =
    partitionsOf(properties, topic, options) ??
    unknownPartitions(topic, properties.topic.at, options);
  const name = statement.name.text;
  // Nobody but its topic writes a SOURCE TABLE, so that its rows can be kept for pull queries from the beginning.
  const id = statement.readOnly && kind === 'table' ? `CST_${name}_${options.queryNumber}` : null;
  return {
    kind: 'createSource',
    source: {
      name,
      kind,
      topic,
      partitions,
      schema: all,
      keyFormat: formats.key,
      valueFormat: formats.value,
      window,
      timestamp: timestampOf(properties, all),
      headers,
      readOnly: statement.readOnly,
      query: id,
      statement: statement.text,
    },
    query: id === null ? null : { id, statement: statement.text, reads: [name], writes: null },
    topic: {
      name: topic,
      partitions,
      retentionMs: properties.retentionMs?.value ?? null,
      compacted: properties.compacted?.value ?? kind === 'table',
    },
    warnings: properties.warnings,
  };
}

function unknownPartitions(topic: string, at: Position, { topics }: AnalyzeOptions): number {
  if (topics === undefined) return DEFAULT_PARTITIONS;
  throw new StatementError(
    'UNKNOWN_TOPIC',
    `there is no topic ${topic}`,
    at,
    'Add PARTITIONS=... to make it.',
  );
}

interface Columns {
  readonly columns: readonly SchemaColumn[];
  readonly headers: readonly HeaderColumn[];
}

function columnsOf(
  definitions: readonly ColumnDefinition[],
  kind: 'stream' | 'table',
  types: ReadonlyMap<string, Type>,
): Columns {
  const seen = new Set<string>();
  const headers: HeaderColumn[] = [];
  const columns = definitions.map((definition): SchemaColumn => {
    const name = definition.name.text;
    if (isReserved(name)) {
      throw new StatementError(
        'INVALID',
        `${name} is a reserved name`,
        definition.name.at,
        'Give the column another name.',
      );
    }
    if (seen.has(name)) {
      throw new StatementError(
        'INVALID',
        `two columns are called ${name}`,
        definition.name.at,
        'Give one of them another name.',
      );
    }
    seen.add(name);
    const type = resolveType(definition.type, types);
    const { constraint } = definition;
    switch (constraint?.kind) {
      case undefined:
        return { name, type, role: 'value' };
      case 'Key':
      case 'PrimaryKey':
        checkKey(definition, constraint.kind, kind);
        return { name, type, role: 'key' };
      case 'Headers':
      case 'Header': {
        const key = constraint.kind === 'Header' ? constraint.key : null;
        checkHeader(definition, type, key, headers);
        headers.push({ column: name, key });
        return { name, type, role: 'pseudo' };
      }
    }
  });
  return { columns, headers };
}

function checkKey(
  definition: ColumnDefinition,
  constraint: 'Key' | 'PrimaryKey',
  kind: 'stream' | 'table',
): void {
  if ((constraint === 'PrimaryKey') === (kind === 'table')) return;
  throw kind === 'table'
    ? new StatementError(
        'INVALID',
        `the column ${definition.name.text} of a table is KEY`,
        definition.at,
        'Write PRIMARY KEY.',
      )
    : new StatementError(
        'INVALID',
        `the column ${definition.name.text} of a stream is PRIMARY KEY`,
        definition.at,
        'Write KEY.',
      );
}

function checkHeader(
  definition: ColumnDefinition,
  type: Type,
  key: string | null,
  before: readonly HeaderColumn[],
): void {
  const what = key === null ? 'HEADERS' : `HEADER('${key}')`;
  const fits = key === null ? isHeadersType(type) : type.kind === 'BYTES';
  if (!fits) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `the ${what} column ${definition.name.text} is ${typeText(type)}`,
      definition.at,
      `It is ${typeText(key === null ? HEADERS_TYPE : BYTES)}.`,
    );
  }
  const [first] = before;
  if (first === undefined) return;
  if (key === null || first.key === null) {
    throw new StatementError(
      'INVALID',
      `a HEADERS column stands beside other header columns`,
      definition.at,
      'Declare one column with all headers, or columns for single ones.',
    );
  }
  if (before.some((other) => other.key === key)) {
    throw new StatementError(
      'INVALID',
      `two columns read the header '${key}'`,
      definition.at,
      'Keep one of them.',
    );
  }
}
