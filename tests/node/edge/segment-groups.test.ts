// Small batches of one transaction become one segment: the same records at the same offsets, and no more of them than fit.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grouped, type NewSegment } from '../../../edge/objects/segment-groups.ts';
import { columnarRecordBatch } from '../../../runtime/data/columnar-records.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { parseRecordBatch, verify } from '../../../runtime/data/record.ts';
import { MERGE_BYTES_MIN } from '../../../runtime/ports/rewrite.ts';

const columnar = columnarRecordBatch(batch('op K:STRING | N:BIGINT @rowtime', '+ a | 1 @7'));

/** Batches of one record, with values of so many bytes (-1: a columnar one), one behind the other from offset 10 on. */
function segments(lengths: readonly number[]): NewSegment[] {
  return lengths.map((length, i) => {
    const bytes =
      length < 0 ? columnar : singleRecord(null, new Uint8Array(length).fill(i), 1_000 - i);
    return { base: 10 + i, bytes, ...verify(bytes) };
  });
}

test('as many as fit are one; one that is long or columnar stays by itself', () => {
  const overhead = singleRecord(null, new Uint8Array(), 0).length;
  const half = MERGE_BYTES_MIN / 2 - overhead;
  const shapeOf = (lengths: readonly number[]): unknown =>
    grouped(segments(lengths)).map(({ base, count, maxTimestamp }) => [base, count, maxTimestamp]);
  expect(shapeOf([])).toEqual([]);
  expect(shapeOf([half, half])).toEqual([[10, 2, 1_000]]);
  expect(shapeOf([half, half + 1])).toEqual([
    [10, 1, 1_000],
    [11, 1, 999],
  ]);
  expect(shapeOf([1, 1, 2 * half + overhead, 1, -1, 1, 1])).toEqual([
    [10, 2, 1_000],
    [12, 1, 998],
    [13, 1, 997],
    [14, 1, 7],
    [15, 2, 995],
  ]);
  const [whole] = segments([MERGE_BYTES_MIN * 2]);
  expect(grouped([whole as NewSegment])[0]).toBe(whole);
});

test('whatever the batches, their records are the same at the same offsets', () => {
  const length = fc.oneof(fc.nat(40), fc.nat(MERGE_BYTES_MIN), fc.constant(-1));
  const recordsOf = (all: readonly NewSegment[]): unknown[] =>
    all.flatMap(({ base, count, bytes, maxTimestamp }) => {
      const records = parseRecordBatch(bytes);
      expect(records.count).toBe(count);
      expect(maxTimestamp).toBe(Math.max(...records.timestamps));
      return Array.from({ length: count }, (_, i) => [
        base + i,
        records.timestamps[i],
        records.isColumnar ? records.encoded : records.value(i),
      ]);
    });
  fc.assert(
    fc.property(fc.array(length, { maxLength: 12 }), (lengths) => {
      const before = segments(lengths);
      const after = grouped(before);
      expect(recordsOf(after)).toEqual(recordsOf(before));
      // None of two that follow each other could have taken the other in.
      for (const [i, { bytes }] of after.entries()) {
        const next = after[i + 1]?.bytes;
        if (next === undefined || bytes === columnar || next === columnar) continue;
        expect(bytes.length + next.length).toBeGreaterThan(MERGE_BYTES_MIN / 2);
      }
    }),
    { numRuns: 10 },
  );
});
