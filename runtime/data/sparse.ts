// Writes the sparse form of a record batch, which compaction leaves (PROTOCOL.md section 2); knows no key and no topic.

import { crc32c } from '../base/crc32c.ts';
import {
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
  RECORD_BATCH_VERSION,
  RECORD_OVERHEAD_BYTES,
  SPARSE,
  SPARSE_OVERHEAD_BYTES,
} from './record.ts';

/** What a sparse batch has besides its records; the arrays have an item for each. */
export interface SparseParts {
  /** Offsets that the batch covers. */
  readonly span: number;
  /** Each record's offset less the batch's own, rising. */
  readonly offsets: readonly number[];
  /** When compaction first met this tombstone, in seconds since the Unix epoch, or 0. */
  readonly cleaned: readonly number[];
}

/** @param dense a plain record batch with the records; null when there is none */
export function sparseBatch(
  dense: Uint8Array | null,
  { span, offsets, cleaned }: SparseParts,
): Uint8Array<ArrayBuffer> {
  const count = offsets.length;
  const head = RECORD_BATCH_HEADER_BYTES + count * RECORD_OVERHEAD_BYTES;
  const bytes = new Uint8Array((dense?.length ?? head) + count * SPARSE_OVERHEAD_BYTES);
  if (dense !== null) {
    bytes.set(dense.subarray(0, head));
    bytes.set(dense.subarray(head), head + count * SPARSE_OVERHEAD_BYTES);
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, RECORD_BATCH_MAGIC, true);
  bytes[8] = RECORD_BATCH_VERSION;
  bytes[9] = SPARSE;
  view.setUint32(28, span, true);
  new Uint32Array(bytes.buffer, head, count).set(offsets);
  new Uint32Array(bytes.buffer, head + count * 4, count).set(cleaned);
  view.setUint32(4, crc32c(bytes, 8), true);
  return bytes;
}
