// Carries out the statements that look at or steer what there is: DROP, ALTER, TERMINATE, PAUSE, SHOW, DESCRIBE, EXPLAIN, SET and types; knows no query's text.

import { exhaustive } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import type { ControlAnalysis, QueryAnalysis, SwapAnalysis } from '../analyze/analysis.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Source } from '../catalog/source.ts';
import { explainPull } from '../plan/explain.ts';
import { planPull } from '../plan/pull.ts';
import type { Plan } from '../plan/step.ts';
import type { TopicDescription } from '../ports/log.ts';
import { withParts } from '../task/with-parts.ts';
import { topicAsserted, untilTopicIs } from './assert-topic.ts';
import { caughtUp, type Look, swapped, swapStatus } from './caught-up.ts';
import type { CatalogChange } from './changes.ts';
import {
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
} from './entities.ts';
import { errorOf, progressOf, stateOf, statsOf, terminateQuery, unlessGone } from './query-work.ts';
import type { Session, StatementsOptions } from './statements.ts';
import { currentStatus, entity, type Entity } from './status.ts';

export { rarelyApplied } from './rare-changes.ts';

/** What a statement of control may see and do. */
export interface ControlContext extends StatementsOptions, Session {
  readonly catalog: Catalog;
  /** The catalog after what others have done while a statement waited. */
  readonly current: () => Catalog;
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
  const { catalog, queries, registry, host } = context;
  const stateById = (id: string) => stateOf(queries.running(id));
  const statsById = (id: string) => statsOf(queries.running(id));
  switch (analysis.kind) {
    case 'none':
      return entity('warning_entity', text, { message: analysis.message });
    case 'dropSource':
      return drop(text, analysis, context);
    case 'alterSource':
      return alter(text, analysis.source, context);
    case 'swap':
      return swap(text, analysis, context);
    case 'terminate':
      return terminate(text, analysis.queries, context);
    case 'pause':
      return pause(text, analysis, context);
    case 'createType':
      return changeType(text, { name: analysis.name, type: analysis.type }, context);
    case 'dropType':
      return changeType(text, { name: analysis.name, type: null }, context);
    case 'set':
      return set(text, analysis, context);
    case 'define':
      setVariable(context.variables, analysis.variable, analysis.value);
      return variablesEntity(text, context.variables);
    case 'assertTopic':
      await context.aside((closing) =>
        untilTopicIs(analysis, (topic) => host.log.describe(topic), host.clock, closing),
      );
      return topicAsserted(text, analysis);
    case 'show':
      return show(text, analysis, context);
    case 'describe': {
      const described = analysis.sources.map((source) =>
        sourceDescription(source, catalog, stateById, analysis.extended ? statsById : null),
      );
      return analysis.many
        ? entity('source_descriptions', text, { sourceDescriptions: described })
        : entity('sourceDescription', text, { sourceDescription: described[0] });
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
  { target, all, extended }: ControlAnalysis & { readonly kind: 'show' },
  { catalog, registry, queries, host, properties, variables }: ControlContext,
): Promise<Entity> {
  const stateById = (id: string) => stateOf(queries.running(id));
  switch (target) {
    case 'STREAMS':
      return sourcesEntity(text, catalog, 'stream');
    case 'TABLES':
      return sourcesEntity(text, catalog, 'table');
    case 'TOPICS':
      return topicsEntity(text, await host.log.list(), { all, extended }, catalog);
    case 'QUERIES':
      return extended
        ? queryDescriptionsEntity(text, plansOf(catalog, queries), (id) => standingOf(queries, id))
        : queriesEntity(text, catalog, stateById);
    case 'FUNCTIONS':
      return withParts(() => functionsEntity(text, registry));
    case 'TYPES':
      return typesEntity(text, catalog);
    case 'VARIABLES':
      return variablesEntity(text, variables);
    case 'PROPERTIES':
      return propertiesEntity(text, properties);
    default:
      return exhaustive(target);
  }
}

function standingOf(queries: ControlContext['queries'], id: string): Standing {
  return {
    state: stateOf(queries.running(id)),
    error: errorOf(queries.running(id))?.message ?? null,
  };
}

function plansOf(catalog: Catalog, queries: ControlContext['queries']): readonly Plan[] {
  return [...catalog.queries.keys()].flatMap((id) => queries.plan(id) ?? []);
}

async function set(
  text: string,
  { property, value, system }: ControlAnalysis & { readonly kind: 'set' },
  { catalog, properties, changed }: ControlContext,
): Promise<Entity> {
  const ofAll = catalog.properties.get(property);
  if (!system || value === null) {
    const next = value ?? ofAll;
    if (next === undefined) properties.delete(property);
    else properties.set(property, next);
    return entity('properties', text, { property, value });
  }
  const sequence = await changed(text, { change: 'property', name: property, value });
  // What the session has set itself stays.
  if (properties.get(property) === ofAll) properties.set(property, value);
  return currentStatus(text, {
    commandId: `cluster/${property}/alter`,
    message: `${property} is ${value} for all sessions that do not set it`,
    queryId: null,
    sequence,
  });
}

async function alter(text: string, source: Source, { changed }: ControlContext): Promise<Entity> {
  const sequence = await changed(text, { change: 'source', source });
  return currentStatus(text, {
    commandId: `${source.kind}/${source.name}/alter`,
    message: `${source.kind === 'stream' ? 'Stream' : 'Table'} ${source.name} altered.`,
    queryId: null,
    sequence,
  });
}

async function swap(
  text: string,
  analysis: SwapAnalysis,
  { aside, current, queries, host, changed }: ControlContext,
): Promise<Entity> {
  const look: Look = {
    clock: host.clock,
    catalog: current,
    plan: (id) => queries.plan(id),
    progress: (name) => Promise.resolve(progressOf(queries.running(name.query), name)),
    highWatermark: async (at) => (await host.log.bounds(at)).highWatermark,
  };
  await aside((closing) => caughtUp(analysis, look, closing));
  const change = swapped(analysis, current());
  return currentStatus(text, {
    ...swapStatus(analysis),
    queryId: null,
    sequence: await changed(text, change),
  });
}

async function pause(
  text: string,
  { queries: ids, paused }: ControlAnalysis & { readonly kind: 'pause' },
  { queries, changed }: ControlContext,
): Promise<Entity> {
  const sequence = await changed(text, { change: 'pause', queries: ids, paused });
  await forEach(ids, async (id) => {
    const plan = queries.plan(id);
    const isPaused = queries.running(id)?.paused === true;
    // One that had ended with an error tries again, from its last commit.
    const isOver = !paused && errorOf(queries.running(id)) !== null;
    if (plan !== null && (isPaused !== paused || isOver)) await queries.start(plan, paused);
  });
  return currentStatus(text, {
    commandId: `${paused ? 'pause' : 'resume'}/${ids.join(',')}/execute`,
    message:
      ids.length === 0
        ? 'No query runs.'
        : `Query ${ids.join(', ')} ${paused ? 'paused' : 'resumed'}.`,
    queryId: ids.length === 1 ? (ids[0] ?? null) : null,
    sequence,
  });
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
    return queryDescription(text, plan, standingOf(queries, subject.id));
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
  if (terminates !== null) await terminateQuery(queries, host, terminates);
  if (topic !== null) await unlessGone(() => host.log.remove(topic.name));
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
  { host, queries, changed }: ControlContext,
): Promise<Entity> {
  const change: CatalogChange = { change: 'terminate', queries: ids };
  const sequence = await changed(text, change);
  await forEach(ids, (id) => terminateQuery(queries, host, id));
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

/** Does the work for one after the other, though it fails for some: the catalog says already that it is done. @throws the first failure */
async function forEach(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const id of ids) await work(id).catch((thrown: unknown) => failures.push(thrown));
  if (failures.length > 0) throw failures[0];
}

function deleted(topic: TopicDescription | null) {
  return topic === null ? null : { name: topic.name, incarnation: topic.incarnation };
}

/** Variables are compared without case; the last spelling is shown. */
export function setVariable(
  variables: Map<string, string>,
  name: string,
  value: string | null,
): void {
  const wanted = name.toUpperCase();
  for (const known of variables.keys()) if (known.toUpperCase() === wanted) variables.delete(known);
  if (value !== null) variables.set(name, value);
}
