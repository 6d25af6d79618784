// Builds record batches within their limits (PROTOCOL.md section 2); knows no topic and no format.

import { assert } from '../base/assert.ts';
import { ByteWriter, encodeUtf8, exactly } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { LimitError } from '../base/errors.ts';
import { grown } from '../base/grown.ts';
import { HEADERS_BYTES_MAX, HEADERS_MAX, RECORD_BATCH_BYTES_MAX } from '../base/limits.ts';
import {
  NO_HEADERS,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
  RECORD_BATCH_VERSION,
  RECORD_OVERHEAD_BYTES,
  type RecordHeader,
  checkSizes,
  checkTimestamp,
} from './record.ts';

/**
 * Builds record batches one after the other. A record is appended whole by `append`; or its bytes are written to `keys` and
 * `values` and ended by `end`, which saves a copy: `discard` takes back what was written since the last record.
 *
 * Both return false, and leave the builder as it was before the record, when the record does not fit in this batch any
 * more: `finish` it and write the record again. A single record within the limits always fits in an empty batch.
 */
export class RecordBatchBuilder {
  /** Takes the key bytes of the record being written. */
  readonly keys = new ByteWriter(1024);
  /** Takes the value bytes of the record being written. */
  readonly values = new ByteWriter(4096);
  readonly #headers = new ByteWriter(64);
  #timestamps = new Float64Array(16);
  /** Key, value and header length of each record. */
  #lengths = new Int32Array(48);
  #count = 0;
  #keysEnd = 0;
  #valuesEnd = 0;
  #headersEnd = 0;

  /** Whole records so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch as it would be finished now. */
  get lengthBytes(): number {
    return (
      RECORD_BATCH_HEADER_BYTES +
      this.#count * RECORD_OVERHEAD_BYTES +
      this.#keysEnd +
      this.#valuesEnd +
      this.#headersEnd
    );
  }

  /**
   * Appends one record.
   * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP
   * @throws {LimitError} HEADERS_MAX, HEADERS_BYTES_MAX; {TypeError} for headers of another shape
   */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestamp: number,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): boolean {
    checkSizes(key?.length ?? 0, value?.length ?? 0);
    // What was written of a record that was none.
    this.discard();
    if (key !== null) this.keys.bytes(key);
    if (value !== null) this.values.bytes(value);
    return this.end({ hasKey: key !== null, hasValue: value !== null }, timestamp, headers);
  }

  /** Ends the record whose bytes were written to `keys` and `values`. @throws as `append`, after a `discard` */
  end(
    { hasKey, hasValue }: { readonly hasKey: boolean; readonly hasValue: boolean },
    timestamp: number,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): boolean {
    const keyLength = this.keys.position - this.#keysEnd;
    const valueLength = this.values.position - this.#valuesEnd;
    try {
      checkTimestamp(timestamp);
      checkSizes(keyLength, valueLength);
      if (headers.length !== 0) this.#writeHeaders(headers);
    } catch (thrown) {
      this.discard();
      throw thrown;
    }
    const headerLength = this.#headers.position - this.#headersEnd;
    const grown = RECORD_OVERHEAD_BYTES + keyLength + valueLength + headerLength;
    if (this.lengthBytes + grown > RECORD_BATCH_BYTES_MAX) {
      this.discard();
      return false;
    }
    const row = this.#count;
    if (row === this.#timestamps.length) this.#grow();
    this.#timestamps[row] = timestamp;
    this.#lengths[row * 3] = hasKey ? keyLength : -1;
    this.#lengths[row * 3 + 1] = hasValue ? valueLength : -1;
    this.#lengths[row * 3 + 2] = headerLength;
    this.#count = row + 1;
    this.#keysEnd = this.keys.position;
    this.#valuesEnd = this.values.position;
    this.#headersEnd = this.#headers.position;
    return true;
  }

  /** Takes back what was written since the last whole record. */
  discard(): void {
    this.keys.truncate(this.#keysEnd);
    this.values.truncate(this.#valuesEnd);
    this.#headers.truncate(this.#headersEnd);
  }

  #grow(): void {
    this.#timestamps = grown(this.#timestamps, this.#timestamps.length * 2);
    this.#lengths = grown(this.#lengths, this.#lengths.length * 2);
  }

  #writeHeaders(headers: readonly RecordHeader[]): void {
    // Values by name have no order and no length, and would be passed over.
    if (!Array.isArray(headers)) throw new TypeError('headers is an array of { name, value }');
    if (headers.length > HEADERS_MAX) {
      throw new LimitError('HEADERS_MAX', `${headers.length} headers, at most ${HEADERS_MAX}`);
    }
    const to = this.#headers;
    to.u16(headers.length);
    for (const { name, value } of headers) {
      const text = encodeUtf8(name);
      to.u16(text.length);
      to.bytes(text);
      to.i32(value?.length ?? -1);
      if (value !== null) to.bytes(value);
      if (to.position - this.#headersEnd > HEADERS_BYTES_MAX) {
        throw new LimitError(
          'HEADERS_BYTES_MAX',
          `headers of more than ${HEADERS_BYTES_MAX} bytes`,
        );
      }
    }
  }

  /** The record batch, or null when there are no records; the builder is empty afterwards. */
  finish(): Uint8Array<ArrayBuffer> | null {
    const count = this.#count;
    if (count === 0) return null;
    this.discard();
    const to = new ByteWriter(this.lengthBytes);
    writeHeader(to, 0, count, [this.#keysEnd, this.#valuesEnd, this.#headersEnd]);
    to.bytes(new Uint8Array(this.#timestamps.buffer, 0, count * 8));
    to.zeros(count * 12);
    const lengths = new Int32Array(to.buffer.buffer, to.position - count * 12, count * 3);
    for (let i = 0; i < count; i++) {
      lengths[i] = this.#lengths[i * 3] as number;
      lengths[count + i] = this.#lengths[i * 3 + 1] as number;
      lengths[2 * count + i] = this.#lengths[i * 3 + 2] as number;
    }
    to.bytes(this.keys.buffer, 0, this.#keysEnd);
    to.bytes(this.values.buffer, 0, this.#valuesEnd);
    to.bytes(this.#headers.buffer, 0, this.#headersEnd);
    this.#count = 0;
    this.#keysEnd = 0;
    this.#valuesEnd = 0;
    this.#headersEnd = 0;
    this.discard();
    return sealed(to);
  }
}

/** Appends the header, without the checksum. */
export function writeHeader(
  to: ByteWriter,
  attributes: number,
  count: number,
  [keyBytes, valueBytes, headerBytes]: readonly [number, number, number],
): void {
  to.u32(RECORD_BATCH_MAGIC);
  to.u32(0);
  to.u8(RECORD_BATCH_VERSION);
  to.u8(attributes);
  to.u16(0);
  to.u32(count);
  to.u32(keyBytes);
  to.u32(valueBytes);
  to.u32(headerBytes);
  to.u32(0);
}

/** Fills the checksum in; the writer is not used again. */
export function sealed(to: ByteWriter): Uint8Array<ArrayBuffer> {
  to.patchU32(4, crc32c(to.buffer, 8, to.position));
  return exactly(to);
}

/** One that was given back: to make a builder costs as much as to append a small record. */
let spare: RecordBatchBuilder | null = null;

/** An empty builder, to be given back once it is empty again; one that is not is left to the garbage collector. */
export function takeBuilder(): RecordBatchBuilder {
  const builder = spare ?? new RecordBatchBuilder();
  spare = null;
  return builder;
}

/** @param builder empty, and nobody's any more */
export function giveBack(builder: RecordBatchBuilder): void {
  spare = builder;
}

/** One record, as a record batch. @throws as `RecordBatchBuilder.append` */
export function singleRecord(
  key: Uint8Array | null,
  value: Uint8Array | null,
  timestamp: number,
  headers: readonly RecordHeader[] = NO_HEADERS,
): Uint8Array<ArrayBuffer> {
  const builder = new RecordBatchBuilder();
  builder.append(key, value, timestamp, headers);
  const bytes = builder.finish();
  assert(bytes !== null, 'one record fits a batch');
  return bytes;
}
