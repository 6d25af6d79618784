// Who sends what an outbox keeps: batches of the oldest records, one a partition at a time, until the edge has acknowledged or refused each; one that does not go holds up no other partition's. Knows no tab.

import { LimitError, PortError } from '../base/errors.ts';
import { CLIENT_OUTBOX_BATCHES_MAX } from '../base/limits.ts';
import { type Attempt, type Connection, readJson, topicPath } from '../client/connection.ts';
import { EdgeError } from '../client/errors.ts';
import { appendCall, createdMsOf, freshId } from '../client/producer-call.ts';
import { Retries } from '../client/retry.ts';
import type { AppendResult, TopicDescription } from '../ports/log.ts';
import { type KnownTopic, OutboxBatches } from './batches.ts';
import { type KeptBatch, placeOf } from './kept.ts';
import type { OutboxStore } from './store.ts';

/** Records, and bytes of them, that are made batches of at a time; and bytes of requests, beyond which the next one waits: a slow network has an answer for them in time. */
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
  #spare = 0;
  /** By place: the batches on their way, and what the last attempt of each has come to where that was not well. */
  readonly #underWay = new Map<string, KeptBatch>();
  readonly #errors = new Map<string, Error>();
  /** Each record below is in a batch on its way or behind one, by place the first of those; or not below `#freed`. */
  #from = 0;
  readonly #left = new Map<string, number>();
  #freed = Infinity;
  /** Bytes of the requests under way, and the batches that wait for room. */
  #sending = 0;
  readonly #queue: (() => void)[] = [];
  /** What has ended it. */
  #ended: { readonly thrown: unknown } | null = null;
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
    const { signal } = this.#options;
    // What an earlier life has left under way may be there already.
    const { batches, spare } = await this.#retried(() => this.#store.takeTurn());
    this.#spare = spare;
    for (const batch of batches) this.#start(batch, false);
    for (;;) {
      this.#wake = Promise.withResolvers();
      if (this.#ended !== null) throw this.#ended.thrown;
      const begun = await this.#retried(() => this.#begin());
      if (begun === 0) await untilAborted(signal, this.#wake.promise);
    }
  }

  /** @param isNew no earlier life has sent it */
  #start(batch: KeptBatch, isNew: boolean): void {
    const place = placeOf(batch);
    this.#underWay.set(place, batch);
    void this.#deliver(batch, isNew)
      .catch((thrown: unknown) => (this.#ended ??= { thrown }))
      .finally(() => {
        this.#underWay.delete(place);
        this.#lookFrom(this.#left.get(place) ?? Infinity);
        this.#left.delete(place);
        this.#came(place, null);
        this.wake();
      });
  }

  /** Records from that number on may have their turn. */
  #lookFrom(number: number): void {
    this.#freed = Math.min(this.#freed, number);
  }

  /** What has come of the last attempt at a place, or ('') at the storage and the topics; null: it was well. */
  #came(place: string, error: Error | null): void {
    if (error === null) this.#errors.delete(place);
    else this.#errors.set(place, error);
    const [first = null] = this.#errors.values();
    this.#options.onCame(first);
  }

  /** Again and again: an edge that does not answer, a key that is no longer good, storage that is full. @throws the signal's reason alone */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    const retries = new Retries(null);
    for (;;) {
      signal.throwIfAborted();
      try {
        const result = await work();
        if (this.#errors.has('')) this.#came('', null);
        return result;
      } catch (thrown) {
        signal.throwIfAborted();
        if (codeOf(thrown) === 'FENCED') throw thrown;
        this.#came('', thrown instanceof Error ? thrown : new Error(String(thrown)));
        await retries.wait(0, signal);
      }
    }
  }

  /** Makes batches of the oldest records, one a partition that none is on its way to, notes them and starts them. @returns how many */
  async #begin(): Promise<number> {
    const { signal } = this.#options;
    this.#from = Math.min(this.#from, this.#freed);
    this.#freed = Infinity;
    // As they are now: one that comes to its end meanwhile must not let newer records go before those that were left out.
    const underWay = new Map(this.#underWay);
    const batches = new OutboxBatches({
      spare: this.#spare,
      recordsMax: this.#recordsMax,
      underWay,
      most: CLIENT_OUTBOX_BATCHES_MAX - underWay.size,
    });
    // One that was made when the topic had other partitions has records whose place is another by now.
    const sent = new Set([...underWay.values()].flatMap(({ records }) => records));
    const known = new Map<string, KnownTopic | Error>();
    let from = this.#from;
    while (!batches.isFull && batches.weight < ROUND_BYTES) {
      const records = await this.#store.oldest(from, ROUND_RECORDS, ROUND_BYTES);
      if (records.length === 0) break;
      for (const [number, record] of records) {
        signal.throwIfAborted();
        from = number + 1;
        if (sent.has(number)) continue;
        const topic = known.get(record.topic) ?? (await this.#known(record.topic));
        known.set(record.topic, topic);
        const refusal = topic instanceof Error ? topic : batches.add(number, record, topic);
        if (refusal !== null) await this.#refuse([number], null, refusal, false);
        if (batches.isFull) break;
      }
    }
    const begun = await this.#store.begin(
      batches.finish(),
      () => freshId(Date.now()),
      PRODUCER_IDLE_MS,
    );
    for (const batch of begun) this.#start(batch, true);
    this.#from = from;
    for (const [place, number] of batches.left) {
      if (!this.#underWay.has(place)) this.#lookFrom(number);
      else if (!this.#left.has(place)) this.#left.set(place, number);
    }
    return begun.length;
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

  /** Sends a batch until the edge has acknowledged or refused it, or its records are to be sent otherwise. @param isNew no earlier life has sent it */
  async #deliver(given: KeptBatch, isNew: boolean): Promise<void> {
    const { signal } = this.#options;
    const retries = new Retries(null);
    let batch = given;
    let mayBeThere = !isNew;
    /** It goes to another topic of that name than it was made for, or to the same one, put back: what is there its producer is known for. */
    let isElsewhere = false;
    for (;;) {
      const attempt = await this.#attempt(batch);
      if (attempt.ok) {
        await this.#retried(() => this.#store.acknowledged(batch));
        this.#recordsMax.delete(placeOf(batch));
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
          await this.#retried(() => this.#release(batch));
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
      } else this.#came(placeOf(batch), error);
      await retries.wait(attempt.waitMs, signal);
    }
  }

  /** Once the requests before it leave room. */
  async #attempt(batch: KeptBatch): Promise<Attempt<AppendResult>> {
    const { length } = batch.bytes;
    while (this.#sending > 0 && this.#sending + length > ROUND_BYTES)
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#sending += length;
    try {
      const call = { ...appendCall(batch), signal: this.#options.signal };
      return await this.#connection.attempt(call, readJson<AppendResult>);
    } finally {
      this.#sending -= length;
      for (const next of this.#queue.splice(0)) next();
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
    await this.#release(batch);
  }

  /** Its records are to be sent as if they never had been. */
  async #release(batch: KeptBatch): Promise<void> {
    await this.#store.released(batch);
    this.#lookFrom(batch.records[0] ?? Infinity);
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
