// Every part that is fetched on first use, and how; knows what the parts are, not what they do.

import * as analyze from '../analyze/parts.ts';
import type { Part } from '../base/part.ts';
import * as catalog from '../catalog/parts.ts';
import * as data from '../data/parts.ts';
import * as expr from '../expr/parts.ts';
import * as formats from '../formats/parts.ts';
import * as functions from '../functions/parts.ts';
import * as operators from '../operators/parts.ts';
import * as plan from '../plan/parts.ts';
import * as ports from '../ports/parts.ts';
import * as sql from '../sql/parts.ts';
import * as task from '../task/parts.ts';
import * as own from './own-parts.ts';

const parts = new Set<Part<object>>();

function fetched<Code extends object>(part: Part<Code>, fetch: () => Promise<Code>): void {
  part.from(fetch);
  parts.add(part);
}

/** Says of every part how it is fetched. Whoever calls synchronous code through `withParts` has called this before. */
export function announceParts(): void {
  fetched(analyze.AGGREGATE_RULES, () => import('../analyze/aggregate-rules.ts'));
  fetched(analyze.COERCION, () => import('../analyze/coercion.ts'));
  fetched(analyze.CONTROL, () => import('../analyze/control.ts'));
  fetched(analyze.INSERT_SELECT, () => import('../analyze/insert-select.ts'));
  fetched(analyze.INSERT_VALUES, () => import('../analyze/insert-values.ts'));
  fetched(analyze.LAMBDA_CALLS, () => import('../analyze/typing-lambdas.ts'));
  fetched(analyze.JOINS, () => import('../analyze/joins.ts'));
  fetched(analyze.PROJECTION_WORDS, () => import('../analyze/rules/projection-words.ts'));
  fetched(analyze.PULL, () => import('../analyze/pull.ts'));
  fetched(analyze.RARE_SOURCES, () => import('../analyze/rare-sources.ts'));
  fetched(analyze.STRUCT_STAR, () => import('../analyze/struct-star.ts'));
  fetched(analyze.TIMESTAMP_FORMAT, () => import('../analyze/timestamp-format.ts'));
  fetched(analyze.TYPING, () => import('../analyze/typing-nodes.ts'));
  fetched(analyze.RARER, () => import('../analyze/rarer.ts'));
  fetched(analyze.UNKNOWN_NAMES, () => import('../analyze/unknown-names.ts'));
  fetched(catalog.NEAREST_NAME, () => import('../catalog/nearest-name.ts'));
  fetched(expr.EXPRESSIONS, () => import('../expr/compile.ts'));
  fetched(expr.LAMBDAS, () => import('../expr/lambdas.ts'));
  fetched(functions.AGGREGATES.part, async () => {
    const { AGGREGATES: overloads } = await import('../functions/aggregates.ts');
    return { overloads };
  });
  fetched(functions.AGGREGATE_BODIES, () => import('../functions/aggregate-bodies.ts'));
  fetched(functions.DATETIME_TEXT, () => import('../functions/datetime/text.ts'));
  fetched(functions.THEMES, () => import('../functions/themes.ts'));
  fetched(operators.AGGREGATE, () => import('../operators/aggregate.ts'));
  fetched(operators.JOINS, () => import('../operators/joins.ts'));
  fetched(operators.KERNEL_AGGREGATE, () => import('../operators/kernel-aggregate.ts'));
  fetched(operators.MATERIALIZE, () => import('../operators/materialize.ts'));
  fetched(operators.RARE_OPERATORS, () => import('../operators/rare.ts'));
  fetched(operators.STORED_GROUPS, () => import('../operators/stored-groups.ts'));
  fetched(operators.TABLE_FILTER, () => import('../operators/table-filter.ts'));
  fetched(operators.FLAT_MAP, () => import('../operators/flat-map.ts'));
  fetched(plan.RARE_NODES, () => import('../plan/rare-nodes.ts'));
  fetched(plan.JOINS, () => import('../plan/joins.ts'));
  fetched(plan.PRECOMPUTED, () => import('../plan/precomputed.ts'));
  fetched(own.CONTROL, () => import('./control.ts'));
  fetched(own.INSERT_ROWS, () => import('./insert-rows.ts'));
  fetched(own.OWN_TOPICS, () => import('./own-topics.ts'));
  fetched(own.PULL_QUERY, () => import('./pull-query.ts'));
  fetched(own.QUERY_WORK, () => import('./query-work.ts'));
  fetched(own.RARE_CALLS, () => import('./rare-calls.ts'));
  fetched(own.RARE_PLANS, () => import('./rare-plans.ts'));
  fetched(data.CODEC, () => import('../data/codec.ts'));
  fetched(data.DENSE, () => import('../data/dense.ts'));
  fetched(data.JSON_RARE, () => import('../data/json-rare.ts'));
  fetched(data.JSON_TEXT, () => import('../data/json-text.ts'));
  fetched(formats.COLUMNAR, () => import('../formats/columnar.ts'));
  fetched(formats.DELIMITED, () => import('../formats/delimited.ts'));
  fetched(formats.JSON_VALUE, () => import('../formats/json-value.ts'));
  fetched(data.KEY, () => import('../data/key.ts'));
  fetched(data.ROW, () => import('../data/row.ts'));
  fetched(ports.PENDING_BLOCKS, () => import('../ports/pending-blocks.ts'));
  fetched(data.VALUE_BYTES, () => import('../data/value-bytes.ts'));
  fetched(task.CUT, () => import('../task/cut.ts'));
  fetched(task.DELIVERY, () => import('../task/delivery.ts'));
  fetched(task.MOVED_ROWS, () => import('../task/moved-rows.ts'));
  fetched(task.PSEUDO_COLUMNS, () => import('../task/pseudo-columns.ts'));
  fetched(task.RARE_PROBLEMS, () => import('../task/rare-problems.ts'));
  fetched(task.REPARTITION, () => import('../task/repartition.ts'));
  fetched(task.TIMERS, () => import('../task/timers.ts'));
  fetched(task.RUNS, () => import('../task/runs.ts'));
  fetched(sql.ADMIN_STATEMENTS, () => import('../sql/admin-statements.ts'));
  fetched(sql.JOINS, () => import('../sql/joins.ts'));
  fetched(sql.OPERATORS, () => import('../sql/operators.ts'));
  fetched(sql.PRINT_EXPRESSION, () => import('../sql/print-expression.ts'));
  fetched(sql.RARE_DEFINITIONS, () => import('../sql/rare-definitions.ts'));
  fetched(sql.RARE_OPERANDS, () => import('../sql/rare-operands.ts'));
  fetched(sql.SUBSTITUTION, () => import('../sql/substitution.ts'));
  fetched(sql.SYNTAX_ERROR, () => import('../sql/syntax-error.ts'));
}

/**
 * Fetches every part, one after the other, so that nothing is missing later: offline, or where nothing may be waited for.
 * Rejects with UNAVAILABLE at the first that cannot be fetched.
 */
export async function loadParts(): Promise<void> {
  announceParts();
  for (const part of parts) await part.load();
  for (const part of functions.THEMES.code.PARTS) await part.load();
}

/**
 * Fetches what the plainest records may need at any moment: the words for late rows and bad records, escapes in JSON. A page that
 * has gone offline meanwhile would wait for it.
 */
export async function loadDataParts(): Promise<void> {
  await Promise.all([task.RARE_PROBLEMS.load(), data.JSON_RARE.load()]);
}
