// The parts of the adapters over IndexedDB that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as RareRows from './rare-rows.ts';
import type * as StateFold from './state-fold.ts';

export const RARE_ROWS = new Part<typeof RareRows>();
export const STATE_FOLD = new Part<typeof StateFold>();
