// The answers of statements that only look: SHOW, DESCRIBE and EXPLAIN over a tenant's catalog; changes nothing.

import type { ControlAnalysis } from '../../runtime/analyze/analysis.ts';
import { exhaustive } from '../../runtime/base/assert.ts';
import { StatementError } from '../../runtime/base/errors.ts';
import {
  entity,
  type Entity,
  functionEntity,
  functionsEntity,
  propertiesEntity,
  queriesEntity,
  queryDescription,
  queryDescriptionsEntity,
  sourceDescription,
  sourcesEntity,
  type Standing,
  topicsEntity,
  typesEntity,
  variablesEntity,
} from '../../runtime/engine/entities.ts';
import type { QueryState } from '../../runtime/engine/queries.ts';
import { explainPull } from '../../runtime/plan/explain.ts';
import { planningOptions } from '../../runtime/plan/lower.ts';
import { planQuery } from '../../runtime/plan/planner.ts';
import { planPull } from '../../runtime/plan/pull.ts';
import { planUpgrade } from '../../runtime/plan/upgrade.ts';
import { registry } from '../registry.ts';
import type { EntryTables } from './entry-tables.ts';
import type { TopicTables } from './topic-tables.ts';

/** What such statements look at. */
export interface View {
  readonly entries: EntryTables;
  readonly topics: TopicTables;
  readonly properties: ReadonlyMap<string, string>;
  readonly variables: ReadonlyMap<string, string>;
  /** How the queries stand, by id. */
  readonly standings: () => Promise<ReadonlyMap<string, Standing>>;
}

type Looking = Extract<
  ControlAnalysis,
  { readonly kind: 'show' | 'describe' | 'describeFunction' | 'explain' }
>;

export async function answer(text: string, analysis: Looking, view: View): Promise<Entity> {
  switch (analysis.kind) {
    case 'show':
      return show(text, analysis, view);
    case 'describe': {
      const stateOf = await stateIn(view);
      const described = analysis.sources.map((source) =>
        sourceDescription(source, view.entries.catalog, stateOf),
      );
      return analysis.many
        ? entity('source_descriptions', text, { sourceDescriptions: described })
        : entity('sourceDescription', text, { sourceDescription: described[0] });
    }
    case 'describeFunction':
      return functionEntity(text, registry, analysis.function);
    case 'explain':
      return explained(text, analysis, view);
    default:
      return exhaustive(analysis);
  }
}

async function standingIn({ standings }: View): Promise<(id: string) => Standing> {
  const known = await standings();
  return (id) => known.get(id) ?? { state: 'RUNNING', error: null };
}

async function stateIn(view: View): Promise<(id: string) => QueryState> {
  const standingOf = await standingIn(view);
  return (id) => standingOf(id).state;
}

async function show(
  text: string,
  { target, all, extended }: Looking & { readonly kind: 'show' },
  view: View,
): Promise<Entity> {
  const { entries, topics, properties, variables } = view;
  switch (target) {
    case 'STREAMS':
      return sourcesEntity(text, entries.catalog, 'stream');
    case 'TABLES':
      return sourcesEntity(text, entries.catalog, 'table');
    case 'TOPICS':
      return topicsEntity(text, topics.list(), { all, extended }, entries.catalog);
    case 'QUERIES': {
      const standingOf = await standingIn(view);
      return extended
        ? queryDescriptionsEntity(text, entries.plans, standingOf)
        : queriesEntity(text, entries.catalog, (id) => standingOf(id).state);
    }
    case 'FUNCTIONS':
      return functionsEntity(text, registry);
    case 'TYPES':
      return typesEntity(text, entries.catalog);
    case 'VARIABLES':
      return variablesEntity(text, variables);
    case 'PROPERTIES':
      return propertiesEntity(text, properties);
    default:
      return exhaustive(target);
  }
}

async function explained(
  text: string,
  { subject }: Looking & { readonly kind: 'explain' },
  view: View,
): Promise<Entity> {
  const { entries, properties } = view;
  if (subject.kind === 'query') {
    const plan = entries.plan(subject.id);
    if (plan === null) {
      throw new StatementError('UNKNOWN_QUERY', `query ${subject.id} does not run`);
    }
    return queryDescription(text, plan, (await standingIn(view))(subject.id));
  }
  const { analysis } = subject;
  if (analysis.kind === 'query') {
    const options = planningOptions(properties, true);
    const old = analysis.mode === 'push' ? null : entries.plan(analysis.id);
    const plan =
      old === null
        ? planQuery(analysis, options)
        : planUpgrade(analysis, options, { old, at: null });
    return queryDescription(text, plan, null);
  }
  if (analysis.kind !== 'pull') throw new StatementError('INVALID', 'EXPLAIN wants a query');
  const { name, query } = analysis.source;
  const plan = query === null ? null : entries.plan(query);
  if (plan === null) throw new StatementError('INVALID', `no query keeps the rows of ${name}`);
  const executionPlan = explainPull(planPull(analysis, plan));
  const { statement: statementText } = analysis;
  const description = { id: '', statementText, executionPlan, queryType: 'PULL' };
  return entity('queryDescription', text, { queryDescription: description });
}
