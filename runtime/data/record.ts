// A record batch: records as the log keeps them (PROTOCOL.md section 2), read without an object a record; knows no topic.

import { ByteReader } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PortError } from '../base/errors.ts';
import {
  HEADERS_BYTES_MAX,
  HEADERS_MAX,
  KEY_BYTES_MAX,
  RECORD_BATCH_BYTES_MAX,
  VALUE_BYTES_MAX,
} from '../base/limits.ts';
import { encodedRowtimes } from './codec-header.ts';

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
}

/**
 * Checks a batch that is to be appended: everything that `parseRecordBatch` checks, its checksum, its limits and
 * timestamps.
 * @throws {PortError} INVALID_BATCH, RECORD_TOO_LARGE, INVALID_TIMESTAMP
 */
export function verify(bytes: Uint8Array): BatchSummary {
  if (bytes.length > RECORD_BATCH_BYTES_MAX) {
    throw new PortError('RECORD_TOO_LARGE', `a record batch of ${bytes.length} bytes`, {
      bytes: bytes.length,
      bytesMax: RECORD_BATCH_BYTES_MAX,
    });
  }
  const batch = parseRecordBatch(bytes, 'INVALID_BATCH');
  if (batch.offsets !== null) {
    throw new PortError('INVALID_BATCH', 'record batch: its partition gives records their offsets');
  }
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
  if (keyBytes > KEY_BYTES_MAX) {
    throw new PortError('RECORD_TOO_LARGE', `a key of ${keyBytes} bytes`, {
      bytes: keyBytes,
      bytesMax: KEY_BYTES_MAX,
    });
  }
  if (valueBytes > VALUE_BYTES_MAX) {
    throw new PortError('RECORD_TOO_LARGE', `a value of ${valueBytes} bytes`, {
      bytes: valueBytes,
      bytesMax: VALUE_BYTES_MAX,
    });
  }
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
  try {
    return parse(bytes, fault, options.checksum);
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
  const perRecord = isColumnar ? 0 : RECORD_OVERHEAD_BYTES + (isSparse ? SPARSE_OVERHEAD_BYTES : 0);
  const length =
    RECORD_BATCH_HEADER_BYTES + count * perRecord + keyBytes + valueBytes + headerBytes;
  if (length !== bytes.length) throw refuse(`${bytes.length} bytes where ${length} are due`);
  if (checksum && crc32c(bytes, 8) !== sum) throw refuse('the checksum does not agree');
  if (isColumnar) {
    if (keyBytes !== 0 || headerBytes !== 0) throw refuse('a columnar batch with keys or headers');
    return new ColumnarRecordBatch(bytes, count, refuse);
  }
  return new PlainRecordBatch(bytes, { count, span, keyBytes, valueBytes, headerBytes }, refuse);
}

type Refuse = (message: string) => PortError;

class ColumnarRecordBatch implements RecordBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly span: number;
  readonly offsets = null;
  readonly cleaned = null;
  readonly isColumnar = true;
  readonly hasKeys = false;
  readonly timestamps: Float64Array;
  readonly valueLengths = new Int32Array(0);
  readonly encoded: Uint8Array;

  constructor(bytes: Uint8Array, count: number, refuse: Refuse) {
    this.bytes = bytes;
    this.count = count;
    this.span = count;
    const encoded = bytes.subarray(RECORD_BATCH_HEADER_BYTES);
    this.encoded = (encoded.byteOffset & 7) === 0 ? encoded : encoded.slice();
    this.timestamps = encodedRowtimes(this.encoded);
    if (this.timestamps.length !== count) throw refuse('count and rows do not agree');
  }

  keyFrom(): number {
    return -1;
  }

  keyTo(): number {
    return -1;
  }

  valueFrom(): number {
    return -1;
  }

  valueTo(): number {
    return -1;
  }

  key(): null {
    return null;
  }

  value(): null {
    return null;
  }

  headers(): RecordHeader[] {
    return [];
  }
}

interface Sizes {
  readonly count: number;
  /** 0: as many as there are records. */
  readonly span: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly headerBytes: number;
}

class PlainRecordBatch implements RecordBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly span: number;
  readonly offsets: Uint32Array | null;
  readonly cleaned: Uint32Array | null;
  readonly isColumnar = false;
  readonly hasKeys: boolean;
  readonly timestamps: Float64Array;
  readonly encoded = null;
  readonly valueLengths: Int32Array;
  readonly #keyLengths: Int32Array;
  readonly #keysAt: number;
  /** null: no record has bytes there. */
  readonly #keyStarts: Uint32Array | null;
  readonly #valueStarts: Uint32Array;
  readonly #headerStarts: Uint32Array | null;

  constructor(bytes: Uint8Array, sizes: Sizes, refuse: Refuse) {
    const { count, span, keyBytes, valueBytes, headerBytes } = sizes;
    this.bytes = bytes;
    this.count = count;
    this.span = span === 0 ? count : span;
    const lengthsAt = RECORD_BATCH_HEADER_BYTES + count * 8;
    const offsetsAt = lengthsAt + count * 12;
    const keysAt = offsetsAt + (span === 0 ? 0 : count * SPARSE_OVERHEAD_BYTES);
    const aligned = (bytes.byteOffset & 7) === 0;
    const buffer = aligned ? bytes.buffer : bytes.slice(0, keysAt).buffer;
    const start = aligned ? bytes.byteOffset : 0;
    this.timestamps = new Float64Array(buffer, start + RECORD_BATCH_HEADER_BYTES, count);
    this.#keyLengths = new Int32Array(buffer, start + lengthsAt, count);
    this.valueLengths = new Int32Array(buffer, start + lengthsAt + count * 4, count);
    const headerLengths = new Int32Array(buffer, start + lengthsAt + count * 8, count);
    this.offsets = span === 0 ? null : new Uint32Array(buffer, start + offsetsAt, count);
    this.cleaned =
      span === 0 ? null : new Uint32Array(buffer, start + offsetsAt + count * 4, count);
    checkOffsets(this.offsets, span, refuse);
    const valuesAt = keysAt + keyBytes;
    const headersAt = valuesAt + valueBytes;
    this.#keysAt = keysAt;
    this.#keyStarts = starts(this.#keyLengths, keysAt, keyBytes, -1, 'keys', refuse);
    const valueStarts = starts(this.valueLengths, valuesAt, valueBytes, -1, 'values', refuse);
    this.#valueStarts = valueStarts ?? new Uint32Array(count + 1).fill(valuesAt);
    this.#headerStarts = starts(headerLengths, headersAt, headerBytes, 0, 'headers', refuse);
    this.hasKeys = keyBytes > 0 || this.#keyLengths.includes(0);
  }

  keyFrom(i: number): number {
    return (this.#keyLengths[i] ?? -1) < 0 ? -1 : (this.#keyStarts?.[i] ?? this.#keysAt);
  }

  keyTo(i: number): number {
    return (this.#keyLengths[i] ?? -1) < 0 ? -1 : (this.#keyStarts?.[i + 1] ?? this.#keysAt);
  }

  valueFrom(i: number): number {
    return (this.valueLengths[i] ?? -1) < 0 ? -1 : (this.#valueStarts[i] ?? -1);
  }

  valueTo(i: number): number {
    return (this.valueLengths[i] ?? -1) < 0 ? -1 : (this.#valueStarts[i + 1] ?? -1);
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
    const headerStarts = this.#headerStarts;
    if (headerStarts === null) return [];
    const from = headerStarts[i] ?? 0;
    const to = headerStarts[i + 1] ?? 0;
    if (from === to) return [];
    return readHeaders(new ByteReader(this.bytes, from, to));
  }
}

/** Offset of record `i` of a batch that stands at `base`. */
export function offsetAt(records: RecordBatch, base: number, i: number): number {
  return base + (records.offsets?.[i] ?? i);
}

/** Index of the first record at or behind the offset, of a batch that stands at `base`; `count` when there is none. */
export function indexAt(records: RecordBatch, base: number, offset: number): number {
  const wanted = Math.max(0, offset - base);
  const { offsets, count } = records;
  if (offsets === null) return Math.min(wanted, count);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkOffsets(offsets: Uint32Array | null, span: number, refuse: Refuse): void {
  if (offsets === null) return;
  let least = 0;
  for (const offset of offsets) {
    if (offset < least || offset >= span) throw refuse(`an offset of ${offset} among its ${span}`);
    least = offset + 1;
  }
}

/** Where each region begins, and where the last one ends; null where none has bytes. */
function starts(
  lengths: Int32Array,
  at: number,
  total: number,
  min: number,
  what: string,
  refuse: Refuse,
): Uint32Array | null {
  if (total === 0 && lengths.every((length) => length >= min && length <= 0)) return null;
  const begins = new Uint32Array(lengths.length + 1);
  let position = at;
  for (let i = 0; i < lengths.length; i++) {
    begins[i] = position;
    const length = lengths[i] as number;
    if (length < min) throw refuse(`a length of ${length} among the ${what}`);
    if (length > 0) position += length;
    if (position > at + total) break;
  }
  if (position !== at + total) throw refuse(`the lengths of the ${what} do not add up`);
  begins[lengths.length] = position;
  return begins;
}

function readHeaders(from: ByteReader): RecordHeader[] {
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
