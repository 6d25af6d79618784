// What keeps a partition object small, in turns of its alarm; knows no subscriber and no socket.

import { UPKEEP_BATCHES_MAX } from '../../runtime/base/limits.ts';
import { expired, needsUpkeep, RETENTION_SWEEP_MS } from '../../runtime/ports/retention.ts';
import type { PartitionMeta, PartitionTables } from './partition-tables.ts';

/** The rest between two turns, in which appends and reads get theirs. */
const REST_MS = 10;

export class PartitionUpkeep {
  readonly #storage: DurableObjectStorage;
  readonly #tables: PartitionTables;
  /** When the next turn is due; lost with the instance, whose first alarm looks again. */
  #dueMs = -Infinity;

  constructor(storage: DurableObjectStorage, tables: PartitionTables) {
    this.#storage = storage;
    this.#tables = tables;
  }

  /** When the partition wants to be looked at; null: it keeps everything for ever as it is. */
  dueMs({ policy }: PartitionMeta, nowMs: number): number | null {
    if (!needsUpkeep(policy)) return null;
    return this.#dueMs === -Infinity ? nowMs + RETENTION_SWEEP_MS : this.#dueMs;
  }

  /** The turn of an alarm, if one is due. @returns when the next one is; null: never */
  alarm(nowMs: number): number | null {
    const meta = this.#tables.meta();
    if (meta === null || !needsUpkeep(meta.policy)) return null;
    if (nowMs >= this.#dueMs) {
      this.#dueMs = nowMs + (this.turn(nowMs) ? REST_MS : RETENTION_SWEEP_MS);
    }
    return this.#dueMs;
  }

  /** One turn. @returns true when another turn has something to do */
  turn(nowMs: number): boolean {
    return this.#storage.transactionSync(() => {
      const meta = this.#tables.meta();
      return meta !== null && this.#expire(meta, nowMs);
    });
  }

  #expire(meta: PartitionMeta, nowMs: number): boolean {
    const { policy, next: highWatermark, lengthBytes } = meta;
    const oldest = this.#tables.oldest(UPKEEP_BATCHES_MAX + 1);
    const gone = expired(oldest, { policy, highWatermark, lengthBytes, nowMs });
    if (gone !== null) this.#tables.trim(gone.before);
    return gone?.isMore === true;
  }
}
