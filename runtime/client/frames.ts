// Fetched bytes as record batches with their offsets (PROTOCOL.md section 7); knows no request.

import { ByteReader } from '../base/bytes.ts';
import { RARE_RECORDS } from '../data/parts.ts';
import * as rareRecords from '../data/rare-records.ts';
import { indexAt, offsetAt, parseRecordBatch, type RecordBatch } from '../data/record.ts';
import type { TopicRecord } from '../engine/records.ts';
import type { TopicPartition } from '../ports/log.ts';
import { damagedBatch } from '../ports/refusals.ts';

RARE_RECORDS.given(rareRecords);

/** Media type of a fetch's frames. */
export const BATCHES_TYPE = 'application/vnd.millrace.batches';

/** A record batch of a partition. */
export interface ConsumedBatch {
  readonly partition: number;
  /** The first offset that the batch covers. */
  readonly base: number;
  /** Index of the first record that is wanted: a batch may begin below the offset that was asked for. */
  readonly first: number;
  readonly records: RecordBatch;
  /** The offset behind the batch. */
  readonly end: number;
}

/**
 * The batches of a fetch, each with its checksum verified: a partition that has verified one before does not do so again. Without those that end
 * below `from`.
 * @throws {PortError} CORRUPT with topic, partition and offset
 */
export function readFrames(bytes: Uint8Array, at: TopicPartition, from: number): ConsumedBatch[] {
  const { partition } = at;
  const reader = new ByteReader(bytes);
  const batches: ConsumedBatch[] = [];
  while (reader.remaining > 0) {
    const base = reader.f64();
    const count = reader.u32();
    const end = base + count;
    const records = verified(reader.view(reader.u32()), at, base);
    if (end <= from) continue;
    batches.push({ partition, base, first: indexAt(records, base, from), records, end });
  }
  return batches;
}

function verified(bytes: Uint8Array, at: TopicPartition, offset: number): RecordBatch {
  try {
    return parseRecordBatch(bytes);
  } catch (thrown) {
    throw damagedBatch(at, offset, thrown);
  }
}

/** Record `i` of a batch. Key and value are views of the batch; those of a columnar batch are null. */
export function recordAt({ partition, base, records }: ConsumedBatch, i: number): TopicRecord {
  return {
    partition,
    offset: offsetAt(records, base, i),
    timestamp: records.timestamps[i] ?? 0,
    key: records.key(i),
    value: records.value(i),
    headers: records.headers(i),
  };
}
