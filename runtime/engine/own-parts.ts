// The parts of the engine itself that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Control from './control.ts';
import type * as InsertBatch from './insert-batch.ts';
import type * as InsertRows from './insert-rows.ts';
import type * as MemoryLog from '../memory/memory-log.ts';
import type * as PrintTopic from './print-topic.ts';
import type * as PullQuery from './pull-query.ts';
import type * as RareChanges from './rare-changes.ts';
import type * as Records from './records.ts';
import type * as Settle from './settle.ts';
import type * as SourceTable from '../plan/source-table.ts';
import type * as Upgrade from '../plan/upgrade.ts';

export const CONTROL = new Part<typeof Control>('statements of control');
export const INSERT_BATCH = new Part<typeof InsertBatch>('batches of rows');
export const INSERT_ROWS = new Part<typeof InsertRows>('rows by column names');
export const MEMORY_LOG = new Part<typeof MemoryLog>('topics of push queries');
export const PRINT_TOPIC = new Part<typeof PrintTopic>('PRINT');
export const PULL_QUERY = new Part<typeof PullQuery>('pull queries');
export const RARE_CHANGES = new Part<typeof RareChanges>('rarer changes of the catalog');
export const RECORDS = new Part<typeof Records>('reading topics');
export const SETTLE = new Part<typeof Settle>('waiting for queries');
export const SOURCE_TABLE = new Part<typeof SourceTable>('source tables');
export const UPGRADE = new Part<typeof Upgrade>('upgrades of queries');
