// The persistent queries of one engine, as tasks in this process; knows no SQL.

import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { WHOLE_KERNEL } from '../operators/parts.ts';
import { needsWhole } from '../plan/lower.ts';
import type { Plan } from '../plan/step.ts';
import type { RunningTask } from '../pool/remote-task.ts';
import type { TaskPool } from '../pool/task-pool.ts';
import type { Host } from '../ports/host.ts';
import { Sharing } from '../task/sharing.ts';
import { Task, type TaskOptions } from '../task/task.ts';
import { tasksOf } from '../task/topology.ts';
import { withParts } from '../task/with-parts.ts';
import { loadFunctions } from './functions.ts';
import { RARE_PLANS } from './own-parts.ts';
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

export type QueryState = 'RUNNING' | 'PAUSED' | 'ERROR' | 'FENCED' | 'UNRESPONSIVE';

/** A query that runs, or is paused. */
export interface Running {
  readonly plan: Plan;
  readonly tasks: readonly RunningTask[];
  /** true: its tasks are stopped, and what they have done can still be asked. */
  readonly paused: boolean;
  /** Why it could not be started; absent: it was. */
  readonly error?: Error | undefined;
}

export interface QueriesOptions {
  readonly host: Host;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  /** null: all tasks are in this thread. */
  readonly pool: TaskPool | null;
}

/** Starts, keeps and stops persistent queries; what else is asked of them is in query-work.ts. */
export class Queries {
  readonly #options: QueriesOptions;
  readonly #running = new Map<string, Running>();
  /** Of all tasks in this thread. */
  readonly sharing = new Sharing();

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  running(id: string): Running | null {
    return this.#running.get(id) ?? null;
  }

  /** Every query that runs or is paused, by its id. */
  get all(): ReadonlyMap<string, Running> {
    return this.#running;
  }

  /** The plan of a query that runs. */
  plan(id: string): Plan | null {
    return this.running(id)?.plan ?? null;
  }

  /**
   * Makes the query's internal topics and starts its tasks, which go on from their last commit, in the place of what runs under its id.
   * What its kernel does not do runs on the row path, whatever it was planned for.
   * @param paused it keeps its state, with its rows in the columns that the plan gives them, and takes nothing in
   * @throws what the host refuses: it is known, and does not run until it is started again
   */
  async start(planned: Plan, paused = false): Promise<void> {
    try {
      await this.#start(planned, paused);
    } catch (thrown) {
      const known = { plan: planned, tasks: [], paused: false, error: thrown as Error };
      this.#running.set(planned.query, known);
      throw thrown;
    }
  }

  async #start(planned: Plan, paused: boolean): Promise<void> {
    const { host, registry } = this.#options;
    const isWhole = WHOLE_KERNEL.fetched !== null;
    const plan =
      host.kernel === null || (!isWhole && planned.subtopologies.some(needsWhole))
        ? await withParts(() => RARE_PLANS.code.onRowPath(planned, host.kernel !== null))
        : planned;
    const before = this.running(plan.query)?.tasks ?? [];
    await stopped(before);
    await loadFunctions(plan, registry);
    for (const { name, partitions } of plan.internalTopics) {
      await ensureTopic(host.log, internalTopic(name, partitions));
    }
    const tasks = paused && plan.moved === undefined ? before : this.#tasksOf(plan);
    if (paused && tasks !== before) for (const task of tasks) await task.restore();
    this.#running.set(plan.query, { plan, tasks, paused });
    if (!paused) for (const task of tasks) task.start();
  }

  #tasksOf(plan: Plan): readonly RunningTask[] {
    const { host, formats, registry, pool } = this.#options;
    return tasksOf(plan).map((name) => {
      const options: TaskOptions = {
        name,
        plan,
        log: host.log,
        store: host.store,
        clock: host.clock,
        formats,
        registry,
        kernel: host.kernel,
        sharing: this.sharing,
        commitIntervalMs: host.commitIntervalMs,
      };
      return pool?.task(options) ?? new Task(options);
    });
  }

  /** Stops the query, which is not known any more then; what ran. Its state stays. */
  async stop(id: string): Promise<Running | null> {
    const running = this.running(id);
    this.#running.delete(id);
    await stopped(running?.tasks ?? []);
    return running;
  }

  async close(): Promise<void> {
    const tasks = [...this.#running.values()].flatMap((running) => running.tasks);
    this.#running.clear();
    await stopped(tasks);
  }
}

async function stopped(tasks: readonly RunningTask[]): Promise<void> {
  await Promise.all(tasks.map((task) => task.stop()));
}
