// Rows that are handed over between tasks of one process are what encoding and decoding them would give.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECORD_BATCH_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { batchesEqual } from '../../../runtime/data/batches.ts';
import { decodeBatch } from '../../../runtime/data/codec.ts';
import { columnarRecordBatch } from '../../../runtime/data/columnar-records.ts';
import { handed, type HandedBatch } from '../../../runtime/data/handed-batch.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import { internalTopic } from '../../../runtime/engine/system.ts';
import { batches } from './arbitrary.ts';

const UNCHECKED = { checksum: false };

test('what is handed over is what its bytes decode to, and what is nested is not handed over', () => {
  let count = 0;
  fc.assert(
    fc.property(batches, (rows) => {
      const given = handed(rows, rows.schema);
      const isNested = rows.columns.some(({ storage }) => storage === 'objects');
      expect(given === null).toBe(isNested);
      if (given === null) return;
      count += 1;
      expect(given.bytes).toEqual(columnarRecordBatch(rows, UNCHECKED));
      expect(given.lengthBytes).toBe(given.bytes.length);
      const parsed = parseRecordBatch(given.bytes, 'CORRUPT', UNCHECKED);
      const { timestamps, encoded, span, isColumnar, hasKeys, offsets } = parsed;
      expect(given).toMatchObject({ span, isColumnar, hasKeys, offsets, count: parsed.count });
      expect([...given.timestamps]).toEqual([...timestamps]);
      expect(given.maxTimestamp).toBe(Math.max(...timestamps));
      const decoded = decodeBatch(rows.schema, encoded ?? new Uint8Array());
      expect(batchesEqual(given.rows, decoded)).toBe(true);
      expect(given.rows.rowtime.length).toBe(decoded.rowtime.length);
      expect(given.rows.columns.map(({ storage, values }) => [storage, values.length])).toEqual(
        decoded.columns.map(({ storage, values }) => [storage, values.length]),
      );
    }),
    { numRuns: 300 },
  );
  expect(count).toBeGreaterThan(30);
});

test('the latest of the times is that of their records where they are just those', () => {
  const rows = batch('K:STRING @rowtime', 'a @7', 'b @9', 'c @8');
  const latestOf = (timestamps: Float64Array, latestMs: number | undefined) =>
    handed(rows, rows.schema, { timestamps, latestMs })?.maxTimestamp;
  const { buffer, byteOffset } = rows.rowtime;
  // A number that the times do not tell shows where it comes from.
  expect(latestOf(new Float64Array(buffer, byteOffset, 3), 99)).toBe(99);
  expect(latestOf(rows.rowtime, undefined)).toBe(9);
  expect(latestOf(rows.rowtime.slice(), 99)).toBe(9);
  expect(latestOf(new Float64Array(buffer, byteOffset, 2), 99)).toBe(9);
});

test('rows that are too large for a record batch are not handed over', () => {
  const text = 'x'.repeat(RECORD_BATCH_BYTES_MAX / 2);
  const one = batch('K:STRING | V:STRING @rowtime', `a | ${text} @1`);
  const two = batch('K:STRING | V:STRING @rowtime', `a | ${text} @1`, `b | y${text} @2`);
  expect(handed(one, one.schema)).not.toBeNull();
  expect(handed(two, two.schema)).toBeNull();
});

test('a log in memory keeps what is handed over, counts its bytes and gives both', async () => {
  const log = new MemoryLog(new ManualClock(0));
  await log.create(internalTopic('t'));
  const at = { topic: 't', partition: 0 };
  const rows = batch('K:STRING | N:BIGINT @rowtime', 'a | 1 @7', 'b | 2 @5');
  const given = handed(rows, rows.schema) as HandedBatch;
  log.appendNow(at, given);
  expect(() =>
    log.transaction(() => {
      log.appendNow(at, given);
      throw new Error('undone');
    }),
  ).toThrow('undone');
  log.appendNow(at, given.bytes, undefined, undefined, true);
  const { batches: read, highWatermark } = await log.read(at, 0, 1_000_000);
  expect(highWatermark).toBe(4);
  expect(read.map(({ base, count, maxTimestamp }) => [base, count, maxTimestamp])).toEqual([
    [0, 2, 7],
    [2, 2, 7],
  ]);
  expect(read[0]?.handed).toBe(given);
  expect(read[0]?.bytes).toEqual(read[1]?.bytes);
  expect(await log.offsetForTime(at, 6)).toBe(0);
  const bounded = await log.read(at, 0, given.lengthBytes);
  expect(bounded.batches).toHaveLength(1);
  await log.trim(at, 2);
  expect((await log.bounds(at)).start).toBe(2);
});
