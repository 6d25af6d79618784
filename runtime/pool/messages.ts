// What the engine's thread and a Worker that runs tasks say to each other (ARCHITECTURE.md, chapter 9); types alone.

import type { WasmModule } from '../base/host-types.ts';
import type { Plan } from '../plan/step.ts';
import type { Log } from '../ports/log.ts';
import type { Commit, CounterEntry, OffsetEntry, Restored, TableId } from '../ports/store.ts';
import type { WireError } from '../ports/wire-error.ts';
import type { PackedEntries } from '../state/packing.ts';
import type { TaskState } from '../task/task.ts';
import type { TaskName } from '../task/topology.ts';

/** Channels of the line: calls of the Worker's methods, calls of the engine's, and news, which nobody answers. */
export const TO_WORKER = 0;
export const TO_ENGINE = 1;
export const NEWS = 2;

/** What every task of a Worker has in common. */
export interface WorkerSettings {
  readonly kernel: WasmModule | null;
  readonly commitIntervalMs: number;
  /** As the engine's store has it. */
  readonly delivers: boolean;
}

export interface SentTask {
  readonly name: TaskName;
  readonly plan: Plan;
}

/** News of a task: after each of its turns, and when it has ended. */
export interface TaskStatus {
  readonly task: string;
  readonly state: TaskState;
  readonly error: WireError | null;
  readonly counters: readonly CounterEntry[];
  readonly positions: readonly OffsetEntry[];
  readonly isDelivered: boolean;
  readonly isInTurn: boolean;
  /** As `Task` counts them, in this Worker. */
  readonly turns: number;
  readonly ended: number;
}

/** What a task starts from, without its state, which follows page by page. */
export interface SentRestored extends Omit<Restored, 'reader'> {
  readonly tables: readonly TableId[];
}

/** A commit; its packs and appends are in buffers that come with it. */
export interface SentCommit extends Omit<Commit, 'changes' | 'blocks'> {
  readonly packs: readonly PackedEntries[];
}

/** Calls of the log whose arguments and answers go over as they are. */
export type LogCall = Exclude<
  keyof Log,
  'isRemote' | 'isAppending' | 'appendAll' | 'read' | 'subscribe'
>;
