// Rewrites batches that follow each other: leaves records out and makes small batches one, at the same offsets; knows no storage.

import { InvariantError } from '../base/errors.ts';
import {
  offsetAt,
  parseRecordBatch,
  RECORD_OVERHEAD_BYTES,
  type RecordBatch,
} from '../data/record.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import { sparseBatch } from '../data/sparse.ts';
import type { FetchedBatch } from './log.ts';

/** Batches of so many bytes are never merged. */
export const MERGE_BYTES_MIN = 65_536;
/** What a merged batch holds at most, unless one record is more. */
export const MERGE_BYTES_MAX = 262_144;

/** A batch as it is to be stored. */
export interface RewrittenBatch extends FetchedBatch {
  /** -Infinity where no record is left: a search by time goes past it. */
  readonly maxTimestamp: number;
}

/**
 * What becomes of a record: null when it is left out, else when it was first met by compaction as a tombstone, in
 * seconds since the Unix epoch, or 0.
 */
export type KeepRule = (records: RecordBatch, i: number, offset: number) => number | null;

/** Nothing is left out. */
export const keepAll: KeepRule = (records, i) => records.cleaned?.[i] ?? 0;

/**
 * The batches that take the place of these. They cover the same offsets, those that they take over as they were included.
 * @param batches following each other
 * @returns null when nothing changes
 */
export function rewritten(
  batches: readonly FetchedBatch[],
  keep: KeepRule,
): readonly RewrittenBatch[] | null {
  const made = new Pieces();
  let isChanged = false;
  for (const batch of batches) {
    const { base, count, bytes } = batch;
    const records = parseRecordBatch(bytes, 'CORRUPT', { checksum: false });
    const kept = keptOf(records, base, keep);
    if (kept === null && bytes.length >= MERGE_BYTES_MIN) made.take(batch, records);
    else if (records.isColumnar) made.take(batch, records);
    else made.add(batch, records, kept);
    isChanged ||= kept !== null;
    made.coverTo(base + count);
  }
  const pieces = made.finish();
  return isChanged || pieces.length < batches.length ? pieces : null;
}

/** By record; null when every record stays as it is. */
function keptOf(records: RecordBatch, base: number, keep: KeepRule): (number | null)[] | null {
  let isChanged = false;
  const kept: (number | null)[] = [];
  for (let i = 0; i < records.count; i++) {
    const cleaned = keep(records, i, offsetAt(records, base, i));
    kept.push(cleaned);
    isChanged ||= cleaned !== (records.cleaned?.[i] ?? 0);
  }
  return isChanged ? kept : null;
}

/** Collects records and cuts them into batches. */
class Pieces {
  readonly #done: RewrittenBatch[] = [];
  readonly #builder = new RecordBatchBuilder();
  #base = -1;
  #end = -1;
  #offsets: number[] = [];
  #cleaned: number[] = [];
  #maxTimestamp = -Infinity;
  /** The batch that is all of the present piece so far, as it was; null: the piece is to be built. */
  #whole: FetchedBatch | null = null;

  /** Takes a batch over as it is. */
  take(batch: FetchedBatch, { timestamps }: RecordBatch): void {
    this.#cut();
    this.#done.push({ ...batch, maxTimestamp: maxOf(timestamps) });
    this.#base = -1;
  }

  /** Adds the records of a batch that stay. */
  add(batch: FetchedBatch, records: RecordBatch, kept: readonly (number | null)[] | null): void {
    const isFirst = this.#base < 0;
    if (isFirst) this.#base = batch.base;
    else if (this.#builder.lengthBytes + batch.bytes.length > MERGE_BYTES_MAX && kept === null) {
      this.#cutAt(batch.base);
    }
    const isWhole = this.#offsets.length === 0 && this.#base === batch.base && kept === null;
    for (let i = 0; i < records.count; i++) {
      const cleaned = kept === null ? (records.cleaned?.[i] ?? 0) : kept[i];
      if (cleaned === null || cleaned === undefined) continue;
      this.#append(records, i, offsetAt(records, batch.base, i), cleaned);
    }
    this.#whole = isWhole && this.#base === batch.base ? batch : null;
  }

  #append(records: RecordBatch, i: number, offset: number, cleaned: number): void {
    const key = records.key(i);
    const value = records.value(i);
    const length = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    const isFull = this.#builder.lengthBytes + length > MERGE_BYTES_MAX;
    if (isFull && this.#offsets.length > 0) this.#cutAt(offset);
    const timestamp = records.timestamps[i] as number;
    if (!this.#builder.append(key, value, timestamp, records.headers(i))) {
      throw new InvariantError('one record fits a batch');
    }
    this.#offsets.push(offset - this.#base);
    this.#cleaned.push(cleaned);
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /** The offsets up to there are those of the present piece, or of the batch that was taken over. */
  coverTo(end: number): void {
    this.#end = end;
  }

  /** Ends the piece at an offset, from which the next one begins. */
  #cutAt(offset: number): void {
    this.#end = offset;
    this.#cut();
    this.#base = offset;
  }

  #cut(): void {
    if (this.#base < 0) return;
    const span = this.#end - this.#base;
    const offsets = this.#offsets;
    const maxTimestamp = this.#maxTimestamp;
    const whole = this.#whole;
    const dense = this.#builder.finish();
    const isDense =
      offsets.length === span && this.#cleaned.every((cleaned) => cleaned === 0) && dense !== null;
    const bytes = isDense ? dense : sparseBatch(dense, { span, offsets, cleaned: this.#cleaned });
    const isSame = whole !== null && whole.count === span && whole.base === this.#base;
    const piece = { base: this.#base, count: span, bytes: isSame ? whole.bytes : bytes };
    this.#done.push({ ...piece, maxTimestamp });
    this.#offsets = [];
    this.#cleaned = [];
    this.#maxTimestamp = -Infinity;
    this.#whole = null;
  }

  finish(): readonly RewrittenBatch[] {
    this.#cut();
    return this.#done;
  }
}

function maxOf(timestamps: Float64Array): number {
  let max = -Infinity;
  for (const timestamp of timestamps) if (timestamp > max) max = timestamp;
  return max;
}
