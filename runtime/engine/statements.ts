// Carries statements out one after the other: analyzes, plans, logs the change, starts and ends queries; knows no text and no rows.

import { exhaustive } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import type {
  Analysis,
  AnalyzeOptions,
  ControlAnalysis,
  CreateSourceAnalysis,
  InsertValuesAnalysis,
  QueryAnalysis,
} from '../analyze/analysis.ts';
import { analyzeStatement } from '../analyze/analyze.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { explainPull } from '../plan/explain.ts';
import { planningOptions } from '../plan/lower.ts';
import { planQuery } from '../plan/planner.ts';
import { planPull } from '../plan/pull.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { TopicDescription } from '../ports/log.ts';
import type { Statement } from '../sql/ast.ts';
import { withParts } from '../task/with-parts.ts';
import { appendEntry } from './catalog-topic.ts';
import { applied, CHANGE_VERSION, type CatalogChange } from './changes.ts';
import {
  currentStatus,
  entity,
  type Entity,
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
import { loadFunctions } from './functions.ts';
import { checkWritable, produce, recordOf } from './insert.ts';
import { type Queries, removeTopic } from './queries.ts';
import { ensureTopic } from './system.ts';

export interface StatementsOptions {
  readonly host: Host;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly queries: Queries;
}

/** The catalog of one engine and what changes it. Calls must not overlap: the engine puts them in a row. */
export class Statements {
  readonly #options: StatementsOptions;
  #catalog: Catalog;
  #queryNumber: number;

  /** @param queryNumber how many persistent queries were ever made, for the ids of those to come */
  constructor(options: StatementsOptions, catalog: Catalog, queryNumber: number) {
    this.#options = options;
    this.#catalog = catalog;
    this.#queryNumber = queryNumber;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** What a statement means now. @throws {StatementError} */
  async analyzed(statement: Statement, properties: ReadonlyMap<string, string>): Promise<Analysis> {
    const options = await this.#analyzeOptions(properties);
    return withParts(() => analyzeStatement(statement, options));
  }

  async #analyzeOptions(properties: ReadonlyMap<string, string>): Promise<AnalyzeOptions> {
    const { registry, formats, host } = this.#options;
    const topics = new Map((await host.log.list()).map((topic) => [topic.name, topic]));
    const catalog = this.#catalog;
    return {
      catalog,
      registry,
      formats,
      properties,
      topics,
      queryNumber: this.#queryNumber + 1,
      // What UNIX_TIMESTAMP and RANDOM give where a statement holds them as constants: INSERT VALUES writes their values.
      callContext: { now: host.clock.now(), random: () => Math.random() },
    };
  }

  planned(analysis: QueryAnalysis, properties: ReadonlyMap<string, string>): Promise<Plan> {
    const hasKernel = this.#options.host.kernel !== null;
    return withParts(() => planQuery(analysis, planningOptions(properties, hasKernel)));
  }

  /**
   * Carries one statement out.
   * @param properties of the session; SET and UNSET change them
   * @returns its answer; null for INSERT VALUES
   */
  async run(statement: Statement, properties: Map<string, string>): Promise<Entity | null> {
    const analysis = await this.analyzed(statement, properties);
    switch (analysis.kind) {
      case 'createSource':
        return this.#createSource(statement.text, analysis);
      case 'query':
        return this.#createQuery(statement, analysis, properties);
      case 'pull':
        throw isQuery(statement);
      case 'insertValues':
        await this.#insertValues(analysis);
        return null;
      default:
        return this.#control(statement.text, analysis, properties);
    }
  }

  async #createSource(text: string, analysis: CreateSourceAnalysis): Promise<Entity> {
    const { source, topic, warnings } = analysis;
    const change: CatalogChange = { change: 'source', source };
    const after = applied(this.#catalog, change);
    await ensureTopic(this.#options.host.log, { ...topic, internal: false });
    const sequence = await this.#log(text, change);
    this.#catalog = after;
    const kind = source.kind === 'stream' ? 'Stream' : 'Table';
    return currentStatus(
      text,
      {
        commandId: `${source.kind}/${source.name}/create`,
        message: `${kind} ${source.name} created`,
        queryId: null,
        sequence,
      },
      warnings,
    );
  }

  async #createQuery(
    statement: Statement,
    analysis: QueryAnalysis,
    properties: ReadonlyMap<string, string>,
  ): Promise<Entity> {
    const { sink, query, creates } = analysis;
    if (analysis.mode === 'push' || sink === null || query === null) throw isQuery(statement);
    const { host, registry, queries } = this.#options;
    const plan = await this.planned(analysis, properties);
    const change: CatalogChange = { change: 'query', query, source: creates ? sink : null, plan };
    const after = applied(this.#catalog, change);
    await loadFunctions(plan, registry);
    await ensureTopic(host.log, {
      name: sink.topic,
      partitions: sink.partitions,
      retentionMs: analysis.retentionMs,
      compacted: false,
      internal: false,
    });
    const sequence = await this.#log(statement.text, change);
    this.#catalog = after;
    this.#queryNumber += 1;
    await queries.start(plan);
    return currentStatus(
      statement.text,
      {
        commandId: `${sink.kind}/${sink.name}/create`,
        message: `Created query with ID ${query.id}`,
        queryId: query.id,
        sequence,
      },
      analysis.warnings,
    );
  }

  async #insertValues(analysis: InsertValuesAnalysis): Promise<void> {
    const { source, rowtime } = analysis;
    checkWritable(source);
    const { host, formats } = this.#options;
    const { key, value } = await withParts(() => recordOf(source, analysis, formats));
    const to = { topic: source.topic, spare: 0 };
    await produce(host.log, host.clock, to, [{ key, value, timestamp: rowtime ?? undefined }]);
  }

  async #control(
    text: string,
    analysis: ControlAnalysis,
    properties: Map<string, string>,
  ): Promise<Entity> {
    const catalog = this.#catalog;
    const stateOf = (id: string) => this.#options.queries.stateOf(id);
    switch (analysis.kind) {
      case 'none':
        return entity('warning_entity', text, { message: analysis.message });
      case 'dropSource':
        return this.#drop(text, analysis);
      case 'terminate':
        return this.#terminate(text, analysis.queries);
      case 'createType':
        return this.#type(text, { name: analysis.name, type: analysis.type });
      case 'dropType':
        return this.#type(text, { name: analysis.name, type: null });
      case 'set':
        // A value that no plan could have is refused here and not at the next query.
        planningOptions(new Map([[analysis.property, analysis.value ?? 'auto']]), true);
        if (analysis.value === null) properties.delete(analysis.property);
        else properties.set(analysis.property, analysis.value);
        return entity('properties', text, { property: analysis.property, value: analysis.value });
      case 'show':
        return this.#show(text, analysis, properties);
      case 'describe': {
        const described = analysis.sources.map((source) =>
          sourceDescription(source, catalog, stateOf),
        );
        return described.length === 1
          ? entity('sourceDescription', text, { sourceDescription: described[0] })
          : entity('source_descriptions', text, { sourceDescriptions: described });
      }
      case 'describeFunction':
        return functionEntity(text, this.#options.registry, analysis.function);
      case 'explain':
        return this.#explain(text, analysis, properties);
      default:
        return exhaustive(analysis);
    }
  }

  async #show(
    text: string,
    { target }: ControlAnalysis & { readonly kind: 'show' },
    properties: ReadonlyMap<string, string>,
  ): Promise<Entity> {
    const { registry, queries, host } = this.#options;
    switch (target) {
      case 'STREAMS':
        return sourcesEntity(text, this.#catalog, 'stream');
      case 'TABLES':
        return sourcesEntity(text, this.#catalog, 'table');
      case 'TOPICS':
        return topicsEntity(text, await host.log.list());
      case 'QUERIES':
        return queriesEntity(text, this.#catalog, (id) => queries.stateOf(id));
      case 'FUNCTIONS':
        return functionsEntity(text, registry);
      case 'TYPES':
        return typesEntity(text, this.#catalog);
      case 'PROPERTIES':
        return propertiesEntity(text, properties);
      default:
        return exhaustive(target);
    }
  }

  async #explain(
    text: string,
    { subject }: ControlAnalysis & { readonly kind: 'explain' },
    properties: ReadonlyMap<string, string>,
  ): Promise<Entity> {
    const { queries } = this.#options;
    if (subject.kind === 'query') {
      const plan = queries.plan(subject.id);
      if (plan === null)
        throw new StatementError('UNKNOWN_QUERY', `query ${subject.id} does not run`);
      return queryDescription(text, plan, queries.stateOf(subject.id));
    }
    const { analysis } = subject;
    if (analysis.kind === 'query')
      return queryDescription(text, await this.planned(analysis, properties), null);
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

  async #drop(
    text: string,
    analysis: ControlAnalysis & { readonly kind: 'dropSource' },
  ): Promise<Entity> {
    const { source, terminates, deleteTopic } = analysis;
    const { host, queries } = this.#options;
    const topic = deleteTopic ? await host.log.describe(source.topic) : null;
    const change: CatalogChange = {
      change: 'drop',
      name: source.name,
      terminates,
      topic: deleted(topic),
    };
    const after = applied(this.#catalog, change);
    const sequence = await this.#log(text, change);
    this.#catalog = after;
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

  async #terminate(text: string, ids: readonly string[]): Promise<Entity> {
    const change: CatalogChange = { change: 'terminate', queries: ids };
    const after = applied(this.#catalog, change);
    const sequence = await this.#log(text, change);
    this.#catalog = after;
    for (const id of ids) await this.#options.queries.terminate(id);
    return currentStatus(text, {
      commandId: `terminate/${ids.join(',')}/execute`,
      message: ids.length === 0 ? 'No query runs.' : `Query ${ids.join(', ')} terminated.`,
      queryId: ids.length === 1 ? (ids[0] ?? null) : null,
      sequence,
    });
  }

  async #type(
    text: string,
    type: Omit<CatalogChange & { readonly change: 'type' }, 'change'>,
  ): Promise<Entity> {
    const change: CatalogChange = { change: 'type', ...type };
    const after = applied(this.#catalog, change);
    const sequence = await this.#log(text, change);
    this.#catalog = after;
    const action = type.type === null ? 'drop' : 'create';
    return currentStatus(text, {
      commandId: `type/${type.name}/${action}`,
      message:
        type.type === null ? `Type ${type.name} dropped` : `Registered custom type ${type.name}`,
      queryId: null,
      sequence,
    });
  }

  /** The statement is done once this resolves: what follows is repeated at open when it was cut short. */
  #log(statement: string, change: CatalogChange): Promise<number> {
    const { host } = this.#options;
    return appendEntry(host.log, host.clock, { version: CHANGE_VERSION, statement, change });
  }
}

function deleted(topic: TopicDescription | null) {
  return topic === null ? null : { name: topic.name, incarnation: topic.incarnation };
}

function isQuery(statement: Statement): StatementError {
  return new StatementError(
    'INVALID',
    'a SELECT is a query, not a statement to execute',
    statement.at,
    'Send it to query(), or to /query-stream.',
  );
}
