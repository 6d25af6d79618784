// The one SELECT of a request, planned for whoever has the connection to run it; changes nothing.

import type { Analysis, AnalyzeOptions } from '../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../runtime/analyze/analyze.ts';
import { StatementError } from '../../runtime/base/errors.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { planPull, type PullPlan } from '../../runtime/plan/pull.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import { parse } from '../../runtime/sql/parser.ts';
import { subtopologyOf } from '../../runtime/task/topology.ts';

/** A text of statements, with the properties and variables of the request. */
export interface Script {
  readonly sql: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly variables: ReadonlyMap<string, string>;
}

/** A SELECT, ready to be run. */
export type PreparedQuery =
  | { readonly kind: 'push'; readonly plan: Plan }
  /** Over a stream: its topic is read, no object is asked. */
  | { readonly kind: 'streamPull'; readonly plan: Plan }
  | { readonly kind: 'pull'; readonly pull: PullPlan; readonly partitions: number };

/** What the catalog gives. */
export interface PrepareOptions {
  readonly analyzeOptions: (properties: ReadonlyMap<string, string>) => AnalyzeOptions;
  readonly plan: (query: string) => Plan | null;
}

/**
 * Plans the one SELECT of a script; SET may stand before it.
 * @throws {StatementError}
 */
export function prepareQuery(script: Script, options: PrepareOptions): PreparedQuery {
  const properties = new Map(script.properties);
  let prepared: PreparedQuery | null = null;
  for (const statement of parse(script.sql, script.variables)) {
    const analysis = analyzeStatement(statement, options.analyzeOptions(properties));
    if (analysis.kind === 'set') setProperty(properties, analysis.property, analysis.value);
    else if (prepared === null) prepared = prepare(statement, analysis, properties, options);
    else throw onlyOne(statement);
  }
  if (prepared === null) throw new StatementError('INVALID', 'there is no SELECT in this text');
  return prepared;
}

function prepare(
  statement: Statement,
  analysis: Analysis,
  properties: ReadonlyMap<string, string>,
  options: PrepareOptions,
): PreparedQuery {
  if (analysis.kind === 'query' && analysis.mode !== 'persistent') {
    const plan = planQuery(analysis, planningOptions(properties, true));
    return { kind: analysis.mode === 'pull' ? 'streamPull' : 'push', plan };
  }
  if (analysis.kind !== 'pull') {
    const hint = 'Send other statements to /ksql.';
    throw new StatementError('INVALID', 'only a SELECT is a query', statement.at, hint);
  }
  const { name, query } = analysis.source;
  const plan = query === null ? null : options.plan(query);
  if (plan === null) {
    const hint = 'Add EMIT CHANGES for a push query.';
    throw new StatementError('INVALID', `no query keeps the rows of ${name}`, statement.at, hint);
  }
  const pull = planPull(analysis, plan);
  const { partitions } = subtopologyOf(plan, pull.table.subtopology);
  return { kind: 'pull', pull, partitions };
}

/** SET and UNSET. @throws {StatementError} for a value that no plan could have */
export function setProperty(
  properties: Map<string, string>,
  name: string,
  value: string | null,
): void {
  if (value === null) properties.delete(name);
  else properties.set(name, value);
  planningOptions(properties, true);
}

function onlyOne({ at }: Statement): StatementError {
  const hint = 'Send the others by themselves.';
  return new StatementError('INVALID', 'a request has one SELECT', at, hint);
}
