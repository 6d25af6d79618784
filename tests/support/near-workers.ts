// Workers for tasks in the test's own thread, each over a channel of its own, that end where a test says; knows no test.

import { PortError } from '../../runtime/base/errors.ts';
import { loadFunctions } from '../../runtime/engine/functions.ts';
import { builtinRegistry } from '../../runtime/functions/builtins.ts';
import { systemClock } from '../../runtime/memory/system-clock.ts';
import { runTasks } from '../../runtime/pool/task-worker.ts';
import { behindMicrotasks } from '../../runtime/ports/behind-microtasks.ts';
import { Line, type MessageEnd } from '../../runtime/ports/line.ts';
import type { StartedWorker, Workers } from '../../runtime/ports/workers.ts';

/** All that a thread does but its being one: messages are clones, buffers are handed over, and its end is sudden. */
export class NearWorkers implements Workers {
  readonly bringFunctions = false;
  readonly #lives: number[];
  readonly #stateBytesMax: number | undefined;
  /** Workers that were ever started. */
  started = 0;

  /**
   * @param lives how many messages the first Workers send, in the order of their start: the last of them is heard, and what answers it is not
   * @param stateBytesMax what a task may keep resident in one
   */
  constructor(lives: readonly number[] = [], stateBytesMax?: number) {
    this.#stateBytesMax = stateBytesMax;
    this.#lives = [...lives];
  }

  async start(number: number): Promise<StartedWorker> {
    this.started += 1;
    const { port1, port2 } = new MessageChannel();
    let left = this.#lives.shift() ?? Infinity;
    let end = (): void => undefined;
    const ended = new Promise<Error>((resolve) => {
      end = () => {
        left = 0;
        resolve(new PortError('UNAVAILABLE', `Worker ${number} has ended`));
        // What was said before is heard.
        setImmediate(() => port2.close());
      };
    });
    const far: MessageEnd = {
      postMessage: (message, transfer) => {
        if (left <= 0) return;
        left -= 1;
        port2.postMessage(message, transfer);
        if (left === 0) end();
      },
      addEventListener: (type, listener) =>
        port2.addEventListener(type, (event) => {
          if (left > 0) listener(event);
        }),
      start: () => port2.start(),
    };
    const registry = builtinRegistry();
    const line = new Line(far, behindMicrotasks);
    const stateBytesMax = this.#stateBytesMax;
    runTasks(line, { clock: systemClock, registry, loadFunctions, stateBytesMax });
    const terminate = async (): Promise<void> => end();
    return { end: port1, ended, terminate };
  }
}
