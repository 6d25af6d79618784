// The public face of a host: statements, queries and records in, answers and rows out; knows no adapter.

import type { QueryAnalysis } from '../analyze/analysis.ts';
import { StatementError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Batch } from '../data/batch.ts';
import type { RecordHeader } from '../data/record.ts';
import type { PublicOptions } from '../data/row.ts';
import { FORMATS } from '../formats/formats.ts';
import { builtinRegistry } from '../functions/builtins.ts';
import type { FunctionRegistry, Overload } from '../functions/registry.ts';
import type { Processor } from '../functions/user-processor.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Unsubscribe } from '../ports/log.ts';
import type { Statement } from '../sql/ast.ts';
import { parse } from '../sql/parser.ts';
import { withParts } from '../task/with-parts.ts';
import { readEntries } from './catalog-topic.ts';
import type { Entity } from './entities.ts';
import { produce, type ProducedAt, type ProducedRecord } from './insert.ts';
import { PROCESSORS, PULL_QUERY, RARE_CALLS } from './own-parts.ts';
import { announceParts } from './parts.ts';
import { startPush } from './push.ts';
import { boundProcessingLog } from './processing-log.ts';
import { Queries, type QueryStats } from './queries.ts';
import type { QueryRows } from './query-rows.ts';
import type { ReadOptions, TopicRecord } from './records.ts';
import { heal, replay } from './recovery.ts';
import { Statements } from './statements.ts';
import { createSystemTopics } from './system.ts';

export interface EngineOptions {
  readonly host: Host;
  /** Functions beside the built-in ones, as scalarFunction, aggregateFunction and tableFunction make them: before any query goes on. */
  readonly functions?: readonly Overload[] | undefined;
  /** Processors in code, as `processor` makes them. Each begins once its streams and tables are there; until then `errorOf` says why not. */
  readonly processors?: readonly Processor[] | undefined;
  /** Properties of the session, as SET gives them. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

export interface ExecuteOptions {
  /** Properties for this call alone: SET and UNSET in it end with it. Absent: the session's. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Called with each answer as soon as its statement is done; those before a failing statement stay done. */
  readonly onEntity?: ((entity: Entity) => void) | undefined;
}

export interface QueryOptions extends PublicOptions {
  /** Properties for this query alone, over the session's. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Ends the query. */
  readonly signal?: AbortSignal | undefined;
}

export interface PrintOptions {
  /** Ends the printing. */
  readonly signal?: AbortSignal | undefined;
}

/** Values by column name, in any case, as `valueIn` takes them. */
export type InsertRow = Readonly<Record<string, unknown>>;

export interface InsertOptions {
  /** Milliseconds since the Unix epoch; absent: now. */
  readonly timestamp?: number | undefined;
  readonly headers?: readonly RecordHeader[] | undefined;
  /** The record's key as it is; absent: made of the key columns. */
  readonly key?: Uint8Array | string | null | undefined;
}

export interface EngineStats {
  /** Records ever appended, by user topic. */
  readonly topics: Readonly<Record<string, { readonly in: number }>>;
  /** By persistent query. */
  readonly queries: Readonly<Record<string, QueryStats>>;
}

/**
 * Opens the engine on a host: what its catalog says is made again, and its queries go on from their last commits.
 * @throws {PortError} CORRUPT when the catalog was written by a newer version; what the host refuses
 * @throws {TypeError} when two processors have one name
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { host } = options;
  announceParts();
  const registry = builtinRegistry(options.functions, options.processors);
  const { processors } = registry;
  if (processors.length > 0) (await withParts(() => PROCESSORS.code)).refuseSameNames(processors);
  await createSystemTopics(host.log);
  const queries = new Queries({ host, formats: FORMATS, registry });
  const entries = await readEntries(host.log);
  const replayed = await withParts(() => replay(entries));
  await heal(entries.at(-1) ?? null, host, replayed.ended);
  for (const plan of replayed.plans.values()) {
    await queries.start(plan, replayed.catalog.queries.get(plan.query)?.paused);
  }
  const parts = { host, formats: FORMATS, registry, queries };
  const statements = new Statements(parts, replayed.catalog, replayed.queryNumber);
  await statements.beginProcessors();
  return new Engine(
    host,
    registry,
    queries,
    statements,
    new Map([...replayed.catalog.properties, ...Object.entries(options.properties ?? {})]),
  );
}

/** Statements run one after the other, however they are called; queries and records go beside them. */
export class Engine implements AsyncDisposable {
  readonly #host: Host;
  readonly #registry: FunctionRegistry;
  readonly #queries: Queries;
  readonly #statements: Statements;
  readonly #properties: Map<string, string>;
  readonly #variables = new Map<string, string>();
  /** Push queries ever started, for their ids. */
  #pushes = 0;
  readonly #open = new Set<QueryRows>();
  readonly #unsubscribe: Unsubscribe;
  #last: Promise<unknown> = Promise.resolve();
  #spare = 0;

  /** Use `openEngine`. */
  constructor(
    host: Host,
    registry: FunctionRegistry,
    queries: Queries,
    statements: Statements,
    properties: Map<string, string>,
  ) {
    this.#host = host;
    this.#registry = registry;
    this.#queries = queries;
    this.#statements = statements;
    this.#properties = properties;
    this.#unsubscribe = boundProcessingLog(host.log);
  }

  /** The catalog of this moment. */
  get catalog(): Catalog {
    return this.#statements.catalog;
  }

  /**
   * Executes statements in order; SELECT goes to `query`.
   * @returns an answer per statement, in ksqlDB's shapes; INSERT VALUES has none
   * @throws {StatementError} of the first that fails; a syntax error anywhere keeps all from running
   */
  execute(sql: string, options: ExecuteOptions = {}): Promise<readonly Entity[]> {
    return this.#inTurn(async () => {
      const properties =
        options.properties === undefined
          ? this.#properties
          : this.#propertiesWith(options.properties);
      const session = { properties, variables: this.#variables };
      const entities: Entity[] = [];
      for (const statement of await this.#parsed(sql)) {
        const entity = await this.#statements.run(statement, session);
        if (this.#statements.waiting.size > 0) await this.#statements.beginProcessors();
        if (entity === null) continue;
        entities.push(entity);
        options.onEntity?.(entity);
      }
      return entities;
    });
  }

  /**
   * Asks (pull) or subscribes (push, EMIT CHANGES). When a push query's promise resolves, its place in the topics is settled.
   * @throws {StatementError} what is wrong with the text
   */
  query(sql: string, options: QueryOptions = {}): Promise<QueryRows> {
    return this.#inTurn(async () => {
      const [statement, more] = await this.#parsed(sql);
      if (statement?.kind !== 'Select' || more !== undefined) {
        throw new StatementError(
          'INVALID',
          'a query is one SELECT',
          more?.at ?? statement?.at ?? null,
        );
      }
      const properties = this.#propertiesWith(options.properties ?? {});
      const analysis = await this.#statements.analyzed(statement, properties);
      const planned = (query: QueryAnalysis) => this.#statements.planned(query, properties);
      if (analysis.kind === 'query' && analysis.mode === 'push')
        return this.#push(await planned(analysis), options);
      const { startPull } = await withParts(() => PULL_QUERY.code);
      const plan = (query: string) => this.#queries.plan(query);
      return startPull({ analysis, at: statement.at, plan, planned, ...this.#asked(options) });
    });
  }

  /**
   * PRINT: lines for people of a topic's records, and of what formats they seem to be. Ends at its LIMIT, when the loop is left or by the
   * signal.
   * @throws {StatementError} what is wrong with the text; UNKNOWN_TOPIC
   */
  print(sql: string, options: PrintOptions = {}): Promise<AsyncGenerator<string, void, undefined>> {
    return this.#inTurn(async () => {
      const { printTopic } = await withParts(() => RARE_CALLS.code);
      return printTopic(await this.#parsed(sql), this.#host.log, options.signal ?? null);
    });
  }

  /** The statements of a text, with what DEFINE has defined put in. @throws {StatementError} */
  #parsed(sql: string): Promise<readonly Statement[]> {
    return withParts(() => parse(sql, this.#variables));
  }

  #asked(options: QueryOptions) {
    return {
      host: this.#host,
      formats: FORMATS,
      registry: this.#registry,
      signal: options.signal ?? null,
      public: options,
    };
  }

  async #push(plan: Plan, options: QueryOptions): Promise<QueryRows> {
    let isOver = false;
    let forget = (): void => undefined;
    this.#pushes += 1;
    const rows = await startPush({
      // The statement alone does not tell apart two queries over one source.
      plan: { ...plan, query: `${plan.query}_${this.#pushes}` },
      ...this.#asked(options),
      sharing: this.#queries.sharing,
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
   * Appends one row, or many in their order, by column names. A row that does not fit its source keeps all of them out.
   * @throws {StatementError} UNKNOWN_SOURCE, UNKNOWN_COLUMN, TYPE_MISMATCH, INVALID
   * @throws {PortError} what the log refuses
   */
  insert(source: string, row: InsertRow, options?: InsertOptions): Promise<ProducedAt>;
  insert(
    source: string,
    rows: readonly InsertRow[],
    options?: InsertOptions,
  ): Promise<readonly ProducedAt[]>;
  async insert(
    source: string,
    given: InsertRow | readonly InsertRow[],
    options: InsertOptions = {},
  ): Promise<ProducedAt | readonly ProducedAt[]> {
    const { insertRows } = await withParts(() => RARE_CALLS.code);
    return insertRows(this, source, given, options);
  }

  /** Appends records as they are. @throws {PortError} what the log refuses */
  produce(topic: string, records: readonly ProducedRecord[]): Promise<readonly ProducedAt[]> {
    return produce(this.#host.log, this.#host.clock, { topic, spare: this.#spare++ }, records);
  }

  /**
   * Appends rows to a source with FORMAT='COLUMNAR' as encoded batches: the fastest way in.
   * @param batch of the source's schema
   */
  async insertBatch(source: string, batch: Batch): Promise<void> {
    const { insertBatch } = await withParts(() => RARE_CALLS.code);
    const to = { catalog: this.catalog, source, spare: this.#spare++ };
    await insertBatch(this.#host.log, to, batch);
  }

  /**
   * Records of one partition of a topic, from an offset (the earliest) on.
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, OFFSET_OUT_OF_RANGE
   */
  async topicRecords(topic: string, options: ReadOptions = {}): Promise<readonly TopicRecord[]> {
    const { readRecords } = await withParts(() => RARE_CALLS.code);
    return readRecords(this.#host.log, topic, options);
  }

  async stats(): Promise<EngineStats> {
    const { engineStats } = await withParts(() => RARE_CALLS.code);
    return engineStats(this.#host.log, this.catalog, this.#queries);
  }

  /** Why a query has ended, or a processor, by its name, has not begun; null while it runs. */
  errorOf(queryId: string): Error | null {
    return this.#queries.errorOf(queryId) ?? this.#statements.waiting.get(queryId) ?? null;
  }

  /**
   * Resolves when every persistent query that is not paused has taken in all there is and delivered all it made. Rejects with its error when one has ended
   * (`errorOf` says which): what it did not read will not show. RESUME lets it try again; TERMINATE or DROP leaves it out.
   */
  async idle(): Promise<void> {
    // After the statements that came before, and not in the way of those that come after.
    await this.#last;
    return this.#queries.idle();
  }

  /** Ends all queries after what they are doing, and the host. What is committed stays. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([...this.#open].map((rows) => rows.close()));
    await this.#inTurn(() => this.#queries.close());
    await this.#host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #propertiesWith(more: Readonly<Record<string, string>>): Map<string, string> {
    return new Map([...this.#properties, ...Object.entries(more)]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
