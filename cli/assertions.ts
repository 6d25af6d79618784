// ASSERT statements of SQL tests: the next record of a topic, or a stream or table of the catalog, against what is written; knows no driver.

import type { AnalyzeOptions } from '../runtime/analyze/analysis.ts';
import { analyzeCreateSource } from '../runtime/analyze/create.ts';
import { analyzeStatement } from '../runtime/analyze/analyze.ts';
import { readProperties } from '../runtime/catalog/properties.ts';
import type { Source } from '../runtime/catalog/source.ts';
import { columnBuilder } from '../runtime/data/builder.ts';
import { valueAt } from '../runtime/data/column.ts';
import { prettyValue } from '../runtime/data/pretty-value.ts';
import { schema, type SchemaColumn } from '../runtime/data/schema.ts';
import { schemaEquals, schemaText } from '../runtime/data/schema-text.ts';
import type { Value } from '../runtime/data/type.ts';
import { FORMATS } from '../runtime/formats/formats.ts';
import type { FormatSpec } from '../runtime/formats/serde.ts';
import { readWindow } from '../runtime/formats/windowed-key.ts';
import type { AssertSource, AssertTombstone, AssertValues } from '../runtime/sql/ast.ts';
import type { TopicRecord } from '../runtime/data/topic-record.ts';

/** What of a record is compared. */
export type AssertedRecord = Pick<TopicRecord, 'key' | 'value' | 'timestamp'>;

/** A record is not as it was written: java.lang.AssertionError in ksqlDB. */
export class AssertionFailure extends Error {}

/** A stream or table is not as it was written: a KsqlException in ksqlDB. */
export class SourceDiffers extends Error {}

/**
 * The next record of the source's topic: only the listed columns are compared.
 * @throws {AssertionFailure}; {StatementError} when the statement itself is wrong
 */
export function assertRecord(
  statement: AssertValues | AssertTombstone,
  options: AnalyzeOptions,
  next: (topic: string) => AssertedRecord | null,
): void {
  const source = options.catalog.source(statement.source.text, statement.source.at);
  const { values, keyNull, rowtime, columns } = expectedOf(statement, source, options);
  const record = next(source.topic);
  if (record === null) throw new AssertionFailure(`${source.topic} has no further record`);
  const isTombstone = statement.kind === 'AssertTombstone';
  if (isTombstone !== (record.value === null)) {
    throw new AssertionFailure(
      isTombstone
        ? `${source.topic}: expected a tombstone, got a value`
        : `${source.topic}: expected a value, got a tombstone`,
    );
  }
  if (rowtime !== null && rowtime !== record.timestamp) {
    throw new AssertionFailure(`ROWTIME: expected ${rowtime}, got ${record.timestamp}`);
  }
  const listed = new Set(statement.columns?.map(({ text }) => text) ?? columns.map((c) => c.name));
  const actual = actualOf(record, source);
  columns.forEach((column, index) => {
    if (!listed.has(column.name) || (isTombstone && column.role !== 'key')) return;
    const wanted = column.role === 'key' && keyNull ? null : (values[index] ?? null);
    const [expected, got] = [wanted, actual.get(column) ?? null].map((value) =>
      prettyValue(column.type, value),
    );
    if (expected !== got) {
      throw new AssertionFailure(`${column.name}: expected ${expected}, got ${got}`);
    }
  });
}

/** Literals become values as INSERT takes them, whoever writes the source. */
function expectedOf(
  { source: target, columns, values, at, text }: AssertValues | AssertTombstone,
  source: Source,
  options: AnalyzeOptions,
) {
  const bare = schema(source.schema.columns.filter(({ role }) => role !== 'window'));
  const open: Source = { ...source, schema: bare, kind: 'stream', window: null, readOnly: false };
  const analysis = analyzeStatement(
    { kind: 'InsertValues', target, columns, values, at, text },
    { ...options, catalog: options.catalog.withSource(open) },
  );
  if (analysis.kind !== 'insertValues') throw new TypeError('INSERT VALUES inserts values');
  const stored = bare.columns.filter(({ role }) => role !== 'pseudo');
  return { ...analysis, columns: stored };
}

/** The record's columns through the engine's own decoders; of a windowed key its inner key. */
function actualOf(record: AssertedRecord, source: Source): ReadonlyMap<SchemaColumn, Value> {
  const { key, value } = record;
  const bare = key === null || source.window === null ? key : withoutWindow(key, source);
  return new Map([
    ...decoded(bare, source, 'key', source.keyFormat),
    ...decoded(value, source, 'value', source.valueFormat),
  ]);
}

function withoutWindow(key: Uint8Array, { window }: Source): Uint8Array {
  const kind = window?.type === 'SESSION' ? 'session' : 'time';
  const { keyTo } = readWindow(key, { from: 0, to: key.length }, kind, window?.sizeMs ?? 0);
  return key.subarray(0, keyTo);
}

function decoded(
  bytes: Uint8Array | null,
  source: Source,
  role: 'key' | 'value',
  spec: FormatSpec,
): [SchemaColumn, Value][] {
  const columns = source.schema.columns.filter((column) => column.role === role);
  if (bytes === null) return [];
  const format = FORMATS.get(spec.format);
  if (format === undefined) throw new TypeError(`there is no format ${spec.format}`);
  const builders = columns.map(({ type }) => columnBuilder(type));
  format
    .decoder(
      columns,
      columns.map((_, index) => index),
      spec,
    )
    .decode(bytes, 0, bytes.length, builders);
  return columns.map((column, index) => [
    column,
    valueAt((builders[index] as (typeof builders)[number]).finish(), 0),
  ]);
}

/**
 * The catalog's source against the one that the statement would make.
 * @throws {SourceDiffers}; {StatementError} when the statement itself is wrong
 */
export function assertSource(statement: AssertSource, options: AnalyzeOptions): void {
  const actual = options.catalog.source(statement.name.text, statement.name.at);
  const kind = statement.sourceType === 'TABLE' ? 'table' : 'stream';
  const properties = readProperties(statement.properties, 'create');
  const differ = (
    what: string,
    expected: string | null | undefined,
    got: typeof expected,
  ): void => {
    if (expected === got) return;
    throw new SourceDiffers(
      `${actual.name}: expected the ${what} ${expected ?? 'none'}, got ${got ?? 'none'}`,
    );
  };
  differ('type', kind, actual.kind);
  // Formats by name first: one that millrace lacks differs from all that it has.
  const { keyFormat, valueFormat, format } = properties;
  const key = (keyFormat ?? format)?.value;
  const value = (valueFormat ?? format)?.value;
  if (key !== undefined) differ('key format', key, actual.keyFormat.format);
  if (value !== undefined) differ('value format', value, actual.valueFormat.format);
  const { source } = analyzeCreateSource(
    { ...statement, kind: 'CreateSource', orReplace: true, readOnly: false, ifNotExists: false },
    { ...options, topics: undefined },
  );
  if (!schemaEquals(source.schema, actual.schema)) {
    differ('schema', schemaText(source.schema), schemaText(actual.schema));
  }
  differ('topic', source.topic, actual.topic);
  differ('key format', specText(source.keyFormat), specText(actual.keyFormat));
  differ('value format', specText(source.valueFormat), specText(actual.valueFormat));
  differ('timestamp column', source.timestamp?.column, actual.timestamp?.column);
  differ('timestamp format', source.timestamp?.format, actual.timestamp?.format);
}

function specText(spec: FormatSpec): string {
  return JSON.stringify([spec.format, spec.options, spec.wrap]);
}
