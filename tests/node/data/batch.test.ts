// Builders, selections, cuts and the batch codec: what goes in comes out, and damaged bytes end in a PortError.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { slice } from '../../../runtime/data/batch.ts';
import { compact } from '../../../runtime/data/dense.ts';
import { batchesEqual, concat, rowValues } from '../../../runtime/data/batches.ts';
import { columnBuilder } from '../../../runtime/data/builder.ts';
import { decodeBatch, encodeBatch } from '../../../runtime/data/codec.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { batch, format, prettySchema } from '../../../runtime/data/pretty.ts';
import type { Column } from '../../../runtime/data/column.ts';
import type { Value } from '../../../runtime/data/type.ts';
import { BIGINT, STRING } from '../../../runtime/data/type.ts';
import { batches, nullable, thrownBy, types } from './arbitrary.ts';

function valuesOf(column: Column, rows: number): Value[] {
  return Array.from({ length: rows }, (_, row) => valueAt(column, row));
}

test('a builder gives back what was appended, also after rows were rolled back', () => {
  const runs = types.chain((type) =>
    fc.record({
      type: fc.constant(type),
      values: fc.array(nullable(type), { maxLength: 60 }),
      dropped: fc.array(nullable(type), { maxLength: 30 }),
    }),
  );
  fc.assert(
    fc.property(runs, fc.nat(60), ({ type, values, dropped }, cut) => {
      const builder = columnBuilder(type);
      const at = Math.min(cut, values.length);
      for (const value of values.slice(0, at)) builder.append(value);
      for (const value of dropped) builder.append(value);
      builder.truncate(at);
      for (const value of values.slice(at)) builder.append(value);
      const column = builder.finish();
      expect(valuesOf(column, values.length)).toEqual(values);
      expect(builder.length).toBe(0);
      // A rolled-back row leaves no trace in the stored form either.
      const fresh = columnBuilder(type);
      for (const value of values) fresh.append(value);
      expect(column).toEqual(fresh.finish());
    }),
    { numRuns: 500 },
  );
});

test('a string builder keeps each distinct string once', () => {
  const builder = columnBuilder(STRING);
  for (let i = 0; i < BATCH_ROWS_MAX; i++) builder.append(`key ${i % 1000}`);
  const column = builder.finish();
  expect(column.storage === 'dictionary' && column.dictionary.size).toBe(1000);
  expect(valueAt(column, 1001)).toBe('key 1');
});

test('BIGINT appended as a number is the same whole number', () => {
  const builder = columnBuilder(BIGINT);
  const numbers = [
    0,
    -0,
    1,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    -(2 ** 32) - 1,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
  ];
  for (const value of numbers) builder.appendNumber(value);
  expect(valuesOf(builder.finish(), numbers.length)).toEqual(numbers.map(BigInt));
});

test('a builder refuses values of another type', () => {
  expect(() => columnBuilder(BIGINT).append(1)).toThrow('a number is no BIGINT');
  expect(() => columnBuilder(STRING).appendNumber(1)).toThrow('no STRING');
});

test('a batch holds BATCH_ROWS_MAX rows and no more', () => {
  const builder = new BatchBuilder(prettySchema('N:BIGINT'));
  for (let i = 0; i < BATCH_ROWS_MAX; i++) builder.append([BigInt(i)], i);
  expect(builder.isFull).toBe(true);
  expect(() => builder.append([0n], 0)).toThrow('no more than BATCH_ROWS_MAX');
  builder.rollback();
  const built = builder.finish();
  expect(built?.length).toBe(BATCH_ROWS_MAX);
  expect(builder.finish()).toBeNull();
});

test('cuts of a batch hold its rows, and joined they are the batch', () => {
  fc.assert(
    fc.property(batches, fc.nat(40), (whole, cut) => {
      const parts = [slice(whole, 0, cut), slice(whole, cut, whole.length)].filter(
        (part) => part !== null,
      );
      const [joined] = concat(parts);
      expect(joined !== undefined && batchesEqual(joined, whole)).toBe(true);
      expect(batchesEqual(compact(whole), whole)).toBe(true);
      expect(compact(whole).selection).toBeNull();
    }),
    { numRuns: 300 },
  );
});

test('a batch is the same after encode and decode, wherever its bytes stand', () => {
  fc.assert(
    fc.property(batches, fc.nat(9), (whole, offset) => {
      const bytes = encodeBatch(whole);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      const decoded = decodeBatch(whole.schema, moved.subarray(offset));
      expect(batchesEqual(decoded, { ...whole, origin: null }), format(whole)).toBe(true);
      expect(encodeBatch(decoded)).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('an encoded batch carries only the strings of its rows', () => {
  const rows = Array.from({ length: 100 }, (_, i) => `key-${i} @${i}`);
  const whole = batch('K:STRING', ...rows);
  const part = slice(whole, 7, 9);
  const decoded = part === null ? null : decodeBatch(part.schema, encodeBatch(part));
  const [column] = decoded?.columns ?? [];
  expect(column?.storage === 'dictionary' && column.dictionary.size).toBe(2);
  expect(decoded === null ? [] : rowValues(decoded, 1)).toEqual(['key-8']);
});

test('an encoded batch of another schema is refused', () => {
  const whole = batch('K:STRING', 'a');
  for (const header of ['L:STRING', 'K:STRING key', 'K:BYTES', 'K:STRING | L:STRING']) {
    expect(() => decodeBatch(prettySchema(header), encodeBatch(whole))).toThrow('another schema');
  }
});

test('damaged bytes of a batch end in a PortError or in another batch, never elsewhere', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  fc.assert(
    fc.property(batches, damage, fc.nat(), fc.boolean(), (whole, writes, cut, isCut) => {
      let bytes = encodeBatch(whole);
      for (const [at, byte] of writes) bytes[at % bytes.length] = byte;
      if (isCut) bytes = bytes.slice(0, cut % bytes.length);
      // What is read must be readable in full.
      const thrown = thrownBy(() => format(decodeBatch(whole.schema, bytes)));
      expect(thrown === null || (thrown instanceof PortError && thrown.code === 'CORRUPT')).toBe(
        true,
      );
    }),
    { numRuns: 3000 },
  );
});
