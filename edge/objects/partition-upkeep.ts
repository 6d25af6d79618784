// What keeps a partition object small, in turns of its alarm; knows no subscriber and no socket.

import { UPKEEP_BATCHES_MAX } from '../../runtime/base/limits.ts';
import { Cleaner, cleaningTurn, isCompactionDue } from '../../runtime/ports/cleaning.ts';
import { expired } from '../../runtime/ports/retention.ts';
import { RETENTION_SWEEP_MS } from '../../runtime/ports/upkeep.ts';
import type { PartitionMeta } from './partition-meta.ts';
import type { PartitionTables } from './partition-tables.ts';
import { SegmentRewrites } from './segment-rewrites.ts';

/** The rest between two turns, in which appends and reads get theirs. */
const REST_MS = 10;

export class PartitionUpkeep {
  readonly #sql: SqlStorage;
  readonly #tables: PartitionTables;
  #cleaner = new Cleaner();
  /** When the next turn is due; lost with the instance, whose first alarm looks again. */
  #dueMs = -Infinity;

  constructor(sql: SqlStorage, tables: PartitionTables) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /** When the partition, to which something was appended, wants to be looked at. */
  dueMs(nowMs: number): number {
    return this.#dueMs === -Infinity ? nowMs + RETENTION_SWEEP_MS : this.#dueMs;
  }

  /** The turn of an alarm, if one is due. @returns when the next one is; null: an append will say */
  alarm(nowMs: number): number | null {
    if (nowMs < this.#dueMs) return this.#dueMs;
    // A turn that fails is not tried again at once.
    this.#dueMs = nowMs + RETENTION_SWEEP_MS;
    const isMore = this.turn(nowMs);
    if (isMore) this.#dueMs = nowMs + REST_MS;
    // Where time alone lets records go the partition is looked at without appends, too.
    const { retentionMs = null, compacted = false } = this.#tables.meta()?.policy ?? {};
    return isMore || retentionMs !== null || compacted ? this.#dueMs : null;
  }

  /** One turn. @returns true when another turn has something to do */
  turn(nowMs: number): boolean {
    const cleaner = this.#cleaner;
    // A pass goes on only from what was stored.
    this.#cleaner = new Cleaner();
    const isMore = this.#tables.transaction(() => this.#turn(cleaner, nowMs));
    this.#tables.forget();
    this.#cleaner = cleaner;
    return isMore;
  }

  #turn(cleaner: Cleaner, nowMs: number): boolean {
    const before = this.#tables.meta();
    if (before === null) return false;
    if (this.#expire(before, nowMs)) return true;
    const meta = this.#tables.meta() ?? before;
    const segments = new SegmentRewrites(this.#sql, meta);
    const of = { ...meta, head: segments.head ?? meta.start, nowMs };
    const isDue =
      isCompactionDue(of) || (!meta.policy.compacted && segments.isFragmented(meta.cleaned.below));
    return cleaningTurn(cleaner, of, isDue, segments);
  }

  #expire(meta: PartitionMeta, nowMs: number): boolean {
    const { policy, next: highWatermark, lengthBytes } = meta;
    const oldest = this.#tables.oldest(UPKEEP_BATCHES_MAX + 1);
    const gone = expired(oldest, { policy, highWatermark, lengthBytes, nowMs });
    if (gone !== null) this.#tables.trim(gone.before);
    return gone?.isMore === true;
  }
}
