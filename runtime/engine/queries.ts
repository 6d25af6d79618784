// The persistent queries of one engine, as tasks in this process; knows no SQL.

import { PortError } from '../base/errors.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Plan } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import { Task } from '../task/task.ts';
import { taskId, tasksOf } from '../task/topology.ts';
import { withParts } from '../task/with-parts.ts';
import { loadFunctions } from './functions.ts';
import { SETTLE } from './own-parts.ts';
import { ensureTopic, internalTopic } from './system.ts';

/** What a running query has done; totals that survive restarts. */
export interface QueryStats {
  /** Records read from its sources. */
  readonly in: number;
  /** Records written to its sink. */
  readonly out: number;
  /** Records dropped from every window they could belong to. */
  readonly late: number;
  /** Pairs of record and window that were dropped. */
  readonly latePairs: number;
  /** Rows dropped because they had no key or no value to group. */
  readonly dropped: number;
  /** Records skipped and expressions that failed: as many entries in the processing log. */
  readonly errors: number;
}

export type QueryState = 'RUNNING' | 'PAUSED' | 'ERROR' | 'FENCED';

interface Running {
  readonly plan: Plan;
  readonly tasks: readonly Task[];
  /** true: its tasks are stopped, and what they have done can still be asked. */
  readonly paused: boolean;
}

export interface QueriesOptions {
  readonly host: Host;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
}

/** Starts, watches and ends persistent queries. */
export class Queries {
  readonly #options: QueriesOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  /** The plan of a query that runs. */
  plan(id: string): Plan | null {
    return this.#running.get(id)?.plan ?? null;
  }

  /**
   * Makes the query's internal topics and starts its tasks, which go on from their last commit, in the place of what runs under its id.
   * @param paused it keeps its state and takes nothing in
   */
  async start(plan: Plan, paused = false): Promise<void> {
    const { host, registry } = this.#options;
    const before = this.#running.get(plan.query)?.tasks ?? [];
    await stopped(before);
    await loadFunctions(plan, registry);
    for (const { name, partitions } of plan.internalTopics) {
      await ensureTopic(host.log, internalTopic(name, partitions));
    }
    const tasks = paused ? before : this.#tasksOf(plan);
    this.#running.set(plan.query, { plan, tasks, paused });
    if (!paused) for (const task of tasks) task.start();
  }

  #tasksOf(plan: Plan): readonly Task[] {
    const { host, formats, registry } = this.#options;
    return tasksOf(plan).map(
      (name) =>
        new Task({
          name,
          plan,
          log: host.log,
          store: host.store,
          clock: host.clock,
          formats,
          registry,
          kernel: host.kernel,
          commitIntervalMs: host.commitIntervalMs,
        }),
    );
  }

  /** Stops the query and forgets its state and internal topics. */
  async terminate(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    await stopped(running.tasks);
    await this.remove(running.plan);
  }

  /** Forgets what a query that does not run any more has left. */
  async remove(plan: Plan): Promise<void> {
    const { log, store } = this.#options.host;
    for (const name of tasksOf(plan)) await store.remove(taskId(name));
    for (const { name } of plan.internalTopics) await removeTopic(() => log.remove(name));
  }

  stats(id: string): QueryStats {
    const sum = (name: string) => {
      let total = 0;
      for (const task of this.#running.get(id)?.tasks ?? []) {
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

  /** ERROR as soon as one task has ended so; why is in `errorOf`. */
  stateOf(id: string): QueryState {
    const running = this.#running.get(id);
    const states = (running?.tasks ?? []).map((task) => task.state);
    if (running?.paused === true) return 'PAUSED';
    if (states.includes('ERROR')) return 'ERROR';
    return states.includes('FENCED') ? 'FENCED' : 'RUNNING';
  }

  errorOf(id: string): Error | null {
    for (const task of this.#running.get(id)?.tasks ?? [])
      if (task.error !== null) return task.error;
    return null;
  }

  /** Waits until every task that still runs has taken in all there is and delivered all it made. */
  async idle(): Promise<void> {
    const { settle } = await withParts(() => SETTLE.code);
    await settle(
      () => [...this.#running.values()].flatMap(({ tasks }) => tasks),
      this.#options.host.log,
    );
  }

  async close(): Promise<void> {
    const tasks = [...this.#running.values()].flatMap((running) => running.tasks);
    this.#running.clear();
    await stopped(tasks);
  }
}

async function stopped(tasks: readonly Task[]): Promise<void> {
  await Promise.all(tasks.map((task) => task.stop()));
}

/** A topic that is gone already is as good as removed. */
export async function removeTopic(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'UNKNOWN_TOPIC') throw thrown;
  }
}
