// Records that came over as a few arrays, one by one again; knows no topic.

import { NO_HEADERS, type RecordHeader } from '../data/record.ts';
import type { PackedRecords } from './packed-records.ts';

/** A record whose key and value are views of what was packed. */
export interface UnpackedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number | undefined;
  readonly partition: number | undefined;
  readonly headers: readonly RecordHeader[];
}

export function unpacked(records: PackedRecords): UnpackedRecord[] {
  const { bytes, lengths, timestamps, partitions, headers } = records;
  let at = 0;
  const take = (length = -1): Uint8Array | null =>
    length < 0 ? null : bytes.subarray(at, (at += length));
  return Array.from(timestamps, (timestamp, i) => ({
    key: take(lengths[2 * i]),
    value: take(lengths[2 * i + 1]),
    timestamp: unmarked(timestamp),
    partition: unmarked(partitions[i]),
    headers: headers?.[i] ?? NO_HEADERS,
  }));
}

function unmarked(number: number | undefined): number | undefined {
  return Number.isNaN(number) ? undefined : number;
}
