// Pieces of a batch: together they are the batch, record by record and offset by offset, and none is longer than it may be.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pieceOf } from '../../../edge/objects/batch-pieces.ts';
import { decodeBatch } from '../../../runtime/data/codec.ts';
import { columnarRecordBatch } from '../../../runtime/data/columnar-records.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import {
  offsetAt,
  parseRecordBatch,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_OVERHEAD_BYTES,
  SPARSE_OVERHEAD_BYTES,
} from '../../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { sparseBatch } from '../../../runtime/data/sparse.ts';
import type { FetchedBatch } from '../../../runtime/ports/log.ts';

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }));
const record = fc.record({
  key: bytes,
  value: bytes,
  timestamp: fc.nat(),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 4 }), value: bytes }), {
    maxLength: 2,
  }),
  /** Offsets before it that compaction has taken. */
  gap: fc.nat({ max: 3 }),
});

/** What a reader sees of a batch from an offset on. */
function seen({ base, bytes: given }: FetchedBatch, from: number): unknown[] {
  const records = parseRecordBatch(given);
  return Array.from({ length: records.count }, (_, i) => ({
    offset: offsetAt(records, base, i),
    key: records.key(i),
    value: records.value(i),
    timestamp: records.timestamps[i],
    headers: records.headers(i),
    cleaned: records.cleaned?.[i] ?? 0,
  })).filter(({ offset }) => offset >= from);
}

test(`the pieces of a batch are the batch (SEED=${SEED})`, () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 12 }),
      fc.record({ isSparse: fc.boolean(), tail: fc.nat({ max: 3 }), base: fc.nat({ max: 99 }) }),
      fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 20 }),
      (records, { isSparse, tail, base }, lengths, skipped) => {
        const builder = new RecordBatchBuilder();
        const offsets: number[] = [];
        for (const { key, value, timestamp, headers, gap } of records) {
          builder.append(key, value, timestamp, headers);
          offsets.push((offsets.at(-1) ?? -1) + 1 + (isSparse ? gap : 0));
        }
        const dense = builder.finish();
        const span = isSparse ? (offsets.at(-1) ?? 0) + 1 + tail : records.length;
        const cleaned = offsets.map((_, i) => i % 3);
        const stored = isSparse ? sparseBatch(dense, { span, offsets, cleaned }) : dense;
        const whole = { base, count: span, bytes: stored ?? new Uint8Array(0) };
        let next = base + Math.min(skipped, span - 1);
        const wanted = seen(whole, next);
        const got: unknown[] = [];
        for (let nth = 0; next < base + span; nth++) {
          const lengthMax = lengths[nth % lengths.length] ?? 0;
          const piece = pieceOf(whole, next, lengthMax);
          expect(piece.base).toBe(next);
          const { count, span: covered } = parseRecordBatch(piece.bytes);
          expect(covered).toBe(piece.count);
          expect(count === 1 || piece.bytes.length <= lengthMax || count === 0).toBe(true);
          got.push(...seen(piece, next));
          next += piece.count;
        }
        expect(next).toBe(base + span);
        expect(got).toEqual(wanted);
      },
    ),
    { seed: SEED, numRuns: 150 },
  );
});

test('a piece is as long as it may be', () => {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < 4; i++) builder.append(null, new Uint8Array(10), i);
  const dense = builder.finish() ?? new Uint8Array(0);
  const of = (records: number): number =>
    RECORD_BATCH_HEADER_BYTES + records * (RECORD_OVERHEAD_BYTES + 10);
  const whole = { base: 7, count: 4, bytes: dense };
  expect(pieceOf(whole, 7, of(3)).count).toBe(3);
  expect(pieceOf(whole, 7, of(3) - 1).count).toBe(2);
  expect(pieceOf(whole, 8, 0).count).toBe(1);
  const parts = { span: 8, offsets: [1, 3, 5, 6], cleaned: [0, 0, 0, 0] };
  const sparse = { base: 7, count: 8, bytes: sparseBatch(dense, parts) };
  const ofSparse = of(2) + 2 * SPARSE_OVERHEAD_BYTES;
  expect(pieceOf(sparse, 7, ofSparse)).toMatchObject({ base: 7, count: 4 });
  expect(pieceOf(sparse, 7, ofSparse - 1)).toMatchObject({ base: 7, count: 2 });
  expect(pieceOf(sparse, 11, ofSparse)).toMatchObject({ base: 11, count: 4 });
});

test('encoded columns are one piece', () => {
  const rows = batch('K:STRING | N:BIGINT @rowtime', '+ a | 1 @0', '+ b | 2 @1');
  const whole = { base: 3, count: 2, bytes: columnarRecordBatch(rows) };
  expect(pieceOf(whole, 4, 0)).toBe(whole);
  const { encoded } = parseRecordBatch(whole.bytes);
  expect(decodeBatch(rows.schema, encoded ?? new Uint8Array(0)).length).toBe(2);
});

test('a piece goes up to an offset within the batch, and holds the records before it', () => {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < 5; i++) builder.append(null, new Uint8Array([i]), i, []);
  const dense = builder.finish();
  if (dense === null) throw new Error('it has records');
  const whole = { base: 10, count: 5, bytes: dense };
  for (const [next, below, count] of [
    [10, 12, 2],
    [11, 14, 3],
    [10, 15, 5],
    [10, 99, 5],
  ] as const) {
    const piece = pieceOf(whole, next, 1_000_000, below);
    expect(piece).toMatchObject({ base: next, count });
    expect(seen(piece, 0)).toEqual(seen(whole, next).slice(0, count));
  }
  // Of what compaction has taken nothing is left before the first of its records.
  const offsets = [3, 4, 6, 8, 9];
  const sparse = {
    base: 10,
    count: 12,
    bytes: sparseBatch(dense, { span: 12, offsets, cleaned: [0, 0, 0, 0, 0] }),
  };
  for (const [below, records] of [
    [12, 0],
    [13, 0],
    [14, 1],
    [18, 3],
    [22, 5],
  ] as const) {
    const piece = pieceOf(sparse, 10, 1_000_000, below);
    expect(piece).toMatchObject({ base: 10, count: below - 10 });
    expect(seen(piece, 0)).toEqual(seen(sparse, 0).slice(0, records));
  }
});
