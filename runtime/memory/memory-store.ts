// The store port in memory, delivered to the log in the commit itself or through an outbox; the reference for that port.

import type { OutboxAppend, StateReader, Store, TaskId } from '../ports/store.ts';
import type { MemoryLog } from './memory-log.ts';
import { apply, QueryStore, type QueryStoreOptions, type TaskState } from './query-store.ts';

export interface MemoryStoreOptions extends QueryStoreOptions {
  /** When given, a commit appends its outbox to this log in the same turn; else appends stay pending until acknowledged. */
  readonly deliverTo?: MemoryLog | undefined;
  /** Tells which topics are in that log; absent: all are. What goes to others stays pending. */
  readonly isDelivered?: ((topic: string) => boolean) | undefined;
}

/** A `QueryStore` that a log may share, and whose tasks can be looked at, rebuilt and removed. */
export class MemoryStore extends QueryStore implements Store {
  readonly delivers: boolean;
  readonly deliverTo: MemoryLog | undefined;
  readonly #isDelivered: (topic: string) => boolean;

  constructor(options: MemoryStoreOptions) {
    super(options);
    const { deliverTo, isDelivered = () => true } = options;
    this.delivers = deliverTo !== undefined && options.isDelivered === undefined;
    this.deliverTo = deliverTo;
    this.#isDelivered = isDelivered;
  }

  protected override delivered(
    by: TaskState,
    outbox: readonly OutboxAppend[],
  ): readonly OutboxAppend[] {
    const log = this.deliverTo;
    if (log === undefined) return outbox;
    log.transaction(() => {
      for (const append of outbox) {
        const { to, sequence, handed } = append;
        const stamp = { id: by.producer, epoch: by.epoch, sequence };
        if (!this.#isDelivered(to.topic)) continue;
        log.appendNow(to, handed ?? append.bytes, stamp, undefined, true);
      }
    });
    return outbox.filter(({ to }) => !this.#isDelivered(to.topic));
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const state = this.tasks.get(task);
    return state === undefined || !state.committed ? null : state.tables;
  }

  async rebuild(task: TaskId, begin: Parameters<Store['rebuild']>[1]): Promise<void> {
    const before = this.tasks.get(task) ?? this.made(task);
    const { offsets, streamTimes, sequences } = before;
    const begun = begin({
      offsets: [...offsets.values()],
      streamTimes: [...streamTimes.values()],
      sequences: [...sequences.values()],
    });
    if (begun === null) return;
    const state: TaskState = {
      ...this.made(task),
      producer: before.producer,
      epoch: before.epoch + 1,
      commit: before.commit,
      sequences,
      pending: before.pending,
    };
    apply(state, { ...begun, after: before.commit, counters: [], outbox: [] });
    this.tasks.set(task, state);
  }

  async remove(task: TaskId): Promise<void> {
    this.tasks.delete(task);
  }
}
