// Record batches: what is appended is read, limits hold at their maximum, and damage is always noticed.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LimitError, PortError } from '../../../runtime/base/errors.ts';
import {
  HEADERS_BYTES_MAX,
  HEADERS_MAX,
  KEY_BYTES_MAX,
  RECORD_BATCH_BYTES_MAX,
  VALUE_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { batchesEqual } from '../../../runtime/data/batches.ts';
import { decodeBatch } from '../../../runtime/data/codec.ts';
import { columnarRecordBatch } from '../../../runtime/data/columnar-records.ts';
import { isPlain, joined } from '../../../runtime/data/joined.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { RecordBatchBuilder, singleRecord } from '../../../runtime/data/record-builder.ts';
import { parseRecordBatch, verify } from '../../../runtime/data/record.ts';
import { batches, thrownBy } from './arbitrary.ts';

const optionalBytes = fc.option(fc.uint8Array({ maxLength: 12 }));
const records = fc.array(
  fc.record({
    key: optionalBytes,
    value: optionalBytes,
    timestamp: fc.nat({ max: 2 ** 50 }),
    headers: fc.array(fc.record({ name: fc.string({ maxLength: 4 }), value: optionalBytes }), {
      maxLength: 2,
    }),
  }),
  { minLength: 1, maxLength: 12 },
);

const keyless = records.map((all) => all.map((record) => ({ ...record, key: null })));

test('every record is read as it was appended, wherever the bytes stand', () => {
  fc.assert(
    fc.property(fc.oneof(records, keyless), fc.nat(9), (appended, offset) => {
      const builder = new RecordBatchBuilder();
      for (const { key, value, timestamp, headers } of appended) {
        expect(builder.append(key, value, timestamp, headers)).toBe(true);
      }
      const lengthBytes = builder.lengthBytes;
      const bytes = builder.finish() ?? new Uint8Array(0);
      expect(bytes.length).toBe(lengthBytes);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      const read = parseRecordBatch(moved.subarray(offset));
      expect(read.hasKeys).toBe(appended.some(({ key }) => key !== null));
      expect(
        appended.map((_, i) => ({
          key: read.key(i),
          value: read.value(i),
          timestamp: read.timestamps[i],
          headers: read.headers(i),
        })),
      ).toEqual(appended);
      expect(verify(bytes)).toEqual({
        count: appended.length,
        maxTimestamp: Math.max(...appended.map((record) => record.timestamp)),
      });
      expect(builder.finish()).toBeNull();
    }),
    { numRuns: 500 },
  );
});

test('records written piece by piece can be taken back', () => {
  const builder = new RecordBatchBuilder();
  builder.keys.u8(1);
  builder.values.utf8('half');
  builder.discard();
  builder.values.utf8('whole');
  expect(builder.end({ hasKey: false, hasValue: true }, 7)).toBe(true);
  builder.values.utf8('left over');
  const read = parseRecordBatch(builder.finish() ?? new Uint8Array(0));
  expect(read.count).toBe(1);
  expect(read.keyFrom(0)).toBe(-1);
  expect(new TextDecoder().decode(read.value(0) ?? undefined)).toBe('whole');
});

test('any damaged bit or missing byte is noticed on append and on read', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(7), fc.boolean(), (appended, where, bit, isCut) => {
      const builder = new RecordBatchBuilder();
      for (const { key, value, timestamp, headers } of appended)
        builder.append(key, value, timestamp, headers);
      let bytes = builder.finish() ?? new Uint8Array(0);
      const at = where % bytes.length;
      if (isCut) bytes = bytes.slice(0, at);
      else bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      expect(() => verify(bytes)).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }));
      expect(() => parseRecordBatch(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    }),
    { numRuns: 1000 },
  );
});

test('without its checksum, damage ends in a PortError or in readable records', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(records, damage, (appended, writes) => {
      const builder = new RecordBatchBuilder();
      for (const { key, value, timestamp, headers } of appended)
        builder.append(key, value, timestamp, headers);
      const bytes = builder.finish() ?? new Uint8Array(0);
      for (const [at, byte] of writes) bytes[at % bytes.length] = byte;
      const thrown = thrownBy(() => {
        const read = parseRecordBatch(bytes, 'CORRUPT', { checksum: false });
        for (let i = 0; i < read.count; i++) {
          expect(read.keyTo(i)).toBeLessThanOrEqual(bytes.length);
          expect(read.valueTo(i)).toBeLessThanOrEqual(bytes.length);
          read.headers(i);
        }
      });
      expect(thrown === null || thrown instanceof PortError).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('keys, values and batches are taken at their limits and refused one byte beyond', () => {
  const fits = singleRecord(new Uint8Array(KEY_BYTES_MAX), new Uint8Array(VALUE_BYTES_MAX), 0, [
    { name: '', value: new Uint8Array(HEADERS_BYTES_MAX - 8) },
  ]);
  expect(verify(fits).count).toBe(1);
  const tooLarge = expect.objectContaining({ code: 'RECORD_TOO_LARGE' });
  expect(() => singleRecord(new Uint8Array(KEY_BYTES_MAX + 1), null, 0)).toThrow(tooLarge);
  expect(() => singleRecord(null, new Uint8Array(VALUE_BYTES_MAX + 1), 0)).toThrow(tooLarge);
  expect(() => verify(new Uint8Array(RECORD_BATCH_BYTES_MAX + 1))).toThrow(tooLarge);
});

test('a record that does not fit any more is left for the next batch', () => {
  const builder = new RecordBatchBuilder();
  const half = new Uint8Array(RECORD_BATCH_BYTES_MAX / 2 - 20 - 16);
  expect(builder.append(null, half, 1)).toBe(true);
  expect(builder.append(null, half, 2)).toBe(true);
  expect(builder.lengthBytes).toBe(RECORD_BATCH_BYTES_MAX);
  expect(builder.append(null, null, 3)).toBe(false);
  expect(verify(builder.finish() ?? new Uint8Array(0)).count).toBe(2);
  expect(builder.append(null, null, 3)).toBe(true);
});

test('headers are taken at their limits and refused one beyond', () => {
  const headers = (count: number) =>
    Array.from({ length: count }, () => ({ name: 'h', value: null }));
  expect(
    parseRecordBatch(singleRecord(null, null, 0, headers(HEADERS_MAX))).headers(0),
  ).toHaveLength(HEADERS_MAX);
  expect(() => singleRecord(null, null, 0, headers(HEADERS_MAX + 1))).toThrow(LimitError);
  const large = (bytes: number) => [{ name: '', value: new Uint8Array(bytes) }];
  expect(singleRecord(null, null, 0, large(HEADERS_BYTES_MAX - 8)).length).toBeGreaterThan(
    HEADERS_BYTES_MAX,
  );
  expect(() => singleRecord(null, null, 0, large(HEADERS_BYTES_MAX - 7))).toThrow(LimitError);
});

test('timestamps are whole milliseconds from 1970 on', () => {
  for (const timestamp of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
    expect(() => singleRecord(null, null, timestamp)).toThrow(
      expect.objectContaining({ code: 'INVALID_TIMESTAMP' }),
    );
  }
  expect(verify(singleRecord(null, null, 2 ** 53 - 1)).maxTimestamp).toBe(2 ** 53 - 1);
});

test('a columnar record batch carries rows, their rowtimes as timestamps', () => {
  fc.assert(
    fc.property(batches, fc.nat(9), (rows, offset) => {
      const bytes = columnarRecordBatch(rows);
      expect(verify(bytes).count).toBe(rows.length);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      const read = parseRecordBatch(moved.subarray(offset));
      expect(read.isColumnar).toBe(true);
      expect(read.key(0)).toBeNull();
      const decoded = decodeBatch(rows.schema, read.encoded ?? new Uint8Array(0));
      expect(batchesEqual(decoded, { ...rows, origin: null })).toBe(true);
      expect(read.timestamps).toEqual(decoded.rowtime);
    }),
    { numRuns: 200 },
  );
});

test('a columnar batch beyond the limit is refused', () => {
  const large = `x${'y'.repeat(VALUE_BYTES_MAX)}`;
  const rows = batch('A:STRING | B:STRING', `${large} | z${large} @0`);
  expect(() => columnarRecordBatch(rows)).toThrow(
    expect.objectContaining({ code: 'RECORD_TOO_LARGE' }),
  );
});

test('batches that are joined are the batch of all their records, byte for byte', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(records, keyless), { minLength: 1, maxLength: 6 }),
      fc.nat(9),
      (parts, offset) => {
        const batchOf = (appended: (typeof parts)[number]): Uint8Array => {
          const builder = new RecordBatchBuilder();
          for (const { key, value, timestamp, headers } of appended)
            builder.append(key, value, timestamp, headers);
          const moved = new Uint8Array(builder.lengthBytes + offset);
          moved.set(builder.finish() ?? [], offset);
          return moved.subarray(offset);
        };
        const batches = parts.map(batchOf);
        expect(batches.every(isPlain)).toBe(true);
        expect(joined(batches)).toEqual(batchOf(parts.flat()).slice());
        expect(verify(joined(batches)).count).toBe(parts.flat().length);
      },
    ),
  );
  expect(isPlain(columnarRecordBatch(batch('op K:STRING | N:BIGINT @rowtime', '+ a | 1 @0')))).toBe(
    false,
  );
});
