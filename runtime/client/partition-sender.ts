// Sends the record batches of one partition, one at a time and in order, until each is acknowledged; knows no partitioner.

import { InvariantError, PortError } from '../base/errors.ts';
import type { AppendResult } from '../ports/log.ts';
import { Batcher, type BatchLimits, type ReadyBatch, type Waiting } from './batcher.ts';
import { type Attempt, type Connection, readJson } from './connection.ts';
import { appendCall, createdMsOf, freshId } from './producer-call.ts';
import { Retries } from './retry.ts';

/** A record whose sender waits to hear where it stands. */
export interface Sent extends Waiting {
  /** When it is given up, by `performance.now()`. */
  readonly endMs: number;
  done(offset: number): void;
  failed(error: Error): void;
}

export interface SenderOptions extends BatchLimits {
  readonly connection: Connection;
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly lingerMs: number;
  /** true: nothing lingers, somebody waits for records to be sent. */
  readonly isUrgent: () => boolean;
  /** Called when the topic is no longer the one that it was. */
  readonly onGone: () => void;
}

/**
 * Idempotent: each batch goes with the producer's id and the sequence of its first record, and whatever is not answered is sent again
 * as the same bytes, which the partition takes for a repeat when it has them. One batch is under way at a time, so that the order holds.
 *
 * When it is not known whether a batch that was given up is there, the sequence that is due is not known either: the next batch begins
 * with a producer id of its own.
 */
export class PartitionSender {
  readonly #options: SenderOptions;
  readonly #batcher: Batcher<Sent>;
  #id = freshId(Date.now());
  #sequence = 0;
  #isSending = false;
  /** The oldest record has lingered long enough. */
  #isDue = false;
  #lingering: ReturnType<typeof setTimeout> | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#batcher = new Batcher(options);
  }

  /** @returns true when the record made a batch full. @throws what is wrong with the record */
  add(record: Sent): boolean {
    const isFull = this.#batcher.add(record);
    const { lingerMs, isUrgent } = this.#options;
    if (isFull || isUrgent()) this.#wake();
    // Also when a batch is full: the record may stand in the next one.
    if (this.#lingering === null && !this.#isDue) {
      this.#lingering = setTimeout(() => {
        this.#lingering = null;
        this.#isDue = true;
        this.#wake();
      }, lingerMs);
    }
    return isFull;
  }

  /** Sends what there is, full or not. */
  hurry(): void {
    this.#isDue = true;
    this.#wake();
  }

  #wake(): void {
    if (!this.#isSending) void this.#run();
  }

  /** Sends while there is something to send. It never rejects: each record hears for itself. */
  async #run(): Promise<void> {
    this.#isSending = true;
    // Records that are added in the same turn go along.
    await Promise.resolve();
    for (;;) {
      if (!this.#batcher.hasReady && !this.#isDue && !this.#options.isUrgent()) break;
      if (!this.#batcher.hasReady) this.#rest();
      const batch = this.#batcher.take();
      if (batch === null) break;
      await this.#deliver(batch);
    }
    this.#isSending = false;
    if (this.#batcher.isEmpty) this.#rest();
  }

  /** Nothing lingers any more. */
  #rest(): void {
    this.#isDue = false;
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
  }

  async #deliver({ bytes, records }: ReadyBatch<Sent>): Promise<void> {
    const retries = new Retries((records[0]?.endMs ?? 0) - performance.now());
    /** true: an attempt was not answered, so that the batch may be there. */
    let isUnknown = false;
    let isRenewed = false;
    for (;;) {
      if (retries.leftMs <= 0) {
        const message = `no answer in time from topic '${this.#options.topic}'`;
        this.#giveUp(records, new PortError('UNAVAILABLE', message), isUnknown);
        return;
      }
      const attempt = await this.#attempt(bytes);
      if (attempt.ok) {
        this.#acknowledged(records, attempt.value);
        return;
      }
      if (!attempt.isRefused) isUnknown = true;
      const { error } = attempt;
      if (!isUnknown && !isRenewed && isPortError(error) && error.code === 'UNKNOWN_PRODUCER') {
        // The partition has forgotten it, or its clock and this one are far apart. Nothing of it is under way: it begins anew.
        this.#renew(createdMsOf(error));
        isRenewed = true;
        continue;
      }
      if (!attempt.isPassing || !(await retries.wait(attempt.waitMs))) {
        this.#giveUp(records, attempt.error, isUnknown);
        return;
      }
    }
  }

  #attempt(bytes: Uint8Array<ArrayBuffer>): Promise<Attempt<AppendResult>> {
    const { connection } = this.#options;
    const stamp = { producer: this.#id, sequence: this.#sequence };
    const call = appendCall({ ...this.#options, ...stamp, bytes });
    return connection.attempt(call, readJson<AppendResult>);
  }

  #acknowledged(records: readonly Sent[], { base, count }: AppendResult): void {
    if (base === null || count !== records.length) {
      // The partition remembers the last batches of each producer, and only one is ever under way.
      const error = new InvariantError(`a batch of ${records.length} was acknowledged as ${count}`);
      this.#giveUp(records, error, true);
      return;
    }
    this.#sequence += count;
    records.forEach((record, i) => record.done(base + i));
  }

  #giveUp(records: readonly Sent[], error: Error, isUnknown: boolean): void {
    const code = codeOf(error);
    const isRefusedProducer =
      code === 'FENCED' || code === 'OUT_OF_ORDER_SEQUENCE' || code === 'SEQUENCE_REUSED';
    if (isUnknown || isRefusedProducer || code === 'UNKNOWN_PRODUCER') this.#renew();
    if (code === 'INCARNATION_CHANGED' || code === 'UNKNOWN_TOPIC') this.#options.onGone();
    for (const record of records) record.failed(error);
  }

  #renew(createdMs: number = Date.now()): void {
    this.#id = freshId(createdMs);
    this.#sequence = 0;
  }
}

function isPortError(error: Error): error is PortError {
  return error instanceof PortError;
}

function codeOf(error: Error): string | null {
  return isPortError(error) ? error.code : null;
}
