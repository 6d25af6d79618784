// State of tasks in memory as long as their query runs: what a commit appends waits for its outbox; knows no log.

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
  StreamTimeEntry,
  TaskId,
  TaskStore,
} from '../ports/store.ts';

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

export interface QueryStoreOptions {
  readonly clock: Clock;
  /** Bytes of state a task may hold. */
  readonly stateBytesMax?: number | undefined;
}

/** Tasks in memory. A commit happens at once within the call, all or nothing. */
export class QueryStore implements TaskStore {
  readonly takesBlocks = true;
  readonly #clock: Clock;
  readonly #stateBytesMax: number | undefined;
  /** For the stores over this one and for memory/backup.ts. */
  readonly tasks = new Map<TaskId, TaskState>();
  #producers = 0;

  constructor({ clock, stateBytesMax }: QueryStoreOptions) {
    this.#clock = clock;
    this.#stateBytesMax = stateBytesMax;
  }

  async load(task: TaskId): Promise<Restored> {
    const state = this.tasks.get(task) ?? this.made(task);
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
    const pending = this.delivered(state, commit.outbox);
    apply(state, commit);
    state.pending.push(...pending);
    return pending;
  }

  /** Delivers appends in the commit itself, where there is a log to. @returns those that are left */
  protected delivered(_by: TaskState, outbox: readonly OutboxAppend[]): readonly OutboxAppend[] {
    return outbox;
  }

  async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    const state = this.tasks.get(task);
    if (state === undefined) return;
    state.pending = state.pending.filter(
      (append) => keyOf(append.to) !== keyOf(to) || append.sequence + append.count > next,
    );
  }

  /** A counter tells apart the producers of one name made within one millisecond. */
  protected made(task: TaskId): TaskState {
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

export function apply(state: TaskState, commit: Commit): void {
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
