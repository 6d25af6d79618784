// The parts of the adapters over IndexedDB that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as RareRows from './rare-rows.ts';

export const RARE_ROWS = new Part<typeof RareRows>();
RARE_ROWS.from('what is rarely asked of IndexedDB', () => import('./rare-rows.ts'));
