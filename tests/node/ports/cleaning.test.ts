// Passes of compaction and merging as functions of batches: limits at their maximum, any cut of turns, any merge the same records.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  CLEANER_KEY_BYTES_MAX,
  CLEANER_KEYS_MAX,
  KEY_BYTES_MAX,
  UPKEEP_BATCHES_MAX,
} from '../../../runtime/base/limits.ts';
import { offsetAt, parseRecordBatch } from '../../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import {
  Cleaner,
  type CleaningStorage,
  cleaningTurn,
  isCompactionDue,
  NOT_CLEANED,
} from '../../../runtime/ports/cleaning.ts';
import type { FetchedBatch } from '../../../runtime/ports/log.ts';
import { keepAll, MERGE_BYTES_MAX, rewritten } from '../../../runtime/ports/rewrite.ts';
import { policyOf } from '../../../runtime/ports/topic-policy.ts';

type Given = readonly (readonly [key: string | Uint8Array, value: number | null])[];

function batchOf(base: number, records: Given): FetchedBatch {
  const builder = new RecordBatchBuilder();
  for (const [key, value] of records) {
    const bytes = typeof key === 'string' ? encodeUtf8(key) : key;
    builder.append(bytes, value === null ? null : new Uint8Array(value), base);
  }
  return { base, count: records.length, bytes: builder.finish() ?? new Uint8Array() };
}

function batchesOf(all: readonly Given[]): FetchedBatch[] {
  let base = 0;
  return all.map((records) => {
    const batch = batchOf(base, records);
    base += records.length;
    return batch;
  });
}

/** Every record: offset, key, whether it is a tombstone. */
function recordsOf(batches: readonly FetchedBatch[]): string[] {
  const found: string[] = [];
  let end = batches[0]?.base ?? 0;
  for (const { base, count, bytes } of batches) {
    expect(base).toBe(end);
    end = base + count;
    const records = parseRecordBatch(bytes);
    expect(records.span).toBe(count);
    for (let i = 0; i < records.count; i++) {
      const key = records.key(i);
      found.push(`${offsetAt(records, base, i)} ${key?.join()} ${records.value(i)?.length}`);
    }
  }
  return found;
}

/** Batches in an array, as an adapter holds them. */
class Partition implements CleaningStorage {
  batches: readonly FetchedBatch[];
  cleaned = NOT_CLEANED;
  readonly #batchesAtOnce: number;

  constructor(batches: readonly FetchedBatch[], batchesAtOnce = Infinity) {
    this.batches = batches;
    this.#batchesAtOnce = batchesAtOnce;
  }

  get lengthBytes(): number {
    return this.batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  read({ from, to }: { readonly from: number; readonly to: number }): FetchedBatch[] {
    return this.batches
      .filter(({ base, count }) => base + count > from && base < to)
      .slice(0, this.#batchesAtOnce);
  }

  replace({ from, to, batches }: Parameters<CleaningStorage['replace']>[0]): number {
    const before = this.batches.filter(({ base }) => base < from);
    const behind = this.batches.filter(({ base }) => base >= to);
    this.batches = [...before, ...batches, ...behind];
    return this.lengthBytes;
  }

  store(cleaned: typeof NOT_CLEANED): void {
    this.cleaned = cleaned;
  }

  /** A whole pass. @returns its turns */
  clean(compacted: boolean, nowMs = 0): number {
    const policy = policyOf({ retentionMs: null, compacted });
    const head = this.batches.at(-1)?.base ?? 0;
    const cleaner = new Cleaner();
    for (let turns = 1; ; turns++) {
      const { lengthBytes, cleaned } = this;
      const of = { incarnation: '1', policy, start: 0, head, lengthBytes, cleaned, nowMs };
      if (!cleaningTurn(cleaner, of, turns === 1, this)) return turns;
      if (turns === 1000) throw new Error('a pass that does not end');
    }
  }
}

const keyed = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.option(fc.nat(5)));
const logs = fc.array(fc.array(keyed, { minLength: 1, maxLength: 6 }), {
  minLength: 2,
  maxLength: 12,
});

describe('a pass', () => {
  test('gives the same however its turns are cut, and again when it is run again', () => {
    const seed = Date.now();
    console.info(`cleaning seed ${seed}`);
    fc.assert(
      fc.property(logs, fc.integer({ min: 2, max: 4 }), (given, batchesAtOnce) => {
        const whole = new Partition(batchesOf(given));
        const cut = new Partition(batchesOf(given), batchesAtOnce);
        whole.clean(true);
        cut.clean(true);
        expect(recordsOf(cut.batches)).toEqual(recordsOf(whole.batches));
        expect(cut.cleaned.below).toBe(whole.cleaned.below);
        const before = recordsOf(whole.batches);
        whole.clean(true);
        expect(recordsOf(whole.batches)).toEqual(before);
      }),
      { seed },
    );
  });

  test('that only merges changes nothing but the cuts', () => {
    fc.assert(
      fc.property(logs, fc.integer({ min: 2, max: 4 }), (given, batchesAtOnce) => {
        const merged = new Partition(batchesOf(given), batchesAtOnce);
        merged.clean(false);
        expect(recordsOf(merged.batches)).toEqual(recordsOf(batchesOf(given)));
        expect(merged.batches).toHaveLength(Math.min(given.length, 2));
        expect(parseRecordBatch(merged.batches[0]?.bytes ?? new Uint8Array()).offsets).toBeNull();
      }),
    );
  });

  test('merges what compaction has left, its tombstones’ times included', () => {
    const left = new Partition(batchesOf([[['a', 1], ['b', null]], [['a', 2]], [['c', 1]]])); // prettier-ignore
    left.clean(true, 5_000);
    const cleaned = parseRecordBatch(left.batches[0]?.bytes ?? new Uint8Array()).cleaned;
    expect([...(cleaned ?? [])]).toEqual([5, 0]);
    const more = [...left.batches.slice(0, -1), batchOf(3, [['d', 1]])];
    const [merged] = rewritten(more, keepAll) ?? [];
    const records = parseRecordBatch(merged?.bytes ?? new Uint8Array());
    expect([...(records.offsets ?? [])]).toEqual([1, 2, 3]);
    expect([...(records.cleaned ?? [])]).toEqual([5, 0, 0]);
  });

  test('holds CLEANER_KEYS_MAX keys, and leaves what is beyond to the next', () => {
    const key = (n: number): [string, number] => [String(n), 0];
    const some = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => key(from + i));
    const half = CLEANER_KEYS_MAX / 4;
    const given = [0, 1, 2, 3].map((part) => some(part * half, half));
    // Known keys fit still; one that is new does not.
    given.push(some(0, 10), [key(-1)], some(10, 5), [key(-2)]);
    const full = new Partition(batchesOf(given));
    full.clean(true);
    expect(full.cleaned.below).toBe(CLEANER_KEYS_MAX + 10);
    expect(recordsOf(full.batches)).toHaveLength(CLEANER_KEYS_MAX - 10 + 10 + 1 + 5 + 1);
    full.clean(true);
    expect(full.cleaned.below).toBe(CLEANER_KEYS_MAX + 16);
    expect(recordsOf(full.batches)).toHaveLength(CLEANER_KEYS_MAX - 15 + 10 + 1 + 5 + 1);
  });

  test('holds keys of CLEANER_KEY_BYTES_MAX bytes', () => {
    const key = (n: number): [Uint8Array, number] => {
      const bytes = new Uint8Array(KEY_BYTES_MAX);
      bytes[0] = n;
      return [bytes, 0];
    };
    const count = CLEANER_KEY_BYTES_MAX / KEY_BYTES_MAX;
    const given = Array.from({ length: count + 2 }, (_, n) => [key(n)]);
    const full = new Partition(batchesOf(given));
    full.clean(true);
    expect(full.cleaned.below).toBe(count);
  });

  test('never reads or touches the newest batch, and asks for UPKEEP_BATCHES_MAX at once', () => {
    const cleaner = new Cleaner();
    const policy = policyOf({ retentionMs: null, compacted: true });
    const of = { incarnation: '1', policy, start: 0, head: 7, lengthBytes: 9, nowMs: 0 };
    const wanted = cleaner.wanted({ ...of, cleaned: NOT_CLEANED }, true);
    expect(wanted).toMatchObject({ from: 0, to: 7, batchesMax: UPKEEP_BATCHES_MAX });
    // Another topic of the same name: what was noted of the old one is forgotten.
    expect(cleaner.wanted({ ...of, incarnation: '2', cleaned: NOT_CLEANED }, false)).toBeNull();
  });

  test('cuts what it makes at MERGE_BYTES_MAX, and keeps offsets over the cuts', () => {
    const records: Given = Array.from({ length: 60 }, (_, i) => [`k${i % 50}`, 15_000]);
    const given = [records, records.slice(0, 30), [['z', 1]] as Given];
    const cut = new Partition(batchesOf(given));
    cut.clean(true);
    expect(recordsOf(cut.batches)).toHaveLength(51);
    // Of the first batch 20 records are left, in two; nothing is taken from the second, which stays as it is.
    expect(cut.batches.map(({ base, count }) => [base, count])).toEqual([
      [0, 47],
      [47, 13],
      [60, 30],
      [90, 1],
    ]);
    for (const { bytes } of cut.batches.slice(0, 2)) {
      expect(bytes.length).toBeLessThanOrEqual(MERGE_BYTES_MAX + 1000);
    }
  });
});

test('a pass is due when half as much has come as was left, or tombstones may be', () => {
  const policy = policyOf({ retentionMs: null, compacted: true, deleteRetentionMs: 1000 });
  const cleaned = { below: 10, lengthBytes: 100, atMs: 5000 };
  const of = {
    incarnation: '1',
    policy,
    start: 0,
    head: 20,
    lengthBytes: 150,
    cleaned,
    nowMs: 5000,
  };
  expect(isCompactionDue(of)).toBe(true);
  expect(isCompactionDue({ ...of, lengthBytes: 149 })).toBe(false);
  expect(isCompactionDue({ ...of, head: 10 })).toBe(false);
  expect(isCompactionDue({ ...of, head: 10, nowMs: 6001 })).toBe(true);
  expect(isCompactionDue({ ...of, cleaned: NOT_CLEANED, head: 0 })).toBe(false);
  expect(isCompactionDue({ ...of, policy: policyOf({ retentionMs: 1, compacted: false }) })).toBe(
    false,
  );
});
