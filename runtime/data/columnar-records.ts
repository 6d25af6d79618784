// Writes a batch of rows as a columnar record batch (PROTOCOL.md section 2); knows no topic.

import { ByteWriter, exactly } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import { RECORD_BATCH_BYTES_MAX } from '../base/limits.ts';
import type { Batch } from './batch.ts';
import { encodedBytes, writeBatch } from './batch-writer.ts';
import { densified } from './dense.ts';
import { COLUMNAR, RECORD_BATCH_HEADER_BYTES } from './record.ts';
import { sealed, writeHeader } from './record-builder.ts';

/**
 * A batch of rows as a columnar record batch.
 * @param options.checksum false: 0 in its place, for batches that only this process reads
 * @throws {PortError} RECORD_TOO_LARGE beyond RECORD_BATCH_BYTES_MAX: cut the batch and try its parts
 */
export function columnarRecordBatch(
  batch: Batch,
  options: { readonly checksum: boolean } = { checksum: true },
): Uint8Array<ArrayBuffer> {
  const dense = densified(batch);
  const to = new ByteWriter(RECORD_BATCH_HEADER_BYTES + encodedBytes(dense));
  writeHeader(to, COLUMNAR, batch.length, [0, 0, 0]);
  writeBatch(to, dense);
  if (to.position > RECORD_BATCH_BYTES_MAX) {
    throw new PortError('RECORD_TOO_LARGE', `a columnar batch of ${to.position} bytes`, {
      bytes: to.position,
      bytesMax: RECORD_BATCH_BYTES_MAX,
    });
  }
  to.patchU32(20, to.position - RECORD_BATCH_HEADER_BYTES);
  return options.checksum ? sealed(to) : exactly(to);
}
