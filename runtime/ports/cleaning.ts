// Compaction and merging of one partition, as passes that are fed with batches turn by turn; knows no storage and no clock.

import { CLEANER_KEY_BYTES_MAX, CLEANER_KEYS_MAX, UPKEEP_BATCHES_MAX } from '../base/limits.ts';
import { indexAt, offsetAt, parseRecordBatch, type RecordBatch } from '../data/record.ts';
import type { FetchedBatch } from './log.ts';
import { keepAll, MERGE_BYTES_MIN, rewritten, type RewrittenBatch } from './rewrite.ts';
import type { TopicPolicy } from './topic-policy.ts';

/** What a turn reads, unless one batch is more. */
const CLEANING_BYTES = 1_048_576;
/** Compaction begins when so much has come for what it left last: its reads and writes are paid for by appends. */
const DIRTY_SHARE = 0.5;

/** How far the passes have come. Plain JSON, stored with the partition. */
export interface Cleaned {
  /** Every record below has been through a pass. */
  readonly below: number;
  /** Bytes of the partition when the last pass ended. */
  readonly lengthBytes: number;
  /** When that was. */
  readonly atMs: number;
}

export const NOT_CLEANED: Cleaned = { below: 0, lengthBytes: 0, atMs: 0 };

/** A partition as it stands. */
export interface Cleanable {
  readonly incarnation: string;
  readonly policy: TopicPolicy;
  readonly start: number;
  /** Base of the newest batch: it is never touched. */
  readonly head: number;
  readonly lengthBytes: number;
  readonly cleaned: Cleaned;
  readonly nowMs: number;
}

/** Batches `from .. to` (offsets) give way to others. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly batches: readonly RewrittenBatch[];
}

/** What the next turn is to read: batches from the one that covers `from` on, all of them below `to`. */
export interface CleaningRead {
  readonly from: number;
  readonly to: number;
  readonly batchesMax: number;
  readonly bytesMax: number;
}

/**
 * The passes of one partition. An adapter reads what `wanted` says, hands it to `take` and stores the replacement, all in one
 * transaction, turn by turn until `take` says that the pass is done; then it stores what `result` gives. A pass that is lost, with its
 * instance or, by `forget`, with a transaction, is begun again.
 */
export class Cleaner {
  #pass: CleaningPass | null = null;

  /** What the next turn is to read. @param isDue whether a pass may begin; null when there is nothing to do */
  wanted(of: Cleanable, isDue: boolean): CleaningRead | null {
    if (this.#pass?.incarnation !== of.incarnation) this.#pass = null;
    if (this.#pass === null && isDue) this.#pass = new CleaningPass(of);
    return this.#pass?.wanted(of.start) ?? null;
  }

  /** Takes what was read. @throws {PortError} CORRUPT */
  take(batches: readonly FetchedBatch[]): {
    readonly replacement: Replacement | null;
    readonly isDone: boolean;
  } {
    const replacement = this.#pass?.take(batches) ?? null;
    return { replacement, isDone: this.#pass?.isDone ?? true };
  }

  /** Ends the pass. @param lengthBytes of the partition now. @returns what to store */
  result(lengthBytes: number): Cleaned {
    const result = this.#pass?.result(lengthBytes) ?? NOT_CLEANED;
    this.#pass = null;
    return result;
  }

  /** The turn has failed, and what it wanted to store is not there. */
  forget(): void {
    this.#pass = null;
  }
}

/** Where a turn of a synchronous adapter reads and stores, within its transaction. */
export interface CleaningStorage {
  /** Batches from the one that covers `from` on, verified. */
  read(wanted: CleaningRead): readonly FetchedBatch[];
  /** @returns bytes of the partition then */
  replace(replacement: Replacement): number;
  store(cleaned: Cleaned): void;
}

/** One turn. @returns true when another turn has something to do. @throws what the storage throws; PortError CORRUPT */
export function cleaningTurn(
  cleaner: Cleaner,
  of: Cleanable,
  isDue: boolean,
  storage: CleaningStorage,
): boolean {
  const wanted = cleaner.wanted(of, isDue);
  if (wanted === null) return false;
  try {
    const { replacement, isDone } = cleaner.take(storage.read(wanted));
    const lengthBytes = replacement === null ? of.lengthBytes : storage.replace(replacement);
    if (isDone) storage.store(cleaner.result(lengthBytes));
    return !isDone;
  } catch (thrown) {
    cleaner.forget();
    throw thrown;
  }
}

/** Bytes that a partition has more, or less, once the replacement has taken the place of batches of `lengthBytes`. */
export function grownBy({ batches }: Replacement, lengthBytes: number): number {
  return batches.reduce((sum, { bytes }) => sum + bytes.length, -lengthBytes);
}

/** One pass. */
class CleaningPass {
  readonly incarnation: string;
  readonly #keys: LastOffsets | null;
  readonly #nowMs: number;
  readonly #deleteRetentionMs: number;
  /** Offsets below are gone through. */
  #to: number;
  #next: number;
  #start: number;
  #isMapping: boolean;
  #isDone = false;
  /** Where merging begins the next time. */
  #below: number;

  constructor({ incarnation, policy, start, head, cleaned, nowMs }: Cleanable) {
    const dirty = Math.max(start, cleaned.below);
    this.incarnation = incarnation;
    this.#keys = policy.compacted ? new LastOffsets() : null;
    this.#isMapping = policy.compacted;
    this.#nowMs = nowMs;
    this.#deleteRetentionMs = policy.deleteRetentionMs;
    this.#start = start;
    this.#next = dirty;
    this.#to = head;
    this.#below = head;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** @param start the log's start, which may have moved on */
  wanted(start: number): CleaningRead {
    this.#start = start;
    const from = Math.max(start, this.#next);
    return { from, to: this.#to, batchesMax: UPKEEP_BATCHES_MAX, bytesMax: CLEANING_BYTES };
  }

  /** Takes what was read; nothing: there is nothing more below the end. @returns what is to be stored instead; null: nothing */
  take(batches: readonly FetchedBatch[]): Replacement | null {
    if (this.#isMapping) {
      this.#map(batches);
      return null;
    }
    return this.#rewrite(batches);
  }

  #map(batches: readonly FetchedBatch[]): void {
    const keys = this.#keys;
    for (const { base, count, bytes } of batches) {
      const full = keys?.add(
        parseRecordBatch(bytes, 'CORRUPT', { checksum: false }),
        base,
        this.#next,
      );
      this.#next = base + count;
      if (full === null || full === undefined) continue;
      this.#to = full;
      break;
    }
    if (batches.length > 0 && this.#next < this.#to) return;
    this.#isMapping = false;
    this.#below = this.#to;
    this.#next = this.#start;
  }

  #rewrite(batches: readonly FetchedBatch[]): Replacement | null {
    const [first] = batches;
    const last = batches.at(-1);
    if (first === undefined || last === undefined) {
      this.#isDone = true;
      return null;
    }
    const to = last.base + last.count;
    const made = rewritten(batches, (records, i, offset) => this.#kept(records, i, offset));
    const end = made?.at(-1) ?? last;
    // A small batch at the end may take in what follows: the next turn, or the next pass of a log that is only merged, begins with it.
    // A turn reads more than one such batch, so that it gets on.
    const next = end.bytes.length < MERGE_BYTES_MIN ? end.base : to;
    this.#isDone = to >= this.#to;
    this.#next = next;
    if (this.#isDone && this.#keys === null) this.#below = next;
    return made === null ? null : { from: first.base, to, batches: made };
  }

  #kept(records: RecordBatch, i: number, offset: number): number | null {
    const keys = this.#keys;
    const before = keepAll(records, i, offset);
    const key = records.key(i);
    if (keys === null || offset >= this.#to || key === null) return before;
    if (keys.after(key, offset)) return null;
    if (records.valueFrom(i) >= 0) return before;
    const nowS = Math.ceil(this.#nowMs / 1000);
    if (before === null || before === 0) return nowS;
    return nowS * 1000 > before * 1000 + this.#deleteRetentionMs ? null : before;
  }

  /** What to store when the pass is done. @param lengthBytes of the partition now */
  result(lengthBytes: number): Cleaned {
    return { below: this.#below, lengthBytes, atMs: this.#nowMs };
  }
}

/** The last offset of each key, of as many records as two limits allow. */
class LastOffsets {
  readonly #last = new Map<string, number>();
  #keyBytes = 0;

  /** @returns null when all records from an offset on were added; else the offset of the first one that was not: it is full */
  add(records: RecordBatch, base: number, from: number): number | null {
    for (let i = indexAt(records, base, from); i < records.count; i++) {
      const key = records.key(i);
      if (key === null) continue;
      const offset = offsetAt(records, base, i);
      const text = textOf(key);
      if (!this.#last.has(text)) {
        const isFull =
          this.#last.size >= CLEANER_KEYS_MAX ||
          this.#keyBytes + key.length > CLEANER_KEY_BYTES_MAX;
        if (isFull) return offset;
        this.#keyBytes += key.length;
      }
      this.#last.set(text, offset);
    }
    return null;
  }

  /** True when the key has a record behind the offset. */
  after(key: Uint8Array, offset: number): boolean {
    return (this.#last.get(textOf(key)) ?? -1) > offset;
  }
}

/** One character a byte, none twice: keys are compared as bytes. */
const BYTES_AS_TEXT = new TextDecoder('windows-1252');

/** Keys up to here are cheaper as arguments of one call; the two ways give no two keys one text, for they keep the length. */
const ARGUMENTS_MAX = 1024;

function textOf(key: Uint8Array): string {
  return key.length > ARGUMENTS_MAX ? BYTES_AS_TEXT.decode(key) : String.fromCharCode(...key);
}

/** Small batches that are worth a pass that merges them. */
export const MERGE_BATCHES_MIN = 16;

/**
 * True when a compacted partition is worth a pass: half as much has come as the last one left, or tombstones may be due.
 */
export function isCompactionDue(of: Cleanable): boolean {
  const { policy, head, lengthBytes, cleaned, nowMs } = of;
  if (!policy.compacted || head <= of.start) return false;
  const isDirty = head > cleaned.below;
  const grown = lengthBytes - cleaned.lengthBytes;
  if (isDirty && grown >= DIRTY_SHARE * cleaned.lengthBytes) return true;
  return cleaned.atMs > 0 && nowMs - cleaned.atMs > policy.deleteRetentionMs;
}
