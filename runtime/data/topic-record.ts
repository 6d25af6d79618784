// One record of a topic as readers get it, out of the batch that it lies in; knows no log.

import { offsetAt, type RecordBatch, type RecordHeader } from './record.ts';

/** One record of a topic. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/**
 * Record `i` of a batch. Key and value are views of the batch; those of a columnar batch are null.
 * @param base offset of the batch
 */
export function recordAt(
  { partition, base }: { readonly partition: number; readonly base: number },
  records: RecordBatch,
  i: number,
): TopicRecord {
  return {
    partition,
    offset: offsetAt(records, base, i),
    timestamp: records.timestamps[i] ?? 0,
    key: records.key(i),
    value: records.value(i),
    headers: records.headers(i),
  };
}
