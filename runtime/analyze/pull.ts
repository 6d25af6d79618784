// Analyzes pull queries: which keys of a table's state are asked for, or which records of a stream, and what is shown of them.

import { assert } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import type { Source } from '../catalog/source.ts';
import { columnsWithRole } from '../data/schema.ts';
import { STRING, typeText } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { Expression, Query, Select } from '../sql/ast.ts';
import type { AnalyzeOptions, Ordering, PullAnalysis, QueryAnalysis } from './analysis.ts';
import { analyzeBody, type Body, bodyOf } from './body.ts';
import { constantValue } from './constant.ts';
import { keySpans, type Spans } from './key-spans.ts';
import { analyzePush } from './query.ts';
import * as rules from './rules/pull.ts';
import { typed } from './typing.ts';

/** The session's properties that forbid pull queries which find their rows by no key, or by a range of keys. */
const SCANS = 'ksql.query.pull.table.scan.enabled';
const RANGES = 'ksql.query.pull.range.scan.enabled';

/** SELECT without EMIT. @throws {StatementError} INVALID where no state holds the table, or what is asked needs more than one */
export function analyzePull(
  statement: Select,
  options: AnalyzeOptions,
): PullAnalysis | QueryAnalysis {
  const { query } = statement;
  rules.refuseClauses(query, options.registry);
  const source = options.catalog.source(query.from.name.text, query.from.name.at);
  rules.refuseForbidden(query, source, options);
  rules.refuseRecordColumns(query);
  if (source.kind === 'stream') {
    rules.refuseOrderOfStream(query, source);
    // Everything there is when it is asked, from the beginning on.
    const id = `PULL_${source.name}`;
    return { ...analyzePush(statement, options), mode: 'pull', from: 'earliest', id };
  }
  rules.refuseNotMaterialized(source, query.from.at, options);
  rules.refuseKeys(query, source);
  return tableAnalysis(statement, options);
}

function tableAnalysis(statement: Select, options: AnalyzeOptions): PullAnalysis {
  const { query } = statement;
  const body = bodyOf({ ...query, orderBy: null }, false, options);
  assert(body.input.from === 'source', 'a pull query joins nothing');
  const { source } = body.input;
  const { scope } = body;
  const { where, projected } = analyzeBody(body);
  const found = keySpans(where, {
    row: scope.row,
    window: source.window,
    constant: (of) => constantValue(of, options.registry, null),
  });
  refuseScan(found, query, source, options);
  return {
    kind: 'pull',
    statement: statement.text,
    source,
    row: scope.row,
    spans: found.spans,
    filter: where,
    projection: projected.projection,
    order: orderingOf(query, body),
    limit: query.limit,
  };
}

/** ORDER BY: names of the SELECT come before columns of the source. */
function orderingOf(query: Query, { rows }: Body): readonly Ordering[] {
  return (query.orderBy ?? []).map(({ expression, direction }) => {
    const expr: Expr = typed(selected(expression, query), { ...rows, clause: 'ORDER BY' });
    if (expr.type.kind === 'ARRAY' || expr.type.kind === 'MAP' || expr.type.kind === 'STRUCT') {
      throw new StatementError(
        'TYPE_MISMATCH',
        `${typeText(expr.type)} has no order`,
        expression.at,
        'Order by a field or an item of it.',
      );
    }
    return { expr, descending: direction === 'DESC' };
  });
}

function selected(node: Expression, { items }: Query): Expression {
  if (node.kind !== 'Column' || node.source !== null) return node;
  for (const item of items) {
    if (item.kind === 'Item' && item.alias?.text === node.name.text) return item.expression;
  }
  return node;
}

/** Where scans are forbidden, a query names its keys, or one range of them; as ksqlDB, each column of the key compared once. */
function refuseScan(
  { areKeys, isOneRange }: Spans,
  query: Query,
  source: Source,
  { properties }: AnalyzeOptions,
): void {
  if (areKeys || properties.get(SCANS)?.toLowerCase() !== 'false') return;
  const [key] = columnsWithRole(source.schema, 'key').map((at) => source.schema.columns[at]);
  const isText = key?.type.kind === STRING.kind && source.window === null;
  if (isOneRange && isText && properties.get(RANGES)?.toLowerCase() !== 'false') return;
  throw new StatementError(
    'INVALID',
    `the query would look through all rows of ${source.name}`,
    (query.where ?? query).at,
    `Give every key column a value with = or IN, once, or SET '${SCANS}' = 'true'.`,
  );
}
