// The parts of the engine itself that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Control from './control.ts';
import type * as InsertBatch from './insert-batch.ts';
import type * as InsertRows from './insert-rows.ts';
import type * as MemoryLog from '../memory/memory-log.ts';
import type * as PullQuery from './pull-query.ts';
import type * as RarePlans from './rare-plans.ts';
import type * as Records from './records.ts';
import type * as Settle from './settle.ts';

export const CONTROL = new Part<typeof Control>('statements of control');
export const INSERT_BATCH = new Part<typeof InsertBatch>('batches of rows');
export const INSERT_ROWS = new Part<typeof InsertRows>('rows by column names');
export const MEMORY_LOG = new Part<typeof MemoryLog>('topics of push queries');
export const PULL_QUERY = new Part<typeof PullQuery>('pull queries');
export const RARE_PLANS = new Part<typeof RarePlans>('source tables and upgrades');
export const RECORDS = new Part<typeof Records>('reading topics');
export const SETTLE = new Part<typeof Settle>('waiting for queries');
