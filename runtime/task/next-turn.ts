// Gives the thread's other work its turn; knows no task.

const { setImmediate: immediate } = globalThis as {
  setImmediate?: ((run: () => void) => unknown) | undefined;
};

/**
 * Resolves in a later turn of the event loop. Not by a timer where there is another way: timers wait for a millisecond, in
 * browsers for four, and a busy task that yields every few would spend a good part of its time waiting.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate !== undefined) immediate(resolve);
    else if (typeof MessageChannel === 'undefined') setTimeout(resolve, 0);
    else {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener('message', () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(null);
    }
  });
}
