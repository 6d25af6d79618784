// The parts of the planner that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Joins from './joins.ts';
import type * as RareNodes from './rare-nodes.ts';
import type * as RowPath from './row-path-words.ts';

export const JOINS = new Part<typeof Joins>();
export const RARE_NODES = new Part<typeof RareNodes>();
export const ROW_PATH = new Part<typeof RowPath>();
