// Records between page and Worker as two arrays, not as an object each; knows no topic.

import { grown } from '../base/grown.ts';
import { COPIED_BYTES_MAX } from '../base/limits.ts';
import { NO_HEADERS, type RecordHeader } from '../data/record.ts';
import type { ProducedRecord } from '../engine/insert.ts';

/** Records in their order. */
export interface PackedRecords {
  /** Keys and values, one after the other: key, value, key, value ... There may be more bytes behind them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Four a record: bytes of its key and of its value, -1: null; its timestamp and its partition, NaN: none given. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** By record; absent: no record has any. */
  readonly headers?: readonly (readonly RecordHeader[])[] | undefined;
}

const UTF8 = new TextEncoder();

/** Takes records in, as they are: nobody changes them any more. */
export class RecordPacker {
  #bytes = new Uint8Array(256);
  readonly #numbers: number[] = [];
  readonly #headers: (readonly RecordHeader[])[] = [];
  lengthBytes = 0;

  /** Takes all of them, or none when it throws. @throws {TypeError} */
  add(records: readonly ProducedRecord[]): void {
    const before = this.lengthBytes;
    const count = this.#headers.length;
    try {
      for (const { key, value, timestamp, partition, headers = NO_HEADERS } of records) {
        this.#numbers.push(this.#put(key), this.#put(value), marked(timestamp), marked(partition));
        // What is no array is refused where the record is built.
        this.#headers.push(Array.isArray(headers) ? headers.map(copied) : headers);
      }
    } catch (thrown) {
      this.lengthBytes = before;
      this.#numbers.length = count * 4;
      this.#headers.length = count;
      throw thrown;
    }
  }

  /** Appends bytes, or text as UTF-8. @returns how many bytes; -1: null */
  #put(given: Uint8Array | string | null | undefined): number {
    if (given === null || given === undefined) return -1;
    const from = this.lengthBytes;
    const isText = typeof given === 'string';
    const needed = from + given.length * (isText ? 3 : 1);
    if (!(needed >= from)) throw new TypeError('a key or a value is text, bytes or null');
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, needed * 2);
    const bytes = this.#bytes;
    let length = given.length;
    if (!isText) bytes.set(given, from);
    else {
      let i = 0;
      // Mostly all of it is ASCII, and short: a call of the encoder would take longer.
      while (i < length && (bytes[from + i] = given.charCodeAt(i)) < 128) i += 1;
      if (i < length) length = UTF8.encodeInto(given, bytes.subarray(from)).written;
    }
    this.lengthBytes += length;
    return length;
  }

  packed(): PackedRecords {
    const isCopied = this.lengthBytes <= COPIED_BYTES_MAX;
    return {
      bytes: isCopied ? this.#bytes.slice(0, this.lengthBytes) : this.#bytes,
      numbers: Float64Array.from(this.#numbers),
      headers: this.#headers.some(({ length }) => length !== 0) ? this.#headers : undefined,
    };
  }
}

/** The buffers to hand over. */
export function buffersOf({ bytes, numbers }: PackedRecords): ArrayBuffer[] {
  return bytes.length > COPIED_BYTES_MAX ? [bytes.buffer, numbers.buffer] : [];
}

function copied({ name, value }: RecordHeader): RecordHeader {
  return { name, value: value && value.slice() };
}

/** What is given and is no number is none for the log either: it is refused there as -1 is. Who writes no types may give null for none. */
function marked(given: number | null = null): number {
  return given === null ? NaN : Number.isFinite(given) ? given : -1;
}
