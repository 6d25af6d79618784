// Every part but those of the plainest records, and how each is fetched; itself fetched when the first of them is missing. Knows what the parts are, not what they do.

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

function fetched<Code extends object>(
  part: Part<Code>,
  name: string,
  fetch: () => Promise<Code>,
): void {
  part.from(name, fetch);
  parts.add(part);
}

/** Says of every part how it is fetched. */
export function announceAll(): void {
  fetched(
    analyze.AGGREGATE_RULES,
    'rules of aggregates',
    () => import('../analyze/aggregate-rules.ts'),
  );
  fetched(analyze.COERCION, 'conversions of types', () => import('../analyze/coercion.ts'));
  fetched(analyze.GIVEN_SETTINGS, 'properties', () => import('../analyze/given-settings.ts'));
  fetched(analyze.CONTROL, 'statements of control', () => import('../analyze/control.ts'));
  fetched(analyze.INSERTS, 'INSERT INTO', () => import('../analyze/insert-values.ts'));
  fetched(analyze.LAMBDA_CALLS, 'calls with lambdas', () => import('../analyze/typing-lambdas.ts'));
  fetched(analyze.JOINS, 'joins', () => import('../analyze/joins.ts'));
  fetched(analyze.PULL, 'pull queries', () => import('../analyze/pull.ts'));
  fetched(
    analyze.RARE_SOURCES,
    'rarer streams and tables',
    () => import('../analyze/rare-sources.ts'),
  );
  fetched(
    analyze.TYPING,
    'literals, operators and calls',
    () => import('../analyze/typing-nodes.ts'),
  );
  fetched(analyze.RARER, 'rarer clauses', () => import('../analyze/rarer.ts'));
  fetched(analyze.WORDS, 'the words of errors', () => import('../analyze/words.ts'));
  fetched(catalog.ALL_PROPERTIES, 'properties', () => import('../analyze/given-settings.ts'));
  fetched(catalog.RARER_TYPES, 'rarer types', () => import('../catalog/rarer-types.ts'));
  fetched(catalog.WORDS, 'the words of errors', () => import('../catalog/words.ts'));
  fetched(expr.EXPRESSIONS, 'expressions', () => import('../expr/compile.ts'));
  fetched(expr.LAMBDAS, 'lambdas', () => import('../analyze/typing-lambdas.ts'));
  fetched(
    expr.NUMBERS,
    'expressions of numbers by columns',
    () => import('../expr/compile-numbers.ts'),
  );
  fetched(
    functions.AGGREGATE_BODIES,
    'aggregate functions',
    () => import('../functions/aggregate-bodies.ts'),
  );
  fetched(
    functions.DATETIME_TEXT,
    'date-time patterns',
    () => import('../functions/datetime/text.ts'),
  );
  fetched(
    functions.RARER_PATTERNS,
    'rarer parameters',
    () => import('../functions/rarer-patterns.ts'),
  );
  fetched(functions.THEMES, 'names of functions', () => import('../functions/themes.ts'));
  fetched(operators.AGGREGATE, 'aggregation by rows', () => import('../operators/aggregate.ts'));
  fetched(operators.JOINS, 'joins', () => import('../operators/joins.ts'));
  fetched(operators.TABLES, 'tables', () => import('../operators/tables.ts'));
  fetched(operators.PROCESS, 'processors in code', () => import('../operators/process.ts'));
  fetched(operators.RARE_OPERATORS, 'rarer operators', () => import('../operators/rare.ts'));
  fetched(operators.RARER_ROWS, 'rows that are rare', () => import('../operators/rarer-rows.ts'));
  fetched(
    operators.KERNEL_KEYS,
    'keys of many types in the kernel',
    () => import('../operators/kernel-keys.ts'),
  );
  fetched(
    operators.STORED_GROUPS,
    'stored groups of the kernel',
    () => import('../operators/stored-groups.ts'),
  );
  fetched(operators.FLAT_MAP, 'table functions', () => import('../operators/flat-map.ts'));
  fetched(
    plan.RARE_NODES,
    'plans of new keys and table functions',
    () => import('../plan/rare-nodes.ts'),
  );
  fetched(plan.JOINS, 'plans of joins', () => import('../plan/joins.ts'));
  fetched(plan.ROW_PATH, 'reasons for the row path', () => import('../plan/row-path-words.ts'));
  fetched(own.CONTROL, 'statements of control', () => import('./control.ts'));
  fetched(own.INSERT_ROWS, 'rows by column names', () => import('./insert-rows.ts'));
  fetched(own.OWN_TOPICS, 'topics of push queries', () => import('./own-topics.ts'));
  fetched(own.POOL, 'tasks in several Workers', () => import('../pool/task-pool.ts'));
  fetched(own.PROCESSORS, 'queries of processors in code', () => import('./processors.ts'));
  fetched(own.PULL_QUERY, 'pull queries', () => import('./pull-query.ts'));
  fetched(own.QUERY_WORK, 'waiting for queries and ending them', () => import('./query-work.ts'));
  fetched(own.RARE_CALLS, 'rarer calls', () => import('./rare-calls.ts'));
  fetched(own.RARE_PLANS, 'source tables and upgrades', () => import('./rare-plans.ts'));
  fetched(data.CODEC, 'encoded batches', () => import('../data/codec.ts'));
  fetched(data.DENSE, 'rows chosen from batches', () => import('../data/dense.ts'));
  fetched(data.JSON_TEXT, 'JSON of many types', () => import('../data/json-text.ts'));
  fetched(formats.DELIMITED, 'the format DELIMITED', () => import('../formats/delimited.ts'));
  // One file: few values need one and not another.
  const rarerValues = () => import('../formats/json-value.ts');
  fetched(data.RARE_RECORDS, 'rarer record batches', () => import('../data/rare-records.ts'));
  fetched(data.RARER_VALUES, 'rarer values', rarerValues);
  fetched(formats.RARER_FORMATS, 'rarer values', rarerValues);
  fetched(data.KEY, 'keys of many types', () => import('../data/key.ts'));
  fetched(data.ROW, 'rows for people', () => import('../data/row.ts'));
  fetched(
    ports.PENDING_BLOCKS,
    'state that comes as blocks',
    () => import('../ports/pending-blocks.ts'),
  );
  fetched(data.VALUE_BYTES, 'nested values', () => import('../data/value-bytes.ts'));
  fetched(task.DELIVERY, 'appends to other partitions', () => import('../task/outbox.ts'));
  fetched(task.JSON_VALUES, 'JSON in the kernel', () => import('../task/json-values.ts'));
  fetched(
    task.PSEUDO_COLUMNS,
    'columns of the record itself',
    () => import('../task/pseudo-columns.ts'),
  );
  fetched(task.WRONG_RECORDS, 'records that go wrong', () => import('../task/wrong-records.ts'));
  fetched(task.REPARTITION, 'repartitioning', () => import('../task/repartition.ts'));
  fetched(task.TIMERS, 'what time makes without input', () => import('../task/timers.ts'));
  fetched(task.RUNS, 'inputs taken by turns', () => import('../task/runs.ts'));
  fetched(sql.JOINS, 'JOIN', () => import('../sql/joins.ts'));
  fetched(sql.OPERATORS, 'operators of expressions', () => import('../sql/operators.ts'));
  fetched(
    sql.PRINT_EXPRESSION,
    'the text of expressions',
    () => import('../sql/print-expression.ts'),
  );
  fetched(sql.RARE_STATEMENTS, 'rarer statements', () => import('../sql/rare-statements.ts'));
  fetched(sql.RARE_SYNTAX, 'rarer clauses', () => import('../sql/rare-syntax.ts'));
  fetched(
    sql.RARE_OPERANDS,
    'CASE, CAST, lambdas, constructors',
    () => import('../sql/rare-operands.ts'),
  );
  fetched(sql.SYNTAX_ERROR, 'the words of syntax errors', () => import('../sql/syntax-error.ts'));
}

/** Fetches every part, one after the other. Rejects with UNAVAILABLE at the first that cannot be fetched. */
export async function loadAll(): Promise<void> {
  announceAll();
  for (const part of parts) await part.load();
  for (const part of functions.THEMES.code.PARTS) await part.load();
}
