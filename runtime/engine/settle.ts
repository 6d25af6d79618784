// Waits until running tasks have nothing left to do; knows no query.

import type { Log } from '../ports/log.ts';
import type { RunningTask } from '../pool/remote-task.ts';
import { inputsOf, subtopologyOf } from '../task/topology.ts';

/**
 * Resolves when every task that still runs has taken in all there is and delivered all it made, or has no room to go on.
 * @param tasks those of the moment, asked for again after each wait
 */
export async function settle(
  tasks: () => readonly RunningTask[],
  log: Pick<Log, 'bounds'>,
): Promise<void> {
  for (;;) {
    const before = turnsOf(tasks());
    let hasWaited = false;
    for (const task of tasks()) hasWaited = (await caughtUp(task, log)) || hasWaited;
    // What moved while others were looked at may have fed those looked at before.
    if (!hasWaited && turnsOf(tasks()) === before) return;
  }
}

function turnsOf(tasks: readonly RunningTask[]): number {
  return tasks.reduce((sum, task) => sum + task.turns, 0);
}

/** Resolves when the task is not behind any more, or does not run; true when it was. */
async function caughtUp(task: RunningTask, log: Pick<Log, 'bounds'>): Promise<boolean> {
  for (let hasWaited = false; ; hasWaited = true) {
    // Turns that had ended before it was looked at: it may have caught up meanwhile.
    const { ended } = task;
    if (!(await isBehind(task, log))) return hasWaited;
    await task.changedSince(ended);
  }
}

/** True when the task still runs and has something that it can do: a turn, records to read, appends to deliver. */
async function isBehind(task: RunningTask, log: Pick<Log, 'bounds'>): Promise<boolean> {
  if (task.state !== 'RUNNING') return false;
  if (task.isInTurn) return true;
  // Until the storage has room there is nothing to wait for.
  if (task.error !== null) return false;
  const { positions, isDelivered } = task.progress;
  const { name, plan } = task.options;
  const inputs = inputsOf(subtopologyOf(plan, name.subtopology), name.partition);
  if (positions.length < inputs.length || !isDelivered) return true;
  for (const { at, next } of positions) {
    if ((await log.bounds(at)).highWatermark > next) return true;
  }
  return false;
}
