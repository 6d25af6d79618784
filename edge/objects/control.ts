// Statements of a catalog that look at or steer what there is: DROP, ALTER, TERMINATE, PAUSE, SET, types and variables; calls nobody.

import type { ControlAnalysis } from '../../runtime/analyze/analysis.ts';
import { exhaustive } from '../../runtime/base/assert.ts';
import { topicAsserted, untilTopicIs } from '../../runtime/engine/assert-topic.ts';
import { caughtUp, swapped, swapStatus } from '../../runtime/engine/caught-up.ts';
import type { CatalogChange } from '../../runtime/engine/changes.ts';
import { setVariable } from '../../runtime/engine/control.ts';
import { currentStatus, entity, type Entity } from '../../runtime/engine/entities.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import { wallClock } from '../adapters/do-clock.ts';
import { answer } from './answers.ts';
import { type CatalogEffect, paused, removed } from './catalog-effects.ts';
import { setProperty, systemProperty } from './prepare.ts';
import type { StatementsOptions } from './statements.ts';

/** What a statement of control may see and do. */
export interface ControlContext extends StatementsOptions {
  /** Of the request; SET and UNSET change them. */
  readonly properties: Map<string, string>;
  /** Of the request; DEFINE and UNDEFINE change them. */
  readonly variables: Map<string, string>;
  /** Makes a change, with what it asks of other objects. @returns the statement's number */
  readonly changed: (
    text: string,
    change: CatalogChange,
    effects: (sequence: number) => readonly CatalogEffect[],
  ) => number;
}

type Of<Kind extends ControlAnalysis['kind']> = ControlAnalysis & { readonly kind: Kind };

/**
 * Carries one statement out; a change of the catalog is made in the turn of the call.
 * @returns its answer; null for what holds for this request alone, as ksqlDB has it
 */
export async function control(
  text: string,
  analysis: ControlAnalysis,
  context: ControlContext,
): Promise<Entity | null> {
  const { topics } = context;
  switch (analysis.kind) {
    case 'none':
      return entity('warning_entity', text, { message: analysis.message });
    case 'dropSource':
      return drop(text, analysis, context);
    case 'terminate':
      return terminate(text, analysis.queries, context);
    case 'pause':
      return pause(text, analysis, context);
    case 'createType': {
      const { name, type } = analysis;
      const sequence = context.changed(text, { change: 'type', name, type }, () => []);
      const message = `Registered custom type ${name}`;
      return status(text, `type/${name}/create`, message, sequence);
    }
    case 'dropType': {
      const { name } = analysis;
      const sequence = context.changed(text, { change: 'type', name, type: null }, () => []);
      return status(text, `type/${name}/drop`, `Type ${name} dropped`, sequence);
    }
    case 'alterSource': {
      const { source } = analysis;
      const sequence = context.changed(text, { change: 'source', source }, () => []);
      const commandId = `${source.kind}/${source.name}/alter`;
      const message = `${source.kind === 'stream' ? 'Stream' : 'Table'} ${source.name} altered.`;
      return status(text, commandId, message, sequence);
    }
    case 'swap':
      return swap(text, analysis, context);
    case 'set':
      return set(text, analysis, context);
    case 'define':
      setVariable(context.variables, analysis.variable, analysis.value);
      return null;
    case 'assertTopic':
      await untilTopicIs(analysis, async (topic) => topics.describe(topic), wallClock);
      return topicAsserted(text, analysis);
    case 'show':
    case 'describe':
    case 'describeFunction':
    case 'explain':
      return answer(text, analysis, context);
    default:
      return exhaustive(analysis);
  }
}

async function swap(text: string, analysis: Of<'swap'>, context: ControlContext): Promise<Entity> {
  const { entries, look, changed } = context;
  await caughtUp(analysis, look);
  const sequence = changed(text, swapped(analysis, entries.catalog), () => []);
  const { commandId, message } = swapStatus(analysis);
  return status(text, commandId, message, sequence);
}

function set(
  text: string,
  { property, value, system }: Of<'set'>,
  { entries, properties, changed }: ControlContext,
): Entity | null {
  const ofAll = systemProperty(entries, property);
  if (!system || value === null) {
    setProperty(properties, property, value, ofAll);
    return null;
  }
  const sequence = changed(text, { change: 'property', name: property, value }, () => []);
  // What the request has set itself stays.
  if ((properties.get(property) ?? null) === ofAll) properties.set(property, value);
  const message = `${property} is ${value} for all requests that do not set it`;
  return status(text, `cluster/${property}/alter`, message, sequence);
}

function pause(text: string, analysis: Of<'pause'>, context: ControlContext): Entity {
  const { queries, paused: isPaused } = analysis;
  const change: CatalogChange = { change: 'pause', queries, paused: isPaused };
  const plans = plansOf(queries, context);
  const sequence = context.changed(text, change, (number) =>
    plans.flatMap((plan) => paused(context.tenant, plan, isPaused, number)),
  );
  const ids = queries.join(', ');
  const verb = isPaused ? 'pause' : 'resume';
  const message = ids === '' ? 'No query runs.' : `Query ${ids} ${verb}d.`;
  return status(text, `${verb}/${queries.join(',')}/execute`, message, sequence, queries);
}

function drop(text: string, analysis: Of<'dropSource'>, context: ControlContext): Entity {
  const { source, terminates, deleteTopic } = analysis;
  const { topics } = context;
  const found = deleteTopic ? topics.describe(source.topic) : null;
  const topic = found === null ? null : { name: found.name, incarnation: found.incarnation };
  const plans = plansOf(terminates === null ? [] : [terminates], context);
  const change: CatalogChange = { change: 'drop', name: source.name, terminates, topic };
  const sequence = context.changed(text, change, (number) => [
    ...ended(plans, number, context),
    ...(topic === null ? [] : topics.remove(topic.name)),
  ]);
  const suffix = topic === null ? '' : ` and its topic ${source.topic} deleted`;
  const message = `Source ${source.name} was dropped${suffix}.`;
  return status(text, `${source.kind}/${source.name}/drop`, message, sequence);
}

function terminate(text: string, queries: readonly string[], context: ControlContext): Entity {
  const plans = plansOf(queries, context);
  const sequence = context.changed(text, { change: 'terminate', queries }, (number) =>
    ended(plans, number, context),
  );
  const ids = queries.join(', ');
  const message = ids === '' ? 'No query runs.' : `Query ${ids} terminated.`;
  return status(text, `terminate/${queries.join(',')}/execute`, message, sequence, queries);
}

/** Ends the tasks and lets the topics between them go. */
function ended(
  plans: readonly Plan[],
  sequence: number,
  { topics, tenant }: ControlContext,
): CatalogEffect[] {
  return plans.flatMap((plan): CatalogEffect[] => [
    ...removed(tenant, plan, sequence),
    ...plan.internalTopics.flatMap(({ name }) =>
      topics.describe(name) === null ? [] : topics.remove(name),
    ),
  ]);
}

function plansOf(queries: readonly string[], { entries }: ControlContext): readonly Plan[] {
  return queries.flatMap((id) => entries.plan(id) ?? []);
}

function status(
  text: string,
  commandId: string,
  message: string,
  sequence: number,
  queries: readonly string[] = [],
): Entity {
  const queryId = queries.length === 1 ? (queries[0] ?? null) : null;
  return currentStatus(text, { commandId, message, queryId, sequence });
}
