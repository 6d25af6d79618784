// Fetched bytes as record batches with their offsets (PROTOCOL.md section 7), fetched with the first of them; knows no request.

import { ByteReader } from '../base/bytes.ts';
import { RARE_RECORDS } from '../data/parts.ts';
import * as rareRecords from '../data/rare-records.ts';
import { indexAt, parseRecordBatch, type RecordBatch } from '../data/record.ts';
import type { TopicPartition } from '../ports/log.ts';
import { damagedBatch } from '../ports/refusals.ts';

RARE_RECORDS.given(rareRecords);

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
