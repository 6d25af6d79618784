// A Worker's side of the pool: runs tasks over ports that are calls to the engine's thread; knows no host and no query's text.

import { assert } from '../base/assert.ts';
import { InvariantError } from '../base/errors.ts';
import { FORMATS } from '../formats/formats.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Plan } from '../plan/step.ts';
import { answerCalls } from '../ports/answers.ts';
import { Calls } from '../ports/calls.ts';
import type { Clock } from '../ports/clock.ts';
import type { Line } from '../ports/line.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { TaskId } from '../ports/store.ts';
import { toWire } from '../ports/wire-error.ts';
import { Sharing } from '../task/sharing.ts';
import { Task } from '../task/task.ts';
import { taskId } from '../task/topology.ts';
import {
  NEWS,
  type SentTask,
  type TaskStatus,
  TO_ENGINE,
  TO_WORKER,
  type WorkerSettings,
} from './messages.ts';
import { RemoteLog } from './remote-log.ts';
import { RemoteStore } from './remote-store.ts';
import type { ServedPorts } from './served-ports.ts';

/** What a Worker brings along: it cannot be sent. */
interface WorkerParts {
  readonly clock: Clock;
  readonly registry: FunctionRegistry;
  /** Loads the heavy functions that a plan calls. */
  readonly loadFunctions: (plan: Plan, registry: FunctionRegistry) => Promise<void>;
  /** Bytes of state that a task may keep resident; absent: RESIDENT_STATE_BYTES_MAX. */
  readonly stateBytesMax?: number | undefined;
}

interface Ports extends WorkerSettings {
  readonly log: RemoteLog;
  readonly store: RemoteStore;
}

/** Runs tasks for the engine's thread, which is at the other end of the line. */
export function runTasks(line: Line, parts: WorkerParts): void {
  answerCalls(line.channel(TO_WORKER), new TaskWorker(line, parts));
}

/** What the engine's thread calls. */
export class TaskWorker {
  readonly #parts: WorkerParts;
  readonly #line: Line;
  readonly #sharing = new Sharing();
  /** Those that run here, or are about to. */
  readonly #tasks = new Map<TaskId, Promise<Task>>();
  #ports: Ports | null = null;

  constructor(line: Line, parts: WorkerParts) {
    this.#line = line;
    this.#parts = parts;
  }

  async begin(settings: WorkerSettings): Promise<void> {
    const calls = new Calls<ServedPorts>(this.#line.channel(TO_ENGINE));
    const log = new RemoteLog(calls);
    this.#line.channel(NEWS).receive((at) => log.wake(at as TopicPartition));
    const { delivers } = settings;
    const store = new RemoteStore(calls, delivers, this.#parts.stateBytesMax);
    this.#ports = { ...settings, log, store };
  }

  /** Starts a task; what becomes of it is news. */
  async start(sent: SentTask): Promise<void> {
    const id = taskId(sent.name);
    if (this.#tasks.has(id)) throw new InvariantError(`${id} runs here already`);
    const made = this.#made(sent);
    this.#tasks.set(id, made);
    made.catch(() => this.#tasks.delete(id));
    const task = await made;
    task.start();
    void this.#tell(id, task);
  }

  /** Opens a task and ends it, so that its state is as its plan has it. */
  async restore(sent: SentTask): Promise<TaskStatus> {
    const task = await this.#made(sent);
    const id = taskId(sent.name);
    await task.restore();
    this.#ports?.store.forget(id);
    return statusOf(id, task);
  }

  /** Resolves when the task has ended here, after what it is doing. */
  async stop(id: TaskId): Promise<void> {
    const task = await this.#tasks.get(id);
    await task?.stop();
    this.#tasks.delete(id);
    this.#ports?.store.forget(id);
  }

  async #made({ name, plan }: SentTask): Promise<Task> {
    const { clock, registry, loadFunctions } = this.#parts;
    assert(this.#ports !== null, 'the Worker has not begun');
    const { log, store, kernel, commitIntervalMs } = this.#ports;
    await loadFunctions(plan, registry);
    return new Task({
      name,
      plan,
      log,
      store,
      clock,
      formats: FORMATS,
      registry,
      kernel,
      sharing: this.#sharing,
      commitIntervalMs,
    });
  }

  /** Sends news of the task after each of its turns, until it has ended. */
  async #tell(id: TaskId, task: Task): Promise<void> {
    const news = this.#line.channel(NEWS);
    for (;;) {
      const { ended } = task;
      const status = statusOf(id, task);
      news.send(status, [], true);
      if (status.state !== 'RUNNING') return;
      await task.changedSince(ended);
    }
  }
}

function statusOf(id: TaskId, task: Task): TaskStatus {
  const { state, error, counters, isInTurn, turns, ended } = task;
  const { positions, isDelivered } = task.progress;
  return {
    task: id,
    state,
    error: error && toWire(error),
    counters,
    positions,
    isDelivered,
    isInTurn,
    turns,
    ended,
  };
}
