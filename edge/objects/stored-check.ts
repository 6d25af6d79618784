// Whether a stored batch is what was stored, without a look at its records; knows no storage.

import { crc32c } from '../../runtime/base/crc32c.ts';
import { isPlain } from '../../runtime/data/joined.ts';
import { RECORD_BATCH_HEADER_BYTES, RECORD_BATCH_MAGIC } from '../../runtime/data/record.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import { type StoredBatch, storedBatch } from '../../runtime/ports/refusals.ts';

/**
 * The sum that is stored beside the bytes is of bytes whose lengths were checked before they were stored: a plain batch that has it still is right
 * in everything, and any other is looked at as a whole.
 * @param isKnown true: these stored bytes had their sum before, and only what stands beside them is compared
 * @throws {PortError} CORRUPT with topic, partition and offset
 */
export function checkStored(
  at: TopicPartition,
  bytes: Uint8Array,
  stored: StoredBatch,
  isKnown = false,
): void {
  if (bytes.length < RECORD_BATCH_HEADER_BYTES || !(isKnown || isPlain(bytes))) {
    storedBatch(at, bytes, stored);
    return;
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BATCH_HEADER_BYTES);
  const isSame =
    header.getUint32(0, true) === RECORD_BATCH_MAGIC &&
    header.getUint32(4, true) === stored.crc &&
    (isKnown || (header.getUint32(12, true) === stored.count && crc32c(bytes, 8) === stored.crc));
  if (!isSame) storedBatch(at, bytes, stored);
}
