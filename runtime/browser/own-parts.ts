// How the parts of the adapters over IndexedDB are fetched; knows not what they do.

import { RARE_ROWS, STATE_FOLD } from './parts.ts';

/** Says of each how it is fetched; to be called before a log or a store is made. */
export function announceOwnParts(): void {
  RARE_ROWS.from('what is rarely asked of IndexedDB', () => import('./rare-rows.ts'));
  STATE_FOLD.from('the rewriting of state', () => import('./state-fold.ts'));
}
