// The store port: a task's state, positions and outbox, committed all or nothing; knows no operator and no host.

import type { HandedBatch } from '../data/handed-batch.ts';
import type { Pending } from './pending-packs.ts';
import type { TopicPartition } from './log.ts';

/** `<query>/<sub-topology>/<partition>`; made by task/topology.ts only. */
export type TaskId = string;
/** A state table of one task: the id of the step that owns it; `<step>.<part>` where that has several. */
export type TableId = string;

/** One change of a state table; `value` null removes the key. */
export interface StateBytes {
  readonly table: TableId;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** What the numbers of a block's entries stand for. */
export interface BlockNames {
  /** The key's bytes, a copy; good for as long as somebody holds this object. */
  key(id: number, startMs: number): Uint8Array;
}

/**
 * Changes of one table side by side, for stores with `takesBlocks`: entry `i` sets the key that `ids[i]` and `starts[i]` name to bytes
 * `i * valueBytes .. (i + 1) * valueBytes` of `values`. The same numbers name the same key as long as `names` is the same object.
 */
export interface StateBlock {
  readonly table: TableId;
  readonly names: BlockNames;
  readonly ids: Uint32Array;
  readonly starts: Float64Array;
  /** Begins at a multiple of 8 in its buffer; nobody writes to it, nor to the others, until they are given back. */
  readonly values: Uint8Array;
  /** A multiple of 8. */
  readonly valueBytes: number;
  /** Nobody asks any more for entries of the table whose windows start at that time or before, and they may go; -Infinity: all stay. */
  readonly closedMs: number;
  /** Gives the arrays back, once, when nobody will read them any more; absent: they are not asked for. */
  readonly giveBack?: (() => void) | undefined;
}

/** Changes of one table, likewise, whose keys and values are shown to whoever asks. What they are made of does not change any more. */
export interface StatePack {
  readonly table: TableId;
  readonly size: number;
  /** Of all keys and values. */
  readonly bytes: number;
  /** Calls for each with views that are good until the next one; null: the key is removed. */
  each(visit: (key: Uint8Array, value: Uint8Array | null) => void): void;
  /** Tells of the key of an entry that nobody asks for it any more, so that it may go; null: all stay. */
  readonly isOver: ((key: Uint8Array) => boolean) | null;
  /** Where no entry replaces an earlier one: none of its entries is later than that, and those before `overMs` may go, of earlier packs too. */
  readonly newestMs?: number;
  readonly overMs?: number;
  /** What holds such packs until somebody reads them; absent: as they came. */
  held?(): Pending;
}

/** Takes changes that lie side by side. */
export type IntoBlock = (block: StateBlock | StatePack) => void;

/** The position after the last record taken in, per input partition. */
export interface OffsetEntry {
  readonly at: TopicPartition;
  readonly next: number;
  readonly incarnation: string;
}

/** Stream time in ms by step; -Infinity is left out. */
export interface StreamTimeEntry {
  readonly step: string;
  readonly ms: number;
}

/** One append waiting for its destination. The sequence is fixed here, in the transaction, never at sending. */
export interface OutboxAppend {
  readonly to: TopicPartition;
  readonly sequence: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** The same as `bytes`, which are made when they are asked for; only for a store that hands it to a log of this process. */
  readonly handed?: HandedBatch | undefined;
}

/** Totals that survive restarts (records in, late, out, dropped); counters only grow. */
export interface CounterEntry {
  readonly name: string;
  readonly value: number;
}

/**
 * All that one turn of a task changes; all or nothing. Offsets, stream times and counters replace those of the same partition, step or
 * name; the others stay.
 */
export interface Commit {
  /** The number this one follows: another owner's load or commit in between makes this one FENCED. */
  readonly after: number;
  readonly offsets: readonly OffsetEntry[];
  readonly streamTimes: readonly StreamTimeEntry[];
  readonly counters: readonly CounterEntry[];
  readonly changes: readonly StateBytes[];
  /** Further changes, of other keys; only for a store with `takesBlocks`. */
  readonly blocks?: readonly (StateBlock | StatePack)[] | undefined;
  readonly outbox: readonly OutboxAppend[];
  /** How many records it takes in: what a store refuses for what they have made is refused to so many. */
  readonly taken?: number | undefined;
}

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Keys from `from` (inclusive) to `to` (exclusive) in byte order; a null end is open. */
export interface KeyRange {
  readonly from: Uint8Array | null;
  readonly to: Uint8Array | null;
}

/** Committed state, read synchronously. It shows a commit only once that has succeeded. */
export interface StateReader {
  get(table: TableId, key: Uint8Array): Uint8Array | null;
  /** In byte order of the keys. */
  scan(table: TableId, range: KeyRange): Iterable<Entry>;
  /** The tables that may hold entries; absent: nobody may ask. */
  readonly ids?: readonly TableId[] | undefined;
  /** As `scan`, without entries that came as blocks and have not been asked for; absent: there are none. */
  scanSettled?(table: TableId, range: KeyRange): Iterable<Entry>;
}

/** What a task starts from. */
export interface Restored {
  readonly reader: StateReader;
  /** The number that the next commit follows; raised by `load` and by every commit. */
  readonly commit: number;
  readonly producer: { readonly id: string; readonly epoch: number };
  readonly offsets: readonly OffsetEntry[];
  readonly streamTimes: readonly StreamTimeEntry[];
  readonly counters: readonly CounterEntry[];
  /** The next sequence per destination. */
  readonly sequences: readonly { readonly to: TopicPartition; readonly next: number }[];
  /** Appends not yet acknowledged, in the order of their commits. */
  readonly pending: readonly OutboxAppend[];
}

/** What a task that is rebuilt begins with. */
export type Rebuilt = Pick<Commit, 'offsets' | 'streamTimes' | 'changes'>;

/**
 * State of tasks. `load` takes the task over: it raises the epoch and the commit number, so that an older owner's appends and commits are
 * fenced. The producer id is made at the first load (ports/producers.ts), is another one after `remove`, and then stays.
 * Where the store and the log share one database, `commit` also appends the outbox to it and nothing is ever pending.
 */
export interface Store {
  /** True: a commit may bring changes as blocks. */
  readonly takesBlocks?: boolean | undefined;
  /** True: a commit delivers all its appends itself, so that nothing is ever pending. */
  readonly delivers?: boolean | undefined;
  /** @throws {PortError} CORRUPT when the stored state fails its checks */
  load(task: TaskId): Promise<Restored>;
  /**
   * @returns the appends that must still be sent (empty where the commit has delivered them)
   * @throws {PortError} FENCED when another owner has committed, STORAGE_FULL, UNAVAILABLE: nothing was changed
   */
  commit(task: TaskId, commit: Commit): Promise<readonly OutboxAppend[]>;
  /** The destination has acknowledged all sequences up to `next`: they leave the outbox. */
  acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void>;
  /** Committed state for pull queries, without taking the task over; null when the task never committed. It may be read across later commits. */
  reader(task: TaskId): Promise<StateReader | null>;
  /**
   * Takes the task over and forgets its state, stream times and counters without reading them; producer, sequences and appends that are not
   * acknowledged stay. All or nothing.
   * @param begin from what was committed, what the task begins with; null leaves everything as it was
   * @throws {PortError} CORRUPT when the position itself fails its checks
   */
  rebuild(
    task: TaskId,
    begin: (committed: Pick<Restored, 'offsets' | 'streamTimes' | 'sequences'>) => Rebuilt | null,
  ): Promise<void>;
  /** Forgets the task. */
  remove(task: TaskId): Promise<void>;
}

/** What a task asks of its store; without `rebuild` where nothing outlives the query. */
export type TaskStore = Pick<
  Store,
  'takesBlocks' | 'delivers' | 'load' | 'commit' | 'acknowledge'
> &
  Partial<Pick<Store, 'rebuild'>>;
