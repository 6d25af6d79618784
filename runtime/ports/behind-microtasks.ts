// Runs something behind microtasks, such as the end of a line's turn where a thread has little else to do; knows no line.

const DONE = Promise.resolve();

/** Behind what is done at once. A browser's queueMicrotask makes an object a call that only a whole collection frees, with all that it holds. */
export const behindMicrotasks = (run: () => void): void => void DONE.then(run);
