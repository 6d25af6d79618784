// Copies of tasks in memory as they stand, and their way back: what an operator does who restores a database; knows no engine.

import { ResidentTables } from '../ports/resident.ts';
import type { TaskId } from '../ports/store.ts';
import type { MemoryStore } from './memory-store.ts';
import type { TaskState } from './query-store.ts';

/** A copy of the task as it stands, for `restore`; null when there is none. */
export function backup({ tasks }: MemoryStore, task: TaskId): TaskState | null {
  const state = tasks.get(task);
  return state === undefined ? null : copyOf(state);
}

/**
 * Puts the task back to a backup, as an operator does who restores a database to an earlier time. The epoch and the commit number go on
 * from the highest that was ever given out: whoever still runs on what was lost is fenced.
 */
export function restore({ tasks }: MemoryStore, task: TaskId, before: TaskState): void {
  const now = tasks.get(task);
  const state = copyOf(before);
  state.epoch = Math.max(state.epoch, now?.epoch ?? 0) + 1;
  state.commit = Math.max(state.commit, now?.commit ?? 0) + 1;
  tasks.set(task, state);
}

function copyOf(state: TaskState): TaskState {
  return {
    ...state,
    tables: copiedTables(state.tables),
    offsets: new Map(state.offsets),
    streamTimes: new Map(state.streamTimes),
    counters: new Map(state.counters),
    sequences: new Map(state.sequences),
    pending: [...state.pending],
  };
}

/** The same entries in tables of their own. */
export function copiedTables(tables: ResidentTables): ResidentTables {
  const copy = new ResidentTables();
  for (const table of tables.ids) {
    const entries = [...tables.entries(table)];
    copy.apply(entries.map(({ key, value }) => ({ table, key, value })));
  }
  return copy;
}
