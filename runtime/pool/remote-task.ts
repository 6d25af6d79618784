// A task that runs in a Worker, as the engine sees it: as if it ran here, whatever becomes of the Worker; knows no message.

import { isPassing, messageOf, PortError } from '../base/errors.ts';
import { WORKER_ENDS_MAX } from '../base/limits.ts';
import type { CounterEntry } from '../ports/store.ts';
import { fromWire } from '../ports/from-wire.ts';
import { Task, type TaskOptions, type TaskState } from '../task/task.ts';
import { taskId } from '../task/topology.ts';
import type { TaskStatus } from './messages.ts';
import type { PooledWorker } from './pooled-worker.ts';

/** What an engine asks of a task, wherever it runs. */
export type RunningTask = Pick<
  Task,
  | 'options'
  | 'state'
  | 'error'
  | 'counters'
  | 'progress'
  | 'isInTurn'
  | 'turns'
  | 'ended'
  | 'changedSince'
  | 'restore'
  | 'start'
  | 'stop'
> &
  /** A Worker's is woken by its log alone. */
  Partial<Pick<Task, 'wake'>>;

/** Where a task runs. */
export interface Place {
  /** The number of its Worker, from 1 on; null: the engine's own thread. */
  readonly worker: number | null;
  /** Why it is not in a Worker; null: it is. */
  readonly why: string | null;
}

/** The Worker of a task's partition: the one that is there, or another in its place. */
export interface Seat {
  readonly number: number;
  worker(): Promise<PooledWorker>;
}

const RETRY_FIRST_MS = 50;
const MOVED_BACK = 'its state is larger than a Worker keeps resident';

/** What goes on when the state has outgrown the Worker. */
function isTooLarge(error: Error | null): boolean {
  return error instanceof PortError && error.detail['limit'] === 'RESIDENT_STATE_BYTES_MAX';
}

/** Made by the pool. Where its Worker ends, the task is loaded in the next one. */
export class RemoteTask implements RunningTask {
  readonly options: TaskOptions;
  readonly #seat: Seat;
  readonly #id: string;
  #state: TaskState = 'RUNNING';
  #error: Error | null = null;
  /** The last news from the Worker that it is in; null: there is none yet. */
  #status: TaskStatus | null = null;
  #counters: readonly CounterEntry[] = [];
  #progress: Task['progress'] = { positions: [], isDelivered: false };
  #turns = 0;
  #ended = 0;
  /** Workers that have ended since the task last did something. */
  #workersEnded = 0;
  /** Once the state has outgrown the Worker: begins when that has let go of it. */
  #home: Task | null = null;
  #loop: Promise<void> | null = null;
  /** Ends what the loop waits for: the task is to leave its Worker, or waits in vain for one. */
  #leave: () => void = () => undefined;
  readonly #watchers: (() => void)[] = [];

  constructor(options: TaskOptions, seat: Seat) {
    this.options = options;
    this.#seat = seat;
    this.#id = taskId(options.name);
  }

  get place(): Place {
    return this.#home === null
      ? { worker: this.#seat.number, why: null }
      : { worker: null, why: MOVED_BACK };
  }

  get state(): TaskState {
    return this.#home?.state ?? this.#state;
  }

  get error(): Error | null {
    return this.#home === null ? this.#error : this.#home.error;
  }

  get counters(): readonly CounterEntry[] {
    const { counters } = this.#home ?? {};
    return counters === undefined || counters.length === 0 ? this.#counters : counters;
  }

  get progress(): Task['progress'] {
    return this.#home?.progress ?? this.#progress;
  }

  get isInTurn(): boolean {
    if (this.#home !== null) return this.#home.isInTurn;
    return this.#state === 'RUNNING' && this.#loop !== null && this.#status?.isInTurn !== false;
  }

  get turns(): number {
    return this.#turns + (this.#home?.turns ?? 0);
  }

  get ended(): number {
    return this.#ended + (this.#home?.ended ?? 0);
  }

  async changedSince(ended: number): Promise<void> {
    if (this.#home !== null) return this.#home.changedSince(ended - this.#ended);
    if (this.#state !== 'RUNNING' || this.#ended > ended) return;
    await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  async restore(): Promise<void> {
    try {
      const { name, plan } = this.options;
      const worker = await this.#seat.worker();
      this.#show(await worker.call('restore', [{ name, plan }]));
    } catch (thrown) {
      if (isPassing(thrown)) throw thrown;
      this.#end('ERROR', thrown);
    }
    await this.#home?.restore();
    this.#end('STOPPED', null);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end('STOPPED', null);
    await this.#loop;
    await this.#home?.stop();
  }

  async #run(): Promise<void> {
    while (this.#state === 'RUNNING') {
      try {
        await this.#inWorker(await this.#seat.worker());
      } catch (thrown) {
        await this.#lost(thrown);
      }
    }
    this.#home?.start();
  }

  /** Until the task or the Worker ends. @throws why the Worker has ended */
  async #inWorker(worker: PooledWorker): Promise<void> {
    if (this.#state !== 'RUNNING') return;
    const { name, plan } = this.options;
    this.#status = null;
    // No race with the Worker's end: something of each would stay with that for as long as the Worker lives.
    const isOver = new Promise<void>((resolve) => {
      this.#leave = resolve;
      worker.watch(this.#id, { status: (status) => this.#show(status), end: resolve });
    });
    try {
      await worker.call('start', [{ name, plan }]);
      await isOver;
    } finally {
      worker.watch(this.#id, null);
    }
    await worker.call('stop', [this.#id]);
  }

  /** The Worker has ended under the task, or none could be started. */
  async #lost(thrown: unknown): Promise<void> {
    this.#status = null;
    if (this.#state !== 'RUNNING') return;
    this.#workersEnded += 1;
    if (this.#workersEnded > WORKER_ENDS_MAX || !isPassing(thrown)) {
      this.#end('ERROR', thrown);
      return;
    }
    const { clock } = this.options;
    const waitMs = RETRY_FIRST_MS * 2 ** this.#workersEnded;
    let cancel = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#leave = resolve;
      cancel = clock.wakeAt(clock.now() + waitMs, resolve);
    });
    cancel();
  }

  #show(status: TaskStatus): void {
    const { turns, ended, state, error, counters, positions, isDelivered } = status;
    this.#turns += turns - (this.#status?.turns ?? 0);
    this.#ended += ended - (this.#status?.ended ?? 0);
    if (turns > 0) this.#workersEnded = 0;
    this.#status = status;
    // Before its first turn it has not looked.
    if (positions.length > 0) {
      this.#counters = counters;
      this.#progress = { positions, isDelivered };
    }
    this.#error = error && fromWire(error);
    if (state !== 'RUNNING') this.#end(state, this.#error);
    this.#tell();
  }

  #end(state: TaskState, thrown: unknown): void {
    if (this.#state !== 'RUNNING') return;
    this.#state = state;
    if (thrown !== null) {
      this.#error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
      if (isTooLarge(this.#error)) this.#home = new Task(this.options);
      else this.options.onEnd?.(state, this.#error);
    }
    this.#leave();
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}
