// Records of one partition on their way into record batches, in order and within limits; sends nothing and knows no time.

import type { RecordHeader } from '../data/record.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';

/** A record that waits to be sent. */
export interface Waiting {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** A record batch that is ready to be sent, and the records that it holds, in their order. */
export interface ReadyBatch<Record extends Waiting> {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly records: readonly Record[];
}

export interface BatchLimits {
  /** A batch is ready when its bytes come to this; one record may be longer. */
  readonly bytesMax: number;
  readonly recordsMax: number;
}

/** Cuts a sequence of records into batches. */
export class Batcher<Record extends Waiting> {
  readonly #limits: BatchLimits;
  readonly #builder = new RecordBatchBuilder();
  readonly #ready: ReadyBatch<Record>[] = [];
  #open: Record[] = [];

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Whether a batch is full. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether there is no record. */
  get isEmpty(): boolean {
    return this.#ready.length === 0 && this.#open.length === 0;
  }

  /**
   * Adds a record behind all others.
   * @returns true when that made a batch ready
   * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP
   * @throws {LimitError} HEADERS_MAX, HEADERS_BYTES_MAX; then nothing is added
   */
  add(record: Record): boolean {
    const { key, value, timestamp, headers } = record;
    const readyBefore = this.#ready.length;
    if (!this.#builder.append(key, value, timestamp, headers)) {
      this.#close();
      this.#builder.append(key, value, timestamp, headers);
    }
    this.#open.push(record);
    const { bytesMax, recordsMax } = this.#limits;
    if (this.#builder.lengthBytes >= bytesMax || this.#open.length >= recordsMax) this.#close();
    return this.#ready.length > readyBefore;
  }

  /** Takes the oldest batch: one that is full, or what there is. null: there is no record. */
  take(): ReadyBatch<Record> | null {
    if (this.#ready.length === 0) this.#close();
    return this.#ready.shift() ?? null;
  }

  #close(): void {
    const bytes = this.#builder.finish();
    if (bytes === null) return;
    this.#ready.push({ bytes, records: this.#open });
    this.#open = [];
  }
}
