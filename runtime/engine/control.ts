// Carries out the statements that look at or steer what there is: DROP, TERMINATE, SHOW, DESCRIBE, EXPLAIN, SET and types; knows no query's text.

import { exhaustive } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import type { ControlAnalysis, QueryAnalysis } from '../analyze/analysis.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { explainPull } from '../plan/explain.ts';
import { planningOptions } from '../plan/lower.ts';
import { planPull } from '../plan/pull.ts';
import type { Plan } from '../plan/step.ts';
import type { TopicDescription } from '../ports/log.ts';
import { withParts } from '../task/with-parts.ts';
import type { CatalogChange } from './changes.ts';
import {
  functionEntity,
  functionsEntity,
  propertiesEntity,
  queriesEntity,
  queryDescription,
  sourceDescription,
  sourcesEntity,
  topicsEntity,
  typesEntity,
} from './entities.ts';
import { removeTopic } from './queries.ts';
import type { StatementsOptions } from './statements.ts';
import { currentStatus, entity, type Entity } from './status.ts';

/** What a statement of control may see and do. */
export interface ControlContext extends StatementsOptions {
  readonly catalog: Catalog;
  /** Of the session; SET and UNSET change them. */
  readonly properties: Map<string, string>;
  readonly planned: (analysis: QueryAnalysis) => Promise<Plan>;
  /** Makes a change of the catalog; it is done, and will be repeated at open, once this resolves to its number. */
  readonly changed: (text: string, change: CatalogChange) => Promise<number>;
}

/** Carries one statement out. @returns its answer */
export async function control(
  text: string,
  analysis: ControlAnalysis,
  context: ControlContext,
): Promise<Entity> {
  const { catalog, properties, queries, registry } = context;
  const stateOf = (id: string) => queries.stateOf(id);
  switch (analysis.kind) {
    case 'none':
      return entity('warning_entity', text, { message: analysis.message });
    case 'dropSource':
      return drop(text, analysis, context);
    case 'terminate':
      return terminate(text, analysis.queries, context);
    case 'createType':
      return changeType(text, { name: analysis.name, type: analysis.type }, context);
    case 'dropType':
      return changeType(text, { name: analysis.name, type: null }, context);
    case 'set':
      // A value that no plan could have is refused here and not at the next query.
      planningOptions(new Map([[analysis.property, analysis.value ?? 'auto']]), true);
      if (analysis.value === null) properties.delete(analysis.property);
      else properties.set(analysis.property, analysis.value);
      return entity('properties', text, { property: analysis.property, value: analysis.value });
    case 'show':
      return show(text, analysis, context);
    case 'describe': {
      const described = analysis.sources.map((source) =>
        sourceDescription(source, catalog, stateOf),
      );
      return described.length === 1
        ? entity('sourceDescription', text, { sourceDescription: described[0] })
        : entity('source_descriptions', text, { sourceDescriptions: described });
    }
    case 'describeFunction':
      return withParts(() => functionEntity(text, registry, analysis.function));
    case 'explain':
      return explained(text, analysis, context);
    default:
      return exhaustive(analysis);
  }
}

async function show(
  text: string,
  { target }: ControlAnalysis & { readonly kind: 'show' },
  { catalog, registry, queries, host, properties }: ControlContext,
): Promise<Entity> {
  switch (target) {
    case 'STREAMS':
      return sourcesEntity(text, catalog, 'stream');
    case 'TABLES':
      return sourcesEntity(text, catalog, 'table');
    case 'TOPICS':
      return topicsEntity(text, await host.log.list());
    case 'QUERIES':
      return queriesEntity(text, catalog, (id) => queries.stateOf(id));
    case 'FUNCTIONS':
      return withParts(() => functionsEntity(text, registry));
    case 'TYPES':
      return typesEntity(text, catalog);
    case 'PROPERTIES':
      return propertiesEntity(text, properties);
    default:
      return exhaustive(target);
  }
}

async function explained(
  text: string,
  { subject }: ControlAnalysis & { readonly kind: 'explain' },
  { queries, planned }: ControlContext,
): Promise<Entity> {
  if (subject.kind === 'query') {
    const plan = queries.plan(subject.id);
    if (plan === null)
      throw new StatementError('UNKNOWN_QUERY', `query ${subject.id} does not run`);
    return queryDescription(text, plan, queries.stateOf(subject.id));
  }
  const { analysis } = subject;
  if (analysis.kind === 'query') return queryDescription(text, await planned(analysis), null);
  if (analysis.kind !== 'pull') throw new StatementError('INVALID', 'EXPLAIN wants a query');
  const { query } = analysis.source;
  const plan = query === null ? null : queries.plan(query);
  if (plan === null)
    throw new StatementError('INVALID', `no query keeps the rows of ${analysis.source.name}`);
  const executionPlan = explainPull(planPull(analysis, plan));
  return entity('queryDescription', text, {
    queryDescription: {
      id: '',
      statementText: analysis.statement,
      executionPlan,
      queryType: 'PULL',
    },
  });
}

async function drop(
  text: string,
  { source, terminates, deleteTopic }: ControlAnalysis & { readonly kind: 'dropSource' },
  { host, queries, changed }: ControlContext,
): Promise<Entity> {
  const topic = deleteTopic ? await host.log.describe(source.topic) : null;
  const change: CatalogChange = {
    change: 'drop',
    name: source.name,
    terminates,
    topic: deleted(topic),
  };
  const sequence = await changed(text, change);
  if (terminates !== null) await queries.terminate(terminates);
  if (topic !== null) await removeTopic(() => host.log.remove(topic.name));
  const suffix = deleteTopic ? ` and its topic ${source.topic} deleted` : '';
  return currentStatus(text, {
    commandId: `${source.kind}/${source.name}/drop`,
    message: `Source ${source.name} was dropped${suffix}.`,
    queryId: null,
    sequence,
  });
}

async function terminate(
  text: string,
  ids: readonly string[],
  { queries, changed }: ControlContext,
): Promise<Entity> {
  const change: CatalogChange = { change: 'terminate', queries: ids };
  const sequence = await changed(text, change);
  for (const id of ids) await queries.terminate(id);
  return currentStatus(text, {
    commandId: `terminate/${ids.join(',')}/execute`,
    message: ids.length === 0 ? 'No query runs.' : `Query ${ids.join(', ')} terminated.`,
    queryId: ids.length === 1 ? (ids[0] ?? null) : null,
    sequence,
  });
}

async function changeType(
  text: string,
  type: Omit<CatalogChange & { readonly change: 'type' }, 'change'>,
  { changed }: ControlContext,
): Promise<Entity> {
  const change: CatalogChange = { change: 'type', ...type };
  const sequence = await changed(text, change);
  const action = type.type === null ? 'drop' : 'create';
  return currentStatus(text, {
    commandId: `type/${type.name}/${action}`,
    message:
      type.type === null ? `Type ${type.name} dropped` : `Registered custom type ${type.name}`,
    queryId: null,
    sequence,
  });
}

function deleted(topic: TopicDescription | null) {
  return topic === null ? null : { name: topic.name, incarnation: topic.incarnation };
}
