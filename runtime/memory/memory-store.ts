// State of tasks in memory, delivered to the log in the commit itself or through an outbox; the reference for the store port.

import { PortError } from '../base/errors.ts';
import { RESIDENT_STATE_BYTES_MAX } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { TopicPartition } from '../ports/log.ts';
import { producerId } from '../ports/producers.ts';
import type {
  Commit,
  CounterEntry,
  OffsetEntry,
  OutboxAppend,
  Restored,
  StateReader,
  Store,
  StreamTimeEntry,
  TableId,
  TaskId,
} from '../ports/store.ts';
import type { MemoryLog } from './memory-log.ts';
import { OrderedMap } from '../data/ordered-map.ts';

interface Sequence {
  readonly to: TopicPartition;
  readonly next: number;
}

interface TaskState {
  readonly producer: string;
  epoch: number;
  commit: number;
  committed: boolean;
  tables: Map<TableId, OrderedMap>;
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
  /** Bytes of state a task may hold. */
  readonly stateBytesMax?: number | undefined;
}

/** Tasks in memory. A commit happens at once within the call, all or nothing. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #deliverTo: MemoryLog | null;
  readonly #stateBytesMax: number;
  readonly #tasks = new Map<TaskId, TaskState>();
  #producers = 0;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#deliverTo = options.deliverTo ?? null;
    this.#stateBytesMax = options.stateBytesMax ?? RESIDENT_STATE_BYTES_MAX;
  }

  async load(task: TaskId): Promise<Restored> {
    const state = this.#tasks.get(task) ?? this.#made(task);
    this.#tasks.set(task, state);
    state.epoch += 1;
    state.commit += 1;
    return {
      reader: readerOf(state),
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
    const state = this.#tasks.get(task);
    if (state === undefined || state.commit !== commit.after) {
      throw new PortError('FENCED', `task '${task}' has another owner, or none`, {
        commit: state?.commit ?? 0,
      });
    }
    this.#refuseTooLarge(task, state, commit);
    const log = this.#deliverTo;
    if (log !== null) {
      log.transaction(() => {
        for (const { to, sequence, bytes } of commit.outbox) {
          log.appendNow(to, bytes, { id: state.producer, epoch: state.epoch, sequence });
        }
      });
    }
    apply(state, commit);
    if (log !== null) return [];
    state.pending.push(...commit.outbox);
    return commit.outbox;
  }

  async acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    const state = this.#tasks.get(task);
    if (state === undefined) return;
    state.pending = state.pending.filter(
      (append) => keyOf(append.to) !== keyOf(to) || append.sequence + append.count > next,
    );
  }

  async reader(task: TaskId): Promise<StateReader | null> {
    const state = this.#tasks.get(task);
    return state === undefined || !state.committed ? null : readerOf(state);
  }

  async remove(task: TaskId): Promise<void> {
    this.#tasks.delete(task);
  }

  /** A copy of the task as it stands, for `restore`: what a backup holds. */
  backup(task: TaskId): TaskState | null {
    const state = this.#tasks.get(task);
    return state === undefined ? null : copyOf(state);
  }

  /**
   * Puts the task back to a backup, as an operator does who restores a database to an earlier time. The epoch and the commit number go on
   * from the highest that was ever given out: whoever still runs on what was lost is fenced.
   */
  restore(task: TaskId, backup: TaskState): void {
    const now = this.#tasks.get(task);
    const state = copyOf(backup);
    state.epoch = Math.max(state.epoch, now?.epoch ?? 0) + 1;
    state.commit = Math.max(state.commit, now?.commit ?? 0) + 1;
    this.#tasks.set(task, state);
  }

  /** A counter tells apart the producers of one name made within one millisecond. */
  #made(task: TaskId): TaskState {
    return {
      producer: producerId(this.#clock.now(), `${task}.${++this.#producers}`),
      epoch: 0,
      commit: 0,
      committed: false,
      tables: new Map(),
      offsets: new Map(),
      streamTimes: new Map(),
      counters: new Map(),
      sequences: new Map(),
      pending: [],
    };
  }

  #refuseTooLarge(task: TaskId, state: TaskState, commit: Commit): void {
    let held = 0;
    for (const table of state.tables.values()) held += table.bytes;
    for (const { table, key, value } of commit.changes) {
      const before = state.tables.get(table)?.get(key) ?? null;
      if (before !== null) held -= before.length + OrderedMap.entryBytes(key);
      if (value !== null) held += value.length + OrderedMap.entryBytes(key);
    }
    if (commit.changes.length > 0 && held > this.#stateBytesMax) {
      throw new PortError(
        'STORAGE_FULL',
        `task '${task}' would hold ${held} bytes of state; RESIDENT_STATE_BYTES_MAX is ${this.#stateBytesMax}`,
        { limit: 'RESIDENT_STATE_BYTES_MAX' },
      );
    }
  }
}

export type { TaskState as MemoryTaskBackup };

function apply(state: TaskState, commit: Commit): void {
  for (const { table, key, value } of commit.changes) {
    let map = state.tables.get(table);
    if (map === undefined) state.tables.set(table, (map = new OrderedMap()));
    map.set(key, value);
  }
  for (const entry of commit.offsets) state.offsets.set(keyOf(entry.at), entry);
  for (const entry of commit.streamTimes) state.streamTimes.set(entry.step, entry);
  for (const entry of commit.counters) state.counters.set(entry.name, entry);
  for (const { to, sequence, count } of commit.outbox) {
    state.sequences.set(keyOf(to), { to, next: sequence + count });
  }
  state.commit += 1;
  state.committed = true;
}

function copyOf(state: TaskState): TaskState {
  const tables = new Map<TableId, OrderedMap>();
  for (const [id, map] of state.tables) {
    const copy = new OrderedMap();
    for (const { key, value } of map.scan({ from: null, to: null })) copy.set(key, value);
    tables.set(id, copy);
  }
  return {
    ...state,
    tables,
    offsets: new Map(state.offsets),
    streamTimes: new Map(state.streamTimes),
    counters: new Map(state.counters),
    sequences: new Map(state.sequences),
    pending: [...state.pending],
  };
}

function readerOf(state: TaskState): StateReader {
  return {
    get: (table, key) => state.tables.get(table)?.get(key) ?? null,
    scan: (table, range) => state.tables.get(table)?.scan(range) ?? [],
  };
}

function keyOf(at: TopicPartition): string {
  return `${at.partition} ${at.topic}`;
}
