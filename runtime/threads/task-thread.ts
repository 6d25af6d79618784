// What a thread of Node's runs that is a Worker of an engine; knows no engine.

import { loadFunctions } from '../engine/functions.ts';
import { announceParts } from '../engine/parts.ts';
import { loadWholeKernel } from '../engine/whole-kernel.ts';
import { builtinRegistry } from '../functions/builtins.ts';
import { systemClock } from '../memory/system-clock.ts';
import { runTasks } from '../pool/task-worker.ts';
import { behindMicrotasks } from '../ports/behind-microtasks.ts';
import { Line } from '../ports/line.ts';
import { workerThreads } from './builtin.ts';
import type { ThreadData } from './threads.ts';

const { port } = workerThreads().workerData as ThreadData;
announceParts();
// Plans of the engine may count on it.
await loadWholeKernel();
runTasks(new Line(port, behindMicrotasks), {
  clock: systemClock,
  registry: builtinRegistry(),
  loadFunctions,
});
