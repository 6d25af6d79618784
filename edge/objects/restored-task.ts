// A task's object after a restore: asks partitions what has become of its inputs and outputs, and notes where the task goes on; runs no turn.

import { messageOf, type PortError } from '../../runtime/base/errors.ts';
import { taskId } from '../../runtime/task/topology.ts';
import { remoteRestores } from '../adapters/remote-restores.ts';
import type { SqliteStore } from '../adapters/sqlite-store.ts';
import type { EdgeEnv } from '../env.ts';
import { afterRestore, begunOnLost, madeOfLost, type Moved } from './after-restore.ts';
import type { Process, ProcessorTables } from './processor-tables.ts';

const NOTHING = { streamTimes: [], counters: [], changes: [], outbox: [] };

export interface RestoredTaskOptions {
  readonly env: EdgeEnv;
  readonly storage: DurableObjectStorage;
  readonly tables: ProcessorTables;
  readonly store: SqliteStore;
}

/** Every method: @throws {PortError} UNAVAILABLE when an object does not answer */
export class RestoredTask {
  readonly #options: RestoredTaskOptions;

  constructor(options: RestoredTaskOptions) {
    this.#options = options;
  }

  /** Why it must not begin; null: it may. */
  async refusal(process: Process): Promise<PortError | null> {
    const { store } = this.#options;
    return store.hasOnlyBegun(taskId(process.task)) ? this.lost(process) : null;
  }

  /** What it has written that it must not take for what it is about to make; null: nothing. */
  lost({ tenant, task: name, plan }: Process): Promise<PortError | null> {
    const { env, store } = this.#options;
    const id = taskId(name);
    const judge = store.hasOnlyBegun(id) ? begunOnLost : madeOfLost;
    return judge(remoteRestores(env, tenant), { plan, name }, store.loadNow(id));
  }

  /** As `afterRestore`, of a task that has ended with that error. */
  ended({ tenant, task }: Process, error: Error | null): ReturnType<typeof afterRestore> {
    const { env, store } = this.#options;
    const { offsets } = store.position(taskId(task));
    return afterRestore({ restores: remoteRestores(env, tenant), offsets, error });
  }

  /** Notes where it goes on. Its inputs may have forgotten who is to be woken. */
  async move(process: Process, { moved: offsets, endings }: Moved): Promise<void> {
    const { storage, tables, store } = this.#options;
    const task = taskId(process.task);
    // Where nothing was made that is not there already, what it makes is new, whatever it is made of.
    const { commanded } = tables;
    const lost = await this.lost(process);
    // Another plan, or its end, has come meanwhile.
    if (tables.commanded !== commanded) return;
    storage.transactionSync(() => {
      const { commit: after } = store.loadNow(task);
      store.commitNow(task, { ...NOTHING, after, offsets });
      tables.setSubscribed(false);
      if (lost === null) return;
      tables.setEndings(endings);
      // How several go together has changed from where they are on.
      if (store.position(task).offsets.length > 1) tables.setError(messageOf(lost));
    });
  }
}
