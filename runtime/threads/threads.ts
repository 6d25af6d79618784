// The workers port over Node's threads; knows no task.

import { messageOf, PortError } from '../base/errors.ts';
import type { MessageEnd } from '../ports/line.ts';
import type { StartedWorker, Workers } from '../ports/workers.ts';
import { workerThreads } from './builtin.ts';

/** What a thread is given. */
export interface ThreadData {
  readonly port: MessageEnd;
}

/** Threads of this process. Code cannot be sent to them: functions of the user's own stay where they are. */
export const threads: Workers = { bringFunctions: false, start };

async function start(number: number): Promise<StartedWorker> {
  const { MessageChannel, Worker } = workerThreads();
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(new URL('./task-thread.ts', import.meta.url), {
    name: `millrace-${number}`,
    workerData: { port: port2 },
    transferList: [port2],
  });
  const ended = new Promise<Error>((resolve) => {
    const end = (why: string, cause?: unknown): void => {
      port1.close();
      resolve(new PortError('UNAVAILABLE', `Worker ${number} ${why}`, {}, { cause }));
    };
    thread.once('error', (thrown: unknown) => end(`failed: ${messageOf(thrown)}`, thrown));
    thread.once('exit', (code) => end(`has ended with code ${code}`));
  });
  return {
    // Node's own types of what is handed over are narrower than a browser's, its ports are not.
    end: port1 as unknown as MessageEnd,
    ended,
    terminate: async () => {
      await thread.terminate();
    },
  };
}
