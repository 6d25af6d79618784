// Rows on their way between two tasks of one process: a columnar record batch that nobody has encoded yet; knows no topic.

import { RECORD_BATCH_BYTES_MAX } from '../base/limits.ts';
import type { Batch } from './batch.ts';
import { encodedBytes } from './batch-writer.ts';
import type { Column } from './column.ts';
import { columnarRecordBatch } from './columnar-records.ts';
import { densified } from './dense.ts';
import { NoRecordParts } from './no-record-parts.ts';
import { RECORD_BATCH_HEADER_BYTES, type RecordBatch } from './record.ts';
import type { Schema } from './schema.ts';
import { storageOf } from './storage.ts';
import { latestOf } from './timestamps.ts';

interface Handed {
  readonly handed: HandedBatch;
}

/** As the columnar record batch that it is encoded as, without a checksum, once somebody asks for its bytes. */
export class HandedBatch extends NoRecordParts implements RecordBatch {
  /** What decoding the bytes gives. */
  readonly rows: Batch;
  /** Of the bytes. */
  readonly lengthBytes: number;
  readonly maxTimestamp: number;
  readonly crc = 0;
  readonly count: number;
  readonly span: number;
  readonly timestamps: Float64Array;
  #bytes: Uint8Array | null = null;

  /** @param latestMs the greatest of its rowtimes */
  constructor(rows: Batch, lengthBytes: number, latestMs: number) {
    super();
    const { length, rowtime } = rows;
    this.rows = rows;
    this.lengthBytes = lengthBytes;
    this.maxTimestamp = latestMs;
    this.count = length;
    this.span = length;
    this.timestamps = rowtime;
  }

  get bytes(): Uint8Array {
    return (this.#bytes ??= columnarRecordBatch(this.rows, { checksum: false }));
  }

  get encoded(): Uint8Array {
    return this.bytes.subarray(RECORD_BATCH_HEADER_BYTES);
  }

  /** What is said beside a batch, with this and its bytes, which are made when they are asked for. */
  within<Of extends object>(of: Of): Of & Readonly<Record<'bytes', Uint8Array>> & Handed {
    const bytes = (): Uint8Array => this.bytes;
    return {
      ...of,
      handed: this,
      get bytes() {
        return bytes();
      },
    };
  }
}

/** Times of records, and the greatest of them where that is known. */
export interface KnownTimes {
  readonly timestamps: Float64Array;
  readonly latestMs: number | undefined;
}

function latestOfKnown(rowtime: Float64Array, known: KnownTimes | null): number {
  if (known?.latestMs !== undefined) {
    const { buffer, byteOffset, length } = known.timestamps;
    const isSame =
      rowtime.buffer === buffer && rowtime.byteOffset === byteOffset && rowtime.length === length;
    if (isSame) return known.latestMs;
  }
  return latestOf(rowtime, 0, rowtime.length);
}

/** The rows to be handed over, whose times may be those of the records that they were made of; null where they must be encoded: what is nested changes as it is decoded, and how long it is nobody knows before. */
export function handed(
  batch: Batch,
  schema: Schema,
  known: KnownTimes | null = null,
): HandedBatch | null {
  const dense = densified(batch);
  const { length, rowtime } = dense;
  const columns = dense.columns.map((column, index) => decoded(column, length, schema, index));
  const lengthBytes = RECORD_BATCH_HEADER_BYTES + encodedBytes(dense);
  if (rowtime.length !== length || lengthBytes > RECORD_BATCH_BYTES_MAX) return null;
  const whole = columns.filter((column) => column !== null);
  if (whole.length < schema.columns.length) return null;
  const rows = { ...dense, schema, columns: whole, origin: null };
  return new HandedBatch(rows, lengthBytes, latestOfKnown(rowtime, known));
}

/** A column as decoding it would give it; null: it would be another. */
function decoded(column: Column, rows: number, schema: Schema, index: number): Column | null {
  const type = schema.columns[index]?.type;
  if (type === undefined || column.storage === 'objects' || column.values.length !== rows)
    return null;
  const isText = type.kind === 'STRING' && column.storage === 'dictionary';
  return isText || column.storage === storageOf(type) ? { ...column, type } : null;
}
