// The parts of the planner that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Joins from './joins.ts';
import type * as PartitionBy from './partition-by.ts';
import type * as Precomputed from './precomputed.ts';

export const JOINS = new Part<typeof Joins>('plans of joins');
export const PARTITION_BY = new Part<typeof PartitionBy>('plans of PARTITION BY');
export const PRECOMPUTED = new Part<typeof Precomputed>('plans of computed arguments');
