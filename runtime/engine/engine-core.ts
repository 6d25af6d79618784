// What every engine does first: statements, queries and records in, answers out; what is called more rarely is engine.ts's. Knows no adapter.

import type { QueryAnalysis } from '../analyze/analysis.ts';
import { GIVEN_SETTINGS } from '../analyze/parts.ts';
import { PortError } from '../base/errors.ts';
import { OPEN_PUSH_QUERIES_MAX } from '../base/limits.ts';
import { FORMATS } from '../formats/formats.ts';
import { builtinRegistry } from '../functions/builtins.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Plan } from '../plan/step.ts';
import type { TaskPool } from '../pool/task-pool.ts';
import type { Host } from '../ports/host.ts';
import type { Unsubscribe } from '../ports/log.ts';
import type { Statement } from '../sql/ast.ts';
import { parse } from '../sql/parser.ts';
import { withParts } from '../task/with-parts.ts';
import { CatalogTopic, readEntries } from './catalog-topic.ts';
import type { EngineOptions, ExecuteOptions, QueryOptions } from './engine.ts';
import type { Entity } from './entities.ts';
import { produce, type ProducedAt, type ProducedRecord } from './insert.ts';
import { POOL, PROCESSORS, PULL_QUERY, RARE_PLANS } from './own-parts.ts';
import { announceParts } from './parts.ts';
import { boundProcessingLog } from './processing-log.ts';
import { startPush } from './push.ts';
import { Queries } from './queries.ts';
import type { QueryRowsOptions } from './query-rows.ts';
import { heal, replay } from './recovery.ts';
import { type Aside, Statements } from './statements.ts';
import { createSystemTopics } from './system.ts';

/** As `openEngine`. */
export async function openCore(options: EngineOptions): Promise<EngineCore> {
  announceParts();
  if ((options.workers ?? 1) === 1) return await opened(options, null);
  const { inWorkers } = await withParts(() => POOL.code);
  return await inWorkers(options, opened);
}

/** @param pool null: all tasks are in this thread */
async function opened(options: EngineOptions, pool: TaskPool | null): Promise<EngineCore> {
  const { host } = options;
  const registry = builtinRegistry(options.functions, options.processors);
  const { processors } = registry;
  if (processors.length > 0) (await withParts(() => PROCESSORS.code)).refuseSameNames(processors);
  await createSystemTopics(host.log);
  const queries = new Queries({ host, formats: FORMATS, registry, pool });
  const entries = await readEntries(host.log);
  const replayed = await withParts(() => replay(entries));
  await heal(entries.at(-1) ?? null, host, replayed.ended);
  for (const plan of replayed.plans.values()) {
    await queries.start(plan, replayed.catalog.queries.get(plan.query)?.paused);
  }
  const parts = { host, formats: FORMATS, registry, queries };
  const { catalog, queryNumber } = replayed;
  const topic = new CatalogTopic(host, entries.length);
  const statements = new Statements(parts, catalog, queryNumber, topic);
  await statements.beginProcessors();
  const lasting = new Map(replayed.catalog.properties);
  const properties = await withGiven(lasting, options.properties);
  return new EngineCore({ host, registry, queries, statements, properties });
}

/**
 * Properties, and over them those that a call gives; the very same where it gives none.
 * @throws {StatementError} INVALID for names and values that there are not
 */
async function withGiven(
  properties: Map<string, string>,
  given: Readonly<Record<string, string>> | undefined,
): Promise<Map<string, string>> {
  return given === undefined
    ? properties
    : withParts(() => new Map([...properties, ...GIVEN_SETTINGS.code.givenProperties(given)]));
}

/** What an engine is made of. */
interface Made {
  readonly host: Host;
  readonly registry: FunctionRegistry;
  readonly queries: Queries;
  readonly statements: Statements;
  readonly properties: Map<string, string>;
}

/** Statements run one after the other, however they are called; queries and records go beside them. */
export class EngineCore {
  readonly made: Made;
  /** Calls that append and are not done: they may wait for code, or their turn, before they reach the log. */
  readonly writes = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  readonly #variables = new Map<string, string>();
  /** Push queries ever started, for their ids. */
  #pushes = 0;
  readonly #open = new Set<QueryRowsOptions>();
  readonly #unsubscribe: Unsubscribe;
  #last: Promise<unknown> = Promise.resolve();
  #spare = 0;

  /** Use `openCore`. */
  constructor(made: Made) {
    this.made = made;
    this.#unsubscribe = boundProcessingLog(made.host.log);
  }

  /** As `Engine.execute`. */
  execute(sql: string, options: ExecuteOptions = {}): Promise<readonly Entity[]> {
    return this.inTurn(async (aside) => {
      const { statements } = this.made;
      const properties = await withGiven(this.made.properties, options.properties);
      const session = { properties, variables: this.#variables, aside };
      const entities: Entity[] = [];
      for (const statement of await this.parsed(sql)) {
        const entity = await statements.run(statement, session);
        if (statements.waiting.size > 0) await statements.beginProcessors();
        if (entity === null) continue;
        entities.push(entity);
        options.onEntity?.(entity);
      }
      return entities;
    });
  }

  /** What `Engine.query` makes its rows of. */
  query(sql: string, options: QueryOptions = {}): Promise<QueryRowsOptions> {
    return this.inTurn(async () => {
      const [statement, more] = await this.parsed(sql);
      if (statement?.kind !== 'Select' || more !== undefined)
        throw (await withParts(() => RARE_PLANS.code)).notOneQuery(more ?? statement);
      const { queries, statements } = this.made;
      const properties = await withGiven(this.made.properties, options.properties);
      const analysis = await statements.analyzed(statement, properties);
      const planned = (query: QueryAnalysis) => statements.planned(query, properties);
      if (analysis.kind === 'query' && analysis.mode === 'push')
        return this.#push(await planned(analysis), options);
      const { startPull } = await withParts(() => PULL_QUERY.code);
      const plan = (query: string) => queries.plan(query);
      return startPull({ analysis, at: statement.at, plan, planned, ...this.#asked(options) });
    });
  }

  /** The statements of a text, with what DEFINE has defined put in. @throws {StatementError} */
  parsed(sql: string): Promise<readonly Statement[]> {
    return withParts(() => parse(sql, this.#variables));
  }

  #asked(options: QueryOptions) {
    const { host, registry } = this.made;
    return { host, formats: FORMATS, registry, signal: options.signal ?? null, public: options };
  }

  async #push(plan: Plan, options: QueryOptions): Promise<QueryRowsOptions> {
    if (this.#open.size >= OPEN_PUSH_QUERIES_MAX)
      throw (await withParts(() => RARE_PLANS.code)).tooManyQueries();
    let isOver = false;
    let forget = (): void => undefined;
    this.#pushes += 1;
    const rows = await startPush({
      // The statement alone does not tell apart two queries over one source.
      plan: { ...plan, query: `${plan.query}_${this.#pushes}` },
      ...this.#asked(options),
      sharing: this.made.queries.sharing,
      onEnd: () => {
        isOver = true;
        forget();
      },
    });
    if (isOver) return rows;
    this.#open.add(rows);
    forget = () => void this.#open.delete(rows);
    return rows;
  }

  /**
   * As `Engine.produce`.
   * @param places is filled as records are appended: when this throws, those without a place were not
   */
  produce(
    topic: string,
    records: readonly ProducedRecord[],
    places?: ProducedAt[],
  ): Promise<readonly ProducedAt[]> {
    const { log, clock } = this.made.host;
    return produce(log, clock, { topic, spare: this.spare() }, records, places);
  }

  /** The number of the next call that appends: records without a key go round the partitions with it. */
  spare(): number {
    return this.#spare++;
  }

  /** Aborted as `close` is called, with why later calls are refused. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** As `Engine.close`. */
  async close(): Promise<void> {
    const { host, queries } = this.made;
    this.#unsubscribe();
    this.#closing.abort(new PortError('UNAVAILABLE', 'the engine is closed'));
    // In its turn: push queries that were asked for before are open by then.
    await this.inTurn(async () => {
      await Promise.all([...this.#open].map((rows) => rows.close()));
      await queries.close();
    });
    await Promise.allSettled(this.writes);
    await host.close();
  }

  /** Does the work once all that came before is done, or waits aside. */
  inTurn<T>(work: (aside: Aside) => Promise<T>): Promise<T> {
    let end!: () => void;
    const begin = (): Promise<unknown> => {
      const before = this.#last;
      this.#last = new Promise<void>((resolve) => (end = resolve));
      return before;
    };
    const aside: Aside = async (wait) => {
      end();
      try {
        await wait(this.closing);
      } finally {
        await begin();
        // What it goes on with may be closed by then.
        this.closing.throwIfAborted();
      }
    };
    const done = begin().then(() => work(aside));
    const over = (): void => end();
    done.then(over, over);
    return done;
  }
}
