// Analyzes the body of a query: FROM, WHERE, grouping, a new key and the projection; knows no sink.

import { existing } from '../base/assert.ts';
import type { Relation } from '../catalog/source.ts';
import { columnsWithRole, type Schema, WINDOW_COLUMNS } from '../data/schema.ts';
import type { Expr } from '../expr/expr.ts';
import type { Expression, Query } from '../sql/ast.ts';
import { Grouping } from './aggregation.ts';
import type { Aggregation, AnalyzeOptions, From, Repartitioning, TableCall } from './analysis.ts';
import { JOINS, RARER, WORDS } from './parts.ts';
import {
  type AnalyzedProjection,
  namedIn,
  namedItems,
  project,
  type ProjectionRules,
} from './projection.ts';
import * as aggregationRules from './rules/aggregation.ts';
import * as projectionRules from './rules/projection.ts';
import { columnAt, type Scope, scopeOf } from './scope.ts';
import { hasFreeKeys } from './settings.ts';
import type { TableCalls } from './typer.ts';
import { condition, typed, type TypingContext } from './typing.ts';
import { shortText } from './walk.ts';

/** What FROM and JOIN give. */
export interface FromClause {
  /** The query; in a join every column is qualified with its source. */
  readonly query: Query;
  readonly input: From;
  readonly source: Relation;
  readonly scope: Scope;
}

/** What the analysis of a query's body knows. */
export interface Body extends FromClause {
  readonly rows: TypingContext;
  readonly persistent: boolean;
  /** See `hasFreeKeys`. */
  readonly freeKeys: boolean;
}

/** Checks the clauses and finds the source. @throws {StatementError} */
export function bodyOf(query: Query, isPersistent: boolean, options: AnalyzeOptions): Body {
  const [order] = query.orderBy ?? [];
  if (order !== undefined) throw WORDS.code.unsupportedClause('ORDER BY', order.at);
  const from = fromClause(query, isPersistent, options);
  const { source } = from;
  const isStreamGrouped = query.groupBy !== null && source.kind === 'stream';
  if (query.window !== null && !isStreamGrouped) RARER.code.refuseMisplacedWindow(query, source);
  if (query.having !== null) RARER.code.refuseMisplacedHaving(query);
  if (query.partitionBy !== null) RARER.code.refuseMisplacedPartitionBy(query, source);
  aggregationRules.refuseGrouping(query, options.registry);
  aggregationRules.refuseAggregateWithoutGrouping(query, options.registry);
  const rows: TypingContext = {
    scope: from.scope,
    registry: options.registry,
    types: options.catalog.types,
    properties: options.properties,
    clause: 'SELECT',
  };
  const freeKeys = source.kind === 'stream' && hasFreeKeys(options);
  return { ...from, rows, persistent: isPersistent, freeKeys };
}

function fromClause(query: Query, isPersistent: boolean, options: AnalyzeOptions): FromClause {
  const { from, joins } = query;
  if (joins.length > 0) return JOINS.code.analyzeJoins(query, isPersistent, options);
  const source = options.catalog.source(from.name.text, from.name.at);
  if (isPersistent && source.processor !== undefined) throw WORDS.code.isState(source, from.at);
  if (isPersistent && source.window !== null) RARER.code.refuseWindowedTable(source, from.at);
  const scope = scopeOf(source, from.alias);
  return { query, input: { from: 'source', source, row: scope.row }, source, scope };
}

/** What a query's body means. */
export interface Parts {
  readonly where: Expr | null;
  readonly partitionBy: Repartitioning | null;
  readonly tables?: readonly TableCall[] | undefined;
  readonly aggregation: Aggregation | null;
  readonly having: Expr | null;
  readonly projected: AnalyzedProjection;
}

/** Types the clauses of the body. @throws {StatementError} */
export function analyzeBody(body: Body): Parts {
  const { query, rows } = body;
  const where = query.where === null ? null : condition(query.where, { ...rows, clause: 'WHERE' });
  if (query.groupBy !== null) return { where, ...grouped(body) };
  if (query.partitionBy !== null)
    return { where, ...RARER.code.repartitioned(body, query.partitionBy) };
  const keys = columnsWithRole(body.source.schema, 'key');
  const windows = columnsWithRole(body.source.schema, 'window');
  const { row, join } = body.scope;
  const tables = tableCalls(body, row.columns.length);
  const keyOf = (node: Expression): number =>
    node.kind === 'Column' ? keys.indexOf(columnAt(body.scope, node)) : -1;
  const projected = checkedProjection(
    body,
    {
      count: keys.length,
      nameOf: (key) => join?.keyText(key) ?? row.columns[keys[key] ?? -1]?.name ?? '',
      what: 'key column',
    },
    {
      scope: body.scope,
      keyOf: (node) => join?.keyOf(node) ?? keyOf(node),
      keyColumn: (key) => columnOf(row, keys[key] ?? 0),
      value: (node) => typed(node, { ...rows, tables }),
      windowColumns: windows.length === 0 ? null : windows.map((index) => columnOf(row, index)),
      persistent: body.persistent,
      partitionBy: null,
      freeKeys: body.freeKeys,
    },
  );
  const { calls } = tables;
  return { where, partitionBy: null, tables: calls, aggregation: null, having: null, projected };
}

/** What takes the table functions of the SELECT. */
export function tableCalls({ query, source }: Body, first: number): TableCalls {
  return { first, query, source, calls: [] };
}

function grouped(body: Body): Omit<Parts, 'where'> {
  const { query, rows, source } = body;
  const groupBy = query.groupBy ?? [];
  aggregationRules.refuseUngroupableFormat(source, groupBy[0]?.at ?? query.at);
  const grouping = new Grouping(query, source, rows);
  const context = grouping.context('SELECT');
  const projected = checkedProjection(body, writtenKeys(groupBy, 'grouping expression'), {
    scope: body.scope,
    keyOf: (node) => grouping.keyOf(node),
    keyColumn: (key) => grouping.keyColumn(key),
    value: (node) => typed(node, context),
    windowColumns:
      query.window === null
        ? null
        : WINDOW_COLUMNS.map((column, index) => ({
            expr: 'column',
            index: groupBy.length + index,
            type: column.type,
          })),
    persistent: body.persistent,
    partitionBy: null,
  });
  const having = query.having === null ? null : condition(query.having, grouping.context('HAVING'));
  const aggregation = grouping.finish(keyNames(groupBy, projected, body.scope));
  return { partitionBy: null, aggregation, having, projected };
}

export function columnOf(row: Schema, index: number): Expr & { readonly expr: 'column' } {
  return { expr: 'column', index, type: existing(row.columns[index], 'column').type };
}

export function writtenKeys(
  nodes: readonly Expression[],
  what: projectionRules.KeyNames['what'],
): projectionRules.KeyNames {
  const nameOf = (key: number): string => {
    const node = nodes[key];
    return node === undefined ? '' : shortText(node);
  };
  return { count: nodes.length, nameOf, what };
}

/** The projection, with the rules that hold for every SELECT. */
export function checkedProjection(
  { query, persistent: isPersistent }: Body,
  keys: projectionRules.KeyNames,
  rules: ProjectionRules,
): AnalyzedProjection {
  const items = namedItems(query, rules);
  const { at } = query;
  projectionRules.refuseTooManyColumns(items.length, at);
  projectionRules.refuseReservedNames(items, isPersistent);
  const projected = project(items, rules);
  if (isPersistent) {
    projectionRules.refuseRepeatedKey(projected.keys);
    if (rules.freeKeys !== true) projectionRules.refuseMissingKey(projected.keys, keys, at);
    projectionRules.refuseNoValues(
      projected.projection.schema.columns.filter((column) => column.role === 'value').length,
      at,
    );
  }
  projectionRules.refuseDuplicateNames(items);
  return projected;
}

/** Names of new key columns: as selected, else as a projection would call them. */
export function keyNames(
  nodes: readonly Expression[],
  projected: AnalyzedProjection,
  scope: Scope,
): readonly string[] {
  const own = namedIn(
    scope,
    nodes.map((node) => ({ node, alias: null, star: false, at: node.at })),
  );
  return own.map(
    (item, key) =>
      projected.keys.find((candidate) => candidate.key === key)?.item.name ?? item.name,
  );
}
