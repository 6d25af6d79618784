// Records between page and Worker as a few arrays in buffers handed over, not as an object each; knows no topic.

import { encodeUtf8 } from '../base/bytes.ts';
import { NO_HEADERS, type RecordHeader } from '../data/record.ts';
import type { ProducedRecord } from '../engine/insert.ts';

/** Records in their order. */
export interface PackedRecords {
  /** Keys and values, one after the other: key, value, key, value ... */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Two a record: of its key and its value; -1: null. */
  readonly lengths: Int32Array<ArrayBuffer>;
  /** NaN: none given. */
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** NaN: none given. */
  readonly partitions: Float64Array<ArrayBuffer>;
  /** By record; null: no record has any. */
  readonly headers: readonly (readonly RecordHeader[])[] | null;
}

/** The records as arrays of their own. */
export function packed(records: readonly ProducedRecord[]): PackedRecords {
  const count = records.length;
  const parts: (Uint8Array | null)[] = [];
  for (const { key, value } of records) parts.push(bytesOf(key ?? null), bytesOf(value));
  const lengths = Int32Array.from(parts, (part) => part?.length ?? -1);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0));
  let at = 0;
  for (const part of parts) {
    if (part === null) continue;
    bytes.set(part, at);
    at += part.length;
  }
  const timestamps = new Float64Array(count);
  const partitions = new Float64Array(count);
  records.forEach(({ timestamp, partition }, i) => {
    timestamps[i] = marked(timestamp);
    partitions[i] = marked(partition);
  });
  const hasHeaders = records.some(({ headers }) => headers !== undefined && headers.length > 0);
  const headers = hasHeaders ? records.map((record) => record.headers ?? NO_HEADERS) : null;
  return { bytes, lengths, timestamps, partitions, headers };
}

/** The buffers to hand over. */
export function buffersOf(records: PackedRecords): ArrayBuffer[] {
  const { bytes, lengths, timestamps, partitions } = records;
  return [bytes.buffer, lengths.buffer, timestamps.buffer, partitions.buffer];
}

/** A NaN that was given is no number for the log either: it is refused there as -1 is. */
function marked(given: number | undefined): number {
  return given === undefined ? NaN : Number.isNaN(given) ? -1 : given;
}

function bytesOf(given: Uint8Array | string | null): Uint8Array | null {
  return typeof given === 'string' ? encodeUtf8(given) : given;
}
