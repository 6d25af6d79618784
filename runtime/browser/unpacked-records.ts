// Records that came over as two arrays, one by one again; knows no topic.

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

export function unpacked({ bytes, numbers, headers }: PackedRecords): UnpackedRecord[] {
  const records: UnpackedRecord[] = [];
  let at = 0;
  const take = (length = -1): Uint8Array | null =>
    length < 0 ? null : bytes.subarray(at, (at += length));
  for (let i = 0; i < numbers.length; i += 4) {
    records.push({
      key: take(numbers[i]),
      value: take(numbers[i + 1]),
      timestamp: unmarked(numbers[i + 2]),
      partition: unmarked(numbers[i + 3]),
      headers: headers?.[i / 4] ?? NO_HEADERS,
    });
  }
  return records;
}

function unmarked(number: number | undefined): number | undefined {
  return Number.isNaN(number) ? undefined : number;
}
