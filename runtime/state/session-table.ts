// The sessions of groups that rows can still come to: read from the store when they are first asked for; knows no batch and no time rule.

import { ByteWriter } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { grown } from '../base/grown.ts';
import { GROUPS_BYTES_MAX } from '../base/limits.ts';
import { decodeKey, windowRange } from '../data/key.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { Type } from '../data/type.ts';
import type { IntoBlock, StateBytes, StateReader, TableId } from '../ports/store.ts';
import type { Accumulators } from './accumulators.ts';
import type { GroupNames } from './group-names.ts';
import { type Over, Packing } from './packing.ts';
import { Interner } from '../data/interner.ts';
import { hasEntries } from './row-table.ts';

/** Groups that stay in memory after a commit, where their states are not large; beyond it they are read again on demand. */
const IDLE_GROUPS_MAX = 65_536;
/** Sessions of a group before those that a commit takes; when there are more, half of them stay in memory, or none where states are large. */
const IDLE_SESSIONS_MAX = 8;

const FIRST_SLOTS = 64;

/** A session that the store has and that is no more. Both bounds are rowtimes of rows. */
interface Gone {
  readonly startMs: number;
  readonly endMs: number;
}

interface Group {
  /** Slots of all that end at `fromMs` or later, by their ends, which differ. Those that can be asked for are more than a gap apart. */
  slots: number[];
  fromMs: number;
  gone: Gone[];
  isDirty: boolean;
}

export interface SessionTableOptions {
  readonly table: TableId;
  readonly state: StateReader;
  readonly names: GroupNames;
  readonly keyTypes: readonly Type[];
  readonly accumulators: Accumulators;
}

/**
 * Sessions by group id, each with a slot of accumulators. A state key is the group's key, then the session's end and start, so that those which matter are the last ones
 * of a group and are read without the others.
 */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #scratch = new ByteWriter(64);
  #index = new Interner();
  /** By group id; undefined: not read yet. */
  #groups: (Group | undefined)[] = [];
  /** The slot of a group's last session and 1, or 0; so that a row of the present looks at no object. */
  #last = new Int32Array(FIRST_SLOTS);
  #dirty: number[] = [];
  #starts = new Float64Array(FIRST_SLOTS);
  #ends = new Float64Array(FIRST_SLOTS);
  /** 1: a commit has taken it as it is, or it was read. */
  #taken = new Uint8Array(FIRST_SLOTS);
  /** How often what had been put was folded, and of each slot how often before it was put last. */
  #folds = 0;
  #putAt = new Uint32Array(FIRST_SLOTS);
  /** Bytes of the state by slot, as it was read or committed last, and of all. */
  #lengths = new Uint32Array(FIRST_SLOTS);
  #bytes = 0;
  readonly #free: number[] = [];
  #slots = 0;
  /** Where what was found last stands in its group's slots, or would; -1: it is `#present`, the last one, or comes behind that. */
  #at = 0;
  #near: readonly number[] = [];
  #present = 0;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new group; null: not asked yet. */
  #storeHolds: boolean | null = null;

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  /** The ids of groups by name. Replaced by `changes` when too many groups were in memory. */
  get index(): Interner {
    return this.#index;
  }

  /**
   * How many sessions a group has that end at `fromMs` or later and start at `toMs` or before, around a row's `ms`: `slot` gives them in
   * order of time.
   * @param fromMs no less than what is left of the retention: sessions beyond it stay in the store and take no rows
   */
  near(id: number, ms: number, fromMs: number, toMs: number): number {
    if (id >= this.#last.length) this.#last = grown(this.#last, id * 2);
    const last = (this.#last[id] as number) - 1;
    if (last >= 0 && ms >= (this.#ends[last] as number)) {
      // Those before it end more than a gap before it begins.
      this.#at = -1;
      this.#present = last;
      return (this.#ends[last] as number) >= fromMs ? 1 : 0;
    }
    let group = this.#groups[id];
    if (group === undefined) {
      group = { slots: [], fromMs: Infinity, gone: [], isDirty: false };
      this.#groups[id] = group;
    }
    if (fromMs < group.fromMs) this.#read(id, group, fromMs);
    const { slots } = group;
    const from = this.#firstFrom(slots, fromMs);
    let to = from;
    while (to < slots.length && (this.#starts[slots[to] as number] as number) <= toMs) to++;
    this.#at = from;
    this.#near = slots;
    return to - from;
  }

  /** The slot of the accumulators that the i-th of the sessions found last has. */
  slot(i: number): number {
    return this.#at < 0 ? this.#present : (this.#near[this.#at + i] as number);
  }

  startMs(slot: number): number {
    return this.#starts[slot] as number;
  }

  endMs(slot: number): number {
    return this.#ends[slot] as number;
  }

  /**
   * Puts one session in the place of the `count` that `near` has just found for the group.
   * @param overMs sessions that end before it are over, as in `changes`
   * @returns the slot of the first of those; where there were none a new one, without rows
   */
  put(id: number, count: number, startMs: number, endMs: number, overMs: number): number {
    const present = this.#present;
    if (this.#at < 0 && this.#taken[present] === 0) {
      // No commit has taken the one before it, and none need do so: its slot serves, unless rows are still to be folded into it.
      const isFree =
        (this.#ends[present] as number) < overMs && (this.#putAt[present] as number) < this.#folds;
      if (count === 0 && isFree) this.#options.accumulators.reset(present);
      if (count === 1 || isFree) {
        this.#set(present, startMs, endMs, 0);
        return present;
      }
    }
    const group = this.#groups[id] as Group;
    const { slots, gone } = group;
    const at = this.#at < 0 ? slots.length - count : this.#at;
    for (let i = at; i < at + count; i++) {
      const slot = slots[i] as number;
      if (this.#taken[slot] === 1)
        gone.push({ startMs: this.startMs(slot), endMs: this.endMs(slot) });
      if (i > at) this.#release(slot);
    }
    if (count > 1) slots.splice(at + 1, count - 1);
    if (count === 0) {
      const made = this.#newSlot();
      if (at === slots.length) slots.push(made);
      else slots.splice(at, 0, made);
    }
    const slot = slots[at] as number;
    this.#set(slot, startMs, endMs, 0);
    this.#last[id] = (slots.at(-1) ?? slot) + 1;
    if (!group.isDirty) {
      group.isDirty = true;
      this.#dirty.push(id);
    }
    return slot;
  }

  /** Tells that the rows have been folded into the slots that were put. */
  folded(): void {
    this.#folds++;
  }

  /** One without rows. */
  #newSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const slot = this.#slots++;
    if (slot === this.#starts.length) {
      this.#starts = grown(this.#starts, slot * 2);
      this.#ends = grown(this.#ends, slot * 2);
      this.#taken = grown(this.#taken, slot * 2);
      this.#putAt = grown(this.#putAt, slot * 2);
      this.#lengths = grown(this.#lengths, slot * 2);
    }
    const { accumulators } = this.#options;
    accumulators.reserve(slot + 1);
    accumulators.reset(slot);
    return slot;
  }

  /** What it holds may be large, and is let go at once. */
  #release(slot: number): void {
    this.#options.accumulators.reset(slot);
    this.#weigh(slot, 0);
    this.#free.push(slot);
  }

  #weigh(slot: number, length: number): void {
    this.#bytes += length - (this.#lengths[slot] as number);
    this.#lengths[slot] = length;
  }

  #set(slot: number, startMs: number, endMs: number, taken: 0 | 1): void {
    this.#starts[slot] = startMs;
    this.#ends[slot] = endMs;
    this.#taken[slot] = taken;
    this.#putAt[slot] = this.#folds;
  }

  /** Where the first session that ends at `ms` or later stands, or would. */
  #firstFrom(slots: readonly number[], ms: number): number {
    const ends = this.#ends;
    let from = 0;
    let to = slots.length;
    // Mostly it is the last one, or the next one.
    if (to > 1 && (ends[slots[to - 2] as number] as number) < ms) from = to - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((ends[slots[middle] as number] as number) < ms) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #writeKey(id: number): ByteWriter {
    const scratch = this.#scratch;
    scratch.truncate(0);
    this.#options.names.writeKey(scratch, this.#index.key(id));
    return scratch;
  }

  #read(id: number, group: Group, fromMs: number): void {
    const { state, table } = this.#options;
    this.#storeHolds ??= hasEntries(state, table);
    if (this.#storeHolds) {
      const toMs = group.fromMs === Infinity ? null : group.fromMs - 1;
      const range = windowRange(this.#writeKey(id).finish(), fromMs, toMs);
      const earlier: number[] = [];
      for (const { key, value } of state.scan(table, range)) earlier.push(this.#decode(key, value));
      if (earlier.length > 0) group.slots = [...earlier, ...group.slots];
      this.#last[id] = (group.slots.at(-1) ?? -1) + 1;
    }
    group.fromMs = fromMs;
  }

  #decode(key: Uint8Array, value: Uint8Array): number {
    const { keyTypes, accumulators } = this.#options;
    const slot = this.#newSlot();
    accumulators.load(slot, value);
    this.#weigh(slot, value.length);
    try {
      const { windowStart, windowEnd } = decodeKey(keyTypes, key);
      this.#set(slot, Number(windowStart), Number(windowEnd), 1);
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a stored session: ${thrown.message}`, { cause: thrown });
    }
    return slot;
  }

  /**
   * Hands over every session that changed since the last call, but for those that are over, which no row can be near any more.
   * @returns true when the ids of groups have changed: `index` is another one
   */
  changes(
    into: (change: StateBytes) => void,
    intoBlock?: IntoBlock | null,
    over: Over | null = null,
  ): boolean {
    const packing = new Packing(this.#options.table, into, intoBlock, over?.isOver);
    const bytesMax = intoBlock ? Infinity : GROUPS_BYTES_MAX;
    const taken = this.#dirty;
    this.#dirty = [];
    for (const id of taken) {
      const group = this.#groups[id];
      if (group === undefined) continue;
      if (over !== null) this.#forget(id, group.slots, over.ms);
      this.#tell(id, group, packing, this.#bytes > bytesMax ? 0 : IDLE_SESSIONS_MAX);
    }
    packing.end();
    const idleMax = this.#bytes + this.#index.keyBytes > bytesMax ? 0 : IDLE_GROUPS_MAX;
    if (this.#index.size <= idleMax + taken.length) return false;
    this.#keep(taken);
    return true;
  }

  /** Lets the sessions go that end before `ms`. */
  #forget(id: number, slots: number[], ms: number): void {
    let count = 0;
    while (count < slots.length && this.endMs(slots[count] as number) < ms) count++;
    if (count === 0) return;
    if (count === slots.length) this.#last[id] = 0;
    for (const slot of slots.splice(0, count)) this.#release(slot);
  }

  #tell(id: number, group: Group, packing: Packing, idleMax: number): void {
    const { accumulators } = this.#options;
    const { slots, gone } = group;
    const scratch = this.#scratch;
    let prefix = -1;
    const writeKey = (startMs: number, endMs: number): void => {
      if (prefix < 0) prefix = this.#writeKey(id).position;
      scratch.truncate(prefix);
      writeWindow(scratch, startMs, endMs);
    };
    let firstMs = Infinity;
    for (const { startMs, endMs } of gone) {
      firstMs = Math.min(firstMs, endMs);
      // One with the same bounds may have come since.
      const again = slots[this.#firstFrom(slots, endMs)];
      if (again !== undefined && this.endMs(again) === endMs && this.startMs(again) === startMs)
        continue;
      writeKey(startMs, endMs);
      packing.set(scratch.buffer, scratch.position, null);
    }
    let idle = slots.length;
    for (let at = slots.length - 1; at >= 0; at--) {
      const slot = slots[at] as number;
      if (this.#taken[slot] === 1) continue;
      writeKey(this.startMs(slot), this.endMs(slot));
      const value = accumulators.encode(slot);
      this.#weigh(slot, value.length);
      packing.set(scratch.buffer, scratch.position, value);
      this.#taken[slot] = 1;
      idle = at;
    }
    if (gone.length > 0) group.gone = [];
    group.isDirty = false;
    // What was taken before this commit is in the store.
    idle = Math.min(idle, slots.length - 1);
    if (idle > idleMax) this.#cut(group, idle - idleMax / 2, firstMs);
  }

  #cut(group: Group, count: number, beforeMs: number): void {
    for (const slot of group.slots.splice(0, count)) this.#release(slot);
    group.fromMs = Math.min(beforeMs, this.endMs(group.slots[0] as number));
    this.#storeHolds = true;
  }

  /** Keeps those only: the store shows what this commit took once it has succeeded. */
  #keep(kept: readonly number[]): void {
    const before = this.#index;
    const groups = this.#groups;
    this.#index = new Interner();
    this.#groups = [];
    const last = this.#last;
    this.#last = new Int32Array(Math.max(kept.length, FIRST_SLOTS));
    this.#storeHolds = true;
    for (const id of kept) {
      const key = before.key(id);
      const to = this.#index.intern(key, 0, key.length);
      this.#groups[to] = groups[id];
      this.#last[to] = last[id] as number;
      groups[id] = undefined;
    }
    for (const group of groups) for (const slot of group?.slots ?? []) this.#release(slot);
  }
}
