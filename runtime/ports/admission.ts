// What a partition admits of an appended batch: its bytes, its keys, its timestamps; judged alike by every log adapter. Knows no storage.

import { PortError } from '../base/errors.ts';
import { RARE_RECORDS } from '../data/parts.ts';
import * as rareRecords from '../data/rare-records.ts';
import { parseRecordBatch, verify } from '../data/record.ts';
import { restamped } from '../data/restamp.ts';
import { latestOf } from '../data/timestamps.ts';
import { sumOf } from './plain-append.ts';
import type { TopicPolicy } from './topic-policy.ts';

// Who admits any batch at once cannot wait for what reads it.
RARE_RECORDS.given(rareRecords);

/** A batch as it is to be stored. */
export interface Admitted {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly maxTimestamp: number;
  /** Checksum of the batch as it was sent: a repeat is known by it. */
  readonly crc: number;
}

/**
 * Checks a batch against its topic. Under LogAppendTime its records get the partition's time.
 * @param nowMs the partition's clock
 * @param isTrusted true: the bytes were made in this process, and nobody need check what is in them
 * @throws {PortError} INVALID_BATCH, RECORD_TOO_LARGE; INVALID_TIMESTAMP (detail.timestamp, detail.timestampMax); INVALID_RECORD
 *   (detail.record, its index in the batch)
 */
export function admit(
  bytes: Uint8Array,
  policy: TopicPolicy,
  nowMs: number,
  isTrusted = false,
): Admitted {
  const { count, maxTimestamp } = isTrusted ? summary(bytes) : verify(bytes);
  const crc = sumOf(bytes);
  if (policy.compacted) checkKeys(bytes);
  if (policy.timestampType === 'LogAppendTime') {
    const atMs = Math.max(0, Math.floor(nowMs));
    return { bytes: restamped(bytes, atMs), count, maxTimestamp: atMs, crc };
  }
  const { timestampAfterMaxMs } = policy;
  if (timestampAfterMaxMs !== null && maxTimestamp > nowMs + timestampAfterMaxMs) {
    const timestampMax = Math.floor(nowMs + timestampAfterMaxMs);
    throw new PortError(
      'INVALID_TIMESTAMP',
      `timestamp ${maxTimestamp} lies more than ${timestampAfterMaxMs} ms ahead of the partition's clock, which says ${nowMs}: it would close windows that are open`,
      { timestamp: maxTimestamp, timestampMax },
    );
  }
  return { bytes, count, maxTimestamp, crc };
}

function summary(bytes: Uint8Array): { readonly count: number; readonly maxTimestamp: number } {
  const { count, timestamps } = parseRecordBatch(bytes, 'INVALID_BATCH', { checksum: false });
  return { count, maxTimestamp: latestOf(timestamps, 0, count) };
}

function checkKeys(bytes: Uint8Array): void {
  const records = parseRecordBatch(bytes, 'INVALID_BATCH', { checksum: false });
  for (let record = 0; record < records.count; record++) {
    if (records.keyFrom(record) >= 0) continue;
    throw new PortError(
      'INVALID_RECORD',
      records.isColumnar
        ? 'a compacted topic keeps the last record of each key, and a columnar batch has no keys of records'
        : `record ${record} has no key: a compacted topic keeps the last record of each key`,
      { record },
    );
  }
}
