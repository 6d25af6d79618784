// Analyzes INSERT INTO ... SELECT: its query, and whether that fits the stream that it writes; knows no clauses' rules.

import { StatementError } from '../base/errors.ts';
import { readProperties } from '../catalog/properties.ts';
import type { KeyWindow, Source } from '../catalog/source.ts';
import { schema } from '../data/schema.ts';
import { schemaText } from '../data/schema-text.ts';
import type { InsertSelect } from '../sql/ast.ts';
import type { AnalyzeOptions, Projection, QueryAnalysis } from './analysis.ts';
import { analyzeBody, bodyOf } from './body.ts';
import { coerced } from './coerced.ts';
import { widens } from './coercion.ts';
import { persistent, windowOf } from './query.ts';
import type { Sink } from './sink.ts';
import { sourcesOf } from './sources.ts';

/** INSERT INTO ... SELECT. */
export function analyzeInsertSelect(
  statement: InsertSelect,
  options: AnalyzeOptions,
): QueryAnalysis {
  const { query } = statement;
  const target = options.catalog.source(statement.target.text, statement.target.at);
  const body = bodyOf(query, true, options);
  const parts = analyzeBody(body);
  const { sink, id, projection } = insertSink(
    {
      statement,
      target,
      projection: parts.projected.projection,
      kind: query.groupBy === null ? body.source.kind : 'table',
      window: windowOf(body.source, parts.aggregation),
      sources: sourcesOf(body.input),
    },
    options,
  );
  const analyzed = { ...parts, projected: { ...parts.projected, projection } };
  return persistent({
    id,
    statement: statement.text,
    creates: false,
    sink,
    parts: analyzed,
    body,
    options,
  });
}

/** What a query would insert. */
interface InsertParts {
  readonly statement: InsertSelect;
  readonly target: Source;
  readonly sources: readonly Source[];
  readonly kind: 'stream' | 'table';
  readonly projection: Projection;
  readonly window: KeyWindow | null;
}

/**
 * The sink and the query's id; the projection with the types of the target.
 * @throws {StatementError} INVALID for tables, read-only streams, streams with headers and columns that do not fit
 */
function insertSink(
  { statement, target, sources, kind, projection, window }: InsertParts,
  options: AnalyzeOptions,
): { readonly sink: Sink; readonly id: string; readonly projection: Projection } {
  const { name, at } = { name: target.name, at: statement.target.at };
  if (target.kind === 'table') {
    throw new StatementError(
      'INVALID',
      `${name} is a table`,
      at,
      'INSERT INTO ... SELECT writes streams only.',
    );
  }
  if (target.readOnly) throw new StatementError('INVALID', `${name} is read-only`, at);
  if (target.headers.length > 0) {
    throw new StatementError('INVALID', `${name} has header columns, which nothing can write`, at);
  }
  if (kind === 'table') {
    throw new StatementError(
      'INVALID',
      'the query makes a table, not a stream',
      statement.query.at,
    );
  }
  if (sources.some((source) => source.topic === target.topic)) {
    throw new StatementError(
      'INVALID',
      `the query would read the topic ${target.topic} that it writes`,
      at,
    );
  }
  const properties = readProperties(statement.properties, 'insert');
  const id = properties.queryId?.value ?? `INSERTQUERY_${options.queryNumber}`;
  if (options.catalog.queries.has(id)) {
    throw new StatementError(
      'ALREADY_EXISTS',
      `the query ${id} exists already`,
      properties.queryId?.at ?? statement.at,
      'Choose another QUERY_ID.',
    );
  }
  return {
    sink: { sink: target, retentionMs: null, compacted: false, warnings: properties.warnings },
    id,
    projection: fitted(statement, target, projection, window),
  };
}

/** Columns fit by position: the same name and role, and a type that widens, or a number's literal that the other type holds. */
function fitted(
  statement: InsertSelect,
  target: Source,
  projection: Projection,
  window: KeyWindow | null,
): Projection {
  const given = projection.schema.columns;
  const wanted = target.schema.columns;
  const expressions = projection.expressions.map((expression, index) =>
    coerced(expression, wanted[index]?.type ?? expression.type),
  );
  const fits =
    (window?.type ?? null) === (target.window?.type ?? null) &&
    given.length === wanted.length &&
    given.every(({ name, role, type }, index) => {
      const column = wanted[index];
      const made = expressions[index];
      return (
        name === column?.name &&
        role === column.role &&
        (widens(type, column.type) || (made?.expr === 'literal' && made.value !== null))
      );
    });
  if (!fits) {
    throw new StatementError(
      'INVALID',
      `the columns of the query do not fit ${target.name}`,
      statement.query.at,
      `The query gives ${schemaText(projection.schema)}; ${target.name} has ${schemaText(target.schema)}.`,
    );
  }
  return { ...projection, schema: schema(wanted), expressions };
}
