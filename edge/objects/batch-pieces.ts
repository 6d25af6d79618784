// Parts of a stored batch for a reader whose connection does not bear the whole of it; knows no socket and no storage.

import { InvariantError } from '../../runtime/base/errors.ts';
import {
  indexAt,
  offsetAt,
  parseRecordBatch,
  type RecordBatch,
  SPARSE_OVERHEAD_BYTES,
} from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import { sparseBatch } from '../../runtime/data/sparse.ts';
import type { FetchedBatch } from '../../runtime/ports/log.ts';

/**
 * The records of a batch from the offset `next` on, as many as `lengthBytesMax` bytes hold, or one that by itself is longer.
 * @param next lies within the batch
 * @param below only records before this offset, up to which the piece then goes
 * @returns the batch itself where it cannot be cut: encoded columns are one piece
 */
export function pieceOf(
  batch: FetchedBatch,
  next: number,
  lengthBytesMax: number,
  below = Infinity,
): FetchedBatch {
  const records = parseRecordBatch(batch.bytes, 'CORRUPT', { checksum: false });
  if (records.isColumnar) return batch;
  const from = indexAt(records, batch.base, next);
  const builder = new RecordBatchBuilder();
  const overhead = records.offsets === null ? 0 : SPARSE_OVERHEAD_BYTES;
  const most = below === Infinity ? records.count : indexAt(records, batch.base, below);
  let to = from;
  while (to < most) {
    add(builder, records, to);
    const lengthBytes = builder.lengthBytes + builder.count * overhead;
    if (to > from && lengthBytes > lengthBytesMax) break;
    to += 1;
  }
  // The last one did not fit any more: all but that once again.
  if (to < most) {
    builder.finish();
    for (let i = from; i < to; i++) add(builder, records, i);
  }
  const dense = builder.finish();
  // Behind its last record a compacted batch may cover offsets of records that are gone: they belong to the last piece.
  const last = Math.min(batch.base + batch.count, below);
  const end = to === most ? last : offsetAt(records, batch.base, to - 1) + 1;
  const piece = { base: next, count: end - next };
  if (records.offsets === null) {
    if (dense === null) throw new InvariantError('a batch holds a record at each of its offsets');
    return { ...piece, bytes: dense };
  }
  const taken = Array.from({ length: to - from }, (_, i) => from + i);
  const offsets = taken.map((i) => offsetAt(records, batch.base, i) - next);
  const cleaned = taken.map((i) => records.cleaned?.[i] ?? 0);
  return { ...piece, bytes: sparseBatch(dense, { span: piece.count, offsets, cleaned }) };
}

function add(builder: RecordBatchBuilder, records: RecordBatch, i: number): void {
  const timestamp = records.timestamps[i] as number;
  if (!builder.append(records.key(i), records.value(i), timestamp, records.headers(i)))
    throw new InvariantError('the records of a batch fit into one');
}
