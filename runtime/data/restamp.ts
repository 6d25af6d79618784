// Gives all records of a record batch another timestamp (PROTOCOL.md sections 2 and 3); knows no clock.

import { crc32c } from '../base/crc32c.ts';
import { parseRecordBatch, RECORD_BATCH_HEADER_BYTES } from './record.ts';

/** Bytes of an encoded batch before its rowtimes. */
const ENCODED_HEADER_BYTES = 16;

/** A copy of the batch, whose records all have that timestamp (whole ms since the Unix epoch). */
export function restamped(bytes: Uint8Array, timestampMs: number): Uint8Array<ArrayBuffer> {
  const { count, isColumnar } = parseRecordBatch(bytes, 'INVALID_BATCH', { checksum: false });
  const copy = bytes.slice();
  const at = RECORD_BATCH_HEADER_BYTES + (isColumnar ? ENCODED_HEADER_BYTES : 0);
  new Float64Array(copy.buffer, at, count).fill(timestampMs);
  new DataView(copy.buffer).setUint32(4, crc32c(copy, 8), true);
  return copy;
}
