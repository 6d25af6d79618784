// State of tasks in memory, delivered to the log in the commit itself or through an outbox; the reference for the store port.

import { PortError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { TopicPartition } from '../ports/log.ts';
import { producerId } from '../ports/plain-append.ts';
import { ResidentTables } from '../ports/resident.ts';
import type {
  Commit,
  CounterEntry,
  OffsetEntry,
  OutboxAppend,
  Restored,
  StateReader,
  Store,
  StreamTimeEntry,
  TaskId,
} from '../ports/store.ts';
import type { MemoryLog } from './memory-log.ts';

interface Sequence {
  readonly to: TopicPartition;
  readonly next: number;
}

/** One task as it stands. */
export interface TaskState {
  readonly producer: string;
  epoch: number;
  commit: number;
  committed: boolean;
  tables: ResidentTables;
  offsets: Map<string, OffsetEntry>;
  streamTimes: Map<string, StreamTimeEntry>;
  counters: Map<string, CounterEntry>;
  sequences: Map<string, Sequence>;
  pending: OutboxAppend[];
}

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** When given, a commit appends its outbox to this log in the same turn; else appends stay pending until acknowledged. */
  readonly deliverTo?: MemoryLog | undefined;
  /** Tells which topics are in that log; absent: all are. What goes to others stays pending. */
  readonly isDelivered?: ((topic: string) => boolean) | undefined;
  /** Bytes of state a task may hold. */
  readonly stateBytesMax?: number | undefined;
}

/** Tasks in memory. A commit happens at once within the call, all or nothing. */
export class MemoryStore implements Store {
  readonly takesBlocks = true;
  readonly #clock: Clock;
  readonly #deliverTo: MemoryLog | null;
  readonly #isDelivered: (topic: string) => boolean;
  readonly #stateBytesMax: number | undefined;
  /** For the store and for memory/backup.ts. */
  readonly tasks = new Map<TaskId, TaskState>();
  #producers = 0;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    const { deliverTo } = options;
    this.#deliverTo = deliverTo ?? null;
    const { isDelivered = () => true } = options;
    this.#isDelivered = (topic) => deliverTo !== undefined && isDelivered(topic);
    this.#stateBytesMax = options.stateBytesMax;
  }

  async load(task: TaskId): Promise<Restored> {
    const state = this.tasks.get(task) ?? this.#made(task);
    this.tasks.set(task, state);
    state.epoch += 1;
    state.commit += 1;
    return {
      reader: state.tables,
      commit: state.commit,
      producer: { id: state.producer, epoch: state.epoch },
      offsets: [...state.offsets.values()],
      streamTimes: [...state.streamTimes.values()],
      counters: [...state.counters.values()],
      sequences: [...state.sequences.values()],
      pending: [...state.pending],
    };
  }

  async commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]> {
    const state = this.tasks.get(task);
    if (state === undefined || state.commit !== commit.after) {
      throw new PortError('FENCED', `task '${task}' has another owner, or none`, {
        commit: state?.commit ?? 0,
      });
    }
    state.tables.refuseTooLarge(task, commit.changes, this.#stateBytesMax, commit.blocks);
    const log = this.#deliverTo;
    const pending: OutboxAppend[] = [];
    log?.transaction(() => {
      for (const { to, sequence, bytes } of commit.outbox) {
        const stamp = { id: state.producer, epoch: state.epoch, sequence };
        if (this.#isDelivered(to.topic)) log.appendNow(to, bytes, stamp, undefined, true);
      }
    });
    for (const append of commit.outbox)
      if (!this.#isDelivered(append.to.topic)) pending.push(append);
    apply(state, commit);
    state.pending.push(...pending);
    return pending;
  }

  async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    const state = this.tasks.get(task);
    if (state === undefined) return;
    state.pending = state.pending.filter(
      (append) => keyOf(append.to) !== keyOf(to) || append.sequence + append.count > next,
    );
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const state = this.tasks.get(task);
    return state === undefined || !state.committed ? null : state.tables;
  }

  async rebuild(task: TaskId, begin: Parameters<Store['rebuild']>[1]): Promise<void> {
    const before = this.tasks.get(task) ?? this.#made(task);
    const { offsets, streamTimes, sequences } = before;
    const begun = begin({
      offsets: [...offsets.values()],
      streamTimes: [...streamTimes.values()],
      sequences: [...sequences.values()],
    });
    if (begun === null) return;
    const state: TaskState = {
      ...this.#made(task),
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

  /** A counter tells apart the producers of one name made within one millisecond. */
  #made(task: TaskId): TaskState {
    return {
      producer: producerId(this.#clock.now(), `${task}.${++this.#producers}`),
      epoch: 0,
      commit: 0,
      committed: false,
      tables: new ResidentTables(),
      offsets: new Map(),
      streamTimes: new Map(),
      counters: new Map(),
      sequences: new Map(),
      pending: [],
    };
  }
}

function apply(state: TaskState, commit: Commit): void {
  state.tables.apply(commit.changes, commit.blocks);
  for (const entry of commit.offsets) state.offsets.set(keyOf(entry.at), entry);
  for (const entry of commit.streamTimes) state.streamTimes.set(entry.step, entry);
  for (const entry of commit.counters) state.counters.set(entry.name, entry);
  for (const { to, sequence, count } of commit.outbox) {
    state.sequences.set(keyOf(to), { to, next: sequence + count });
  }
  state.commit += 1;
  state.committed = true;
}

function keyOf(at: TopicPartition): string {
  return `${at.partition} ${at.topic}`;
}
