// One Worker of the pool as the engine's thread sees it: calls to it, its calls, news of its tasks and of its end; knows no placement.

import { answerCalls } from '../ports/answers.ts';
import { Calls } from '../ports/calls.ts';
import type { Host } from '../ports/host.ts';
import { behindMicrotasks } from '../ports/behind-microtasks.ts';
import { Line } from '../ports/line.ts';
import type { TaskId } from '../ports/store.ts';
import type { StartedWorker } from '../ports/workers.ts';
import { NEWS, type TaskStatus, TO_ENGINE, TO_WORKER } from './messages.ts';
import { ServedPorts } from './served-ports.ts';
import type { TaskWorker } from './task-worker.ts';

/** What a task is told of. */
interface Watching {
  readonly status: (status: TaskStatus) => void;
  /** The Worker is no more. */
  readonly end: () => void;
}

export class PooledWorker {
  readonly #started: StartedWorker;
  readonly #calls: Calls<TaskWorker>;
  readonly #ports: ServedPorts;
  readonly #onEnd: () => void;
  readonly #watching = new Map<TaskId, Watching>();
  readonly #ended: Promise<void>;
  #error: Error | null = null;

  /** @param onEnd called when the Worker is no more, before anybody else hears of it */
  constructor(started: StartedWorker, host: Host, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#started = started;
    const line = new Line(started.end, behindMicrotasks);
    const news = line.channel(NEWS);
    this.#calls = new Calls(line.channel(TO_WORKER));
    this.#ports = new ServedPorts(host, news);
    answerCalls(line.channel(TO_ENGINE), this.#ports);
    news.receive((message) => {
      const status = message as TaskStatus;
      this.#watching.get(status.task)?.status(status);
    });
    this.#ended = started.ended.then((error) => this.#end(error));
  }

  /** Why it is no more; null while it is. */
  get error(): Error | null {
    return this.#error;
  }

  /** Calls the Worker. @throws what it throws; why it has ended */
  readonly call: Calls<TaskWorker>['call'] = async (...call) => {
    if (this.#error !== null) throw this.#error;
    return await this.#calls.call(...call);
  };

  /** Takes news of a task; null: nobody does. */
  watch(task: TaskId, watching: Watching | null): void {
    if (watching === null) this.#watching.delete(task);
    else this.#watching.set(task, watching);
  }

  /** Whatever it still says is not heard: its tasks may be another Worker's by then. */
  #end(error: Error): void {
    this.#error = error;
    this.#onEnd();
    for (const { end } of this.#watching.values()) end();
    this.#watching.clear();
    this.#ports.close();
    this.#calls.end(error);
  }

  async terminate(): Promise<void> {
    await this.#started.terminate();
    await this.#ended;
  }
}
