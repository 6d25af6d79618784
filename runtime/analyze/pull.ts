// Analyzes pull queries: which keys and windows of a table's state are asked for, and what is shown of them.

import { assert } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import type { Source } from '../catalog/source.ts';
import { columnsWithRole, type Schema, WINDOWSTART } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import { columnsRead, type Comparison, type Expr } from '../expr/expr.ts';
import type { Query, Select } from '../sql/ast.ts';
import type { AnalyzeOptions, PullAnalysis, Range } from './analysis.ts';
import { analyzeBody, bodyOf } from './body.ts';
import { constantValue } from './constant.ts';

/** Keys that one pull query looks up; beyond them it looks through all rows. */
const LOOKUPS_MAX = 1000;

/** The session's property that forbids pull queries which find their rows by no key. */
const SCANS = 'ksql.query.pull.table.scan.enabled';

/** SELECT without EMIT. @throws {StatementError} UNSUPPORTED over streams; INVALID where no state holds the table */
export function analyzePull(statement: Select, options: AnalyzeOptions): PullAnalysis {
  const { query } = statement;
  refuseClauses(query);
  const body = bodyOf(query, false, options);
  assert(body.input.from === 'source', 'a pull query joins nothing');
  const { source } = body.input;
  refuseSource(source, query.from.at, options);
  const { where, projected } = analyzeBody(body);
  const { row } = body.scope;
  const constant: Constant = (of) => constantValue(of, options.registry, null);
  refuseRecordColumns(
    row,
    [...projected.projection.expressions, ...(where === null ? [] : [where])],
    query.at,
  );
  const conditions = where === null ? [] : conjuncts(where);
  const keys = lookups(conditions, row, constant);
  if (keys === null && options.properties.get(SCANS) === 'false') {
    throw new StatementError(
      'INVALID',
      `the query would look through all rows of ${source.name}`,
      (query.where ?? query).at,
      `Give every key column a value with = or IN, or SET '${SCANS}' = 'true'.`,
    );
  }
  return {
    kind: 'pull',
    statement: statement.text,
    source,
    row,
    keys,
    windowStart: windowRange(conditions, row, 0, constant),
    windowEnd: windowRange(conditions, row, 1, constant),
    filter: where,
    projection: projected.projection,
    limit: query.limit,
  };
}

type Constant = (of: Expr) => Value | undefined;

function refuseClauses(query: Query): void {
  const clauses: readonly (readonly [string, { readonly at: Position } | null])[] = [
    ['JOIN', query.joins[0] ?? null],
    ['GROUP BY', query.groupBy === null ? null : (query.groupBy[0] ?? query)],
    ['PARTITION BY', query.partitionBy === null ? null : (query.partitionBy[0] ?? query)],
    ['WINDOW', query.window],
    ['HAVING', query.having],
  ];
  for (const [clause, node] of clauses) {
    if (node === null) continue;
    throw new StatementError(
      'UNSUPPORTED',
      `${clause} in a pull query is not supported`,
      node.at,
      'Add EMIT CHANGES for a push query, or make a table of it and ask that.',
    );
  }
}

function refuseSource(source: Source, at: Position, { catalog }: AnalyzeOptions): void {
  if (source.kind === 'stream') {
    throw new StatementError(
      'UNSUPPORTED',
      `a pull query over the stream ${source.name} is not supported yet`,
      at,
      'Add EMIT CHANGES for a push query.',
    );
  }
  if (source.query !== null && catalog.queries.has(source.query)) return;
  throw new StatementError(
    'INVALID',
    `${source.name} is not materialized: no running query keeps its rows`,
    at,
    `Ask a table made by CREATE TABLE ... AS SELECT ... FROM ${source.name}.`,
  );
}

/** A row of a table is of no one record: it has a ROWTIME, but no partition and no offset. */
function refuseRecordColumns(row: Schema, read: readonly Expr[], at: Position): void {
  const names = new Set(['ROWPARTITION', 'ROWOFFSET']);
  const used = read.flatMap(columnsRead).map((index) => row.columns[index]?.name ?? '');
  const found = used.find((name) => names.has(name));
  if (found === undefined) return;
  throw new StatementError(
    'INVALID',
    `${found} in a pull query`,
    at,
    'A row of a table is of no one record.',
  );
}

/** The conditions that all must be true. */
function conjuncts(where: Expr): Expr[] {
  return where.expr === 'logic' && where.op === 'AND'
    ? [...conjuncts(where.left), ...conjuncts(where.right)]
    : [where];
}

/** The keys that can answer: the values that each key column is said to have, combined. */
function lookups(
  conditions: readonly Expr[],
  row: Schema,
  constant: Constant,
): (readonly Value[])[] | null {
  let keys: (readonly Value[])[] = [[]];
  for (const column of columnsWithRole(row, 'key')) {
    const values = firstOf(conditions, (condition) => valuesOf(condition, column, constant));
    if (values === null) return null;
    keys = keys.flatMap((key) => values.map((value) => [...key, value]));
    if (keys.length > LOOKUPS_MAX) return null;
  }
  return keys;
}

function firstOf<T>(conditions: readonly Expr[], find: (condition: Expr) => T | null): T | null {
  for (const condition of conditions) {
    const found = find(condition);
    if (found !== null) return found;
  }
  return null;
}

/** The values that the condition allows the column, each once; null when it does not name them. */
function valuesOf(condition: Expr, column: number, constant: Constant): Value[] | null {
  if (condition.expr === 'in') {
    if (condition.negated || !isColumn(condition.argument, column)) return null;
    const values = condition.list.map(constant);
    if (values.includes(undefined)) return null;
    return [...new Set(values)].filter((value) => value !== undefined && value !== null);
  }
  const compared = comparisonWith(condition, column, constant);
  return compared?.op === '=' && compared.value !== null ? [compared.value] : null;
}

function isColumn(of: Expr, index: number): boolean {
  return of.expr === 'column' && of.index === index;
}

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** `column op constant`, whichever side the column stands on. */
function comparisonWith(
  condition: Expr,
  column: number,
  constant: Constant,
): { readonly op: Comparison; readonly value: Value } | null {
  if (condition.expr !== 'compare') return null;
  const { op, left, right } = condition;
  const isLeft = isColumn(left, column);
  if (!isLeft && !isColumn(right, column)) return null;
  const value = constant(isLeft ? right : left);
  return value === undefined ? null : { op: isLeft ? op : FLIPPED[op], value };
}

/** What the conditions say of WINDOWSTART (`bound` 0) or WINDOWEND (1). */
function windowRange(
  conditions: readonly Expr[],
  row: Schema,
  bound: 0 | 1,
  constant: Constant,
): Range {
  const first = row.columns.findIndex(
    (column) => column.role === 'window' && column.name === WINDOWSTART,
  );
  let fromMs: number | null = null;
  let toMs: number | null = null;
  const atLeast = (ms: number): void => {
    fromMs = fromMs === null ? ms : Math.max(fromMs, ms);
  };
  const atMost = (ms: number): void => {
    toMs = toMs === null ? ms : Math.min(toMs, ms);
  };
  for (const condition of first < 0 ? [] : conditions) {
    const compared = comparisonWith(condition, first + bound, constant);
    if (compared === null || compared.value === null) continue;
    const ms = Number(compared.value);
    if (compared.op === '=' || compared.op === '>=') atLeast(ms);
    if (compared.op === '>') atLeast(ms + 1);
    if (compared.op === '=' || compared.op === '<=') atMost(ms);
    if (compared.op === '<') atMost(ms - 1);
  }
  return { fromMs, toMs };
}
