// Analyzes persistent and push queries: CREATE ... AS, SELECT ... EMIT CHANGES; knows no clauses' rules.

import type { KeyWindow, Relation } from '../catalog/source.ts';
import type { CreateAs, Query, Select } from '../sql/ast.ts';
import type { Aggregation, AnalyzeOptions, QueryAnalysis } from './analysis.ts';
import { analyzeBody, type Body, bodyOf, type Parts } from './body.ts';
import { findAggregate } from './rules/aggregation.ts';
import { RARER, WORDS } from './parts.ts';
import { emissionOf, startOf } from './settings.ts';
import { type Sink, sinkOf } from './sink.ts';
import { sourcesOf } from './sources.ts';

/**
 * CREATE STREAM or TABLE ... AS SELECT. The name has been checked to be free, or that it may be replaced.
 * @param replaced the id of the query that is replaced; null: it gets one of its own
 */
export function analyzeCreateAs(
  statement: CreateAs,
  options: AnalyzeOptions,
  replaced: string | null = null,
): QueryAnalysis {
  const { query } = statement;
  const body = bodyOf(query, true, options);
  const kind = statement.sourceType === 'TABLE' ? 'table' : 'stream';
  const made = query.groupBy === null ? body.source.kind : 'table';
  if (kind !== made) throw RARER.code.wrongKind(kind, statement.at);
  const parts = analyzeBody(body);
  const id =
    replaced ?? `C${kind === 'table' ? 'T' : 'S'}AS_${statement.name.text}_${options.queryNumber}`;
  const sink = sinkOf(
    {
      statement,
      id,
      sources: sourcesOf(body.input),
      kind,
      schema: parts.projected.projection.schema,
      window: windowOf(body.source, parts.aggregation),
      rekeyed: rekeyed(query),
    },
    options,
  );
  return persistent({ id, statement: statement.text, creates: true, sink, parts, body, options });
}

/** SELECT ... EMIT CHANGES. */
export function analyzePush(statement: Select, options: AnalyzeOptions): QueryAnalysis {
  const body = bodyOf(groupedAsWhole(statement.query, options), false, options);
  const [first] = sourcesOf(body.input);
  if (first.processor !== undefined) throw WORDS.code.isState(first, statement.query.from.at);
  return {
    ...analyzed('push', body, analyzeBody(body), options),
    id: `TRANSIENT_${statement.query.from.name.text}_${options.queryNumber}`,
    statement: statement.text,
    sink: null,
    creates: false,
    limit: statement.query.limit,
    query: null,
    retentionMs: null,
    compacted: false,
    warnings: [],
  };
}

/** What follows of a query from what it reads and does with it. */
function analyzed(
  mode: 'push' | 'persistent',
  { input, source, scope, query }: Body,
  { projected, ...parts }: Parts,
  options: AnalyzeOptions,
) {
  return {
    kind: 'query' as const,
    mode,
    input,
    source,
    row: scope.row,
    ...parts,
    projection: projected.projection,
    emission: emissionOf(query, source, options),
    from: startOf(mode, options),
  };
}

/** Whether the key is not the key of the source. */
function rekeyed({ joins, groupBy, partitionBy }: Query): boolean {
  return joins.length > 0 || groupBy !== null || partitionBy !== null;
}

/** For a client, aggregates without GROUP BY are over all rows: one group, whose key is a constant. */
function groupedAsWhole(query: Query, { registry }: AnalyzeOptions): Query {
  const aggregates = query.items.some(
    (item) => item.kind === 'Item' && findAggregate(item.expression, registry) !== null,
  );
  if (query.groupBy !== null || !aggregates) return query;
  return { ...query, groupBy: [{ kind: 'Integer', value: 1, at: query.at }] };
}

interface Persistent {
  readonly id: string;
  readonly statement: string;
  readonly creates: boolean;
  readonly sink: Sink;
  readonly parts: Parts;
  readonly body: Body;
  readonly options: AnalyzeOptions;
}

/** A query that runs until it is ended. */
export function persistent({
  id,
  statement,
  creates,
  sink,
  parts,
  body,
  options,
}: Persistent): QueryAnalysis {
  if (body.query.limit !== null) {
    throw WORDS.code.limitOfPersistent(body.query);
  }
  return {
    ...analyzed('persistent', body, parts, options),
    id,
    statement,
    sink: sink.sink,
    creates,
    limit: null,
    query: {
      id,
      statement,
      reads: sourcesOf(body.input).map(({ name }) => name),
      writes: sink.sink.name,
    },
    retentionMs: sink.retentionMs,
    compacted: sink.compacted,
    warnings: sink.warnings,
  };
}

/** The window of the rows that a query makes. */
export function windowOf(source: Relation, aggregation: Aggregation | null): KeyWindow | null {
  if (aggregation === null) return source.window;
  return aggregation.window === null
    ? null
    : {
        type: aggregation.window.type,
        sizeMs: aggregation.window.type === 'SESSION' ? null : aggregation.window.sizeMs,
      };
}
