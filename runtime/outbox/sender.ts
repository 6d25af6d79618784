// Who sends what an outbox keeps: batches of the oldest records, one a partition at a time, until the edge has acknowledged or refused each; knows no tab.

import { LimitError, PortError } from '../base/errors.ts';
import { type Connection, readJson, topicPath } from '../client/connection.ts';
import { EdgeError } from '../client/errors.ts';
import { appendCall, createdMsOf, freshId } from '../client/producer-call.ts';
import { Retries } from '../client/retry.ts';
import type { AppendResult, TopicDescription } from '../ports/log.ts';
import { type KnownTopic, OutboxBatches } from './batches.ts';
import { type KeptBatch, placeOf } from './kept.ts';
import type { OutboxStore } from './store.ts';

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

export interface SenderOptions {
  readonly connection: Connection;
  readonly store: OutboxStore;
  /** Called with what has come of the last attempt; null: it was well. */
  readonly onCame: (error: Error | null) => void;
  /** Called when what is kept has changed. */
  readonly onChanged: () => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export class OutboxSender {
  readonly #connection: Connection;
  readonly #store: OutboxStore;
  readonly #options: SenderOptions;
  /** By place: batches of so many records at most, where a longer one was refused. */
  readonly #recordsMax = new Map<string, number>();
  readonly #topics = new Map<string, KnownTopic>();
  readonly #spare = Math.floor(Math.random() * 2 ** 31);
  /** Ends the wait for something to send. */
  #wake = Promise.withResolvers<void>();

  constructor(options: SenderOptions) {
    this.#connection = options.connection;
    this.#store = options.store;
    this.#options = options;
  }

  /** There is something to send. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Sends until its signal. @throws the signal's reason; {PortError} FENCED when another tab has taken over */
  async run(): Promise<never> {
    // What an earlier life has left under way may be there already.
    let batches: readonly KeptBatch[] | null = await this.#retried(() => this.#store.takeTurn());
    let isNew = false;
    for (;;) {
      await Promise.all((batches ?? []).map((batch) => this.#deliver(batch, isNew)));
      this.#wake = Promise.withResolvers();
      batches = await this.#retried(() => this.#begun());
      isNew = true;
      if (batches === null) await untilAborted(this.#options.signal, this.#wake.promise);
    }
  }

  /** Again and again: an edge that does not answer, a key that is no longer good, storage that is full. @throws the signal's reason alone */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const retries = new Retries(null);
    for (;;) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (thrown) {
        signal.throwIfAborted();
        if (codeOf(thrown) === 'FENCED') throw thrown;
        this.#options.onCame(thrown instanceof Error ? thrown : new Error(String(thrown)));
        await retries.wait(0, signal);
      }
    }
  }

  /** Makes the next batches of the oldest records, one a partition, and notes them. null: there are no records. */
  async #begun(): Promise<KeptBatch[] | null> {
    const { signal } = this.#options;
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
    const { signal } = this.#options;
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
    const { signal } = this.#options;
    const retries = new Retries(null);
    let batch = given;
    let mayBeThere = !isNew;
    /** It goes to another topic of that name than it was made for, or to the same one, put back: what is there its producer is known for. */
    let isElsewhere = false;
    for (;;) {
      const call = { ...appendCall(batch), signal };
      const attempt = await this.#connection.attempt(call, readJson<AppendResult>);
      if (attempt.ok) {
        await this.#retried(() => this.#store.acknowledged(batch));
        this.#recordsMax.delete(placeOf(batch));
        this.#options.onCame(null);
        this.#options.onChanged();
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
      } else this.#options.onCame(error);
      await retries.wait(attempt.waitMs, signal);
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
    this.#options.onChanged();
  }
}

/** '' where it has none. */
export function codeOf(thrown: unknown): string {
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
