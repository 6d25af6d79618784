// Delivers a task's committed appends: per destination in order, until acknowledged, each once; knows no operator and no state.

import { InvariantError, PortError } from '../base/errors.ts';
import { OUTBOX_APPENDS_MAX, OUTBOX_BYTES_MAX } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, TopicPartition } from '../ports/log.ts';
import type { OutboxAppend, Restored, Store, TaskId } from '../ports/store.ts';

/** The first wait after a passing fault, and the longest. */
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 30_000;
/** Appends that are sent before their acknowledgement is written down; what is not is sent again, and is a repeat. */
const UNACKNOWLEDGED_APPENDS_MAX = 32;

interface Destination {
  readonly to: TopicPartition;
  readonly queue: OutboxAppend[];
  failures: number;
  /** Not before this time; 0: at once. */
  retryAtMs: number;
}

export interface OutboxOptions {
  readonly task: TaskId;
  readonly producer: Restored['producer'];
  readonly log: Log;
  readonly store: Store;
  readonly clock: Clock;
  /** A record batch without its first `skip` records: for a destination that already holds them. */
  readonly cut: (to: TopicPartition, bytes: Uint8Array, skip: number) => Uint8Array;
}

/** What a delivery left behind: nothing, or appends that wait until `retryAtMs`. */
export interface Delivery {
  readonly retryAtMs: number | null;
}

/**
 * Appends in the order of their commits. `deliver` sends what is due; the owner calls it after commits and again when a delivery says so.
 * Several calls at once share one delivery.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #destinations = new Map<string, Destination>();
  #running: Promise<Delivery> | null = null;
  #appends = 0;
  #bytes = 0;

  constructor(options: OutboxOptions, pending: readonly OutboxAppend[]) {
    this.#options = options;
    this.offer(pending);
  }

  get isEmpty(): boolean {
    return this.#appends === 0;
  }

  /** True when no more may be committed before some of it is delivered. */
  get isFull(): boolean {
    return this.#appends >= OUTBOX_APPENDS_MAX || this.#bytes >= OUTBOX_BYTES_MAX;
  }

  /** Takes appends that a commit has written. */
  offer(appends: readonly OutboxAppend[]): void {
    for (const append of appends) {
      const key = `${append.to.partition} ${append.to.topic}`;
      let destination = this.#destinations.get(key);
      if (destination === undefined) {
        destination = { to: append.to, queue: [], failures: 0, retryAtMs: 0 };
        this.#destinations.set(key, destination);
      }
      destination.queue.push(append);
      this.#appends += 1;
      this.#bytes += append.bytes.length;
    }
  }

  /**
   * Sends to every destination until its queue is empty or it has to wait.
   * @throws {PortError} FENCED when a newer epoch owns the task; whatever else a destination refuses for good
   */
  deliver(): Promise<Delivery> {
    this.#running ??= this.#deliverAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #deliverAll(): Promise<Delivery> {
    const waiting = [...this.#destinations.values()].filter(
      (destination) => destination.queue.length > 0,
    );
    // All are let finish before a refusal is raised, so that nothing runs on behind the owner's back.
    const outcomes = await Promise.allSettled(
      waiting.map((destination) => this.#deliverTo(destination)),
    );
    let retryAtMs: number | null = null;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
    for (const { queue, retryAtMs: at } of waiting) {
      if (queue.length > 0) retryAtMs = Math.min(retryAtMs ?? at, at);
    }
    return { retryAtMs };
  }

  async #deliverTo(destination: Destination): Promise<void> {
    const { queue } = destination;
    const { clock } = this.#options;
    let unacknowledged = 0;
    for (;;) {
      const append = queue[0];
      if (append === undefined) break;
      if (destination.retryAtMs > clock.now()) return;
      if (!(await this.#send(destination, append))) continue;
      unacknowledged += 1;
      if (unacknowledged >= UNACKNOWLEDGED_APPENDS_MAX || queue.length === 0) {
        await this.#acknowledge(destination, append.sequence + append.count);
        unacknowledged = 0;
      }
    }
  }

  /** @returns true when the append has left the queue */
  async #send(destination: Destination, append: OutboxAppend): Promise<boolean> {
    const { log, producer } = this.#options;
    const { sequence, bytes } = append;
    try {
      await log.append(destination.to, bytes, { ...producer, sequence });
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      if (thrown.code === 'UNAVAILABLE' || thrown.code === 'STORAGE_FULL') {
        this.#postpone(destination);
        return false;
      }
      if (thrown.code !== 'OUT_OF_ORDER_SEQUENCE') throw thrown;
      return this.#align(destination, append, thrown);
    }
    destination.failures = 0;
    this.#leave(destination, append);
    return true;
  }

  /**
   * The destination expects another sequence. It may hold more than this state remembers, after a restore: the records it holds leave the
   * queue. It must not expect less than the oldest append: what was acknowledged is gone from here.
   * @returns true when the append has left the queue
   */
  #align(destination: Destination, append: OutboxAppend, refusal: PortError): boolean {
    const expected = Number(refusal.detail['expected']);
    const skip = expected - append.sequence;
    if (!(skip > 0)) {
      throw new PortError(
        'OUT_OF_ORDER_SEQUENCE',
        `'${destination.to.topic}' ${destination.to.partition} has lost records of this task: it expects sequence ${expected}, and the oldest kept is ${append.sequence}`,
        refusal.detail,
        { cause: refusal },
      );
    }
    if (skip >= append.count) {
      this.#leave(destination, append);
      return true;
    }
    const bytes = this.#options.cut(append.to, append.bytes, skip);
    destination.queue[0] = { to: append.to, sequence: expected, count: append.count - skip, bytes };
    this.#bytes += bytes.length - append.bytes.length;
    return false;
  }

  #leave(destination: Destination, append: OutboxAppend): void {
    if (destination.queue.shift() !== append)
      throw new InvariantError('an outbox sends its oldest append first');
    this.#appends -= 1;
    this.#bytes -= append.bytes.length;
  }

  /** An acknowledgement that fails costs a repeat, no more. */
  async #acknowledge(destination: Destination, next: number): Promise<void> {
    try {
      await this.#options.store.acknowledge(this.#options.task, destination.to, next);
    } catch (thrown) {
      if (!(thrown instanceof PortError) || thrown.code !== 'UNAVAILABLE') throw thrown;
    }
  }

  #postpone(destination: Destination): void {
    const waitMs = Math.min(
      RETRY_LAST_MS,
      RETRY_FIRST_MS * 2 ** Math.min(destination.failures, 16),
    );
    destination.failures += 1;
    destination.retryAtMs = this.#options.clock.now() + waitMs;
  }
}
