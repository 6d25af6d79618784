// A record batch: records as the log keeps them (PROTOCOL.md section 2), read without an object a record; knows no topic.

import { crc32c } from '../base/crc32c.ts';
import { PortError } from '../base/errors.ts';
import { KEY_BYTES_MAX, RECORD_BATCH_BYTES_MAX, VALUE_BYTES_MAX } from '../base/limits.ts';
import type { Batch } from './batch.ts';
import { RARE_RECORDS } from './parts.ts';

/** "MRB1", little endian. */
export const RECORD_BATCH_MAGIC = 0x3142524d;
export const RECORD_BATCH_VERSION = 1;
export const RECORD_BATCH_HEADER_BYTES = 32;
export const COLUMNAR = 1;
/** What compaction leaves: records whose offsets do not follow each other. */
export const SPARSE = 2;
/** Bytes that a record takes besides its key, value and headers. */
export const RECORD_OVERHEAD_BYTES = 20;
/** What it takes besides those in a sparse batch: its offset, and when it was cleaned. */
export const SPARSE_OVERHEAD_BYTES = 8;

/** A header of a record; the order and repeats of names count. */
export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** Of a record without any. */
export const NO_HEADERS: readonly RecordHeader[] = [];

/** Who reads decides what a fault is called: INVALID_BATCH when it is appended, CORRUPT when it was stored. */
export type BatchFault = 'INVALID_BATCH' | 'CORRUPT';

/** What an appender learns from a batch that it has checked. */
export interface BatchSummary {
  readonly count: number;
  readonly maxTimestamp: number;
}

/**
 * A parsed record batch. Records are told by index, 0 .. count - 1; their bytes are regions of `bytes`. The keys, values and
 * headers of a columnar batch are in `encoded`, for data/codec.ts.
 */
export interface RecordBatch {
  /** The whole record batch. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Offsets that the batch covers: what follows it stands so far behind it. More than `count` where compaction has taken records. */
  readonly span: number;
  /** Each record's offset less the batch's own; null: record i has i. */
  readonly offsets: Uint32Array | null;
  /** When compaction first met this tombstone, in seconds since the Unix epoch, or 0; null: it has met none here. */
  readonly cleaned: Uint32Array | null;
  readonly isColumnar: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly timestamps: Float64Array;
  /** false: every key is null. */
  readonly hasKeys: boolean;
  /** Where record i's key begins in `bytes`, -1 when it is null; it ends at `keyTo(i)`, also -1 when null. */
  keyFrom(i: number): number;
  keyTo(i: number): number;
  valueFrom(i: number): number;
  valueTo(i: number): number;
  /** Bytes of each value, -1: null; the values stand one after the other. Empty where the batch is columnar. */
  readonly valueLengths: Int32Array;
  /** A view of the key's bytes; null when it is null. */
  key(i: number): Uint8Array | null;
  value(i: number): Uint8Array | null;
  /** Decoded at each call. */
  headers(i: number): RecordHeader[];
  /** The encoded batch of a columnar batch, null of another. */
  readonly encoded: Uint8Array | null;
  /** The rows of a columnar batch that has not been encoded. */
  readonly rows?: Batch | undefined;
}

/**
 * Checks a batch that is to be appended: everything that `parseRecordBatch` checks, its checksum, its limits and
 * timestamps.
 * @throws {PortError} INVALID_BATCH, RECORD_TOO_LARGE, INVALID_TIMESTAMP
 */
export function verify(bytes: Uint8Array): BatchSummary {
  checkSize('record batch', bytes.length, RECORD_BATCH_BYTES_MAX);
  const batch = parseRecordBatch(bytes, 'INVALID_BATCH');
  if (batch.offsets !== null) throw RARE_RECORDS.code.offsetsGiven();
  let maxTimestamp = 0;
  for (let i = 0; i < batch.count; i++) {
    const timestamp = batch.timestamps[i] as number;
    checkTimestamp(timestamp);
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    if (batch.isColumnar) continue;
    checkSizes(batch.keyTo(i) - batch.keyFrom(i), batch.valueTo(i) - batch.valueFrom(i));
    batch.headers(i);
  }
  return { count: batch.count, maxTimestamp };
}

/** @throws {PortError} INVALID_TIMESTAMP unless it is a whole number of milliseconds from 0 on */
export function checkTimestamp(timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return;
  throw new PortError(
    'INVALID_TIMESTAMP',
    `${timestamp} is no timestamp in milliseconds since 1970`,
  );
}

/** @throws {PortError} RECORD_TOO_LARGE */
export function checkSizes(keyBytes: number, valueBytes: number): void {
  checkSize('key', keyBytes, KEY_BYTES_MAX);
  checkSize('value', valueBytes, VALUE_BYTES_MAX);
}

function checkSize(what: string, bytes: number, bytesMax: number): void {
  if (bytes > bytesMax)
    throw new PortError('RECORD_TOO_LARGE', `a ${what} of ${bytes} bytes`, { bytes, bytesMax });
}

/**
 * Parses a record batch and checks all its lengths, so that no later read goes out of bounds. Timestamps and lengths are
 * views where `bytes` begin at a multiple of 8 in their buffer, else copies of those alone.
 * @param options.checksum false where the checksum has been verified already
 * @throws {PortError} `fault`
 */
export function parseRecordBatch(
  bytes: Uint8Array,
  fault: BatchFault = 'CORRUPT',
  options: { readonly checksum: boolean } = { checksum: true },
): RecordBatch {
  return (
    plainBatch(bytes, options.checksum) ??
    RARE_RECORDS.code.parsedOtherwise(bytes, fault, options.checksum)
  );
}

/** A good batch that is neither columnar nor sparse, as nearly all are; null: it is another, or none. */
function plainBatch(bytes: Uint8Array, checksum: boolean): RecordBatch | null {
  const length = bytes.length;
  if (length < RECORD_BATCH_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const u32 = (at: number): number => view.getUint32(at, true);
  const count = u32(12);
  const keyBytes = u32(16);
  const valueBytes = u32(20);
  const headerBytes = u32(24);
  return u32(0) === RECORD_BATCH_MAGIC &&
    u32(8) === RECORD_BATCH_VERSION &&
    count > 0 &&
    u32(28) === 0 && // Its span: it is not sparse.
    RECORD_BATCH_HEADER_BYTES +
      count * RECORD_OVERHEAD_BYTES +
      keyBytes +
      valueBytes +
      headerBytes ===
      length &&
    (!checksum || crc32c(bytes, 8) === u32(4))
    ? wholeOf(new RowRecordBatch(bytes, { count, keyBytes, valueBytes, headerBytes, besides: 0 }))
    : null;
}

/** The batch; null when the lengths of its records are wrong. */
export function wholeOf<Batch extends RowRecordBatch>(batch: Batch): Batch | null {
  return batch.isWhole ? batch : null;
}

export interface RegionSizes {
  readonly count: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly headerBytes: number;
  /** Bytes a record between the lengths and the keys. */
  readonly besides: number;
}

/** Records one after the other: a region of timestamps, one of each kind of lengths, then the keys, values and headers. */
export class RowRecordBatch implements RecordBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly span: number;
  readonly offsets: Uint32Array | null = null;
  readonly cleaned: Uint32Array | null = null;
  readonly isColumnar = false;
  readonly hasKeys: boolean;
  readonly timestamps: Float64Array;
  readonly encoded = null;
  /** false: lengths do not fit their region, and nothing may be read. */
  readonly isWhole: boolean;
  /** Of all keys, then of all values, then of all headers; -1: null. */
  readonly #lengths: Int32Array;
  /** Where each of the three regions begins. */
  readonly #regions: readonly number[];
  /** Where each key, value and header begins, and where the last one ends; null: nobody has asked for others than the first ones. */
  #starts: Uint32Array | null = null;

  constructor(bytes: Uint8Array, sizes: RegionSizes) {
    const { count, keyBytes, valueBytes, headerBytes } = sizes;
    this.bytes = bytes;
    this.count = count;
    this.span = count;
    const lengthsAt = RECORD_BATCH_HEADER_BYTES + count * 8;
    const keysAt = lengthsAt + count * (12 + sizes.besides);
    const aligned = (bytes.byteOffset & 7) === 0;
    const buffer = aligned ? bytes.buffer : bytes.slice(0, keysAt).buffer;
    const start = aligned ? bytes.byteOffset : 0;
    const lengths = (this.#lengths = new Int32Array(buffer, start + lengthsAt, count * 3));
    this.timestamps = new Float64Array(buffer, start + RECORD_BATCH_HEADER_BYTES, count);
    this.#regions = [keysAt, keysAt + keyBytes, keysAt + keyBytes + valueBytes];
    const keys = excess(lengths, 0, keyBytes, -1);
    const values = excess(lengths, count, valueBytes, -1);
    const headers = excess(lengths, count * 2, headerBytes, 0);
    this.hasKeys = keys > 0;
    this.isWhole = (keys | values | headers) >= 0;
  }

  /** Where a key (region 0), a value (1) or headers (2) begin, or where they end, `after` being 1; -1: null. */
  #edge(region: number, i: number, after: number): number {
    const lengths = this.#lengths;
    const piece = this.count * region + i;
    if ((lengths[piece] as number) < 0) return -1;
    if (this.#starts === null) {
      if (i + after === 0) return this.#regions[region] as number;
      const starts = (this.#starts = new Uint32Array(lengths.length + 1));
      let at = (starts[0] = this.#regions[0] as number);
      for (let n = 0; n < lengths.length;) {
        const length = lengths[n++] as number;
        starts[n] = at += length & ~(length >> 31);
      }
    }
    return this.#starts[piece + after] as number;
  }

  get valueLengths(): Int32Array {
    return this.#lengths.subarray(this.count, this.count * 2);
  }

  keyFrom(i: number): number {
    return this.#edge(0, i, 0);
  }

  keyTo(i: number): number {
    return this.#edge(0, i, 1);
  }

  valueFrom(i: number): number {
    return this.#edge(1, i, 0);
  }

  valueTo(i: number): number {
    return this.#edge(1, i, 1);
  }

  key(i: number): Uint8Array | null {
    const from = this.keyFrom(i);
    return from < 0 ? null : this.bytes.subarray(from, this.keyTo(i));
  }

  value(i: number): Uint8Array | null {
    const from = this.valueFrom(i);
    return from < 0 ? null : this.bytes.subarray(from, this.valueTo(i));
  }

  headers(i: number): RecordHeader[] {
    if (this.#lengths[this.count * 2 + i] === 0) return [];
    return RARE_RECORDS.code.readHeaders(this.bytes, this.#edge(2, i, 0), this.#edge(2, i, 1));
  }
}

/** Offset of record `i` of a batch that stands at `base`. */
export function offsetAt(records: RecordBatch, base: number, i: number): number {
  return base + (records.offsets?.[i] ?? i);
}

/** Index of the first record at or behind the offset, of a batch that stands at `base`; `count` when there is none. */
export function indexAt({ offsets, count }: RecordBatch, base: number, offset: number): number {
  const wanted = Math.max(0, offset - base);
  return offsets === null ? Math.min(wanted, count) : RARE_RECORDS.code.indexAmong(offsets, wanted);
}

/**
 * By how much the lengths of one region are more than the least that they may be, all bits together; negative: they are wrong.
 * Without a branch, a call or a write for each: records are many, and mostly decoded all in one.
 */
function excess(lengths: Int32Array, first: number, bytes: number, min: number): number {
  const end = first + lengths.length / 3;
  let all = 0;
  let sum = 0;
  for (let i = first; i < end; i++) {
    const length = lengths[i] as number;
    all |= length - min;
    sum += length & ~(length >> 31);
  }
  return sum === bytes ? all : -1;
}
