// How logs let go, by time and by size, what their topics need not keep any longer; knows no storage.

import { UPKEEP_BATCHES_MAX } from '../base/limits.ts';
import type { TopicPolicy } from './topic-policy.ts';
import { expires } from './upkeep.ts';

/** A batch as it is stored, without its records. */
export interface BatchSize {
  readonly base: number;
  /** Offsets that it covers. */
  readonly count: number;
  readonly maxTimestamp: number;
  readonly lengthBytes: number;
}

/** The oldest batches of a partition, which are to go. */
export interface Expired {
  /** The offset that the log starts from then. */
  readonly before: number;
  readonly batches: number;
  readonly lengthBytes: number;
  /** There may be more: another turn looks. */
  readonly isMore: boolean;
}

/** A partition as it stands. */
export interface Keeping {
  readonly policy: Pick<TopicPolicy, 'retentionMs' | 'retentionBytes'>;
  readonly highWatermark: number;
  /** Bytes of all its batches. */
  readonly lengthBytes: number;
  readonly nowMs: number;
}

/**
 * Which batches go: from the oldest on, each whose newest record is older than `retentionMs`, or without which `retentionBytes`
 * are kept still; at most UPKEEP_BATCHES_MAX a turn, and never the newest batch, so that the partition's time can be seen.
 * @param oldest batches in offset order, from the log's start
 */
export function expired(oldest: Iterable<BatchSize>, of: Keeping): Expired | null {
  const { retentionMs, retentionBytes } = of.policy;
  if (!expires(of.policy)) return null;
  const youngMs = retentionMs === null ? -Infinity : of.nowMs - retentionMs;
  let kept = of.lengthBytes;
  let batches = 0;
  let before = 0;
  for (const { base, count, maxTimestamp, lengthBytes } of oldest) {
    const isNewest = base + count >= of.highWatermark;
    const isOver = retentionBytes !== null && kept - lengthBytes >= retentionBytes;
    if (isNewest || batches === UPKEEP_BATCHES_MAX || !(isOver || maxTimestamp < youngMs)) break;
    kept -= lengthBytes;
    before = base + count;
    batches += 1;
  }
  if (batches === 0) return null;
  const isMore = batches === UPKEEP_BATCHES_MAX;
  return { before, batches, lengthBytes: of.lengthBytes - kept, isMore };
}
