// Reads and rewrites of a partition object's segments for its upkeep; synchronous, within the caller's transaction.

import {
  type Cleaned,
  type CleaningRead,
  type CleaningStorage,
  grownBy,
  MERGE_BATCHES_MIN,
  type Replacement,
} from '../../runtime/ports/cleaning.ts';
import type { FetchedBatch, TopicPartition } from '../../runtime/ports/log.ts';
import { storedBatch } from '../../runtime/ports/refusals.ts';
import { MERGE_BYTES_MIN } from '../../runtime/ports/rewrite.ts';
import { insertSegment, type SegmentRow } from './partition-tables.ts';

export class SegmentRewrites implements CleaningStorage {
  readonly #sql: SqlStorage;
  readonly #at: TopicPartition;

  constructor(sql: SqlStorage, at: TopicPartition) {
    this.#sql = sql;
    this.#at = at;
  }

  /** Base of the newest batch; null: there is none. */
  get head(): number | null {
    return this.#sql.exec<{ base: number | null }>('SELECT max(base) AS base FROM segment').one()
      .base;
  }

  /** True when there are enough small batches from that offset on for merging them to be worth it. */
  isFragmented(from: number): boolean {
    const { small } = this.#sql
      .exec<{ small: number }>(
        `SELECT count(*) AS small FROM
           (SELECT 1 FROM segment WHERE base >= ? AND length(data) < ${MERGE_BYTES_MIN} LIMIT ${MERGE_BATCHES_MIN})`,
        from,
      )
      .one();
    return small === MERGE_BATCHES_MIN;
  }

  read({ from, to, batchesMax, bytesMax }: CleaningRead): readonly FetchedBatch[] {
    const found: FetchedBatch[] = [];
    let read = 0;
    const rows = this.#sql.exec<SegmentRow>(
      `SELECT base, count, crc, data FROM segment WHERE base < ?2
         AND base >= coalesce((SELECT max(base) FROM segment WHERE base <= ?1), ?1) ORDER BY base LIMIT ?3`,
      from,
      to,
      batchesMax,
    );
    for (const { base, count, crc, data } of rows) {
      const bytes = new Uint8Array(data);
      // What a rewritten batch is made of must be what was appended: its checksum will be new.
      storedBatch(this.#at, bytes, { base, count, crc });
      found.push({ base, count, bytes });
      read += bytes.length;
      if (read >= bytesMax) break;
    }
    return found;
  }

  replace(replacement: Replacement): number {
    const { from, to, batches } = replacement;
    const { gone } = this.#sql
      .exec<{ gone: number }>(
        'SELECT coalesce(sum(length(data)), 0) AS gone FROM segment WHERE base >= ? AND base < ?',
        from,
        to,
      )
      .one();
    this.#sql.exec('DELETE FROM segment WHERE base >= ? AND base < ?', from, to);
    for (const batch of batches) insertSegment(this.#sql, batch);
    return this.#sql
      .exec<{ lengthBytes: number }>(
        'UPDATE meta SET lengthBytes = lengthBytes + ? RETURNING lengthBytes',
        grownBy(replacement, gone),
      )
      .one().lengthBytes;
  }

  store(cleaned: Cleaned): void {
    this.#sql.exec('UPDATE meta SET cleaned = ?', JSON.stringify(cleaned));
  }
}
