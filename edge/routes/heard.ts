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
  let pending: Promise<IteratorResult<T>> | null = null;
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
      pending ??= items.next();
      sinceMs = Date.now();
      timer ??= setTimeout(look, silenceMs);
      const silence = Promise.withResolvers<null>();
      tell = () => silence.resolve(null);
      const item = await Promise.race([pending, silence.promise]);
      if (item === null) {
        yield null;
        continue;
      }
      pending = null;
      if (item.done === true) return;
      yield item.value;
    }
  } finally {
    if (timer !== null) clearTimeout(timer);
    await items.return?.();
  }
}
