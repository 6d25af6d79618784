// Pull queries over streams long enough for the kernel: the rows are those that the decoder in TypeScript gives.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, a INT, t STRING, d DECIMAL(6, 2), l ARRAY<INT>)
  WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');`;
/** Longer than the chunk of a task, in one of two partitions; the other is short. */
const RECORDS = 5000;

function valueAt(i: number): string | null {
  if (i % 97 === 0) return null;
  if (i % 89 === 0) return `{"a": ${i}`;
  if (i % 83 === 0) return `{"A":"${i}"}`;
  return `{"a":${i},"t":"\\u00e9 ${i % 7}","d":"${i % 1000}.5","l":[${i},null],"other":{"x":[${i}]}}`;
}

let engines: readonly Engine[];
beforeAll(async () => {
  engines = await Promise.all([open(), open({ kernel: null })]);
  const records = Array.from({ length: RECORDS }, (_, i) => ({
    key: `k${i % 10}`,
    value: valueAt(i),
    partition: i % 50 === 1 ? 0 : 1,
    timestamp: i,
  }));
  for (const engine of engines) {
    await engine.execute(STREAM);
    await engine.produce('s', records);
  }
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

test.each([
  ['SELECT * FROM s;', 4892],
  ["SELECT k, t, ROWTIME FROM s WHERE a > 2500 AND t LIKE '% 3';", 345],
  ['SELECT d * 2 AS x, l[1] AS y FROM s LIMIT 4300;', 4300],
  ['SELECT k, EXPLODE(l) + 1 AS e, ROWTIME FROM s WHERE a < 4000;', 7732],
  ['SELECT EXPLODE(GENERATE_SERIES(1, a)) AS e, a FROM s WHERE a > 4990 LIMIT 9000;', 9000],
])('%s', async (query, length) => {
  const [kernel, row] = await Promise.all(
    engines.map(async (engine) => (await engine.query(query)).all()),
  );
  expect(kernel).toEqual(row);
  expect(kernel).toHaveLength(length);
});

test('a record of which a table function makes too many rows ends the query', async () => {
  const series = 'GENERATE_SERIES(1, 1048576)';
  const asked = (values: string) =>
    (engines[0] as Engine).query(`SELECT EXPLODE(${values}) AS e FROM s WHERE a = 7;`);
  let rows = 0;
  for await (const batch of (await asked(series)).batches()) rows += batch.length;
  expect(rows).toBe(1_048_576);
  const tooMany = (await asked(`ARRAY_CONCAT(${series}, ARRAY[0])`)).all();
  await expect(tooMany).rejects.toMatchObject({ name: 'RecordError', code: 'DEAD_LETTER' });
});

test('a reader that leaves in the middle, and the next one from the beginning', async () => {
  for (let turn = 0; turn < 3; turn++) {
    const seen: unknown[] = [];
    for await (const row of await (engines[0] as Engine).query('SELECT a FROM s;')) {
      seen.push(row);
      if (seen.length === 200) break;
    }
    expect(seen[0]).toEqual({ A: 1 });
  }
});

test('what retention lets go while a topic is read is stepped over, unless its offset was asked for', async () => {
  const host = memoryHost();
  await using engine = await openEngine({ host });
  await engine.execute(
    "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  const at = { topic: 's', partition: 0 };
  for (let a = 0; a < 6; a++) await engine.insert('s', { a });
  const asked = await engine.query('SELECT a FROM s;');
  const left = await engine.query('SELECT a FROM s;');
  const printed = await engine.print('PRINT s FROM BEGINNING LIMIT 2;');
  await engine.insert('s', { a: 6 });
  await host.log.trim(at, 4);
  expect(await asked.all()).toEqual([{ A: 4 }, { A: 5 }]);
  const lines: string[] = [];
  for await (const line of printed) if (line.startsWith('rowtime')) lines.push(line);
  expect(lines.map((line) => /"A":(\d)/.exec(line)?.[1])).toEqual(['4', '5']);
  await host.log.trim(at, 7);
  expect(await left.all()).toEqual([]);
  await expect(engine.topicRecords('s', { from: 2 })).rejects.toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
  });
});
