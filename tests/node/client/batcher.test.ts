// The batcher under any records and limits: batches hold them all, in order, each batch within what it was told.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECORD_BATCH_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { Batcher } from '../../../runtime/client/batcher.ts';
import { parseRecordBatch, verify } from '../../../runtime/data/record.ts';

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }));
const record = fc.record({
  key: bytes,
  value: bytes,
  timestamp: fc.nat(),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 5 }), value: bytes }), {
    maxLength: 2,
  }),
});

test('any records become batches that hold each once, in order, and no more than they may', () => {
  const limits = fc.record({
    bytesMax: fc.integer({ min: 33, max: 600 }),
    recordsMax: fc.integer({ min: 1, max: 12 }),
  });
  // null: what there is is taken, full or not.
  const steps = fc.array(fc.option(record, { freq: 6 }), { maxLength: 60 });
  fc.assert(
    fc.property(limits, steps, (given, sequence) => {
      const batcher = new Batcher(given);
      const batches = [];
      let full = 0;
      for (const step of sequence) {
        if (step !== null) {
          if (batcher.add(step)) full++;
          continue;
        }
        const batch = batcher.take();
        if (batch !== null) batches.push(batch);
      }
      for (let batch = batcher.take(); batch !== null; batch = batcher.take()) batches.push(batch);
      expect(batcher.isEmpty).toBe(true);
      expect(batches.length).toBeGreaterThanOrEqual(full);
      expect(batches.flatMap(({ records }) => records)).toEqual(
        sequence.filter((step) => step !== null),
      );
      for (const { bytes, records } of batches) {
        expect(verify(bytes).count).toBe(records.length);
        expect(records.length).toBeLessThanOrEqual(given.recordsMax);
        const parsed = parseRecordBatch(bytes);
        records.forEach(({ key, value, timestamp, headers }, i) => {
          expect(parsed.key(i)).toEqual(key);
          expect(parsed.value(i)).toEqual(value);
          expect(parsed.timestamps[i]).toBe(timestamp);
          expect(parsed.headers(i)).toEqual(headers);
        });
        // Without its last record it was not full.
        const before = new Batcher({ bytesMax: RECORD_BATCH_BYTES_MAX, recordsMax: 100 });
        for (const record of records.slice(0, -1)) before.add(record);
        expect(before.take()?.bytes.length ?? 0).toBeLessThan(given.bytesMax);
      }
    }),
    { verbose: 1 },
  );
});

test('records beyond one record batch begin another one', () => {
  const batcher = new Batcher({ bytesMax: RECORD_BATCH_BYTES_MAX, recordsMax: 1000 });
  const waiting = { key: null, value: new Uint8Array(600_000), timestamp: 0, headers: [] };
  expect([batcher.add(waiting), batcher.add(waiting), batcher.add(waiting)]).toEqual([
    false,
    true,
    true,
  ]);
  const counts = [batcher.take(), batcher.take(), batcher.take(), batcher.take()];
  expect(counts.map((batch) => batch?.records.length ?? 0)).toEqual([1, 1, 1, 0]);
});

test('a record that is refused leaves no trace', () => {
  const batcher = new Batcher({ bytesMax: 1000, recordsMax: 10 });
  const good = { key: null, value: new Uint8Array(1), timestamp: 0, headers: [] };
  batcher.add(good);
  const headers = Array.from({ length: 65 }, () => ({ name: 'h', value: null }));
  expect(() => batcher.add({ ...good, headers })).toThrow('65 headers');
  expect(batcher.take()?.records).toEqual([good]);
});

test.each([{ value: {} }, { value: 5 }, { headers: [{ name: 'h', value: 'text' }] }])(
  'a record with %j, which is no bytes, is refused, and nothing of it is in the batch',
  (wrong) => {
    const batcher = new Batcher({ bytesMax: 1000, recordsMax: 10 });
    const key = new Uint8Array([1, 2]);
    const right = { key, value: new Uint8Array([3]), timestamp: 1, headers: [] };
    batcher.add(right);
    // As callers without types give it.
    expect(() => batcher.add({ ...right, ...(wrong as object) })).toThrow('is no bytes');
    batcher.add(right);
    const parsed = parseRecordBatch(batcher.take()?.bytes ?? new Uint8Array());
    expect([0, 1].map((i) => [parsed.key(i), parsed.value(i), parsed.headers(i)])).toEqual(
      Array.from({ length: 2 }, () => [key, right.value, []]),
    );
    expect(parsed.count).toBe(2);
  },
);
