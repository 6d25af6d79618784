// Hints for names that nothing has; how the nearest is found is in nearest-name.ts, fetched on first use. Knows nothing of what is named.

import { NEAREST_NAME } from './parts.ts';

/** A hint that names the nearest known name, or `otherwise`. */
export function didYouMean(name: string, known: Iterable<string>, otherwise = ''): string {
  const near = NEAREST_NAME.code.nearestName(name, known);
  return near === null ? otherwise : `Did you mean ${near}?`;
}
