// The sliding windows of groups that rows can still come to or be copied from: read from the store on demand; knows no batch and no time rule.

import { ByteWriter } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { decodeKey, windowRange } from '../data/key.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { Type, Value } from '../data/type.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import type { GroupNames } from './group-names.ts';
import { Interner } from '../data/interner.ts';
import { hasEntries } from './row-table.ts';

/** Windows that stay in memory after a commit beside those that it took; beyond it they are read again on demand. */
const IDLE_WINDOWS_MAX = 262_144;
/** Groups that do so. */
const IDLE_GROUPS_MAX = 65_536;
/** Windows of one group that are let go together. */
const CUT_WINDOWS_MIN = 1024;

/** One window of a group; never changed: a row makes another one. */
export interface SlidingWindow {
  readonly startMs: number;
  /** The greatest rowtime of its rows. */
  readonly rowtime: number;
  /** The accumulator cells of all calls, one after the other. */
  readonly cells: readonly Value[];
}

interface Group {
  /** In the order of their starts, which differ: all from `fromMs` on. */
  windows: SlidingWindow[];
  fromMs: number;
  /** What the next commit sets, by start: windows that are shown, and those that closed before they had all their rows. */
  readonly shown: Map<number, SlidingWindow>;
  readonly hidden: Map<number, SlidingWindow>;
}

export interface SlidingTableOptions {
  readonly table: TableId;
  readonly state: StateReader;
  readonly names: GroupNames;
  readonly keyTypes: readonly Type[];
  /** Types of a window's cells. */
  readonly cellTypes: readonly Type[];
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
  readonly #scratch = new ByteWriter(64);
  #index = new Interner();
  /** By group id; undefined: not read yet. */
  #groups: (Group | undefined)[] = [];
  #dirty = new Set<number>();
  /** Windows in memory. */
  #size = 0;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new group; null: not asked yet. */
  #storeHolds: boolean | null = null;

  constructor(options: SlidingTableOptions) {
    this.#options = options;
  }

  /** The ids of groups by name. Replaced by `changes` when too many windows were in memory. */
  get index(): Interner {
    return this.#index;
  }

  /** The windows of a group that start at `fromMs` or later, and maybe others, in the order of their starts. Good until the next change. */
  windows(id: number, fromMs: number): readonly SlidingWindow[] {
    const group = (this.#groups[id] ??= {
      windows: [],
      fromMs: Infinity,
      shown: new Map(),
      hidden: new Map(),
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
    }
    group.fromMs = fromMs;
  }

  #writeKey(id: number): ByteWriter {
    const scratch = this.#scratch;
    scratch.truncate(0);
    this.#options.names.writeKey(scratch, this.#index.key(id));
    return scratch;
  }

  #decode(key: Uint8Array, value: Uint8Array): SlidingWindow {
    const { keyTypes, cellTypes } = this.#options;
    try {
      const { windowStart } = decodeKey(keyTypes, key);
      const { rowtime, values } = decodeCells(cellTypes, value);
      return { startMs: Number(windowStart), rowtime, cells: values };
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a stored window: ${thrown.message}`, { cause: thrown });
    }
  }

  /**
   * Puts windows in the place of those of the same start, and among the others.
   * @param made in the order of their starts, all within what `windows` was asked for
   * @param openFromMs windows that start before it have closed: what is shown of them stays as it is
   */
  put(id: number, made: readonly SlidingWindow[], openFromMs: number): void {
    const group = this.#groups[id];
    const [first] = made;
    if (group === undefined || first === undefined) return;
    const { windows, shown, hidden } = group;
    let at = firstFrom(windows, first.startMs);
    for (const window of made) {
      const { startMs } = window;
      while (at < windows.length && (windows[at] as SlidingWindow).startMs < startMs) at++;
      if (windows[at]?.startMs === startMs) windows[at] = window;
      else {
        windows.splice(at, 0, window);
        this.#size++;
      }
      (startMs < openFromMs ? hidden : shown).set(startMs, window);
    }
    this.#dirty.add(id);
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
   * Hands over every window that changed since the last call.
   * @returns true when the ids of groups have changed: `index` is another one
   */
  changes(into: (change: StateBytes) => void): boolean {
    const { table, reachMs } = this.#options;
    const taken = this.#dirty;
    this.#dirty = new Set();
    let takenWindows = 0;
    for (const id of taken) {
      const group = this.#groups[id];
      if (group === undefined) continue;
      const { windows, shown, hidden } = group;
      const firstMs = Math.min(
        this.#tell(id, table, shown, into),
        this.#tell(id, hiddenTable(table), hidden, into),
      );
      const idle = firstFrom(windows, firstMs - reachMs);
      if (idle >= CUT_WINDOWS_MIN) this.#cut(group, idle, firstMs - reachMs);
      takenWindows += group.windows.length;
    }
    const isFull =
      this.#size > IDLE_WINDOWS_MAX + takenWindows ||
      this.#index.size > IDLE_GROUPS_MAX + taken.size;
    if (isFull) this.#keep(taken, takenWindows);
    return isFull;
  }

  /** Hands over windows and forgets that they changed; the least of their starts. */
  #tell(
    id: number,
    table: TableId,
    changed: Map<number, SlidingWindow>,
    into: (change: StateBytes) => void,
  ): number {
    let firstMs = Infinity;
    for (const { startMs, rowtime, cells } of changed.values()) {
      const scratch = this.#writeKey(id);
      writeWindow(scratch, startMs, null);
      const value = encodeCells(this.#options.cellTypes, rowtime, cells);
      into({ table, key: scratch.finish(), value });
      firstMs = Math.min(firstMs, startMs);
    }
    changed.clear();
    return firstMs;
  }

  /** Keeps those only: the store shows what this commit took once it has succeeded. */
  #keep(kept: ReadonlySet<number>, windows: number): void {
    const before = this.#index;
    const groups = this.#groups;
    this.#index = new Interner();
    this.#groups = [];
    for (const id of kept) {
      const key = before.key(id);
      this.#groups[this.#index.intern(key, 0, key.length)] = groups[id];
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
