// Carries statements out one after the other: analyzes, plans, logs the change, starts and ends queries; knows no text and no rows.

import type {
  Analysis,
  AnalyzeOptions,
  ControlAnalysis,
  CreateSourceAnalysis,
  QueryAnalysis,
} from '../analyze/analysis.ts';
import { analyzeStatement } from '../analyze/analyze.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { planningOptions } from '../plan/lower.ts';
import { planQuery } from '../plan/planner.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Statement } from '../sql/ast.ts';
import { withParts } from '../task/with-parts.ts';
import type { CatalogTopic } from './catalog-topic.ts';
import { chance } from './chance.ts';
import { applied, CHANGE_VERSION, type CatalogChange } from './changes.ts';
import { loadFunctions } from './functions.ts';
import { CONTROL, INSERT_ROWS, PROCESSORS, RARE_PLANS } from './own-parts.ts';
import type { Queries } from './queries.ts';
import { currentStatus, type Entity } from './status.ts';
import { ensureTopic } from './system.ts';

export interface StatementsOptions {
  readonly host: Host;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly queries: Queries;
}

/** Waits for something while others have their turn, and goes on in a turn of its own; `closing` ends the wait. */
export type Aside = (wait: (closing: AbortSignal) => Promise<void>) => Promise<void>;

/** What statements of one caller share. */
export interface Session {
  /** As SET gives them. */
  readonly properties: Map<string, string>;
  /** As DEFINE gives them. */
  readonly variables: Map<string, string>;
  readonly aside: Aside;
}

/** The catalog of one engine and what changes it. Calls must not overlap: the engine puts them in a row. */
export class Statements {
  readonly #options: StatementsOptions;
  #catalog: Catalog;
  #queryNumber: number;
  readonly #topic: CatalogTopic;
  #waiting: ReadonlyMap<string, Error> = new Map();

  /** @param queryNumber how many persistent queries were ever made, for the ids of those to come */
  constructor(
    options: StatementsOptions,
    catalog: Catalog,
    queryNumber: number,
    topic: CatalogTopic,
  ) {
    this.#options = options;
    this.#catalog = catalog;
    this.#queryNumber = queryNumber;
    this.#topic = topic;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** Why processors in code have not begun, by their names. */
  get waiting(): ReadonlyMap<string, Error> {
    return this.#waiting;
  }

  /** Begins the processors in code that are no queries yet, where what they read and write is there. */
  async beginProcessors(): Promise<void> {
    const { registry, queries } = this.#options;
    const { processors } = registry;
    if (processors.length === 0) return;
    const { beginProcessors } = await withParts(() => PROCESSORS.code);
    this.#waiting = await beginProcessors({
      processors,
      catalog: () => this.#catalog,
      number: () => this.#queryNumber + 1,
      begin: async (statement, change, plan) => {
        await this.#changed(statement, change);
        this.#queryNumber += 1;
        await queries.start(plan);
      },
    });
  }

  /** What a statement means now. @throws {StatementError} */
  async analyzed(statement: Statement, properties: ReadonlyMap<string, string>): Promise<Analysis> {
    const { registry, formats, host } = this.#options;
    // What makes no topic need not know which there are.
    const listed = statement.kind === 'Select' ? [] : await host.log.list();
    const options: AnalyzeOptions = {
      catalog: this.#catalog,
      registry,
      formats,
      properties,
      topics: new Map(listed.map((topic) => [topic.name, topic])),
      queryNumber: this.#queryNumber + 1,
      // What UNIX_TIMESTAMP and RANDOM give where a statement holds them as constants: INSERT VALUES writes their values.
      callContext: { now: host.clock.now(), random: chance },
    };
    return withParts(() => analyzeStatement(statement, options));
  }

  /** The plan of a query; where one of its id runs, the plan that it is upgraded to. @throws {StatementError} */
  planned(analysis: QueryAnalysis, properties: ReadonlyMap<string, string>): Promise<Plan> {
    const { host, queries } = this.#options;
    const hasKernel = host.kernel !== null;
    const old = analysis.mode === 'push' ? null : queries.plan(analysis.id);
    return withParts(() => {
      const options = planningOptions(properties, hasKernel);
      if (old === null) return planQuery(analysis, options);
      return RARE_PLANS.code.planUpgrade(analysis, options, { old, at: null });
    });
  }

  /**
   * Carries one statement out.
   * @param session SET, UNSET, DEFINE and UNDEFINE change it
   * @returns its answer; null for INSERT VALUES
   */
  async run(statement: Statement, session: Session): Promise<Entity | null> {
    const { properties } = session;
    const analysis = await this.analyzed(statement, properties);
    switch (analysis.kind) {
      case 'createSource':
        return this.#createSource(statement.text, analysis, properties);
      case 'query':
        return this.#createQuery(statement, analysis, properties);
      case 'pull':
        throw (await withParts(() => RARE_PLANS.code)).isQuery(statement);
      case 'insertValues':
        await (await withParts(() => INSERT_ROWS.code)).insertValues(analysis, this.#options);
        return null;
      default:
        return this.#control(statement.text, analysis, session);
    }
  }

  async #createSource(
    text: string,
    analysis: CreateSourceAnalysis,
    properties: ReadonlyMap<string, string>,
  ): Promise<Entity> {
    const { source, topic, warnings, query } = analysis;
    const change: CatalogChange =
      query === null
        ? { change: 'source', source }
        : await withParts(() => ({
            change: 'query',
            query,
            source,
            plan: RARE_PLANS.code.planSourceTable(
              source,
              query,
              planningOptions(properties, false),
            ),
          }));
    const sequence = await this.#changed(text, change, () =>
      ensureTopic(this.#options.host.log, { ...topic, internal: false }),
    );
    if (change.change === 'query') {
      this.#queryNumber += 1;
      await this.#options.queries.start(change.plan);
    }
    const kind = source.kind === 'stream' ? 'Stream' : 'Table';
    return currentStatus(
      text,
      {
        commandId: `${source.kind}/${source.name}/create`,
        message: `${kind} ${source.name} created`,
        queryId: query?.id ?? null,
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
    if (analysis.mode !== 'persistent' || sink === null || query === null)
      throw (await withParts(() => RARE_PLANS.code)).isQuery(statement);
    const { host, registry, queries } = this.#options;
    const plan = await this.planned(analysis, properties);
    const isNew = !this.#catalog.queries.has(query.id);
    const change: CatalogChange = { change: 'query', query, source: creates ? sink : null, plan };
    const sequence = await this.#changed(statement.text, change, async () => {
      await loadFunctions(plan, registry);
      await ensureTopic(host.log, {
        name: sink.topic,
        partitions: sink.partitions,
        retentionMs: analysis.retentionMs,
        compacted: analysis.compacted,
        internal: false,
      });
    });
    if (isNew) this.#queryNumber += 1;
    await queries.start(plan, query.paused);
    return currentStatus(
      statement.text,
      {
        commandId: `${sink.kind}/${sink.name}/create`,
        message: `${isNew ? 'Created' : 'Upgraded'} query with ID ${query.id}`,
        queryId: query.id,
        sequence,
      },
      analysis.warnings,
    );
  }

  async #control(text: string, analysis: ControlAnalysis, session: Session): Promise<Entity> {
    const { properties } = session;
    const { control } = await withParts(() => CONTROL.code);
    return control(text, analysis, {
      ...this.#options,
      ...session,
      catalog: this.#catalog,
      current: () => this.#catalog,
      planned: (query) => this.planned(query, properties),
      changed: (by, change) => this.#changed(by, change),
    });
  }

  /**
   * The statement is done once this resolves, to its number: what follows is repeated at open when it was cut short.
   * @param before what must be there first
   */
  async #changed(
    statement: string,
    change: CatalogChange,
    before: () => Promise<void> = () => Promise.resolve(),
  ): Promise<number> {
    const after = await withParts(() => applied(this.#catalog, change));
    await before();
    const sequence = await this.#topic.append({ version: CHANGE_VERSION, statement, change });
    this.#catalog = after;
    return sequence;
  }
}
