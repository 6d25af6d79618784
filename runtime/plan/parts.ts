// The parts of the planner that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as RareNodes from './rare-nodes.ts';

export const RARE_NODES = new Part<typeof RareNodes>('plans of new keys and table functions');
