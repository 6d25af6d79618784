// The state table of an aggregation: groups by window, read from the store on demand, changes collected for a commit.

import { ByteWriter } from '../base/bytes.ts';
import { grown } from '../base/grown.ts';
import { GROUPS_BYTES_MAX } from '../base/limits.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { IntoBlock, StateBytes, StateReader, TableId } from '../ports/store.ts';
import type { Accumulators } from './accumulators.ts';
import type { GroupNames } from './group-names.ts';
import { Interner } from '../data/interner.ts';
import { type Over, Packing } from './packing.ts';
import { Pane } from './pane.ts';
import { GROUP_BLOCKS } from './parts.ts';
import { hasEntries } from './row-table.ts';

const FIRST_SLOTS = 64;
/** Groups that stay in memory after a commit although no row came to them lately; beyond it they are read again on demand. */
const IDLE_GROUPS_MAX = 262_144;
/** Known keys without a group in memory that are let be. */
const IDLE_KEYS_MAX = 65_536;

/** Changed groups that are handed over side by side: a pack of fewer is more work than they are. */
export const PACKED_GROUPS_MIN = 64;

const DIRTY = 1;
const EXISTS = 2;

export interface AggregateTableOptions {
  readonly table: TableId;
  readonly state: StateReader;
  readonly accumulators: Accumulators;
  readonly names: GroupNames;
  /** True: a group's key goes on with its window. */
  readonly windowed: boolean;
}

/**
 * Slots of accumulators by window and group. What is not in memory is read from the store when it is first asked for; what
 * a commit has already taken and no row needs any more is let go. Nothing is let go in the commit that takes it, because the
 * store shows it only once that has succeeded.
 */
export class AggregateTable {
  readonly accumulators: Accumulators;
  readonly #options: AggregateTableOptions;
  readonly #panes = new Map<number, Pane>();
  readonly #scratch = new ByteWriter(64);
  #index = new Interner();
  /** Group id by slot. */
  #groups = new Int32Array(FIRST_SLOTS);
  #starts = new Float64Array(FIRST_SLOTS);
  #flags = new Uint8Array(FIRST_SLOTS);
  /** Bytes of the state by slot, as it was read or committed last, and of all. */
  #lengths = new Uint32Array(FIRST_SLOTS);
  #bytes = 0;
  #dirty = new Int32Array(FIRST_SLOTS);
  #dirtyCount = 0;
  readonly #free: number[] = [];
  /** Slots ever used; those not in `#free` are in a pane. */
  #slots = 0;
  #commit = 0;
  /**
   * Whether the store can hold a group that is looked for and not in memory. While it was empty at the start it cannot,
   * unless a group was let go: so a new query does not ask the store for each new group.
   */
  #storeHolds: boolean;

  constructor(options: AggregateTableOptions) {
    this.accumulators = options.accumulators;
    this.#options = options;
    this.#storeHolds = hasEntries(options.state, options.table);
  }

  /** The ids of groups by name. Replaced by `changes` when it has grown far beyond the groups in memory. */
  get index(): Interner {
    return this.#index;
  }

  /** Groups in memory. */
  get size(): number {
    return this.#slots - this.#free.length;
  }

  /** The groups of the window that starts there; 0 where there are no windows. */
  pane(startMs: number): Pane {
    let pane = this.#panes.get(startMs);
    if (pane === undefined) {
      pane = new Pane(startMs);
      this.#panes.set(startMs, pane);
    }
    return pane;
  }

  /** The slot of a group, from memory, else from the store, else a new one without rows. */
  slot(pane: Pane, group: number): number {
    const found = pane.find(group, this.#groups);
    return found >= 0 ? found : this.#bring(pane, group);
  }

  /** Notes that a row is folded into the slot; true when the slot had none before. */
  touch(slot: number): boolean {
    const flags = this.#flags[slot] as number;
    if (flags === (DIRTY | EXISTS)) return false;
    if ((flags & DIRTY) === 0) {
      if (this.#dirtyCount === this.#dirty.length)
        this.#dirty = grown(this.#dirty, this.#dirty.length * 2);
      this.#dirty[this.#dirtyCount++] = slot;
    }
    this.#flags[slot] = DIRTY | EXISTS;
    return (flags & EXISTS) === 0;
  }

  #bring(pane: Pane, group: number): number {
    const slot = this.#free.pop() ?? this.#slots++;
    if (slot === this.#groups.length) this.#grow(slot * 2);
    this.accumulators.reserve(slot + 1);
    this.#groups[slot] = group;
    this.#starts[slot] = pane.startMs;
    const { state, table } = this.#options;
    const stored = this.#storeHolds ? state.get(table, this.#keyOf(slot).finish()) : null;
    if (stored === null) this.accumulators.reset(slot);
    else this.accumulators.load(slot, stored);
    this.#weigh(slot, stored?.length ?? 0);
    this.#flags[slot] = stored === null ? 0 : EXISTS;
    pane.add(slot, this.#groups, this.#index.size);
    return slot;
  }

  #weigh(slot: number, length: number): void {
    this.#bytes += length - (this.#lengths[slot] as number);
    this.#lengths[slot] = length;
  }

  /** Good until the next call. */
  #keyOf(slot: number): ByteWriter {
    const scratch = this.#scratch;
    const { names, windowed } = this.#options;
    scratch.truncate(0);
    names.writeKey(scratch, this.#index.key(this.#groups[slot] as number));
    if (windowed) writeWindow(scratch, this.#starts[slot] as number, null);
    return scratch;
  }

  #grow(slots: number): void {
    this.#groups = grown(this.#groups, slots);
    this.#starts = grown(this.#starts, slots);
    this.#flags = grown(this.#flags, slots);
    this.#lengths = grown(this.#lengths, slots);
  }

  /**
   * Hands over every group that changed since the last call, but for those that are over, then lets groups go that are not needed in memory.
   * @param isClosed tells whether no row can come to a window any more
   * @returns true when the ids of groups have changed: `index` is another one
   */
  changes(
    into: (change: StateBytes) => void,
    isClosed: (startMs: number) => boolean,
    intoBlock?: IntoBlock | null,
    over: Over | null = null,
  ): boolean {
    const flushed = this.#dirty.slice(0, this.#dirtyCount);
    const commit = ++this.#commit;
    const overMs = over?.ms ?? -Infinity;
    const of = { index: this.#index, groups: this.#groups, starts: this.#starts };
    const idleMax =
      intoBlock &&
      GROUP_BLOCKS.fetched?.handOverGroups(this.#options, of, flushed, overMs, intoBlock);
    const intoPack = flushed.length < PACKED_GROUPS_MIN ? null : intoBlock;
    const { table } = this.#options;
    const packing = new Packing(table, into, intoPack, over?.isOver);
    for (const slot of flushed) {
      const startMs = this.#starts[slot] as number;
      this.#flags[slot] = EXISTS;
      this.pane(startMs).flushed = commit;
      if (idleMax || startMs <= overMs) continue;
      const { buffer, position } = this.#keyOf(slot);
      const value = this.accumulators.encode(slot);
      this.#weigh(slot, value.length);
      if (intoPack) packing.set(buffer, position, value);
      else into({ table, key: buffer.slice(0, position), value });
    }
    packing.end();
    this.#dirtyCount = 0;
    for (const pane of this.#panes.values()) {
      if (pane.flushed < commit && isClosed(pane.startMs)) this.#release(pane);
    }
    const isHeavy = !intoBlock && this.#bytes + this.#index.keyBytes > GROUPS_BYTES_MAX;
    if (this.size > flushed.length + (isHeavy ? 0 : idleMax || IDLE_GROUPS_MAX)) {
      this.#storeHolds = true;
      this.#rebuild(flushed.sort());
    } else if (this.#index.size > 2 * this.size + IDLE_KEYS_MAX) this.#rebuild(this.#inMemory());
    else return false;
    return true;
  }

  #release(pane: Pane): void {
    this.#panes.delete(pane.startMs);
    pane.each((slot) => {
      this.#weigh(slot, 0);
      this.#free.push(slot);
    });
  }

  #inMemory(): Int32Array {
    const slots: number[] = [];
    for (const pane of this.#panes.values()) pane.each((slot) => slots.push(slot));
    return Int32Array.from(slots).sort();
  }

  /** Keeps only these slots, given in ascending order, and only their keys. */
  #rebuild(kept: Int32Array): void {
    const before = this.#index;
    this.#index = new Interner();
    this.#panes.clear();
    this.#free.length = 0;
    const slots = this.#slots;
    this.#slots = kept.length;
    for (let to = 0; to < kept.length; to++) {
      const from = kept[to] as number;
      const key = before.key(this.#groups[from] as number);
      this.accumulators.move(from, to);
      this.#groups[to] = this.#index.intern(key, 0, key.length);
      const startMs = this.#starts[from] as number;
      this.#starts[to] = startMs;
      this.#flags[to] = this.#flags[from] as number;
      this.#lengths[to] = this.#lengths[from] as number;
      const pane = this.pane(startMs);
      pane.flushed = this.#commit;
      pane.add(to, this.#groups, this.#index.size);
    }
    // What they hold may be large.
    for (let slot = kept.length; slot < slots; slot++) this.accumulators.reset(slot);
    this.#lengths.fill(0, kept.length);
    this.#bytes = this.#lengths.reduce((sum, length) => sum + length, 0);
  }
}
