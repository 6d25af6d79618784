// Watches a Worker by the lock that it holds for as long as it lives, since no event tells of its end; knows no engine.

/**
 * Calls once the lock has become free, unless the signal comes first. Never where it is free already: once its storage was cleared a page
 * of Chromium shares no lock with Workers that it starts, and their end shows in nothing then.
 */
export function whenFree(lock: string, signal: AbortSignal, then: () => void): void {
  const { locks } = navigator;
  locks
    .request(lock, { ifAvailable: true }, (free) => free ?? locks.request(lock, { signal }, then))
    .catch(() => undefined); // the signal
}
