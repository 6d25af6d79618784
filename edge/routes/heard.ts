// What comes of an iteration and, on time, that nothing does; knows nothing of what comes.

/**
 * What comes, and null for every `silenceMs` in which nothing does: then something is sent, because a client that ends its connection is noticed only by what
 * cannot be sent to it.
 */
export async function* heard<T>(
  from: AsyncIterable<T>,
  silenceMs: number,
): AsyncGenerator<T | null, void, undefined> {
  const items = from[Symbol.asyncIterator]();
  /** Has been asked for, and has come. */
  let pending: Promise<IteratorResult<T>> | null = null;
  let hasCome = false;
  let sinceMs = 0;
  let tell = (): void => undefined;
  // One for all of it, which is never taken back before the end: workerd keeps 250 bytes of each that is for as long as the request lasts.
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    const leftMs = sinceMs + silenceMs - Date.now();
    timer = leftMs > 0 ? setTimeout(look, leftMs) : null;
    if (leftMs <= 0) tell();
  };
  try {
    for (;;) {
      if (pending === null) {
        hasCome = false;
        const come = (): void => {
          hasCome = true;
          tell();
        };
        pending = items.next();
        // Once, and no race for each silence: whatever waits long would keep all of them.
        pending.then(come, come);
      }
      sinceMs = Date.now();
      timer ??= setTimeout(look, silenceMs);
      const { promise: told, resolve } = Promise.withResolvers<void>();
      tell = resolve;
      if (!hasCome) await told;
      if (!hasCome) {
        yield null;
        continue;
      }
      const item = await pending;
      pending = null;
      if (item.done === true) return;
      yield item.value;
    }
  } finally {
    if (timer !== null) clearTimeout(timer);
    await items.return?.();
  }
}
