// CREATE OR REPLACE of what exists, and ALTER: whether a source may become what the statement says; knows no plan.

import { type Position, StatementError } from '../base/errors.ts';
import { COLUMNS_MAX } from '../base/limits.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { checkFormat } from '../catalog/formats.ts';
import { linksOf } from '../catalog/rare-changes.ts';
import type { Source } from '../catalog/source.ts';
import { resolveType } from '../catalog/types.ts';
import { type Schema, schema, type SchemaColumn } from '../data/schema.ts';
import { schemaText } from '../data/schema-text.ts';
import { typeEquals } from '../data/type.ts';
import type { FormatSpec } from '../formats/serde.ts';
import type { AlterSource, CreateAs, CreateSource } from '../sql/ast.ts';
import type { Analysis, AnalyzeOptions, ControlAnalysis } from './analysis.ts';
import { analyzeCreateSource } from './create.ts';
import { analyzeCreateAs } from './query.ts';
import { isReserved } from './scope.ts';

/** CREATE OR REPLACE with SOURCE, or of what was made with it. */
export function madeOnce({ name, sourceType }: CreateSource | CreateAs): StatementError {
  return new StatementError(
    'INVALID',
    `${name.text} cannot be replaced: a SOURCE ${sourceType} is made once`,
    name.at,
    'DROP it and create it again.',
  );
}

/**
 * CREATE OR REPLACE where the source exists. Rows that were written must stay readable and queries that read the source must
 * stay right, so that it may only get further value columns behind those it has.
 * @throws {StatementError} INVALID, naming what would change
 */
export function analyzeReplacement(
  statement: CreateSource | CreateAs,
  known: Source,
  options: AnalyzeOptions,
): Analysis {
  const { at } = statement.name;
  if (options.properties.get('ksql.create.or.replace.enabled') === 'false') {
    throw new StatementError(
      'INVALID',
      'CREATE OR REPLACE is switched off',
      at,
      "SET 'ksql.create.or.replace.enabled' = 'true' switches it on.",
    );
  }
  if (known.readOnly || (statement.kind === 'CreateSource' && statement.readOnly))
    throw madeOnce(statement);
  refuseOtherKind(known, statement.sourceType === 'TABLE' ? 'table' : 'stream', at);
  if (statement.kind === 'CreateAs') {
    const analysis = analyzeCreateAs(statement, options, writerOf(known, options.catalog, at));
    if (analysis.sink !== null) refuseChanges(known, analysis.sink, at);
    const { query } = analysis;
    // What was paused stays so.
    const paused = options.catalog.queries.get(analysis.id)?.paused;
    return { ...analysis, query: query === null ? null : { ...query, paused } };
  }
  const writer = linksOf(options.catalog, known.name).writtenBy.find((id) => id === known.query);
  if (writer !== undefined) {
    throw new StatementError(
      'INVALID',
      `${known.name} is made by the query ${writer}`,
      at,
      'Replace it with CREATE OR REPLACE ... AS SELECT.',
    );
  }
  const analysis = analyzeCreateSource(statement, options);
  refuseChanges(known, analysis.source, at);
  return analysis;
}

function refuseOtherKind(known: Source, kind: Source['kind'], at: Position): void {
  if (known.kind === kind) return;
  throw new StatementError(
    'INVALID',
    `${known.name} is a ${known.kind}, not a ${kind}`,
    at,
    `A ${known.kind} stays one: DROP it first, or choose another name.`,
  );
}

/** The query that the statement replaces; null when none writes the source any more. */
function writerOf(known: Source, catalog: Catalog, at: Position): string | null {
  const { writtenBy } = linksOf(catalog, known.name);
  if (writtenBy.length <= 1) return writtenBy[0] ?? null;
  throw new StatementError(
    'INVALID',
    `${known.name} is written by several queries: ${writtenBy.join(', ')}`,
    at,
    'Which of them is meant cannot be said: TERMINATE the others first.',
  );
}

function refuseChanges(from: Source, to: Source, at: Position): void {
  const differing = (
    [
      ['topic', from.topic, to.topic],
      ['key format', formatText(from.keyFormat), formatText(to.keyFormat)],
      ['value format', formatText(from.valueFormat), formatText(to.valueFormat)],
      ['window', windowText(from), windowText(to)],
      ['timestamp column', timestampText(from), timestampText(to)],
    ] as const
  ).find(([, before, after]) => before !== after);
  if (differing !== undefined) {
    const [what, before, after] = differing;
    throw new StatementError(
      'INVALID',
      `${from.name} cannot be replaced: its ${what} is ${before}, not ${after}`,
      at,
      `The ${what} stays as it is; DROP the ${from.kind} first to change it.`,
    );
  }
  refuseOtherColumns(from, to.schema, at);
}

function formatText({ format, options, wrap }: FormatSpec): string {
  const details = [
    ...options.map(([name, value]) => `${name} '${value}'`),
    ...(wrap ? ['wrapped'] : []),
  ];
  return details.length === 0 ? format : `${format} (${details.join(', ')})`;
}

function windowText({ window }: Source): string {
  if (window === null) return 'none';
  return window.sizeMs === null ? window.type : `${window.type} of ${window.sizeMs} ms`;
}

function timestampText({ timestamp }: Source): string {
  if (timestamp === null) return 'none';
  return timestamp.format === null
    ? timestamp.column
    : `${timestamp.column} in '${timestamp.format}'`;
}

/** Keys stay, value columns stay where they are and new ones come behind them. */
function refuseOtherColumns(from: Source, to: Schema, at: Position): void {
  const keys = changed(of(from.schema, 'key'), of(to, 'key'));
  const isLonger = of(to, 'key').length > of(from.schema, 'key').length;
  if (keys.length > 0 || isLonger) {
    throw new StatementError(
      'INVALID',
      `${from.name} cannot be replaced: its key is ${schemaText({ columns: of(from.schema, 'key') }) || 'none'}, ` +
        `not ${schemaText({ columns: of(to, 'key') }) || 'none'}`,
      at,
      'Key columns stay as they are.',
    );
  }
  const values = changed(of(from.schema, 'value'), of(to, 'value'));
  if (values.length === 0) return;
  throw new StatementError(
    'INVALID',
    `${from.name} cannot be replaced: ${schemaText({ columns: values })} changed, went away or moved`,
    at,
    'Columns stay as they are and in their order; new ones are added behind them.',
  );
}

function of({ columns }: Schema, role: SchemaColumn['role']): readonly SchemaColumn[] {
  return columns.filter((column) => column.role === role);
}

/** The columns of `before` that do not stand at the same place in `after`. */
function changed(
  before: readonly SchemaColumn[],
  after: readonly SchemaColumn[],
): readonly SchemaColumn[] {
  return before.filter(({ name, type }, index) => {
    const other = after[index];
    return other === undefined || other.name !== name || !typeEquals(other.type, type);
  });
}

/** ALTER STREAM or TABLE ... ADD COLUMN. @throws {StatementError} */
export function analyzeAlter(
  { name: { text, at }, sourceType, additions, text: statement }: AlterSource,
  { catalog, formats }: AnalyzeOptions,
): ControlAnalysis {
  const known = catalog.source(text, at);
  refuseOtherKind(known, sourceType === 'TABLE' ? 'table' : 'stream', at);
  if (known.readOnly) {
    throw new StatementError(
      'INVALID',
      `${text} is a SOURCE ${known.kind} and cannot be altered`,
      at,
      'DROP it and create it again.',
    );
  }
  if (known.query !== null) {
    throw new StatementError(
      'INVALID',
      `${text} was made by a query, which says what its columns are`,
      at,
      'Write CREATE OR REPLACE ... AS SELECT with the new columns.',
    );
  }
  const taken = new Set(known.schema.columns.map(({ name }) => name));
  const added = additions.map(({ name, type }): SchemaColumn => {
    if (isReserved(name.text) || taken.has(name.text)) {
      throw new StatementError(
        'INVALID',
        isReserved(name.text)
          ? `${name.text} is a reserved name`
          : `${text} has a column ${name.text} already`,
        name.at,
        'Give the new column another name.',
      );
    }
    taken.add(name.text);
    return { name: name.text, type: resolveType(type, catalog.types), role: 'value' };
  });
  const { columns } = known.schema;
  const { valueFormat } = known;
  const values = [...of(known.schema, 'value'), ...added];
  if (columns.length + added.length > COLUMNS_MAX) {
    throw new StatementError('LIMIT', `a source has at most ${COLUMNS_MAX} columns`, at);
  }
  if (values.length > 1 && valueFormat.format === 'JSON' && !valueFormat.wrap) {
    throw new StatementError(
      'INVALID',
      `the value of ${text} is not an object: it has room for one column`,
      at,
      'Only what was made with WRAP_SINGLE_VALUE=true can get more columns.',
    );
  }
  checkFormat(values, 'value', valueFormat, formats, at);
  const isBefore = (column: SchemaColumn): boolean => column.role !== 'pseudo';
  const altered = schema([
    ...columns.filter(isBefore),
    ...added,
    ...columns.filter((column) => !isBefore(column)),
  ]);
  return {
    kind: 'alterSource',
    source: { ...known, schema: altered, statement: `${known.statement};\n${statement}` },
  };
}
