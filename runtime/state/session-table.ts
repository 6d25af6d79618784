// The sessions of groups that rows can still come to: read from the store when they are first asked for; knows no batch and no time rule.

import { ByteWriter } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { decodeKey, windowRange } from '../data/key.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { Type, Value } from '../data/type.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import type { GroupNames } from './group-names.ts';
import { KeyIndex } from '../data/key-index.ts';

/** Groups that stay in memory after a commit; beyond it they are read again on demand. */
const IDLE_GROUPS_MAX = 65_536;
/** Sessions of a group before those that a commit takes; when there are more, half of them stay in memory. */
const IDLE_SESSIONS_MAX = 8;

/** One session of a group; never changed: a row makes another one. Both bounds are rowtimes of rows. */
export interface Session {
  readonly startMs: number;
  readonly endMs: number;
  /** The accumulator cells of all calls, one after the other. */
  readonly cells: readonly Value[];
}

/** `isTaken`: a commit has taken it, or it was read. */
interface Kept extends Session {
  isTaken: boolean;
}

interface Group {
  /** All that end at `fromMs` or later, by their ends, which differ. Those that can be asked for are more than a gap apart. */
  sessions: Kept[];
  fromMs: number;
  /** Taken ones that are no more. */
  gone: Kept[];
  isDirty: boolean;
}

export interface SessionTableOptions {
  readonly table: TableId;
  readonly state: StateReader;
  readonly names: GroupNames;
  readonly keyTypes: readonly Type[];
  /** Types of a session's cells. */
  readonly cellTypes: readonly Type[];
}

/**
 * Sessions by group id. A state key is the group's key, then the session's end and start, so that those which matter are the last ones
 * of a group and are read without the others.
 */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #scratch = new ByteWriter(64);
  #index = new KeyIndex();
  /** By group id; undefined: not read yet. */
  #groups: (Group | undefined)[] = [];
  #dirty: number[] = [];
  /** Where those stand, or would, that were asked for last. */
  #at = 0;
  /** false: what is not in memory is nowhere, so that a new query does not ask the store for each new group; null: not asked yet. */
  #storeHolds: boolean | null = null;

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  /** The ids of groups by name. Replaced by `changes` when too many groups were in memory. */
  get index(): KeyIndex {
    return this.#index;
  }

  /**
   * The sessions of a group that end at `fromMs` or later and start at `toMs` or before, in order of time.
   * @param fromMs no less than what is left of the retention: sessions beyond it stay in the store and take no rows
   */
  near(id: number, fromMs: number, toMs: number): readonly Session[] {
    let group = this.#groups[id];
    if (group === undefined) {
      group = { sessions: [], fromMs: Infinity, gone: [], isDirty: false };
      this.#groups[id] = group;
    }
    if (fromMs < group.fromMs) this.#read(id, group, fromMs);
    const { sessions } = group;
    const from = firstFrom(sessions, fromMs);
    this.#at = from;
    if (from === sessions.length) return NONE;
    let to = from;
    while (to < sessions.length && (sessions[to] as Kept).startMs <= toMs) to++;
    return sessions.slice(from, to);
  }

  /** Puts a session in the place of those, which are what `near` has just given for the group. */
  replace(id: number, gone: readonly Session[], { startMs, endMs, cells }: Session): void {
    const group = this.#groups[id];
    if (group === undefined) return;
    const { sessions } = group;
    const made = { startMs, endMs, cells, isTaken: false };
    const at = this.#at;
    for (let i = at; i < at + gone.length; i++) {
      const session = sessions[i] as Kept;
      if (session.isTaken) group.gone.push(session);
    }
    if (gone.length === 1) sessions[at] = made;
    else sessions.splice(at, gone.length, made);
    if (group.isDirty) return;
    group.isDirty = true;
    this.#dirty.push(id);
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
      const earlier: Kept[] = [];
      for (const { key, value } of state.scan(table, range)) earlier.push(this.#decode(key, value));
      if (earlier.length > 0) group.sessions = [...earlier, ...group.sessions];
    }
    group.fromMs = fromMs;
  }

  #decode(key: Uint8Array, value: Uint8Array): Kept {
    const { keyTypes, cellTypes } = this.#options;
    try {
      const { windowStart, windowEnd } = decodeKey(keyTypes, key);
      const { values } = decodeCells(cellTypes, value);
      return {
        startMs: Number(windowStart),
        endMs: Number(windowEnd),
        cells: values,
        isTaken: true,
      };
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a stored session: ${thrown.message}`, { cause: thrown });
    }
  }

  /**
   * Hands over every session that changed since the last call.
   * @returns true when the ids of groups have changed: `index` is another one
   */
  changes(into: (change: StateBytes) => void): boolean {
    const taken = this.#dirty;
    this.#dirty = [];
    for (const id of taken) {
      const group = this.#groups[id];
      if (group !== undefined) this.#tell(id, group, into);
    }
    if (this.#index.size <= IDLE_GROUPS_MAX + taken.length) return false;
    this.#keep(taken);
    return true;
  }

  #tell(id: number, group: Group, into: (change: StateBytes) => void): void {
    const { table, cellTypes } = this.#options;
    const { sessions, gone } = group;
    const scratch = this.#writeKey(id);
    const prefix = scratch.position;
    const keyOf = ({ startMs, endMs }: Session): Uint8Array => {
      scratch.truncate(prefix);
      writeWindow(scratch, startMs, endMs);
      return scratch.finish();
    };
    let firstMs = Infinity;
    for (const session of gone) {
      firstMs = Math.min(firstMs, session.endMs);
      // One with the same bounds may have come since.
      const again = sessions[firstFrom(sessions, session.endMs)];
      if (again?.startMs === session.startMs && again.endMs === session.endMs) continue;
      into({ table, key: keyOf(session), value: null });
    }
    let idle = sessions.length;
    for (let at = sessions.length - 1; at >= 0; at--) {
      const session = sessions[at] as Kept;
      if (session.isTaken) continue;
      const value = encodeCells(cellTypes, session.endMs, session.cells);
      into({ table, key: keyOf(session), value });
      session.isTaken = true;
      idle = at;
    }
    group.gone = [];
    group.isDirty = false;
    // What was taken before this commit is in the store.
    if (idle > IDLE_SESSIONS_MAX) this.#cut(group, idle - IDLE_SESSIONS_MAX / 2, firstMs);
  }

  #cut(group: Group, count: number, beforeMs: number): void {
    group.sessions = group.sessions.slice(count);
    group.fromMs = Math.min(beforeMs, (group.sessions[0] as Kept).endMs);
    this.#storeHolds = true;
  }

  /** Keeps those only: the store shows what this commit took once it has succeeded. */
  #keep(kept: readonly number[]): void {
    const before = this.#index;
    const groups = this.#groups;
    this.#index = new KeyIndex();
    this.#groups = [];
    this.#storeHolds = true;
    for (const id of kept) {
      const key = before.key(id);
      this.#groups[this.#index.intern(key, 0, key.length)] = groups[id];
    }
  }
}

const NONE: readonly Session[] = [];

/** Where the first session that ends at `ms` or later stands, or would. */
function firstFrom(sessions: readonly Session[], ms: number): number {
  let from = 0;
  let to = sessions.length;
  // Mostly it is the last one, or the next one.
  if (to > 1 && (sessions[to - 2] as Session).endMs < ms) from = to - 1;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sessions[middle] as Session).endMs < ms) from = middle + 1;
    else to = middle;
  }
  return from;
}

function hasEntries(state: StateReader, table: TableId): boolean {
  const [first] = state.scan(table, { from: null, to: null });
  return first !== undefined;
}
