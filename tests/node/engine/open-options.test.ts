// What an engine is opened with, as callers without types give it: an engine in memory, where a file was meant, would forget what it is given.

import { expect, test } from 'vitest';
import { open } from '../../../runtime/index.ts';

test.each<[message: string, given: unknown]>([
  ["open takes an object, not 'quakes.db'", 'quakes.db'],
  ["open has no option 'database', but host, storage, kernel,", { database: 'quakes' }],
  ["open has no option 'comitIntervalMs', but", { comitIntervalMs: 5 }],
  ["open: commitIntervalMs is number, not '5'", { commitIntervalMs: '5' }],
  ["open: storage is 'memory' | object, not 'disk'", { storage: 'disk' }],
  ['storage: file is string, not undefined', { storage: {} }],
  ["storage has no option 'durable', but file, durability", { storage: { file: 'a', durable: 1 } }],
  [
    "storage: durability is 'relaxed' | 'strict', not 'full'",
    { storage: { file: 'a', durability: 'full' } },
  ],
  ["open: kernel is object | null, not 'kernel.wasm'", { kernel: 'kernel.wasm' }],
  ['open: functions is object, not function', { functions: () => undefined }],
  ["open: workers is number, not '2'", { workers: '2' }],
])('%s', async (message, given) => {
  const opening = (open as unknown as (options: unknown) => Promise<unknown>)(given);
  await expect(opening).rejects.toThrow(TypeError);
  await expect(opening).rejects.toThrow(message);
});

test('what may be absent may be said to be', async () => {
  await using engine = await open({ storage: undefined, kernel: null, workers: undefined });
  expect(await engine.execute('SHOW STREAMS;')).toHaveLength(1);
});

// As callers without types call them, and those whose options come from elsewhere.
test('calls refuse options that there are not, and what an option does not take, by name', async () => {
  await using engine = await open();
  await engine.execute(
    "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  const slip = { tiemstamp: 1 } as object;
  for (const [call, known] of [
    [
      () => engine.execute('SHOW STREAMS;', slip),
      'execute has no option %, but properties, onEntity',
    ],
    [
      () => engine.query('SELECT * FROM s;', slip),
      'query has no option %, but properties, signal, bigint',
    ],
    [() => engine.print('PRINT s;', slip), 'print has no option %, but signal'],
    [
      () => engine.insert('s', { a: 1 }, slip),
      'insert has no option %, but timestamp, headers, key',
    ],
    [
      () => engine.topicRecords('s', slip),
      'topicRecords has no option %, but partition, from, recordsMax',
    ],
  ] as const)
    await expect(call()).rejects.toThrow(new TypeError(known.replace('%', "'tiemstamp'")));
  for (const [call, message] of [
    [
      () => engine.query('SELECT * FROM s;', { bigint: 'always' as never }),
      "query: bigint is 'exact' | 'bigint', not 'always'",
    ],
    [
      () => engine.topicRecords('s', { from: '3' as never }),
      "topicRecords: from is number, not '3'",
    ],
  ] as const)
    await expect(call()).rejects.toThrow(new TypeError(message));
  expect(await engine.topicRecords('s')).toEqual([]);
});
