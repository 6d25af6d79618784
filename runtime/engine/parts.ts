// How code that a page does not begin with is fetched: by its directory, which is fetched before the first of it; knows no part.

import { announcePartsBy } from '../base/part.ts';

/** Says how parts are fetched. Whoever calls synchronous code through `withParts` has called this before. */
export function announceParts(): void {
  announcePartsBy(async () => {
    const { announceAll } = await import('./all-parts.ts');
    announceAll();
  });
}

/**
 * Fetches every part, so that nothing is missing later: offline, or where nothing may be waited for.
 * Rejects with UNAVAILABLE at the first that cannot be fetched.
 */
export async function loadParts(): Promise<void> {
  const { loadAll } = await import('./all-parts.ts');
  await loadAll();
}
