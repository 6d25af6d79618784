// What is asked of persistent queries beside running them: how they are, that they catch up, and their end; knows no SQL.

import { PortError } from '../base/errors.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Log } from '../ports/log.ts';
import { taskId, type TaskName, tasksOf } from '../task/topology.ts';
import type { TaskProgress } from './caught-up.ts';
import type { CatalogEntry } from './changes.ts';
import { settle } from './settle.ts';
import type { Queries, QueryState, QueryStats, Running } from './queries.ts';

export { settle };

/** What its tasks have done; zeros where it does not run. */
export function statsOf(running: Running | null): QueryStats {
  const sum = (name: string) => {
    let total = 0;
    for (const task of running?.tasks ?? []) {
      for (const counter of task.counters) if (counter.name === name) total += counter.value;
    }
    return total;
  };
  return {
    in: sum('in'),
    out: sum('out'),
    late: sum('late'),
    latePairs: sum('latePairs'),
    dropped: sum('dropped'),
    errors: sum('errors'),
  };
}

/** How far one of its tasks has come; null: there is no such task. */
export function progressOf(
  running: Running | null,
  { subtopology, partition }: TaskName,
): TaskProgress | null {
  const task = running?.tasks.find(
    ({ options: { name } }) => name.subtopology === subtopology && name.partition === partition,
  );
  if (running === null || task === undefined) return null;
  return { state: running.paused ? 'PAUSED' : task.state, ...task.progress };
}

/** Why a query has ended or could not begin, or that it waits for room; null while it runs. */
export function errorOf(running: Running | null): Error | null {
  return running?.error ?? running?.tasks.find((task) => task.error !== null)?.error ?? null;
}

/**
 * Waits until every task that still runs has taken in all there is and delivered all it made.
 * @throws why a query has ended, or has no room: it will not have taken in what there is
 */
export async function idle(queries: Queries, log: Log): Promise<void> {
  const tasks = () => [...queries.all.values()].flatMap((running) => running.tasks);
  // Room may have been made: those that wait for some find out at once.
  for (const task of tasks()) {
    // A turn that is under way may have failed already, before there was room.
    if (task.isInTurn) await task.changedSince(task.ended);
    const { error, ended } = task;
    if (error === null) continue;
    task.wake?.();
    await task.changedSince(ended);
  }
  await settle(tasks, log);
  for (const running of queries.all.values()) {
    const error = running.paused ? null : errorOf(running);
    if (error !== null) throw error;
  }
}

/** ERROR as soon as one task has ended so; why is in `errorOf`. */
export function stateOf(running: Running | null): QueryState {
  const states = (running?.tasks ?? []).map((task) => task.state);
  if (running?.paused === true) return 'PAUSED';
  if (states.includes('ERROR') || running?.error !== undefined) return 'ERROR';
  return states.includes('FENCED') ? 'FENCED' : 'RUNNING';
}

/** Stops the query and forgets its state and internal topics. */
export async function terminateQuery(queries: Queries, host: Host, id: string): Promise<void> {
  const running = await queries.stop(id);
  if (running !== null) await removeQuery(host, running.plan);
}

/** Forgets what a query that does not run any more has left. */
async function removeQuery({ log, store }: Host, plan: Plan): Promise<void> {
  for (const name of tasksOf(plan)) await store.remove(taskId(name));
  for (const { name } of plan.internalTopics) await unlessGone(() => log.remove(name));
}

/** Work on a topic, which need not be done where that is gone already. */
export async function unlessGone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'UNKNOWN_TOPIC') throw thrown;
  }
}

/** Takes away again what the last statement was to take away: it may have been cut short after it was logged. */
export async function takeAway(
  host: Host,
  ended: readonly Plan[],
  last: CatalogEntry | null,
): Promise<void> {
  for (const plan of ended) await removeQuery(host, plan);
  if (last?.change.change !== 'drop' || last.change.topic === null) return;
  const { name, incarnation } = last.change.topic;
  const there = await host.log.describe(name);
  if (there?.incarnation === incarnation) await unlessGone(() => host.log.remove(name));
}
