// The parts of the engine itself that are fetched on first use; knows only their types.

import { Part } from '../base/part.ts';
import type * as Pool from '../pool/task-pool.ts';
import type * as Control from './control.ts';
import type * as InsertRows from './insert-rows.ts';
import type * as OwnTopics from './own-topics.ts';
import type * as Processors from './processors.ts';
import type * as PullQuery from './pull-query.ts';
import type * as QueryWork from './query-work.ts';
import type * as RareCalls from './rare-calls.ts';
import type * as RarePlans from './rare-plans.ts';

export const CONTROL = new Part<typeof Control>();
export const INSERT_ROWS = new Part<typeof InsertRows>();
export const OWN_TOPICS = new Part<typeof OwnTopics>();
export const POOL = new Part<typeof Pool>();
export const PROCESSORS = new Part<typeof Processors>();
export const PULL_QUERY = new Part<typeof PullQuery>();
export const QUERY_WORK = new Part<typeof QueryWork>();
export const RARE_CALLS = new Part<typeof RareCalls>();
export const RARE_PLANS = new Part<typeof RarePlans>();
