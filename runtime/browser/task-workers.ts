// The workers port in pages: Workers that the engine's Worker starts from its own script, and their side of it; knows no task.

import { loadFunctions } from '../engine/functions.ts';
import { POOL } from '../engine/own-parts.ts';
import { announceParts, loadParts } from '../engine/parts.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import { PortError } from '../base/errors.ts';
import { systemClock } from '../memory/system-clock.ts';
import { Calls } from '../ports/calls.ts';
import { whenFree } from './held-lock.ts';
import { behindMicrotasks } from '../ports/behind-microtasks.ts';
import { Line } from '../ports/line.ts';
import type { StartedWorker, Workers } from '../ports/workers.ts';
import { JSON_MODULE } from '../task/parts.ts';
import { withParts } from '../task/with-parts.ts';
import { announceJson } from './host.ts';
import type { EngineCalls } from './remote.ts';

/**
 * They run the script that runs here, and so bring whatever functions and processors it registers.
 * @param preload all their code is fetched before they begin
 */
export function taskWorkers(preload: boolean): Workers {
  return { bringFunctions: true, start: (number) => start(number, preload) };
}

/** How the script that runs here was started: webpack, Rspack, Turbopack and Parcel make a classic one of the module. */
export function scriptType(): WorkerType {
  try {
    // Not by its bare name, which Parcel refuses in what was written as a module. The page's types do not know it. Of nothing a module of
    // Firefox takes it.
    (self as unknown as { importScripts(url: string): void }).importScripts('http://');
  } catch (thrown) {
    // A classic script says of the address that it is none, and asks for nothing.
    if (!(thrown instanceof TypeError)) return 'classic';
  }
  return 'module';
}

async function start(number: number, preload: boolean): Promise<StartedWorker> {
  const worker = new Worker(self.location.href, { type: scriptType(), name: `millrace-${number}` });
  const calls: EngineCalls = new Calls(new Line(worker, behindMicrotasks).channel(0));
  const watch = new AbortController();
  let end = (_why: string): void => undefined;
  const ended = new Promise<Error>((resolve) => {
    end = (why) => {
      const error = new PortError('UNAVAILABLE', `Worker ${number} ${why}`);
      watch.abort();
      worker.terminate();
      calls.end(error);
      resolve(error);
    };
  });
  worker.addEventListener('error', ({ message }) =>
    end(`failed: ${message || 'its script could not be loaded'}`),
  );
  whenFree(await calls.call('hello', []), watch.signal, () => end('has ended'));
  const { port1, port2 } = new MessageChannel();
  await calls.call('runTasks', [port2, preload], [port2]);
  return {
    end: port1,
    ended,
    terminate: async () => {
      end('was ended');
    },
  };
}

/** The other side: tasks run here from now on, for the engine at the other end of the port. */
export async function serveTasks(
  port: MessagePort,
  preload: boolean,
  registry: FunctionRegistry,
): Promise<void> {
  announceParts();
  announceJson();
  if (preload) await Promise.all([loadParts(), JSON_MODULE.load()]);
  const { runTasks } = await withParts(() => POOL.code);
  const line = new Line(port, behindMicrotasks);
  runTasks(line, { clock: systemClock, registry, loadFunctions });
}
