// Records between page and Worker as a few record batches in buffers handed over, not as an object each; knows no topic.

import { encodeUtf8 } from '../base/bytes.ts';
import { parseRecordBatch } from '../data/record.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { ProducedRecord } from '../engine/insert.ts';

/** Records in a row that ask for the same partition; null: each goes where its key says. */
export interface PackedRun {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly partition: number | null;
}

/**
 * Packs records, their order kept.
 * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP
 * @throws {LimitError} HEADERS_MAX, HEADERS_BYTES_MAX
 */
export function packed(records: readonly ProducedRecord[], nowMs: number): PackedRun[] {
  const runs: PackedRun[] = [];
  const builder = new RecordBatchBuilder();
  let current: number | null = null;
  const flush = (): void => {
    const bytes = builder.finish();
    if (bytes !== null) runs.push({ bytes, partition: current });
  };
  for (const { key = null, value, timestamp = nowMs, headers, partition = null } of records) {
    if (partition !== current) flush();
    current = partition;
    const append = (): boolean => builder.append(bytesOf(key), bytesOf(value), timestamp, headers);
    if (append()) continue;
    flush();
    append();
  }
  flush();
  return runs;
}

/** The records again; keys and values are views of the runs' bytes. */
export function unpacked(runs: readonly PackedRun[]): UnpackedRecord[] {
  return runs.flatMap(({ bytes, partition }) => {
    // Packed in this process: there is no damage for a checksum to find.
    const batch = parseRecordBatch(bytes, 'INVALID_BATCH', { checksum: false });
    return Array.from({ length: batch.count }, (_, i) => ({
      key: batch.key(i),
      value: batch.value(i),
      timestamp: batch.timestamps[i] ?? 0,
      headers: batch.headers(i),
      partition: partition ?? undefined,
    }));
  });
}

export interface UnpackedRecord extends ProducedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: NonNullable<ProducedRecord['headers']>;
}

/** The buffers to hand over. */
export function buffersOf(runs: readonly PackedRun[]): ArrayBuffer[] {
  return runs.map(({ bytes }) => bytes.buffer);
}

function bytesOf(given: Uint8Array | string | null): Uint8Array | null {
  return typeof given === 'string' ? encodeUtf8(given) : given;
}
