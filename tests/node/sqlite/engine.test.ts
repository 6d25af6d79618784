// An engine over a database file: what it keeps when it is opened again, and how it refuses.

import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { PortError, TaskCorrupted } from '../../../runtime/base/errors.ts';
import { open } from '../../../runtime/engine/open.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { Folder } from './file.ts';
import { NUMBERS_SQL } from './numbers.ts';

const folder = new Folder();
afterAll(() => folder.remove());
let files = 0;
const fresh = () => folder.file(`${++files}.db`);
const opened = (file: string, kernel?: WebAssembly.Module | null) =>
  open({ storage: { file, durability: 'relaxed' }, kernel });

async function refusal(promise: Promise<unknown>): Promise<string | null> {
  const outcome = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return outcome instanceof PortError ? outcome.code : null;
}

test.each([
  ['row path', null],
  ['kernel', undefined],
])('topics, tables and queries go on when a file is opened again, on the %s', async (_, kernel) => {
  const file = fresh();
  {
    await using engine = await opened(file, kernel);
    await engine.execute(NUMBERS_SQL);
    await engine.insert('numbers', [
      { k: 'a', n: 1 },
      { k: 'b', n: 10 },
      { k: 'a', n: 2 },
    ]);
    await engine.idle();
  }
  await using engine = await opened(file, kernel);
  const before = await Array.fromAsync(await engine.query("SELECT * FROM sums WHERE k = 'a';"));
  expect(before).toEqual([{ K: 'a', ROWS_IN: 2, TOTAL: 3 }]);
  await engine.insert('numbers', { k: 'a', n: 4 });
  await engine.idle();
  const after = await Array.fromAsync(await engine.query("SELECT * FROM sums WHERE k = 'a';"));
  expect(after).toEqual([{ K: 'a', ROWS_IN: 3, TOTAL: 7 }]);
  const { topics } = await engine.stats();
  expect(topics).toMatchObject({ numbers: { in: 4 }, DOUBLED: { in: 4 }, SUMS: { in: 4 } });
  const steps = JSON.stringify(await engine.execute('EXPLAIN CTAS_SUMS_2;'));
  expect(steps.includes('[kernel]')).toBe(kernel === undefined);
  const [shown] = await engine.execute('SHOW QUERIES;');
  expect(shown).toMatchObject({ queries: [{}, {}] });
});

test('a query that was planned for the kernel goes on where there is none, and on it again', async () => {
  const file = fresh();
  {
    await using engine = await opened(file);
    await engine.execute(NUMBERS_SQL);
  }
  let total = 0;
  for (const [n, kernel] of [
    [1, undefined],
    [2, null],
    [4, undefined],
  ] as const) {
    await using engine = await opened(file, kernel);
    await engine.insert('numbers', { k: 'a', n });
    await engine.idle();
    total += n;
    const rows = await Array.fromAsync(await engine.query("SELECT * FROM sums WHERE k = 'a';"));
    expect(rows).toMatchObject([{ K: 'a', TOTAL: total }]);
    const steps = JSON.stringify(await engine.execute('EXPLAIN CTAS_SUMS_2;'));
    expect(steps.includes('the host has no kernel')).toBe(kernel === null);
  }
});

test('what is dropped stays dropped', async () => {
  const file = fresh();
  {
    await using engine = await opened(file);
    await engine.execute(NUMBERS_SQL);
    await engine.insert('numbers', { k: 'a', n: 1 });
    await engine.execute('DROP TABLE sums DELETE TOPIC;');
  }
  await using engine = await opened(file);
  expect([...engine.catalog.sources.keys()]).not.toContain('SUMS');
  expect((await engine.stats()).topics).not.toHaveProperty('SUMS');
});

test('of two openings at once one is LOCKED, and the file is free once the other is closed', async () => {
  const file = fresh();
  const [first, second] = await Promise.allSettled([opened(file), opened(file)]);
  const engines = [first, second].filter((one) => one.status === 'fulfilled');
  expect(engines).toHaveLength(1);
  expect(await refusal(opened(file))).toBe('LOCKED');
  await engines[0]?.value.close();
  await (await opened(file)).close();
});

test('a file that cannot be made is said to need a folder', async () => {
  for (const file of [`${fresh()}/none/x.db`, import.meta.dirname])
    await expect(opened(file)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `opening '${file}': unable to open database file; it must be a file, or none yet, in a folder that is there and writable`,
    });
});

test('an opening that fails gives the file back', async () => {
  const file = fresh();
  await (await opened(file)).close();
  const database = new DatabaseSync(file);
  database.exec("UPDATE segment SET data = x'00'; DELETE FROM partition WHERE topic = '__catalog'");
  database.close();
  expect(await refusal(opened(file))).not.toBeNull();
  new DatabaseSync(file).close();
  expect(await refusal(opened(file))).not.toBe('LOCKED');
});

/** Makes every row of state in the file differ from its checksum. */
function damage(file: string): void {
  const database = new DatabaseSync(file);
  database.exec('UPDATE state SET crc = crc + 1');
  database.close();
}

test('state that is damaged is made again from the input, and nothing is sent twice', async () => {
  const file = fresh();
  {
    await using engine = await opened(file);
    await engine.execute(NUMBERS_SQL);
    await engine.insert('numbers', { k: 'a', n: 1 });
    await engine.insert('numbers', { k: 'b', n: 10 });
    await engine.idle();
  }
  damage(file);
  await using engine = await opened(file);
  await engine.insert('numbers', { k: 'a', n: 2 });
  await engine.idle();
  const sums = await Array.fromAsync(await engine.query("SELECT * FROM sums WHERE k = 'a';"));
  expect(sums).toEqual([{ K: 'a', ROWS_IN: 2, TOTAL: 3 }]);
  const { topics, queries } = await engine.stats();
  expect(topics).toMatchObject({ SUMS: { in: 3 } });
  expect(queries['CTAS_SUMS_2']).toMatchObject({ in: 3, out: 3 });
  const told = await engine.topicRecords('__processing_log');
  expect(told.map(({ value }) => JSON.parse(decodeUtf8(value ?? new Uint8Array())))).toMatchObject([
    { query: 'CTAS_SUMS_2', topic: 'numbers', offset: 2, code: 'REBUILT' },
  ]);
  expect(await engine.topicRecords('__dead_letters')).toEqual([]);
});

test('state that is damaged and hangs on more than the input ends its query and says what to do', async () => {
  const file = fresh();
  {
    await using engine = await opened(file);
    await engine.execute(NUMBERS_SQL);
    await engine.insert('numbers', { k: 'a', n: 1 });
    await engine.idle();
    await engine.execute(
      'CREATE OR REPLACE TABLE sums AS SELECT k, COUNT(*) AS rows_in, SUM(n) AS total FROM numbers WHERE n > 0 GROUP BY k;',
    );
    await engine.idle();
  }
  damage(file);
  await using engine = await opened(file);
  await engine.insert('numbers', { k: 'a', n: 2 });
  await expect(engine.idle()).rejects.toThrow(
    /has been replaced since it began. TERMINATE it, DROP/,
  );
  expect(engine.errorOf('CTAS_SUMS_2')).toBeInstanceOf(TaskCorrupted);
  expect(await engine.topicRecords('SUMS')).toHaveLength(1);
});

test('without storage, or with memory, nothing is kept', async () => {
  for (const options of [{}, { storage: 'memory' as const, kernel: kernelModule() }]) {
    await using engine = await open(options);
    await engine.execute(NUMBERS_SQL);
    await engine.insert('numbers', { k: 'a', n: 1 });
    await engine.idle();
    expect((await engine.stats()).topics).toMatchObject({ SUMS: { in: 1 } });
  }
});
