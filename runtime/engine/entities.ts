// The answers of statements in ksqlDB's shapes; plain JSON, knows no host.

import type { Catalog, PersistentQuery } from '../catalog/catalog.ts';
import { linksOf, writtenBy } from '../catalog/rare-changes.ts';
import type { HeaderColumn, Source } from '../catalog/source.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { FunctionRegistry, Parameter } from '../functions/registry.ts';
import { patternText } from '../functions/resolve.ts';
import { shownResult } from '../functions/shown-types.ts';
import { explain } from '../plan/explain.ts';
import type { Plan } from '../plan/step.ts';
import type { TopicDescription } from '../ports/log.ts';
import type { QueryState, QueryStats } from './queries.ts';
import { currentStatus, entity, type Entity } from './status.ts';

export { currentStatus, entity, type Entity };

/** What lists and descriptions say alike. */
function outlined(source: Source) {
  return {
    type: source.kind.toUpperCase(),
    name: source.name,
    topic: source.topic,
    keyFormat: source.keyFormat.format,
    valueFormat: source.valueFormat.format,
    ...(source.processor === undefined ? {} : { processor: source.processor }),
  };
}

export function sourcesEntity(
  statementText: string,
  catalog: Catalog,
  kind: 'stream' | 'table',
): Entity {
  const sources = [...catalog.sources.values()]
    .filter((source) => source.kind === kind)
    .map((source) => ({ ...outlined(source), isWindowed: source.window !== null }));
  return entity(`${kind}s`, statementText, { [`${kind}s`]: sources });
}

/**
 * @param all internal topics too
 * @param catalog for the queries that read each topic: as many consumers, in ksqlDB's words
 */
export function topicsEntity(
  statementText: string,
  topics: readonly TopicDescription[],
  { all, extended }: { readonly all: boolean; readonly extended: boolean },
  catalog: Catalog,
): Entity {
  const shown = topics
    .filter((topic) => all || !topic.internal)
    .map(({ name, partitions }) => {
      const replicaInfo = Array.from({ length: partitions }, () => 1);
      if (!extended) return { name, replicaInfo };
      const readers = [...catalog.queries.values()].filter(({ reads }) =>
        reads.some((source) => catalog.sources.get(source)?.topic === name),
      ).length;
      return {
        name,
        replicaInfo,
        consumerCount: readers * partitions,
        consumerGroupCount: readers,
      };
    });
  return entity(extended ? 'kafka_topics_extended' : 'kafka_topics', statementText, {
    topics: shown,
  });
}

function listedQuery(query: PersistentQuery, catalog: Catalog, state: QueryState) {
  const sinks = writtenBy(query);
  return {
    queryString: query.statement,
    sinks,
    sinkKafkaTopics: sinks.flatMap((name) => catalog.sources.get(name)?.topic ?? []),
    id: query.id,
    statusCount: { [state]: 1 },
    queryType: 'PERSISTENT',
    state,
  };
}

export function queriesEntity(
  statementText: string,
  catalog: Catalog,
  stateOf: (id: string) => QueryState,
): Entity {
  const queries = [...catalog.queries.values()].map((query) =>
    listedQuery(query, catalog, stateOf(query.id)),
  );
  return entity('queries', statementText, { queries });
}

/** How a query stands, and why it has ended. */
export interface Standing {
  readonly state: QueryState;
  readonly error: string | null;
}

/** SHOW QUERIES EXTENDED. */
export function queryDescriptionsEntity(
  statementText: string,
  plans: readonly Plan[],
  standingOf: (id: string) => Standing,
): Entity {
  const queryDescriptions = plans.map((plan) => describedQuery(plan, standingOf(plan.query)));
  return entity('query_descriptions', statementText, { queryDescriptions });
}

export function functionsEntity(statementText: string, registry: FunctionRegistry): Entity {
  return entity('function_names', statementText, {
    functions: registry.names.map((name) => {
      const [first] = registry.overloads(name);
      return {
        name,
        type: (first?.kind ?? 'scalar').toUpperCase(),
        category: first?.category ?? '',
      };
    }),
  });
}

function argument({ name, pattern, variadic }: Parameter) {
  return { name, type: patternText(pattern), description: '', isVariadic: variadic };
}

export function functionEntity(
  statementText: string,
  registry: FunctionRegistry,
  name: string,
): Entity {
  const overloads = registry.overloads(name);
  const [first] = overloads;
  return entity('describe_function', statementText, {
    name,
    type: (first?.kind ?? 'scalar').toUpperCase(),
    description: first?.description ?? '',
    author: 'millrace',
    version: '',
    functions: overloads.map((overload) => ({
      arguments: overload.parameters.map(argument),
      returnType: shownResult(overload),
      description: overload.description,
    })),
  });
}

export function typesEntity(statementText: string, catalog: Catalog): Entity {
  const types = Object.fromEntries(
    [...catalog.types].map(([name, type]) => [name, schemaOf(type)]),
  );
  return entity('type_list', statementText, { types });
}

export function variablesEntity(
  statementText: string,
  variables: ReadonlyMap<string, string>,
): Entity {
  return entity('variables', statementText, {
    variables: [...variables].map(([name, value]) => ({ name, value })),
  });
}

export function propertiesEntity(
  statementText: string,
  properties: ReadonlyMap<string, string>,
): Entity {
  return entity('properties', statementText, {
    properties: [...properties].map(([name, value]) => ({
      name,
      scope: 'KSQL',
      value,
      editable: true,
      level: 'QUERY',
    })),
    overwrittenProperties: [...properties.keys()],
    defaultProperties: [],
  });
}

/** A type as ksqlDB's clients read it. */
function schemaOf(type: Type): Readonly<Record<string, unknown>> {
  const plain = { type: type.kind, fields: null, memberSchema: null };
  switch (type.kind) {
    case 'DECIMAL':
      return { ...plain, parameters: { precision: type.precision, scale: type.scale } };
    case 'ARRAY':
      return { ...plain, memberSchema: schemaOf(type.item) };
    case 'MAP':
      return { ...plain, memberSchema: schemaOf(type.value) };
    case 'STRUCT':
      return {
        ...plain,
        fields: type.fields.map((field) => ({ name: field.name, schema: schemaOf(field.type) })),
      };
    default:
      return plain;
  }
}

/** Columns of key and value, and those of the schema that are filled from headers. */
function fieldsOf(
  { columns }: Schema,
  headers: readonly HeaderColumn[] = [],
): readonly Readonly<Record<string, unknown>>[] {
  return columns.flatMap(({ name, type, role }) => {
    const field = { name, schema: schemaOf(type) };
    if (role === 'value') return field;
    if (role === 'key') return { ...field, type: 'KEY' };
    return headers
      .filter(({ column }) => column === name)
      .map(({ key }) => ({
        ...field,
        type: 'HEADER',
        ...(key === null ? {} : { headerKey: key }),
      }));
  });
}

/** @param statsOf what queries have done, for DESCRIBE EXTENDED; null: not asked for */
export function sourceDescription(
  source: Source,
  catalog: Catalog,
  stateOf: (id: string) => QueryState,
  statsOf: ((id: string) => QueryStats) | null = null,
) {
  const { readBy, writtenBy, feeds } = linksOf(catalog, source.name);
  const described = (ids: readonly string[]) =>
    ids.flatMap((id) => {
      const query = catalog.queries.get(id);
      return query === undefined ? [] : [listedQuery(query, catalog, stateOf(id))];
    });
  return {
    ...outlined(source),
    windowType: source.window?.type ?? null,
    fields: fieldsOf(source.schema, source.headers),
    readQueries: described(readBy),
    writeQueries: described(writtenBy),
    timestamp: source.timestamp?.column ?? '',
    partitions: source.partitions,
    replication: 1,
    statement: source.statement,
    extended: statsOf !== null,
    ...statistics(statsOf === null ? [] : writtenBy.map(statsOf)),
    queryOffsetSummaries: [],
    sourceConstraints: feeds,
  };
}

/** What the queries that write a source have done, as lines for people. */
function statistics(of: readonly QueryStats[]) {
  const sum = (name: keyof QueryStats): number =>
    of.reduce((total, stats) => total + stats[name], 0);
  if (of.length === 0) return { statistics: '', errorStats: '' };
  return {
    statistics: `records in: ${sum('in')}, records out: ${sum('out')}, late: ${sum('late')}`,
    errorStats: `errors: ${sum('errors')}`,
  };
}

export function queryDescription(
  statementText: string,
  plan: Plan,
  standing: Standing | null,
): Entity {
  return entity('queryDescription', statementText, {
    queryDescription: describedQuery(plan, standing),
  });
}

function describedQuery(plan: Plan, standing: Standing | null) {
  const { state = null, error = null } = standing ?? {};
  const steps = plan.subtopologies.flatMap((part) => part.steps);
  const last = steps.findLast((step) => step.step === 'sink' || step.step === 'client');
  const aggregation = steps.find((step) => step.step === 'aggregate');
  return {
    id: plan.query,
    statementText: plan.statement,
    windowType: aggregation?.window?.type ?? null,
    fields: last === undefined ? [] : fieldsOf(last.schema),
    sources: [...new Set(steps.flatMap((step) => (step.step === 'source' ? [step.source] : [])))],
    sinks: steps.flatMap((step) => (step.step === 'sink' ? [step.sink] : [])),
    executionPlan: explain(plan),
    topology: '',
    overriddenProperties: {},
    state,
    queryType: plan.kind.toUpperCase(),
    queryErrors: error === null ? [] : [{ errorMessage: error }],
    ksqlHostQueryStatus: {},
  };
}
