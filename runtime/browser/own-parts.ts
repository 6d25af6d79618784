// How the parts of the adapters over IndexedDB are fetched; knows not what they do.

import { RARE_ROWS } from './parts.ts';

/** Says of each how it is fetched; to be called before a log or a store is made. */
export function announceOwnParts(): void {
  RARE_ROWS.from('what is rarely asked of IndexedDB', () => import('./rare-rows.ts'));
}
