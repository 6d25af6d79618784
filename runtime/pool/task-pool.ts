// Spreads the tasks of an engine over Workers: which task goes where, and which stay; knows no message.

import { PortError } from '../base/errors.ts';
import { WORKERS_MAX } from '../base/limits.ts';
import type { Step } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Workers } from '../ports/workers.ts';
import { Task, type TaskOptions } from '../task/task.ts';
import { subtopologyOf } from '../task/topology.ts';
import { PooledWorker } from './pooled-worker.ts';
import { type Place, RemoteTask, type RunningTask, type Seat } from './remote-task.ts';

export interface PoolOptions {
  readonly host: Host;
  /** How many Workers, 2 .. WORKERS_MAX. */
  readonly workers: number;
  /** Names of functions of the user's own, in capitals. */
  readonly ownFunctions: readonly string[];
}

/**
 * Starts the Workers.
 * @throws {RangeError} when there are not 1 .. WORKERS_MAX of them; {PortError} UNAVAILABLE when the host starts none
 */
export async function startPool(options: PoolOptions): Promise<TaskPool> {
  const { host, workers: count } = options;
  if (!Number.isInteger(count) || count < 1 || count > WORKERS_MAX)
    throw new RangeError(`workers: ${count} is not 1 .. ${WORKERS_MAX} (WORKERS_MAX)`);
  if (host.workers === undefined)
    throw new PortError('UNAVAILABLE', `workers: ${count} needs a host that starts Workers`);
  const pool = new TaskPool(options, host.workers);
  try {
    await pool.start();
  } catch (thrown) {
    await pool.close();
    throw thrown;
  }
  return pool;
}

/** Made by `startPool`. */
export class TaskPool {
  readonly #workers: Workers;
  readonly #ownFunctions: ReadonlySet<string>;
  readonly #seats: readonly PoolSeat[];
  readonly #places = new WeakMap<RunningTask, Place>();

  constructor({ host, workers: count, ownFunctions }: PoolOptions, workers: Workers) {
    this.#workers = workers;
    this.#ownFunctions = new Set(ownFunctions);
    this.#seats = Array.from({ length: count }, (_, i) => new PoolSeat(i + 1, host, workers));
  }

  async start(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.worker()));
  }

  /** A task in the Worker of its partition, or here where it cannot go. */
  task(options: TaskOptions): RunningTask {
    const why = this.#whyHere(options);
    const seat = this.#seats[options.name.partition % this.#seats.length];
    if (why === null && seat !== undefined) return new RemoteTask(options, seat);
    const task = new Task(options);
    this.#places.set(task, { worker: null, why });
    return task;
  }

  /** Where it runs. */
  placeOf(task: RunningTask): Place {
    if (task instanceof RemoteTask) return task.place;
    return this.#places.get(task) ?? { worker: null, why: null };
  }

  /** Why a task stays on the engine's thread; null: it need not. */
  #whyHere({ plan, name }: TaskOptions): string | null {
    const part = subtopologyOf(plan, name.subtopology);
    if (part.partitions === 1) return 'it has one partition';
    if (this.#workers.bringFunctions) return null;
    if (part.steps.some(({ step }) => step === 'process'))
      return 'code of a processor cannot be sent to a Worker';
    const called = part.steps.map((step) => this.#ownFunctionOf(step)).find((own) => own !== null);
    return called === undefined ? null : `the function ${called} cannot be sent to a Worker`;
  }

  /** A function of the user's own that a step calls: plans are plain JSON, and name functions in members of that name. */
  #ownFunctionOf(step: Step): string | null {
    if (this.#ownFunctions.size === 0) return null;
    let found: string | null = null;
    JSON.stringify(step, (key, value: unknown) => {
      if (key === 'function' && typeof value === 'string' && this.#ownFunctions.has(value))
        found = value;
      return value;
    });
    return found;
  }

  /** Ends the Workers; tasks are to be stopped before. */
  async close(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }
}

class PoolSeat implements Seat {
  readonly number: number;
  readonly #host: Host;
  readonly #workers: Workers;
  #worker: Promise<PooledWorker> | null = null;
  #isClosed = false;

  constructor(number: number, host: Host, workers: Workers) {
    this.number = number;
    this.#host = host;
    this.#workers = workers;
  }

  /** @throws {PortError} UNAVAILABLE */
  async worker(): Promise<PooledWorker> {
    if (this.#isClosed) throw new PortError('UNAVAILABLE', 'the engine is closed');
    return await (this.#worker ??= this.#start());
  }

  async #start(): Promise<PooledWorker> {
    const { kernel, commitIntervalMs, store } = this.#host;
    // Whoever asks next gets another one.
    const onEnd = (): void => {
      this.#worker = null;
    };
    try {
      const worker = new PooledWorker(await this.#workers.start(this.number), this.#host, onEnd);
      await worker.call('begin', [{ kernel, commitIntervalMs, delivers: store.delivers === true }]);
      return worker;
    } catch (thrown) {
      onEnd();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = await this.#worker?.catch(() => null);
    await worker?.terminate();
  }
}
