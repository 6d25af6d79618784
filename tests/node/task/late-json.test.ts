// A host that has the kernel's decoder of JSON apart fetches it once a source has much to read, and the rows never tell.

import { expect, test, vi } from 'vitest';
import { JSON_RECORDS_BEFORE_KERNEL_MAX } from '../../../runtime/base/limits.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
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
  expect(fetches).toBe(0);
  same(2);
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

test('once it is there, the kernel decodes', async () => {
  JSON_MODULE.from('JSON in the kernel', async () => ({ module: kernelModule('json') }));
  await JSON_MODULE.load();
  const builder = new RecordBatchBuilder();
  for (const value of ['{"S":"a","N":1}', '{"S":"b","N":2}'])
    builder.append(encodeUtf8('key'), encodeUtf8(value), 1);
  const bytes = builder.finish() ?? new Uint8Array();
  const place = { topic: 's', partition: 0, base: 0, incarnation: '1' };
  const textsOf = (kernel: WebAssembly.Module | null) => {
    const reader = readerOf(STEP, FORMATS, { kernel });
    const batch = reader.read(parseRecordBatch(bytes), place, 0, 2, () => undefined);
    const column = batch?.columns[1];
    if (column?.storage !== 'dictionary') throw new Error('S is a STRING');
    return column.dictionary;
  };
  // Only the kernel's texts are known from chunk to chunk.
  expect(textsOf(AGGREGATES).known).toBeDefined();
  expect(textsOf(null).known).toBeUndefined();
});
