// Makes the source that CREATE ... AS writes: its schema, formats, topic and timestamp; knows no steps.

import { chooseFormats, checkFormat, checkWrap, type SourceFormats } from '../catalog/formats.ts';
import { isTopicName, readProperties, type SourceProperties } from '../catalog/properties.ts';
import type { KeyWindow, Source, TimestampColumn } from '../catalog/source.ts';
import type { Schema } from '../data/schema.ts';
import type { CreateAs, Name } from '../sql/ast.ts';
import type { AnalyzeOptions } from './analysis.ts';
import { RARER, WORDS } from './parts.ts';
import { formatDefaults, partitionsOf } from './settings.ts';

/** What a query gives its sink. */
export interface SinkParts {
  readonly statement: CreateAs;
  readonly id: string;
  /** What is read; the sink takes after the first. */
  readonly sources: readonly [Source, ...Source[]];
  readonly kind: 'stream' | 'table';
  readonly schema: Schema;
  readonly window: KeyWindow | null;
  /** true: the key is not the source's (JOIN, GROUP BY, PARTITION BY). */
  readonly rekeyed: boolean;
}

export interface Sink {
  readonly sink: Source;
  readonly retentionMs: number | null;
  readonly compacted: boolean;
  readonly warnings: readonly string[];
}

/** @throws {StatementError} INVALID for properties and formats that do not fit the columns */
export function sinkOf(parts: SinkParts, options: AnalyzeOptions): Sink {
  const { statement, sources, schema } = parts;
  const [source] = sources;
  const properties = readProperties(statement.properties, 'createAs');
  const formats = sinkFormats(parts, properties, options);
  const keys = schema.columns.filter((column) => column.role === 'key');
  const values = schema.columns.filter((column) => column.role === 'value');
  checkWrap(properties, values.length);
  checkFormat(
    keys,
    'key',
    formats.key,
    options.formats,
    (properties.keyFormat ?? properties.format)?.at ?? statement.at,
  );
  checkFormat(
    values,
    'value',
    formats.value,
    options.formats,
    (properties.valueFormat ?? properties.format)?.at ?? statement.at,
  );
  const topic = properties.topic?.value ?? namedTopic(statement.name, options);
  if (sources.some((read) => read.topic === topic)) {
    throw WORDS.code.readsWhatItWrites(topic, properties.topic?.at ?? statement.name.at);
  }
  return {
    sink: {
      name: statement.name.text,
      kind: parts.kind,
      topic,
      partitions: partitionsOf(properties, topic, options) ?? source.partitions,
      schema,
      keyFormat: formats.key,
      valueFormat: formats.value,
      window: parts.window,
      timestamp: timestampOf(properties, schema),
      headers: [],
      readOnly: false,
      query: parts.id,
      statement: statement.text,
    },
    retentionMs: properties.retentionMs?.value ?? null,
    compacted: properties.compacted?.value ?? false,
    warnings: properties.warnings,
  };
}

/**
 * The topic that is called as its stream or table, or that of what is replaced.
 * @throws {StatementError} INVALID when no topic can be, or another query writes it
 */
function namedTopic({ text, at }: Name, { properties, catalog, topics }: AnalyzeOptions): string {
  const known = catalog.sources.get(text);
  if (known !== undefined) return known.topic;
  const topic = `${properties.get('ksql.output.topic.name.prefix') ?? ''}${text}`;
  if (!isTopicName(topic)) throw WORDS.code.noTopicName(topic, at);
  if (topics?.has(topic) === true) WORDS.code.refuseWritten(topic, catalog, at);
  return topic;
}

function sinkFormats(
  parts: SinkParts,
  properties: SourceProperties,
  options: AnalyzeOptions,
): SourceFormats {
  const { sources, rekeyed, schema } = parts;
  const [source] = sources;
  const defaults = formatDefaults(options);
  const chosen = chooseFormats(
    properties,
    defaults,
    { key: source.keyFormat, value: source.valueFormat },
    parts.statement.at,
  );
  const keyless = !schema.columns.some((column) => column.role === 'key');
  return rekeyed && (keyless || chosen.key.format === 'NONE')
    ? RARER.code.rekeyedFormats(chosen, { properties, schema, keyless, defaultKey: defaults.key })
    : chosen;
}

/**
 * The column that gives records their time.
 * @throws {StatementError} UNKNOWN_COLUMN; TYPE_MISMATCH when it is neither BIGINT nor TIMESTAMP nor STRING with a format
 */
export function timestampOf(properties: SourceProperties, schema: Schema): TimestampColumn | null {
  const { timestamp, timestampFormat } = properties;
  if (timestamp === null && timestampFormat === null) return null;
  const column = schema.columns.find(
    ({ name, role, type }) =>
      name === timestamp?.value && (role === 'key' || role === 'value') && type.kind === 'BIGINT',
  );
  return column !== undefined && timestampFormat === null
    ? { column: column.name, format: null }
    : RARER.code.rarerTimestamp(timestamp, timestampFormat, schema);
}
