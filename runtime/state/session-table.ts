// The sessions of groups that rows can still come to: read from the store when a group is first asked for; knows no batch and no time rule.

import { ByteWriter } from '../base/bytes.ts';
import { PortError, TaskCorrupted } from '../base/errors.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { decodeKey, prefixRange, windowRange } from '../data/key.ts';
import { writeWindow } from '../data/key-writer.ts';
import type { Type, Value } from '../data/type.ts';
import type { StateBytes, StateReader, TableId } from '../ports/store.ts';
import type { GroupNames } from './group-names.ts';
import { KeyIndex } from './key-index.ts';

/** Groups that stay in memory after a commit; beyond it they are read again on demand. */
const IDLE_GROUPS_MAX = 65_536;

/** One session of a group; never changed: a row makes another one. Both bounds are rowtimes of rows. */
export interface Session {
  readonly startMs: number;
  readonly endMs: number;
  /** The accumulator cells of all calls, one after the other. */
  readonly cells: readonly Value[];
}

interface Group {
  /** In order of time; no two within a gap of each other. */
  sessions: Session[];
  /** State keys that the next commit sets, or removes by null; the last change of a key counts. */
  readonly changed: Map<string, { readonly key: Uint8Array; readonly session: Session | null }>;
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
  #dirty = new Set<number>();

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  /** The ids of groups by name. Replaced by `changes` when too many groups were in memory. */
  get index(): KeyIndex {
    return this.#index;
  }

  /**
   * The sessions of a group that end at `fromMs` or later, in order of time.
   * @param fromMs never goes back: sessions before it are forgotten here and stay in the store
   */
  sessions(id: number, fromMs: number): readonly Session[] {
    const group = this.#group(id, fromMs);
    const [first] = group.sessions;
    if (first !== undefined && first.endMs < fromMs) {
      group.sessions = group.sessions.filter(({ endMs }) => endMs >= fromMs);
    }
    return group.sessions;
  }

  /** Puts a session in the place of those, which are of the group; none: a new one. */
  replace(id: number, gone: readonly Session[], made: Session): void {
    const group = this.#groups[id];
    if (group === undefined) return;
    const kept = group.sessions.filter((session) => !gone.includes(session));
    const at = kept.findIndex(({ startMs }) => startMs > made.startMs);
    kept.splice(at < 0 ? kept.length : at, 0, made);
    group.sessions = kept;
    for (const session of gone) this.#note(id, group, session, null);
    this.#note(id, group, made, made);
    this.#dirty.add(id);
  }

  #note(
    id: number,
    { changed }: Group,
    { startMs, endMs }: Session,
    session: Session | null,
  ): void {
    const scratch = this.#writeKey(id);
    writeWindow(scratch, startMs, endMs);
    changed.set(`${startMs} ${endMs}`, { key: scratch.finish(), session });
  }

  #writeKey(id: number): ByteWriter {
    const scratch = this.#scratch;
    scratch.truncate(0);
    this.#options.names.writeKey(scratch, this.#index.key(id));
    return scratch;
  }

  #group(id: number, fromMs: number): Group {
    const known = this.#groups[id];
    if (known !== undefined) return known;
    const key = this.#writeKey(id).finish();
    const range = fromMs > 0 ? windowRange(key, fromMs, null) : prefixRange(key);
    const sessions: Session[] = [];
    for (const entry of this.#options.state.scan(this.#options.table, range)) {
      sessions.push(this.#decode(entry.key, entry.value));
    }
    const group = { sessions, changed: new Map() };
    this.#groups[id] = group;
    return group;
  }

  #decode(key: Uint8Array, value: Uint8Array): Session {
    const { keyTypes, cellTypes } = this.#options;
    try {
      const { windowStart, windowEnd } = decodeKey(keyTypes, key);
      const { values } = decodeCells(cellTypes, value);
      return { startMs: Number(windowStart), endMs: Number(windowEnd), cells: values };
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
    const { table, cellTypes } = this.#options;
    const taken = this.#dirty;
    this.#dirty = new Set();
    for (const id of taken) {
      const changed = this.#groups[id]?.changed;
      for (const { key, session } of changed?.values() ?? []) {
        const value =
          session === null ? null : encodeCells(cellTypes, session.endMs, session.cells);
        into({ table, key, value });
      }
      changed?.clear();
    }
    if (this.#index.size <= IDLE_GROUPS_MAX + taken.size) return false;
    this.#keep(taken);
    return true;
  }

  /** Keeps those only: the store shows what this commit took once it has succeeded. */
  #keep(kept: ReadonlySet<number>): void {
    const before = this.#index;
    const groups = this.#groups;
    this.#index = new KeyIndex();
    this.#groups = [];
    for (const id of kept) {
      const key = before.key(id);
      this.#groups[this.#index.intern(key, 0, key.length)] = groups[id];
    }
  }
}
