// The engine as a page sees it: the calls of engine/engine.ts, answered by the one in the Worker; knows no SQL.

import { asyncDispose } from '../base/async-dispose.ts';
import { checkOptions } from '../base/options.ts';
import { EXECUTE_OPTIONS, PRINT_OPTIONS, QUERY_OPTIONS } from '../engine/call-options.ts';
import type {
  EngineStats,
  ExecuteOptions,
  Inserted,
  InsertOptions,
  InsertRow,
  PrintOptions,
  QueryOptions,
} from '../engine/engine.ts';
import { publicRow } from '../data/row.ts';
import type { Entity } from '../engine/entities.ts';
import type { ProducedAt, ProducedRecord } from '../engine/insert.ts';
import { QueryRows } from '../engine/query-rows.ts';
import type { TopicRecord } from '../data/topic-record.ts';
import type { ReadOptions } from '../engine/records.ts';
import { BatchReceiver } from './batch-receiver.ts';
import { placesOf } from './packed-places.ts';
import { printed } from './print.ts';
import { type EnginePort, RemoteEngine, unavailable } from './remote.ts';
import { fromWire } from '../ports/from-wire.ts';
import type { QueryHead, WorkerOptions } from './worker.ts';

/** Made by `open`. Every call is refused with UNAVAILABLE once the engine is closed or its Worker has ended. */
export class BrowserEngine implements AsyncDisposable {
  readonly #remote: RemoteEngine;
  readonly #queries = new Set<BatchReceiver>();
  #closing: Promise<void> | null = null;

  /** Use `open`. */
  constructor(worker: EnginePort) {
    this.#remote = new RemoteEngine(worker, (error) => {
      const end = this.#closing === null ? error : null;
      for (const query of this.#queries) query.end(end);
      this.#queries.clear();
    });
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'BrowserEngine';
  }

  /** true: it is closed, or its Worker has ended; every call is refused. */
  get hasEnded(): boolean {
    return this.#remote.hasEnded;
  }

  /** For `open` alone. */
  async start(options: WorkerOptions): Promise<void> {
    await this.#remote.watch();
    await this.#remote.call('open', [options]);
  }

  /**
   * Executes statements in order; SELECT goes to `query`.
   * @returns an answer per statement, in ksqlDB's shapes; INSERT VALUES has none
   * @throws {StatementError} of the first that fails; those before it stay done. A syntax error anywhere keeps all from running
   */
  async execute(sql: string, options: ExecuteOptions = {}): Promise<readonly Entity[]> {
    checkOptions('execute', options, EXECUTE_OPTIONS);
    const { properties, onEntity } = options;
    const { entities, error } = await this.#remote.call('execute', [sql, properties]);
    for (const entity of entities) onEntity?.(entity);
    if (error !== null) throw fromWire(error);
    return entities;
  }

  /**
   * Asks (pull) or subscribes (push, EMIT CHANGES). A batch of `batches()` is valid until the next one is asked for: its buffer then
   * goes back to the Worker.
   * @throws {StatementError} what is wrong with the text; LIMIT beyond OPEN_PUSH_QUERIES_MAX
   */
  async query(sql: string, options: QueryOptions = {}): Promise<QueryRows> {
    checkOptions('query', options, QUERY_OPTIONS);
    const { properties, signal } = options;
    signal?.throwIfAborted();
    const { id, transport } = this.#remote.channel();
    // Its batches may come together with the answer to the call.
    const receiver = new BatchReceiver(transport);
    const close = async (): Promise<void> => {
      signal?.removeEventListener('abort', cancel);
      this.#queries.delete(receiver);
      await receiver.close();
    };
    const cancel = (): void => void close();
    this.#queries.add(receiver);
    let head: QueryHead;
    try {
      head = await this.#remote.call('query', [sql, properties, id]);
      signal?.throwIfAborted();
    } catch (thrown) {
      await close();
      throw thrown;
    }
    signal?.addEventListener('abort', cancel);
    const { schema } = head;
    const next = () => receiver.next(schema);
    return new QueryRows({
      ...head,
      next,
      close,
      rows: async () => ({ publicRow }),
      public: options,
    });
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
    return printed(this.#remote, sql, options.signal);
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
    options: InsertOptions = {},
  ): Promise<ProducedAt | readonly ProducedAt[]> {
    const places = placesOf(await this.#remote.call('insert', [source, given, options]));
    // As many as there are rows.
    return Array.isArray(given) ? places : (places[0] as ProducedAt);
  }

  /** Appends records as they are. @throws {PortError} what the log refuses */
  produce(topic: string, records: readonly ProducedRecord[]): Promise<readonly ProducedAt[]> {
    return this.#remote.produce(topic, records);
  }

  /**
   * Records of one partition of a topic, from an offset (the earliest) on.
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, OFFSET_OUT_OF_RANGE
   */
  topicRecords(topic: string, options: ReadOptions = {}): Promise<readonly TopicRecord[]> {
    return this.#remote.call('topicRecords', [topic, options]);
  }

  /** Counts of the moment, by topic and persistent query: as committed, so that a reload goes on from them. */
  stats(): Promise<EngineStats> {
    return this.#remote.call('stats', []);
  }

  /** Why a query has ended; STORAGE_FULL while it waits for room in the storage, and goes on by itself; null while it runs. */
  async errorOf(queryId: string): Promise<Error | null> {
    const error = await this.#remote.call('errorOf', [queryId]);
    return error === null ? null : fromWire(error);
  }

  /**
   * Resolves when every persistent query that is not paused has taken in all there is, what calls before this one append included, and delivered all it made. Rejects with its error when one has ended
   * or waits for room (`errorOf` says which): what it did not read will not show. RESUME lets it try again; TERMINATE or DROP leaves it out.
   */
  async idle(): Promise<void> {
    await this.#remote.call('idle', []);
  }

  /** Ends all queries after what they are doing, then the Worker. What is committed stays; a Worker that has ended is closed already. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#remote.hasEnded) return;
    try {
      await this.#remote.call('close', []);
    } finally {
      this.terminate();
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the Worker where it stands; what it has not committed is done again when the database is opened next. */
  terminate(why: Error = unavailable('the engine is closed')): void {
    this.#remote.end(why);
  }
}
