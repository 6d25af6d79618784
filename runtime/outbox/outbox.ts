// An outbox of the client: records that are kept on this device and sent whenever there is a network, each once; knows no object store.

import { asyncDispose } from '../base/async-dispose.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { LimitError, PortError } from '../base/errors.ts';
import { RETRY_WAIT_MS_MAX } from '../base/limits.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { ProducedRecord } from '../engine/insert.ts';
import type { AppendResult, TopicDescription } from '../ports/log.ts';
import { type Connection, readJson, topicPath } from '../client/connection.ts';
import { EdgeError } from '../client/errors.ts';
import { type KnownTopic, OutboxBatches } from './batches.ts';
import {
  type KeptBatch,
  type KeptRecord,
  type OutboxStore,
  placeOf,
  type RefusedRecord,
} from './store.ts';
import { appendCall, createdMsOf, freshId } from '../client/producer-call.ts';
import { pause, Retries } from '../client/retry.ts';

/** Where an outbox keeps its records, and who is told of them. */
export interface OutboxOptions {
  /** The name of its database; tabs of one origin that name the same share it. */
  readonly database: string;
  /** Called with what is kept whenever that changes in this tab, and when sending begins or ceases to fail. */
  readonly onState?: ((state: OutboxState) => void) | undefined;
}

/** What an outbox keeps, and why it is not less. */
export interface OutboxState {
  /** Records that the edge has not acknowledged yet. */
  readonly pending: number;
  /** Records that the edge refuses: `refused` has them, `retry` and `discard` settle them. */
  readonly refused: number;
  /** Why the last attempt sent nothing; it is tried again. null: there was none, or it was well. */
  readonly error: Error | null;
}

/** Records, and bytes of them, that are made batches of at a time. */
const ROUND_RECORDS = 1000;
const ROUND_BYTES = 1_048_576;
/** A week: a partition forgets a producer after PRODUCER_IDLE_MS_MAX. */
const PRODUCER_IDLE_MS = 604_800_000;

/** Refusals of records as they are: the same again would bring no other answer. All others are waited out. */
const OF_RECORDS: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC',
  'UNKNOWN_PARTITION',
  'RECORD_TOO_LARGE',
  'INVALID_TIMESTAMP',
  'INVALID_BATCH',
  'INVALID_RECORD',
  'BAD_REQUEST',
  'LIMIT',
]);
/** What a partition says that does not know the producer as it was left. */
const OF_PRODUCERS: ReadonlySet<string> = new Set([
  'UNKNOWN_PRODUCER',
  'OUT_OF_ORDER_SEQUENCE',
  'SEQUENCE_REUSED',
  'FENCED',
]);

/**
 * Keeps records in IndexedDB until the edge has them: `send` needs no network, and what was sent outlives the tab. Each record is appended
 * once, in the order of `send` within its partition, whatever is lost, repeated or closed on the way. Of the tabs that share an outbox one sends.
 */
export class Outbox implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #options: OutboxOptions;
  readonly #store: OutboxStore;
  readonly #control = new AbortController();
  /** Tells the tab that sends of records that others have kept, and all of what has changed. */
  readonly #channel: BroadcastChannel;
  readonly #done: Promise<void>;
  /** Ends the wait for something to send. */
  #wake = Promise.withResolvers<void>();
  /** Those that wait until nothing is pending. */
  #flushes: PromiseWithResolvers<void>[] = [];
  /** By place: batches of so many records at most, where a longer one was refused. */
  readonly #recordsMax = new Map<string, number>();
  readonly #topics = new Map<string, KnownTopic>();
  readonly #spare = Math.floor(Math.random() * 2 ** 31);
  #error: Error | null = null;
  /** What is kept is being told; it has changed since it was last read. */
  #isTelling = false;
  #isStale = false;

  /** Use `openOutbox`. */
  constructor(connection: Connection, options: OutboxOptions, store: OutboxStore) {
    this.#connection = connection;
    this.#options = options;
    this.#store = store;
    const name = nameOf(options);
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener('message', () => {
      this.#wake.resolve();
      void this.#tell();
    });
    const { signal } = this.#control;
    this.#done = navigator.locks
      .request(name, { signal }, () => this.#run(signal))
      .catch((thrown: unknown) => {
        // The lock, or the wait for it, ends with `close`; nothing else ends it but what is told.
        if (!signal.aborted)
          this.#came(thrown instanceof Error ? thrown : new Error(String(thrown)));
      });
    void this.#tell();
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'Outbox';
  }

  /**
   * Keeps a record. Resolves once it is on this device's disk; it is sent as soon as may be, by this tab or another.
   * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP; STORAGE_FULL, and nothing is kept
   * @throws {LimitError} CLIENT_OUTBOX_RECORDS_MAX, CLIENT_OUTBOX_BYTES_MAX, HEADERS_MAX, HEADERS_BYTES_MAX
   */
  async send(topic: string, record: ProducedRecord): Promise<void> {
    await this.#store.add(keptOf(topic, record));
    this.#changed();
  }

  /** What is kept now, by any tab; the error is of this tab alone. */
  async state(): Promise<OutboxState> {
    const { pending, refused } = await this.#store.totals();
    return { pending, refused, error: this.#error };
  }

  /** The records that the edge refuses, in the order of `send`. */
  refused(): Promise<RefusedRecord[]> {
    return this.#store.refused();
  }

  /** Has a refused record sent again, behind all others. false: there is none with this id. */
  async retry(id: number): Promise<boolean> {
    const isThere = await this.#store.settle(id, true);
    this.#changed();
    return isThere;
  }

  /** Forgets a refused record. false: there is none with this id. */
  async discard(id: number): Promise<boolean> {
    const isThere = await this.#store.settle(id, false);
    this.#changed();
    return isThere;
  }

  /** Resolves when nothing is pending; what was refused is no longer. */
  async flush(): Promise<void> {
    const flush = Promise.withResolvers<void>();
    this.#flushes.push(flush);
    void this.#tell();
    return flush.promise;
  }

  /** Sends no more. What is kept stays, and is sent when the outbox is opened again. */
  async close(): Promise<void> {
    this.#control.abort();
    await this.#done;
    this.#channel.close();
    this.#store.close();
    const closed = new PortError('UNAVAILABLE', 'the outbox is closed');
    for (const flush of this.#flushes.splice(0)) flush.reject(closed);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Wakes whoever sends, here or in another tab. */
  #changed(): void {
    if (this.#control.signal.aborted) return;
    this.#wake.resolve();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
    this.#channel.postMessage(null);
    void this.#tell();
  }

  /** Tells what is kept; once more behind it where that changes meanwhile. */
  async #tell(): Promise<void> {
    this.#isStale = true;
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const state = await this.state();
        if (state.pending === 0) for (const flush of this.#flushes.splice(0)) flush.resolve();
        this.#options.onState?.(state);
      }
    } catch (thrown) {
      for (const flush of this.#flushes.splice(0)) flush.reject(thrown);
      if (!this.#control.signal.aborted) throw thrown;
    } finally {
      this.#isTelling = false;
    }
  }

  /** What has come of the last attempt. */
  #came(error: Error | null): void {
    const isNews = (error === null) !== (this.#error === null);
    this.#error = error;
    if (isNews) void this.#tell();
  }

  async #run(signal: AbortSignal): Promise<void> {
    // What an earlier life has left under way may be there already.
    let batches: readonly KeptBatch[] | null = await this.#retried(() => this.#store.batches());
    let isNew = false;
    for (;;) {
      await Promise.all((batches ?? []).map((batch) => this.#deliver(batch, isNew)));
      this.#wake = Promise.withResolvers();
      batches = await this.#retried(() => this.#begun());
      isNew = true;
      if (batches === null) await untilAborted(signal, this.#wake.promise);
    }
  }

  /** Again and again: an edge that does not answer, a key that is no longer good, storage that is full. @throws the signal's reason alone */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#control;
    const retries = new Retries();
    for (;;) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (thrown) {
        signal.throwIfAborted();
        this.#came(thrown instanceof Error ? thrown : new Error(String(thrown)));
        await pause(retries.next(0) ?? RETRY_WAIT_MS_MAX, signal);
      }
    }
  }

  /** Makes the next batches of the oldest records, one a partition, and notes them. null: there are no records. */
  async #begun(): Promise<KeptBatch[] | null> {
    const { signal } = this.#control;
    const records = await this.#store.oldest(ROUND_RECORDS, ROUND_BYTES);
    if (records.length === 0) return null;
    const batches = new OutboxBatches(this.#spare, this.#recordsMax);
    const known = new Map<string, KnownTopic | Error>();
    for (const [number, record] of records) {
      signal.throwIfAborted();
      const topic = known.get(record.topic) ?? (await this.#known(record.topic));
      known.set(record.topic, topic);
      const refusal = topic instanceof Error ? topic : batches.add(number, record, topic);
      if (refusal !== null) await this.#refuse([number], null, refusal, false);
    }
    return this.#store.begin(batches.finish(), () => freshId(Date.now()), PRODUCER_IDLE_MS);
  }

  /** A topic, or why records of that name are refused. @throws what may be otherwise at another time */
  async #known(topic: string): Promise<KnownTopic | Error> {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const { signal } = this.#control;
    const call = { method: 'GET', path: topicPath(topic), signal } as const;
    const attempt = await this.#connection.attempt(call, readJson<TopicDescription>);
    if (attempt.ok) {
      this.#topics.set(topic, attempt.value);
      return attempt.value;
    }
    if (isOfRecords(attempt.error)) return attempt.error;
    throw attempt.error;
  }

  /** Sends a batch until the edge has acknowledged or refused it. @param isNew no earlier life has sent it */
  async #deliver(given: KeptBatch, isNew: boolean): Promise<void> {
    const { signal } = this.#control;
    const retries = new Retries();
    let batch = given;
    let mayBeThere = !isNew;
    /** It goes to another topic of that name than it was made for, or to the same one, put back: what is there its producer is known for. */
    let isElsewhere = false;
    for (;;) {
      const attempt = await this.#retried(() =>
        this.#connection.attempt({ ...appendCall(batch), signal }, readJson<AppendResult>),
      );
      if (attempt.ok) {
        await this.#retried(() => this.#store.acknowledged(batch));
        this.#recordsMax.delete(placeOf(batch));
        this.#came(null);
        this.#changed();
        return;
      }
      const { error, isRefused } = attempt;
      if (!isRefused) mayBeThere = true;
      const code = codeOf(error);
      if (code === 'INCARNATION_CHANGED') {
        this.#topics.delete(batch.topic);
        const known = await this.#retried(() => this.#known(batch.topic));
        if (known instanceof Error || batch.partitions !== known.partitions) {
          await this.#retried(() => this.#store.released(batch));
          return;
        }
        const { incarnation } = known;
        batch = await this.#retried(() => this.#store.renew(batch, { incarnation }));
        isElsewhere = true;
      } else if (OF_PRODUCERS.has(code)) {
        // A producer whose time is ahead of the edge's was refused whenever it was sent.
        const isAhead = error instanceof PortError && error.detail['nowMs'] !== undefined;
        if (mayBeThere && !isElsewhere && !isAhead) {
          await this.#retried(() => this.#refuse(batch.records, batch, error, true));
          return;
        }
        const producer = freshId(createdMsOf(error));
        batch = await this.#retried(() => this.#store.renew(batch, { producer, sequence: 0 }));
      } else if (isOfRecords(error)) {
        await this.#retried(() => this.#refusedBatch(batch, error));
        return;
      } else this.#came(error);
      await pause(retries.next(attempt.waitMs) ?? RETRY_WAIT_MS_MAX, signal);
    }
  }

  /** One record is put aside; of several it is found which it is, by halves. */
  async #refusedBatch(batch: KeptBatch, error: Error): Promise<void> {
    this.#topics.delete(batch.topic);
    const { length } = batch.records;
    if (length === 1) {
      await this.#refuse(batch.records, batch, error, false);
      return;
    }
    this.#recordsMax.set(placeOf(batch), length >> 1);
    await this.#store.released(batch);
  }

  async #refuse(
    records: readonly number[],
    batch: KeptBatch | null,
    error: Error,
    mayBeThere: boolean,
  ): Promise<void> {
    const reason = { code: codeOf(error), message: error.message, mayBeThere };
    await this.#store.refuse(records, batch, reason);
    this.#changed();
  }
}

/** The name of its database, its lock and its channel. */
export function nameOf({ database }: OutboxOptions): string {
  return `millrace outbox of ${database}`;
}

/** @throws as `send` */
function keptOf(topic: string, record: ProducedRecord): KeptRecord {
  const { partition = null, timestamp = Date.now(), headers = [] } = record;
  const [key, value] = [record.key ?? null, record.value].map((given) =>
    typeof given === 'string' ? encodeUtf8(given) : (given?.slice() ?? null),
  ) as [KeptRecord['key'], KeptRecord['value']];
  // It is told now, not when there is a network, that a record is none.
  new RecordBatchBuilder().append(key, value, timestamp, headers);
  return { topic, partition, key, value, timestamp, headers };
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof LimitError) return 'LIMIT';
  return thrown instanceof PortError || thrown instanceof EdgeError ? thrown.code : '';
}

function isOfRecords(error: Error): boolean {
  return OF_RECORDS.has(codeOf(error));
}

/** Resolves with that promise. @throws the signal's reason */
async function untilAborted(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
