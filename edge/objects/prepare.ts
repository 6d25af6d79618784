// The one SELECT or PRINT of a request, planned for whoever has the connection to run it; changes nothing.

import type { Analysis, AnalyzeOptions } from '../../runtime/analyze/analysis.ts';
import { analyzeStatement } from '../../runtime/analyze/analyze.ts';
import { checkedProperties } from '../../runtime/analyze/session-properties.ts';
import { StatementError } from '../../runtime/base/errors.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { planPull, type PullPlan } from '../../runtime/plan/pull.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { Print, Statement } from '../../runtime/sql/ast.ts';
import { parse } from '../../runtime/sql/parser.ts';
import { subtopologyOf } from '../../runtime/task/topology.ts';
import type { EntryTables } from './entry-tables.ts';

/** A text of statements, with the properties and variables of the request. */
export interface Script {
  readonly sql: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly variables: ReadonlyMap<string, string>;
  /** The number of a statement that must have been done before (`commandSequenceNumber`). */
  readonly after?: number | undefined;
}

/** A SELECT or PRINT, ready to be run. */
export type PreparedQuery =
  | { readonly kind: 'print'; readonly print: Print }
  | { readonly kind: 'push'; readonly plan: Plan }
  /** Over a stream: its topic is read, no object is asked. */
  | { readonly kind: 'streamPull'; readonly plan: Plan }
  | {
      readonly kind: 'pull';
      readonly pull: PullPlan;
      readonly partitions: number;
      /** Number of the statement that the plan of its query is of. */
      readonly planned: number;
    };

/** What the catalog gives. */
export interface PrepareOptions {
  readonly analyzeOptions: (properties: ReadonlyMap<string, string>) => AnalyzeOptions;
  readonly entries: EntryTables;
}

/**
 * Plans the one SELECT or PRINT of a script; SET, UNSET, DEFINE and UNDEFINE may stand before it.
 * @throws {StatementError}
 */
export function prepareQuery(script: Script, options: PrepareOptions): PreparedQuery {
  const properties = sessionProperties(options.entries, script);
  let prepared: PreparedQuery | null = null;
  for (const statement of parse(script.sql, script.variables)) {
    if (statement.kind === 'Print') {
      if (prepared !== null) throw onlyOne(statement);
      prepared = { kind: 'print', print: statement };
      continue;
    }
    const analysis = analyzeStatement(statement, options.analyzeOptions(properties));
    if (analysis.kind === 'set' && !analysis.system) {
      const { property, value } = analysis;
      setProperty(properties, property, value, systemProperty(options.entries, property));
    } else if (analysis.kind !== 'define') {
      if (prepared !== null) throw onlyOne(statement);
      prepared = prepare(statement, analysis, properties, options);
    }
  }
  if (prepared === null)
    throw new StatementError('INVALID', 'there is no SELECT or PRINT in this text');
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
    throw new StatementError('INVALID', 'only a SELECT or PRINT is a query', statement.at, hint);
  }
  const { name, query } = analysis.source;
  const planned = query === null ? null : options.entries.planned(query);
  if (planned === null) {
    const hint = 'Add EMIT CHANGES for a push query.';
    throw new StatementError('INVALID', `no query keeps the rows of ${name}`, statement.at, hint);
  }
  const pull = planPull(analysis, planned.plan);
  const { partitions } = subtopologyOf(planned.plan, pull.table.subtopology);
  return { kind: 'pull', pull, partitions, planned: planned.number };
}

/**
 * What a request's statements begin with: what ALTER SYSTEM has set, under what the request sets.
 * @throws {StatementError} INVALID for names and values that there are not
 */
export function sessionProperties(
  { catalog }: Pick<EntryTables, 'catalog'>,
  script: Script,
): Map<string, string> {
  return new Map([...catalog.properties, ...checkedProperties(script.properties)]);
}

/** What ALTER SYSTEM has set; null: nothing. */
export function systemProperty(
  { catalog }: Pick<EntryTables, 'catalog'>,
  name: string,
): string | null {
  return catalog.properties.get(name) ?? null;
}

/**
 * SET and UNSET.
 * @param ofAll what ALTER SYSTEM has set: UNSET goes back to it
 */
export function setProperty(
  properties: Map<string, string>,
  name: string,
  value: string | null,
  ofAll: string | null,
): void {
  const next = value ?? ofAll;
  if (next === null) properties.delete(name);
  else properties.set(name, next);
}

function onlyOne({ at }: Statement): StatementError {
  const hint = 'Send the others by themselves.';
  return new StatementError('INVALID', 'a request has one SELECT or PRINT', at, hint);
}
