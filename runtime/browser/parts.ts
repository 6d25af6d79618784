// The parts of the Worker and of the adapters over IndexedDB that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as RareCalls from './rare-calls.ts';
import type * as RareRows from './rare-rows.ts';

export const RARE_CALLS = new Part<typeof RareCalls>();
export const RARE_ROWS = new Part<typeof RareRows>();
