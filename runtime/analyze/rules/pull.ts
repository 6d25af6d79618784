// What a pull query may not be: clauses that only a running query has, keys that no row has, sources without state; knows no plan.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Source } from '../../catalog/source.ts';
import { isNumeric, STRING, typeText } from '../../data/type.ts';
import type { FunctionRegistry } from '../../functions/registry.ts';
import type { Expression, Query } from '../../sql/ast.ts';
import type { AnalyzeOptions } from '../analysis.ts';
import { findNode, shortText } from '../walk.ts';
import { findAggregate } from './aggregation.ts';

/** @throws {StatementError} INVALID for a clause or an aggregate that needs a query which goes on */
export function refuseClauses(query: Query, registry: FunctionRegistry): void {
  const clauses: readonly (readonly [string, { readonly at: Position } | null])[] = [
    ['JOIN', query.joins[0] ?? null],
    ['WINDOW', query.window],
    ['GROUP BY', query.groupBy === null ? null : (query.groupBy[0] ?? query)],
    ['PARTITION BY', query.partitionBy === null ? null : (query.partitionBy[0] ?? query)],
    ['HAVING', query.having],
  ];
  for (const [clause, node] of clauses) {
    if (node !== null) throw pushOnly(`${clause} in a pull query`, node.at);
  }
  for (const item of query.items) {
    const aggregate = item.kind === 'Item' ? findAggregate(item.expression, registry) : null;
    if (aggregate !== null) {
      throw pushOnly(`the aggregate ${shortText(aggregate)} in a pull query`, aggregate.at);
    }
  }
}

function pushOnly(what: string, at: Position): StatementError {
  return new StatementError(
    'INVALID',
    what,
    at,
    'Add EMIT CHANGES for a push query, or make a table of it and ask that.',
  );
}

const STREAMS = 'ksql.query.pull.stream.enabled';
const LIMITS = 'ksql.query.pull.limit.clause.enabled';

/** What the session's properties forbid: pull queries over streams, LIMIT in pull queries. */
export function refuseForbidden(
  query: Query,
  source: Source,
  { properties }: AnalyzeOptions,
): void {
  const isForbidden = (property: string): boolean =>
    properties.get(property)?.toLowerCase() === 'false';
  if (source.kind === 'stream' && isForbidden(STREAMS)) {
    throw new StatementError(
      'INVALID',
      `pull queries over streams are switched off, and ${source.name} is a stream`,
      query.from.at,
      `Add EMIT CHANGES for a push query, or SET '${STREAMS}' = 'true'.`,
    );
  }
  if (query.limit !== null && isForbidden(LIMITS)) {
    throw new StatementError(
      'INVALID',
      'LIMIT in pull queries is switched off',
      query.at,
      `Leave it out, add EMIT CHANGES for a push query, or SET '${LIMITS}' = 'true'.`,
    );
  }
}

/** The rows of a stream are given as they are read; to sort them would mean to keep them all. */
export function refuseOrderOfStream(query: Query, source: Source): void {
  const [order] = query.orderBy ?? [];
  if (order === undefined) return;
  throw new StatementError(
    'INVALID',
    `ORDER BY in a pull query over the stream ${source.name}`,
    order.at,
    'Rows of a stream come in the order of its records; a table can be sorted.',
  );
}

export function refuseNotMaterialized(
  source: Source,
  at: Position,
  { catalog }: AnalyzeOptions,
): void {
  if (source.query !== null && catalog.queries.has(source.query)) return;
  throw new StatementError(
    'INVALID',
    `${source.name} is not materialized: no running query keeps its rows`,
    at,
    `Ask a table made by CREATE TABLE ... AS SELECT ... FROM ${source.name}.`,
  );
}

const RECORD_COLUMNS = new Set(['ROWPARTITION', 'ROWOFFSET']);

/** As in ksqlDB, an answer says nothing of where records lie. */
export function refuseRecordColumns(query: Query): void {
  const read = query.items.flatMap((item) =>
    item.kind === 'Item' ? [item.expression] : item.kind === 'StructStar' ? [item.operand] : [],
  );
  const ordered = (query.orderBy ?? []).map(({ expression }) => expression);
  for (const node of [...read, ...(query.where === null ? [] : [query.where]), ...ordered]) {
    const found = findNode(node, isRecordColumn);
    if (found?.kind !== 'Column') continue;
    throw new StatementError(
      'INVALID',
      `${found.name.text} in a pull query`,
      found.at,
      'Add EMIT CHANGES: a push query knows of each row which record it came from.',
    );
  }
}

function isRecordColumn(node: Expression): boolean {
  return node.kind === 'Column' && RECORD_COLUMNS.has(node.name.text);
}

const UNQUOTED = new Set<Expression['kind']>(['Integer', 'Decimal', 'Double', 'Boolean']);

/** A list that a key column is looked for in holds keys: no NULL, no text for a number and no number for a text. */
export function refuseKeys(query: Query, source: Source): void {
  const keys = source.schema.columns.filter(({ role }) => role === 'key');
  if (query.where === null) return;
  findNode(query.where, (node) => {
    if (node.kind !== 'In' || node.operand.kind !== 'Column') return false;
    const { name } = node.operand;
    const key = keys.find((column) => column.name === name.text);
    if (key === undefined) return false;
    for (const option of node.options) {
      if (option.kind === 'Null') {
        throw new StatementError(
          'INVALID',
          `the key column ${key.name} is never NULL`,
          option.at,
          'Leave the NULL out.',
        );
      }
      const isText = option.kind === 'String';
      if (
        isText ? isNumeric(key.type) : key.type.kind === STRING.kind && UNQUOTED.has(option.kind)
      ) {
        throw new StatementError(
          'TYPE_MISMATCH',
          `${shortText(option)} is no key: ${key.name} is ${typeText(key.type)}`,
          option.at,
          `Write it ${isText ? 'without' : 'in'} quotes.`,
        );
      }
    }
    return false;
  });
}
