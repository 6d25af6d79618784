// A host that has the kernel's decoder of JSON apart fetches it once a source has much to read, and the rows never tell.

import { expect, test, vi } from 'vitest';
import {
  JSON_RECORDS_BEFORE_KERNEL_MAX,
  KERNEL_BATCH_BYTES_MIN,
} from '../../../runtime/base/limits.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { readerOf } from '../../../runtime/task/input.ts';
import { JSON_MODULE } from '../../../runtime/task/parts.ts';
import { bothReaders, type Given, jsonSource } from '../../support/json-readers.ts';
import { kernelModule } from '../../support/kernel-module.ts';

const STEP = jsonSource('KEY:STRING key | S:STRING | N:BIGINT');
const AGGREGATES = kernelModule('aggregates');

/** Good records, and every seventh a bad one, every eleventh null, every thirteenth with escapes. */
const values = (count: number): Given[] =>
  Array.from({ length: count }, (_, i) => {
    if (i % 7 === 6) return '{"S":"bad","N":?}';
    if (i % 11 === 10) return null;
    return i % 13 === 12 ? `{"N":${i},"S":"\\u00e9 ${i}"}` : `{"S":"s${i % 50}","N":${i}}`;
  });

const settledFetch = () => new Promise((later) => setTimeout(later, 0));

test('the decoder is fetched behind the last record before it pays, and a failed fetch leaves all as it was', async () => {
  const warned = vi.spyOn(console, 'warn').mockReturnValue();
  let fetches = 0;
  let isOnline = false;
  JSON_MODULE.from('JSON in the kernel', async () => {
    fetches += 1;
    if (!isOnline) throw new TypeError('offline');
    return { module: kernelModule('json') };
  });
  const read = bothReaders(STEP, AGGREGATES);
  const same = (count: number) => {
    const [late, plain] = read(values(count), [1, count]);
    expect(late).toEqual(plain);
  };
  same(JSON_RECORDS_BEFORE_KERNEL_MAX);
  await settledFetch();
  // Short batches are none that it would decode.
  for (let i = 0; i < 100; i++) same(2);
  await settledFetch();
  expect(fetches).toBe(0);
  same(20);
  await settledFetch();
  expect(fetches).toBe(1);
  await vi.waitFor(() => {
    expect(warned).toHaveBeenCalledWith(
      expect.stringContaining('"event":"kernel-json","error":"PortError"'),
    );
  });
  same(1000);
  await settledFetch();
  expect(fetches).toBe(1);
  expect(JSON_MODULE.fetched).toBeNull();

  isOnline = true;
  const other = bothReaders(STEP, AGGREGATES);
  for (const count of [JSON_RECORDS_BEFORE_KERNEL_MAX + 1, 500, 1000]) {
    const [late, plain] = other(values(count), [3, 100, count]);
    expect(late).toEqual(plain);
    await settledFetch();
  }
  expect(fetches).toBe(2);
  expect(JSON_MODULE.fetched?.module).toBe(kernelModule('json'));
  // The first source has it now too.
  same(1000);
  warned.mockRestore();
});

test('once it is there, the kernel decodes all but short batches', async () => {
  JSON_MODULE.from('JSON in the kernel', async () => ({ module: kernelModule('json') }));
  await JSON_MODULE.load();
  const place = { topic: 's', partition: 0, base: 0, incarnation: '1' };
  const batchOf = (lengthBytes: number) => {
    const batch = (spaces: number) =>
      singleRecord(encodeUtf8('key'), encodeUtf8(`{"S":"a","N":1}${' '.repeat(spaces)}`), 1);
    return parseRecordBatch(batch(lengthBytes - batch(0).length));
  };
  const reading = (kernel: WebAssembly.Module | null) => {
    const reader = readerOf(STEP, FORMATS, { kernel });
    return (lengthBytes: number) => {
      const batch = reader.read(batchOf(lengthBytes), place, 0, 1, () => undefined);
      const [, column] = batch?.columns ?? [];
      if (column?.storage !== 'dictionary') throw new Error('S is a STRING');
      return [valueAt(column, 0), column.dictionary.known !== undefined];
    };
  };
  // Only the kernel's texts are known from chunk to chunk.
  const late = reading(AGGREGATES);
  const lengths = [KERNEL_BATCH_BYTES_MIN, KERNEL_BATCH_BYTES_MIN - 1];
  expect([...lengths, ...lengths].map(late)).toEqual(
    [true, false, true, false].map((is) => ['a', is]),
  );
  expect(lengths.map(reading(null))).toEqual([
    ['a', false],
    ['a', false],
  ]);
  expect(lengths.map(reading(kernelModule()))).toEqual([
    ['a', true],
    ['a', true],
  ]);
});
