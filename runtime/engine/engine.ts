// The public face of a host: statements, queries and records in, answers and rows out; knows no adapter.

import { asyncDispose } from '../base/async-dispose.ts';
import { endedBy } from '../ports/ended-by.ts';
import { checkOptions } from '../base/options.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Batch } from '../data/batch.ts';
import type { RecordHeader } from '../data/record.ts';
import type { PublicOptions } from '../data/row.ts';
import type { Overload } from '../functions/registry.ts';
import type { Processor } from '../functions/user-processor.ts';
import type { Place } from '../pool/remote-task.ts';
import type { Host } from '../ports/host.ts';
import type { TaskName } from '../task/topology.ts';
import { withParts } from '../task/with-parts.ts';
import { EXECUTE_OPTIONS, PRINT_OPTIONS, QUERY_OPTIONS } from './call-options.ts';
import { errorOf, idle, insert, print, stats, topicRecords, writing } from './core-calls.ts';
import { type EngineCore, openCore } from './engine-core.ts';
import type { Entity } from './entities.ts';
import type { ProducedAt, ProducedRecord } from './insert.ts';
import { RARE_CALLS } from './own-parts.ts';
import type { QueryStats } from './queries.ts';
import { QueryRows } from './query-rows.ts';
import type { TopicRecord } from '../data/topic-record.ts';
import type { ReadOptions } from './records.ts';

/** What an engine is opened with, on a host that is given. */
export interface EngineOptions {
  readonly host: Host;
  /** Functions beside the built-in ones, as scalarFunction, aggregateFunction and tableFunction make them: before any query goes on. */
  readonly functions?: readonly Overload[] | undefined;
  /** Processors in code, as `processor` makes them. Each begins once its streams and tables are there; until then `errorOf` says why not. */
  readonly processors?: readonly Processor[] | undefined;
  /** Properties of the session, as SET gives them. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * How many Workers the partitions of queries are spread over, 1 .. WORKERS_MAX; absent or 1: all run in this thread. The same answers
   * either way. A host that starts Workers has to be closed, or they stay.
   */
  readonly workers?: number | undefined;
}

/** How statements are executed. */
export interface ExecuteOptions {
  /** Properties for this call alone: SET and UNSET in it end with it. Absent: the session's. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Called with each answer as soon as its statement is done; those before a failing statement stay done. */
  readonly onEntity?: ((entity: Entity) => void) | undefined;
}

/** How a query is asked, and its rows are given. */
export interface QueryOptions extends PublicOptions {
  /** Properties for this query alone, over the session's. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** Ends the query. */
  readonly signal?: AbortSignal | undefined;
}

/** How a topic is printed. */
export interface PrintOptions {
  /** Ends the printing. */
  readonly signal?: AbortSignal | undefined;
}

/** Values by column name, in any case, as `valueIn` takes them. An object of whatever type: an interface has no index signature. */
export type InsertRow = object;

/** What `insert` answers: a place for a row, places for an array of them. */
export type Inserted<Given> = Given extends readonly unknown[] ? readonly ProducedAt[] : ProducedAt;

/** What records have that rows are inserted as, beside their columns; the same for all rows of a call. */
export interface InsertOptions {
  /** Milliseconds since the Unix epoch; absent: now. */
  readonly timestamp?: number | undefined;
  readonly headers?: readonly RecordHeader[] | undefined;
  /** The record's key as it is; absent: made of the key columns. */
  readonly key?: Uint8Array | string | null | undefined;
}

/** How many records have come to topics, and what persistent queries have read, written and dropped since they began. */
export interface EngineStats {
  /** Records ever appended, by user topic. */
  readonly topics: Readonly<Record<string, { readonly in: number }>>;
  /** By persistent query. */
  readonly queries: Readonly<Record<string, QueryStats>>;
  /** Where the tasks of each persistent query run; absent: all in this thread. */
  readonly tasks?: Readonly<Record<string, readonly TaskPlace[]>> | undefined;
}

/** Where one task runs. */
export interface TaskPlace extends TaskName, Place {}

/**
 * Opens the engine on a host: what its catalog says is made again, and its queries go on from their last commits.
 * @throws {PortError} CORRUPT when the catalog was written by a newer version; what the host refuses
 * @throws {TypeError} when two processors have one name
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  return new Engine(await openCore(options));
}

/** Statements run one after the other, however they are called; queries and records go beside them. Calls after `close` are refused with UNAVAILABLE. */
export class Engine implements AsyncDisposable {
  readonly #core: EngineCore;
  #closing: Promise<void> | null = null;

  /** Use `openEngine`. */
  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'Engine';
  }

  /** What calls go to. @throws {PortError} UNAVAILABLE once the engine is closed */
  get #open(): EngineCore {
    this.#core.closing.throwIfAborted();
    return this.#core;
  }

  /** The catalog of this moment. */
  get catalog(): Catalog {
    return this.#core.made.statements.catalog;
  }

  /**
   * Executes statements in order; SELECT goes to `query`.
   * @returns an answer per statement, in ksqlDB's shapes; INSERT VALUES has none
   * @throws {StatementError} of the first that fails; a syntax error anywhere keeps all from running
   */
  async execute(sql: string, options: ExecuteOptions = {}): Promise<readonly Entity[]> {
    checkOptions('execute', options, EXECUTE_OPTIONS);
    return this.#open.execute(sql, options);
  }

  /**
   * Asks (pull) or subscribes (push, EMIT CHANGES). When a push query's promise resolves, its place in the topics is settled.
   * @throws {StatementError} what is wrong with the text; LIMIT beyond OPEN_PUSH_QUERIES_MAX
   */
  async query(sql: string, options: QueryOptions = {}): Promise<QueryRows> {
    checkOptions('query', options, QUERY_OPTIONS);
    return new QueryRows(await this.#open.query(sql, options));
  }

  /**
   * PRINT: lines for people of a topic's records, and of what formats they seem to be. Ends at its LIMIT, when the loop is left or by the
   * signal.
   * @throws {StatementError} what is wrong with the text; UNKNOWN_TOPIC
   */
  async print(
    sql: string,
    options: PrintOptions = {},
  ): Promise<AsyncGenerator<string, void, undefined>> {
    checkOptions('print', options, PRINT_OPTIONS);
    const end = new AbortController();
    const signals = [end.signal, options.signal ?? end.signal];
    return endedBy(await print(this.#core, sql, signals), () => end.abort());
  }

  /**
   * Appends one row, or many in their order, by column names; calls too in theirs, though none is waited for. A row that does not fit its source keeps all of them out.
   * @throws {StatementError} UNKNOWN_SOURCE, UNKNOWN_COLUMN, TYPE_MISMATCH, INVALID
   * @throws {PortError} what the log refuses
   */
  insert<Given extends InsertRow | readonly InsertRow[]>(
    source: string,
    given: Given,
    options?: InsertOptions,
  ): Promise<Inserted<Given>>;
  async insert(
    source: string,
    given: InsertRow | readonly InsertRow[],
    options?: InsertOptions,
  ): Promise<ProducedAt | readonly ProducedAt[]> {
    return insert(this.#core, source, given, options);
  }

  /** Appends records as they are. @throws {PortError} what the log refuses */
  async produce(topic: string, records: readonly ProducedRecord[]): Promise<readonly ProducedAt[]> {
    return writing(this.#core, (core) => core.produce(topic, records));
  }

  /**
   * Appends rows to a source with FORMAT='COLUMNAR' as encoded batches: the fastest way in.
   * @param batch of the source's schema
   */
  async insertBatch(source: string, batch: Batch): Promise<void> {
    await writing(this.#core, async (core) => {
      const { insertBatch } = await withParts(() => RARE_CALLS.code);
      const to = { catalog: this.catalog, source, spare: core.spare() };
      await insertBatch(core.made.host.log, to, batch);
    });
  }

  /**
   * Records of one partition of a topic, from an offset (the earliest) on.
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, OFFSET_OUT_OF_RANGE
   */
  async topicRecords(topic: string, options: ReadOptions = {}): Promise<readonly TopicRecord[]> {
    return topicRecords(this.#core, topic, options);
  }

  /** Counts of the moment, by topic and persistent query: as committed, so that a restart goes on from them. */
  async stats(): Promise<EngineStats> {
    return stats(this.#core);
  }

  /**
   * Why a query has ended, or a processor, by its name in any case, has not begun; STORAGE_FULL while one waits for room in the storage, and goes on by itself;
   * null while it runs.
   */
  errorOf(queryId: string): Error | null {
    return errorOf(this.#core, queryId);
  }

  /**
   * Resolves when every persistent query that is not paused has taken in all there is, what calls before this one append included, and delivered all it made. Rejects with its error when one has ended
   * or waits for room (`errorOf` says which): what it did not read will not show. RESUME lets it try again; TERMINATE or DROP leaves it out.
   */
  async idle(): Promise<void> {
    return idle(this.#core);
  }

  /**
   * Ends all queries after what they are doing, and the host. What is committed stays, and what calls before this one append is written; statements before
   * it are carried out, but those that wait for something are refused. Once is enough.
   */
  close(): Promise<void> {
    this.#closing ??= this.#core.close();
    return this.#closing;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
