// When partitions are looked at for what they need not keep as it is; knows no storage and not what goes.

import type { TopicPolicy } from './topic-policy.ts';

/** How often, at most, a partition that is written to looks for batches that may go, or be rewritten. */
export const RETENTION_SWEEP_MS = 600_000;

/** True unless a topic keeps all its records for ever as they are. */
export function needsUpkeep(policy: TopicPolicy): boolean {
  return expires(policy) || policy.compacted;
}

/** Whether records go by time or by size. */
export function expires({
  retentionMs,
  retentionBytes,
}: Pick<TopicPolicy, 'retentionMs' | 'retentionBytes'>): boolean {
  return retentionMs !== null || retentionBytes !== null;
}
