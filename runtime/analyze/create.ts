// Analyzes CREATE STREAM and CREATE TABLE over a topic: columns, keys, headers, window, formats; knows no queries.

import type { Position } from '../base/errors.ts';
import { NAME_LENGTH_MAX } from '../base/limits.ts';
import { checkFormat, checkWrap, chooseFormats } from '../catalog/formats.ts';
import { readProperties } from '../catalog/properties.ts';
import type { HeaderColumn } from '../catalog/source.ts';
import { resolveType } from '../catalog/types.ts';
import { schema, type SchemaColumn, WINDOW_COLUMNS } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { ColumnDefinition, CreateSource, Name } from '../sql/ast.ts';
import type { AnalyzeOptions, CreateSourceAnalysis } from './analysis.ts';
import { RARER, RARE_SOURCES, WORDS } from './parts.ts';
import { isReserved } from './scope.ts';
import { formatDefaults, partitionsOf } from './settings.ts';
import { timestampOf } from './sink.ts';

/** Partitions of a topic that nobody has given a number, where topics are not known. */
const DEFAULT_PARTITIONS = 1;

/** Names of sources are bounded. @throws {StatementError} LIMIT */
export function checkName(name: Name): void {
  if (name.text.length >= 1 && name.text.length <= NAME_LENGTH_MAX) return;
  throw WORDS.code.nameLength(name);
}

/** The name has been checked to be free. @throws {StatementError} */
export function analyzeCreateSource(
  statement: CreateSource,
  options: AnalyzeOptions,
): CreateSourceAnalysis {
  const kind = statement.sourceType === 'TABLE' ? 'table' : 'stream';
  const properties = readProperties(statement.properties, 'create');
  if (properties.topic === null) {
    throw WORDS.code.noTopic(statement.at);
  }
  const formats = chooseFormats(properties, formatDefaults(options), null, statement.at);
  if (statement.columns === null || statement.columns.length === 0) {
    throw WORDS.code.noColumns(statement);
  }
  const { columns, headers } = columnsOf(statement.columns, kind, options.catalog.types);
  const keys = columns.filter((column) => column.role === 'key');
  const values = columns.filter((column) => column.role === 'value');
  const isWindowed = properties.windowType !== null || properties.windowSizeMs !== null;
  const window = isWindowed ? RARER.code.keyWindow(properties, keys, statement.name.at) : null;
  if (kind === 'table' && keys.length === 0) {
    throw WORDS.code.noPrimaryKey(statement.name.at);
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
  return {
    kind: 'createSource',
    source: {
      name: statement.name.text,
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
      query: null,
      statement: statement.text,
    },
    query: null,
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
  throw WORDS.code.unknownTopic(topic, at);
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
      throw WORDS.code.reservedColumn(definition.name);
    }
    if (seen.has(name)) {
      throw WORDS.code.repeatedColumn(definition.name);
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
      case 'Header':
        headers.push(RARE_SOURCES.code.headerColumn(definition, type, headers));
        return { name, type, role: 'pseudo' };
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
  throw WORDS.code.wrongKey(definition, kind);
}
