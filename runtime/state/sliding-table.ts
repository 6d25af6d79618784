// The sliding windows of groups that rows can still come to or be copied from: read from the store on demand; knows no batch and no time rule.

import { ByteWriter } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { GROUPS_BYTES_MAX } from '../base/limits.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { decodeKey, windowRange } from '../data/key.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { Type, Value } from '../data/type.ts';
import type { AggregateBody } from '../functions/registry.ts';
import type { IntoBlock, StateBytes, StateReader, TableId } from '../ports/store.ts';
import type { GroupNames } from './group-names.ts';
import { type Over, Packing } from './packing.ts';
import { Interner } from '../data/interner.ts';
import { hasEntries } from './row-table.ts';

/** Windows that stay in memory after a commit beside those that it took, where their states are not large; beyond it they are read again on demand. */
const IDLE_WINDOWS_MAX = 262_144;
/** Groups that do so. */
const IDLE_GROUPS_MAX = 65_536;
/** Windows of one group that are let go together, but for large ones. */
const CUT_WINDOWS_MIN = 1024;

/** One window of a group, as rows leave it. */
export interface SlidingWindow {
  readonly startMs: number;
  /** The greatest rowtime of its rows. */
  rowtime: number;
  /** The accumulator cells of each call. */
  readonly cells: readonly Value[][];
  /** Which list of its group it is in. */
  change: 'shown' | 'hidden' | null;
  /** Bytes of its state, as it was read or committed last. */
  bytes: number;
}

interface Group {
  /** In the order of their starts, which differ: all from `fromMs` on. */
  windows: SlidingWindow[];
  fromMs: number;
  /** What the next commit sets: windows that are shown, and those that closed before they had all their rows. */
  shown: SlidingWindow[];
  hidden: SlidingWindow[];
  /** Bytes of the windows that are in memory, as they were at the last commit and read since. */
  bytes: number;
}

export interface SlidingTableOptions {
  readonly table: TableId;
  readonly state: StateReader;
  readonly names: GroupNames;
  readonly keyTypes: readonly Type[];
  readonly bodies: readonly Pick<AggregateBody, 'cells' | 'copy'>[];
  /** How far before the start of a window that changes others may be needed. */
  readonly reachMs: number;
}

/**
 * Windows by group id. A state key is the group's key, then the window's start. Rows that come to a window when it has closed do not change
 * what is shown of it; but windows that are made later are copied from it, with those rows: so it has another entry in a table of its own,
 * which counts before the one that is shown.
 */
export class SlidingTable {
  readonly #options: SlidingTableOptions;
  readonly #cellTypes: readonly Type[];
  readonly #scratch = new ByteWriter(64);
  #index = new Interner();
  /** By group id; undefined: not read yet. */
  #groups: (Group | undefined)[] = [];
  #dirty = new Set<number>();
  /** Windows in memory. */
  #size = 0;
  /** Bytes of all groups. */
  #bytes = 0;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new group; null: not asked yet. */
  #storeHolds: boolean | null = null;

  constructor(options: SlidingTableOptions) {
    this.#options = options;
    this.#cellTypes = options.bodies.flatMap(({ cells }) => cells);
  }

  /** The ids of groups by name. Replaced by `changes` when too many windows were in memory. */
  get index(): Interner {
    return this.#index;
  }

  /** The windows of a group that start at `fromMs` or later, and maybe others, in the order of their starts: a look at what is there, which `insert` and `changing` change. */
  windows(id: number, fromMs: number): readonly SlidingWindow[] {
    const group = (this.#groups[id] ??= {
      windows: [],
      fromMs: Infinity,
      shown: [],
      hidden: [],
      bytes: 0,
    });
    if (fromMs < group.fromMs) this.#read(id, group, fromMs);
    return group.windows;
  }

  #read(id: number, group: Group, fromMs: number): void {
    const { table, state } = this.#options;
    const tables = [table, hiddenTable(table)];
    this.#storeHolds ??= tables.some((of) => hasEntries(state, of));
    if (this.#storeHolds) {
      const toMs = group.fromMs === Infinity ? null : group.fromMs - 1;
      const range = windowRange(this.#writeKey(id).finish(), fromMs, toMs);
      const found = new Map<number, SlidingWindow>();
      for (const of of tables) {
        for (const { key, value } of state.scan(of, range)) {
          const window = this.#decode(key, value);
          found.set(window.startMs, window);
        }
      }
      const earlier = [...found.values()].sort((a, b) => a.startMs - b.startMs);
      group.windows = [...earlier, ...group.windows];
      this.#size += earlier.length;
      this.#weigh(group);
    }
    group.fromMs = fromMs;
  }

  #weigh(group: Group): void {
    const bytes = group.windows.reduce((sum, window) => sum + window.bytes, 0);
    this.#bytes += bytes - group.bytes;
    group.bytes = bytes;
  }

  #writeKey(id: number): ByteWriter {
    const scratch = this.#scratch;
    scratch.truncate(0);
    this.#options.names.writeKey(scratch, this.#index.key(id));
    return scratch;
  }

  #decode(key: Uint8Array, value: Uint8Array): SlidingWindow {
    const { keyTypes, bodies } = this.#options;
    try {
      const { windowStart } = decodeKey(keyTypes, key);
      const { rowtime, values } = decodeCells(this.#cellTypes, value);
      const cells = bodies.map(({ cells: { length } }) => values.splice(0, length));
      return { startMs: Number(windowStart), rowtime, cells, change: null, bytes: value.length };
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a stored window: ${thrown.message}`, { cause: thrown });
    }
  }

  /** Another window that begins with what that one holds. */
  copyOf({ rowtime, cells }: SlidingWindow, startMs: number): SlidingWindow {
    const own = this.#options.bodies.map(({ copy }, call) => {
      const before = cells[call] as Value[];
      return copy?.(before) ?? before.slice();
    });
    return { startMs, rowtime, cells: own, change: null, bytes: 0 };
  }

  /** Puts a window among those of the group, of which none starts when it does. @param at where it then stands */
  insert(id: number, at: number, window: SlidingWindow): void {
    const { windows } = this.#groups[id] as Group;
    windows.push(window);
    // Mostly few stand behind it.
    for (let to = windows.length - 1; to > at; to--) windows[to] = windows[to - 1] as SlidingWindow;
    windows[at] = window;
    this.#size++;
  }

  /**
   * A window as one that the next commit sets: to be changed until then.
   * @param isClosed what is shown of it stays as it is
   */
  changing(id: number, at: number, isClosed: boolean): SlidingWindow {
    const group = this.#groups[id] as Group;
    let window = group.windows[at] as SlidingWindow;
    const change = isClosed ? 'hidden' : 'shown';
    if (window.change === change) return window;
    // Closed since it was shown last, which no commit has taken.
    if (window.change !== null) group.windows[at] = window = this.copyOf(window, window.startMs);
    window.change = change;
    group[change].push(window);
    this.#dirty.add(id);
    return window;
  }

  /** Lets windows of a group go that start before `ms`, which no row needs any more. */
  forget(id: number, ms: number): void {
    const group = this.#groups[id];
    if (group === undefined) return;
    const count = firstFrom(group.windows, ms);
    // Those that no commit has taken are still to be told.
    if (count >= CUT_WINDOWS_MIN) this.#cut(group, count, ms);
  }

  #cut(group: Group, count: number, fromMs: number): void {
    group.windows = group.windows.slice(count);
    group.fromMs = Math.max(group.fromMs, fromMs);
    this.#size -= count;
    this.#storeHolds = true;
  }

  /**
   * Hands over every window that changed since the last call, but for those that are over.
   * @returns true when the ids of groups have changed: `index` is another one
   */
  changes(
    into: (change: StateBytes) => void,
    intoBlock?: IntoBlock | null,
    over: Over | null = null,
  ): boolean {
    const { table, reachMs } = this.#options;
    const isOver = over?.isOver;
    const overMs = over?.ms ?? -Infinity;
    const bytesMax = intoBlock ? Infinity : GROUPS_BYTES_MAX;
    const shownPacking = new Packing(table, into, intoBlock, isOver);
    const hiddenPacking = new Packing(hiddenTable(table), into, intoBlock, isOver);
    const taken = this.#dirty;
    this.#dirty = new Set();
    let takenWindows = 0;
    for (const id of taken) {
      const group = this.#groups[id];
      if (group === undefined) continue;
      const { windows, shown, hidden } = group;
      const firstMs = Math.min(
        this.#tell(id, shown, overMs, shownPacking),
        this.#tell(id, hidden, overMs, hiddenPacking),
      );
      group.shown = [];
      group.hidden = [];
      const isHeavy = this.#bytes > bytesMax;
      const fromMs = firstMs - (isHeavy ? 0 : reachMs);
      const idle = firstFrom(windows, fromMs);
      if (idle >= (isHeavy ? 1 : CUT_WINDOWS_MIN)) this.#cut(group, idle, fromMs);
      this.#weigh(group);
      takenWindows += group.windows.length;
    }
    shownPacking.end();
    hiddenPacking.end();
    const idleMax = this.#bytes + this.#index.keyBytes > bytesMax ? 0 : IDLE_GROUPS_MAX;
    const isFull =
      this.#size > IDLE_WINDOWS_MAX + takenWindows || this.#index.size > idleMax + taken.size;
    if (isFull) this.#keep(taken, takenWindows);
    return isFull;
  }

  /** Hands over windows that start behind `overMs`; the least start of all. */
  #tell(id: number, changed: SlidingWindow[], overMs: number, packing: Packing): number {
    if (changed.length === 0) return Infinity;
    const scratch = this.#writeKey(id);
    const prefix = scratch.position;
    let firstMs = Infinity;
    for (const window of changed) {
      const { startMs, rowtime, cells } = window;
      window.change = null;
      firstMs = Math.min(firstMs, startMs);
      if (startMs <= overMs) continue;
      scratch.truncate(prefix);
      writeWindow(scratch, startMs, null);
      const value = encodeCells(this.#cellTypes, rowtime, cells.flat());
      window.bytes = value.length;
      packing.set(scratch.buffer, scratch.position, value);
    }
    return firstMs;
  }

  /** Keeps those only: the store shows what this commit took once it has succeeded. */
  #keep(kept: ReadonlySet<number>, windows: number): void {
    const before = this.#index;
    const groups = this.#groups;
    this.#index = new Interner();
    this.#groups = [];
    this.#bytes = 0;
    for (const id of kept) {
      const key = before.key(id);
      const group = groups[id];
      this.#groups[this.#index.intern(key, 0, key.length)] = group;
      this.#bytes += group?.bytes ?? 0;
    }
    this.#size = windows;
    this.#storeHolds = true;
  }
}

/** The table of windows with rows that came when they had closed. */
export function hiddenTable(table: TableId): TableId {
  return `${table}.late`;
}

/** Where the first window that starts at `ms` or later stands, or would. */
export function firstFrom(windows: readonly SlidingWindow[], ms: number): number {
  let from = 0;
  let to = windows.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((windows[middle] as SlidingWindow).startMs < ms) from = middle + 1;
    else to = middle;
  }
  return from;
}
