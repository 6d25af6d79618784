// Spreads the tasks of an engine over Workers: which task goes where, and which stay; knows no message.

import { PortError } from '../base/errors.ts';
import { WORKERS_MAX } from '../base/limits.ts';
import type { Host } from '../ports/host.ts';
import type { Workers } from '../ports/workers.ts';
import { Task, type TaskOptions } from '../task/task.ts';
import { subtopologyOf } from '../task/topology.ts';
import { PooledWorker } from './pooled-worker.ts';
import { type Place, RemoteTask, type RunningTask, type Seat } from './remote-task.ts';

// The Worker's side, so that one file has all that pages with Workers fetch.
export { runTasks } from './task-worker.ts';

export interface PoolOptions {
  readonly host: Host;
  /** How many Workers. */
  readonly workers?: number | undefined;
  /** The user's own. */
  readonly functions?: readonly { readonly name: string }[] | undefined;
}

/**
 * Opens an engine whose tasks are spread over Workers, which live until its host is closed.
 * @param open is given options with such a host
 * @throws {RangeError} when the Workers are not 1 .. WORKERS_MAX; {PortError} UNAVAILABLE when the host starts none
 */
export async function inWorkers<Options extends PoolOptions, Opened>(
  options: Options,
  open: (options: Options, pool: TaskPool) => Promise<Opened>,
): Promise<Opened> {
  const { host, workers: count = 1, functions = [] } = options;
  if (!Number.isInteger(count) || count < 1 || count > WORKERS_MAX)
    throw new RangeError(`workers: ${count} is not 1 .. ${WORKERS_MAX} (WORKERS_MAX)`);
  const { workers } = host;
  if (workers === undefined)
    throw new PortError('UNAVAILABLE', `workers: ${count} needs a host that starts Workers`);
  const seats = Array.from({ length: count }, (_, i) => new PoolSeat(i + 1, host, workers));
  const end = async (): Promise<void> => {
    await Promise.all(seats.map((seat) => seat.close()));
  };
  const close = async (): Promise<void> => {
    await end();
    await host.close();
  };
  try {
    await Promise.all(seats.map((seat) => seat.worker()));
    const own = workers.bringFunctions ? null : new Set(functions.map(({ name }) => name));
    return await open({ ...options, host: { ...host, close } }, new TaskPool(seats, own));
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

const places = new WeakMap<RunningTask, Place>();

/** Where a task of a pool runs; null: it is of none. */
export function placeOf(task: RunningTask): Place | null {
  return task instanceof RemoteTask ? task.place : (places.get(task) ?? null);
}

/** Says which task goes where; made by `inWorkers`. */
export class TaskPool {
  readonly #seats: readonly Seat[];
  readonly #ownFunctions: ReadonlySet<string> | null;

  /** @param ownFunctions names of functions that cannot be sent, nor can processors; null: Workers bring them */
  constructor(seats: readonly Seat[], ownFunctions: ReadonlySet<string> | null) {
    this.#seats = seats;
    this.#ownFunctions = ownFunctions;
  }

  /** A task in the Worker of its partition, or here where it cannot go. */
  task(options: TaskOptions): RunningTask {
    const why = whyHere(options, this.#ownFunctions);
    const seat = this.#seats[options.name.partition % this.#seats.length];
    if (why === null && seat !== undefined) return new RemoteTask(options, seat);
    const task = new Task(options);
    places.set(task, { worker: null, why });
    return task;
  }
}

/** Why a task stays on the engine's thread; null: it need not. */
function whyHere({ plan, name }: TaskOptions, own: ReadonlySet<string> | null): string | null {
  const part = subtopologyOf(plan, name.subtopology);
  if (part.partitions === 1) return 'it has one partition';
  if (own === null) return null;
  let why: string | null = null;
  // Plans are plain JSON, and name functions in members of that name.
  JSON.stringify(part.steps, (key, value: unknown) => {
    if (key === 'step' && value === 'process')
      why = 'code of a processor cannot be sent to a Worker';
    if (key === 'function' && typeof value === 'string' && own.has(value))
      why = `the function ${value} cannot be sent to a Worker`;
    return value;
  });
  return why;
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
    if (this.#worker !== null) return await this.#worker;
    // Whoever asks next gets another one, which the end of this one is nothing to.
    const worker = this.#start(() => {
      if (this.#worker === worker) this.#worker = null;
    });
    this.#worker = worker;
    return await worker;
  }

  async #start(onEnd: () => void): Promise<PooledWorker> {
    const { kernel, commitIntervalMs, store } = this.#host;
    let worker: PooledWorker | null = null;
    try {
      worker = new PooledWorker(await this.#workers.start(this.number), this.#host, onEnd);
      await worker.call('begin', [{ kernel, commitIntervalMs, delivers: store.delivers === true }]);
      return worker;
    } catch (thrown) {
      onEnd();
      await worker?.terminate();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = await this.#worker?.catch(() => null);
    await worker?.terminate();
  }
}
