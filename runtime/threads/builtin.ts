// Node's threads, asked of the process and not imported: no bundler for pages or Workers ever looks for them; knows no task.

import type * as WorkerThreads from 'node:worker_threads';
import { PortError } from '../base/errors.ts';

/** @throws {PortError} UNAVAILABLE where there is no Node, or an older one */
export function workerThreads(): typeof WorkerThreads {
  const found =
    typeof process === 'undefined'
      ? undefined
      : process.getBuiltinModule?.<'node:worker_threads'>('node:worker_threads');
  if (found !== undefined) return found;
  throw new PortError(
    'UNAVAILABLE',
    'several Workers need node:worker_threads, as Node has it since 22.3; `workers: 1` runs everything in one thread',
  );
}
