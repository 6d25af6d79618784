// Collects garbage on demand; knows no suite.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage there is, but for what only objects that are collected now hold outside the heap. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** Longer than the collector's other threads clear up what a million keys have left. */
const CLEARING_MS = 100;

/** As `collectGarbage`, and lets its other threads clear up: beside them a few milliseconds of work take twice as long. */
export function collectGarbageWholly(): void {
  collectGarbage();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CLEARING_MS);
}
