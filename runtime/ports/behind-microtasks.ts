// Ends the turns of a line behind microtasks, where a thread has little else to do; a file of its own, for pages' Workers end theirs another way.

import type { AtEnd } from './line.ts';

/** Ends turns behind what is done at once with what has come in. */
export const behindMicrotasks: AtEnd = (run) => queueMicrotask(run);
