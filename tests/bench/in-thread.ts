// A subject in a thread of its own, with a heap and compiled code that no other has touched; knows no suite.

import { once } from 'node:events';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { Subject, Timed } from './run.ts';

/** A subject that is to be ended. */
export interface Running extends Subject {
  readonly end: () => unknown;
}

/** `file` of this folder says 'ready', then answers each message by a run; a message takes a tenth of a millisecond. */
export async function inThread(subject: string, file: string, work: unknown): Promise<Running> {
  const worker = new Worker(resolve(import.meta.dirname, file), { workerData: work });
  await once(worker, 'message');
  const run = async (): Promise<number | Timed> => {
    worker.postMessage('run', []);
    const [answer] = (await once(worker, 'message')) as [number | Timed];
    return answer;
  };
  return { subject, prepare: () => run, end: () => worker.terminate() };
}
