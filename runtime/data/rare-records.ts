// Record batches that are rare or wrong: columnar and sparse ones, headers, and what each refusal says; knows no topic.

import { ByteReader } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import { HEADERS_BYTES_MAX, HEADERS_MAX } from '../base/limits.ts';
import { encodedRowtimes } from './codec-header.ts';
import { NoRecordParts } from './no-record-parts.ts';
import {
  type BatchFault,
  COLUMNAR,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
  RECORD_BATCH_VERSION,
  RECORD_OVERHEAD_BYTES,
  type RecordBatch,
  type RecordHeader,
  type RegionSizes,
  RowRecordBatch,
  SPARSE,
  SPARSE_OVERHEAD_BYTES,
  wholeOf,
} from './record.ts';

export function offsetsGiven(): PortError {
  return new PortError('INVALID_BATCH', 'record batch: its partition gives records their offsets');
}

/** As `parseRecordBatch`, of any batch. */
export function parsedOtherwise(
  bytes: Uint8Array,
  fault: BatchFault,
  checksum: boolean,
): RecordBatch {
  try {
    return parse(bytes, fault, checksum);
  } catch (thrown) {
    // What stands within (an encoded batch, headers) calls its faults CORRUPT; to an appender they are an invalid batch.
    if (thrown instanceof PortError && thrown.code !== fault) {
      throw new PortError(fault, thrown.message, thrown.detail, { cause: thrown });
    }
    throw thrown;
  }
}

function parse(bytes: Uint8Array, fault: BatchFault, checksum: boolean): RecordBatch {
  const from = new ByteReader(bytes);
  const refuse = (message: string) => new PortError(fault, `record batch: ${message}`);
  if (bytes.length < RECORD_BATCH_HEADER_BYTES) throw refuse('shorter than its header');
  if (from.u32() !== RECORD_BATCH_MAGIC) throw refuse('the magic bytes are not MRB1');
  const sum = from.u32();
  const version = from.u8();
  const attributes = from.u8();
  if (version !== RECORD_BATCH_VERSION) throw refuse(`version ${version} is unknown`);
  if (attributes > SPARSE) throw refuse(`attributes ${attributes} are unknown`);
  if (from.u16() !== 0) throw refuse('bytes 10 and 11 are not zero');
  const count = from.u32();
  const keyBytes = from.u32();
  const valueBytes = from.u32();
  const headerBytes = from.u32();
  const span = from.u32();
  const isSparse = attributes === SPARSE;
  if (isSparse ? span === 0 : span !== 0) throw refuse(`it cannot cover ${span} offsets`);
  if (count === 0 && !isSparse) throw refuse('no records');
  const isColumnar = attributes === COLUMNAR;
  const besides = isSparse ? SPARSE_OVERHEAD_BYTES : 0;
  const perRecord = isColumnar ? 0 : RECORD_OVERHEAD_BYTES + besides;
  const length =
    RECORD_BATCH_HEADER_BYTES + count * perRecord + keyBytes + valueBytes + headerBytes;
  if (length !== bytes.length) throw refuse(`${bytes.length} bytes where ${length} are due`);
  if (checksum && crc32c(bytes, 8) !== sum) throw refuse('the checksum does not agree');
  if (isColumnar) {
    if (keyBytes !== 0 || headerBytes !== 0) throw refuse('a columnar batch with keys or headers');
    return new ColumnarRecordBatch(bytes, count, refuse);
  }
  const sizes = { count, keyBytes, valueBytes, headerBytes, besides };
  const batch = isSparse
    ? new SparseRecordBatch(bytes, { ...sizes, span }, refuse)
    : new RowRecordBatch(bytes, sizes);
  const whole = wholeOf(batch);
  if (whole === null) throw refuse(wrongLengths(bytes, sizes));
  return whole;
}

/** Which of the lengths are wrong, and how. */
function wrongLengths(bytes: Uint8Array, sizes: RegionSizes): string {
  const { count, keyBytes, valueBytes, headerBytes } = sizes;
  const lengths = new DataView(
    bytes.buffer,
    bytes.byteOffset + RECORD_BATCH_HEADER_BYTES + count * 8,
  );
  const regions = [
    { what: 'keys', total: keyBytes, min: -1 },
    { what: 'values', total: valueBytes, min: -1 },
    { what: 'headers', total: headerBytes, min: 0 },
  ];
  for (const [kind, { what, total, min }] of regions.entries()) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths.getInt32((kind * count + i) * 4, true);
      if (length < min) return `a length of ${length} among the ${what}`;
      sum += Math.max(0, length);
    }
    if (sum !== total) return `the lengths of the ${what} do not add up`;
  }
  throw new InvariantError('lengths that fit were refused');
}

type Refuse = (message: string) => PortError;

class ColumnarRecordBatch extends NoRecordParts implements RecordBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly span: number;
  readonly timestamps: Float64Array;
  readonly encoded: Uint8Array;

  constructor(bytes: Uint8Array, count: number, refuse: Refuse) {
    super();
    this.bytes = bytes;
    this.count = count;
    this.span = count;
    const encoded = bytes.subarray(RECORD_BATCH_HEADER_BYTES);
    this.encoded = (encoded.byteOffset & 7) === 0 ? encoded : encoded.slice();
    this.timestamps = encodedRowtimes(this.encoded);
    if (this.timestamps.length !== count) throw refuse('count and rows do not agree');
  }
}

/** What compaction leaves. */
class SparseRecordBatch extends RowRecordBatch {
  override readonly span: number;
  override readonly offsets: Uint32Array;
  override readonly cleaned: Uint32Array;

  constructor(
    bytes: Uint8Array,
    { span, ...sizes }: RegionSizes & { readonly span: number },
    refuse: Refuse,
  ) {
    super(bytes, sizes);
    const { count } = sizes;
    this.span = span;
    const from = RECORD_BATCH_HEADER_BYTES + count * RECORD_OVERHEAD_BYTES;
    const { buffer } = bytes.slice(from, from + count * SPARSE_OVERHEAD_BYTES);
    this.offsets = new Uint32Array(buffer, 0, count);
    this.cleaned = new Uint32Array(buffer, count * 4, count);
    let least = 0;
    for (const offset of this.offsets) {
      if (offset < least || offset >= span) {
        throw refuse(`an offset of ${offset} among its ${span}`);
      }
      least = offset + 1;
    }
  }
}

/** Index of the first of ascending offsets that is not below the wanted one; their number when there is none. */
export function indexAmong(offsets: Uint32Array, wanted: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The headers that stand in a region of the bytes. @throws {PortError} CORRUPT */
export function readHeaders(bytes: Uint8Array, begin: number, end: number): RecordHeader[] {
  const from = new ByteReader(bytes, begin, end);
  if (from.remaining > HEADERS_BYTES_MAX) {
    throw new PortError('CORRUPT', `headers of ${from.remaining} bytes`);
  }
  const count = from.u16();
  if (count === 0 || count > HEADERS_MAX) throw new PortError('CORRUPT', `${count} headers`);
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const name = from.utf8(from.u16());
    const length = from.i32();
    if (length < -1) throw new PortError('CORRUPT', `a header of length ${length}`);
    headers.push({ name, value: length === -1 ? null : from.view(length).slice() });
  }
  from.finish();
  return headers;
}
