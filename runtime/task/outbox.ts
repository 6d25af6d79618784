// Holds a task's committed appends until they are delivered (delivery.ts); knows no operator and no state.

import { OUTBOX_APPENDS_MAX, OUTBOX_BYTES_MAX } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log, TopicPartition } from '../ports/log.ts';
import type { Schema } from '../data/schema.ts';
import type { OutboxAppend, Restored, TaskStore, TaskId } from '../ports/store.ts';
import { partitionKey } from '../ports/wakes.ts';
import { cut } from './cut.ts';
import { deliverAll } from './delivery.ts';
import type { TaskOptions } from './task.ts';
import { taskId } from './topology.ts';

/** Appends that wait for one partition, oldest first. */
export interface Destination {
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
  readonly store: TaskStore;
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
      const key = partitionKey(append.to);
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
    if (this.isEmpty) return { retryAtMs: null };
    const left = (appends: number, bytes: number): void => {
      this.#appends -= appends;
      this.#bytes -= bytes;
    };
    return deliverAll(this.#options, [...this.#destinations.values()], left);
  }
}

/**
 * The outbox of a task.
 * @param schemas of the topics between tasks, by name
 */
export function outboxOf(
  options: TaskOptions,
  { producer, pending }: Pick<Restored, 'producer' | 'pending'>,
  schemas: ReadonlyMap<string, Schema>,
): Outbox {
  const { name, log, store, clock } = options;
  return new Outbox(
    {
      task: taskId(name),
      producer,
      log,
      store,
      clock,
      cut: (to, bytes, skip) => cut(bytes, skip, schemas.get(to.topic) ?? null),
    },
    pending,
  );
}
