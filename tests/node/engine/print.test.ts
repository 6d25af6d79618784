// PRINT: lines of a topic from its beginning or from now on, every n-th, up to a limit, and the formats that they seem to be in.

import { expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';

const STREAM = `CREATE STREAM s (k INT KEY, v STRING)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

async function engineWith(...values: readonly string[]): Promise<Engine> {
  const engine = await open();
  await engine.execute(STREAM);
  for (const [k, v] of values.entries())
    await engine.insert('s', { k, v }, { timestamp: 1000 * k });
  return engine;
}

test('prints what the formats seem to be and a line a record, up to the limit', async () => {
  await using engine = await engineWith('a', 'b', 'c');
  const lines = await Array.fromAsync(await engine.print('PRINT s FROM BEGINNING LIMIT 2;'));
  expect(lines).toEqual([
    'Key format: KAFKA_INT',
    'Value format: JSON or KAFKA_STRING',
    'rowtime: 1970-01-01T00:00:00.000, key: 0, value: {"V":"a"}, partition: 0',
    'rowtime: 1970-01-01T00:00:01.000, key: 1, value: {"V":"b"}, partition: 0',
  ]);
});

test('prints every n-th record', async () => {
  await using engine = await engineWith('a', 'b', 'c', 'd', 'e');
  const printed = await engine.print("PRINT 's' FROM BEGINNING INTERVAL 2 LIMIT 3;");
  const lines = (await Array.fromAsync(printed)).slice(2);
  expect(lines.map((line) => /"V":"(.)"/.exec(line)?.[1])).toEqual(['a', 'c', 'e']);
});

test('prints only what comes after it has begun, and says when the formats are fewer', async () => {
  await using engine = await engineWith('a');
  const printed = await engine.print('PRINT s LIMIT 2;');
  await engine.produce('s', [{ key: null, value: '[1]', timestamp: 5 }]);
  const lines: string[] = [];
  for await (const line of printed) {
    lines.push(line);
    if (line.includes('[1]')) await engine.produce('s', [{ key: 'k', value: null, timestamp: 6 }]);
  }
  expect(lines).toEqual([
    'Key format: unknown, no data yet',
    'Value format: JSON or KAFKA_STRING',
    'rowtime: 1970-01-01T00:00:00.005, key: <null>, value: [1], partition: 0',
    'Key format: KAFKA_STRING',
    'Value format: JSON or KAFKA_STRING',
    'rowtime: 1970-01-01T00:00:00.006, key: k, value: <null>, partition: 0',
  ]);
});

test('ends by its signal while it waits', async () => {
  await using engine = await engineWith();
  const abort = new AbortController();
  const printed = await engine.print('PRINT s;', { signal: abort.signal });
  const lines = Array.fromAsync(printed);
  abort.abort();
  expect(await lines).toEqual([]);
});

test.each([
  ['PRINT z;', 'UNKNOWN_TOPIC', 'there is no topic z'],
  ['PRINT s INTERVAL 0;', 'INVALID', 'INTERVAL is 0'],
  ['PRINT s; PRINT s;', 'INVALID', 'print() takes one PRINT'],
  ['SELECT * FROM s;', 'INVALID', 'print() takes one PRINT'],
])('%s is refused', async (sql, code, why) => {
  await using engine = await engineWith();
  const thrown = await engine.print(sql).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(StatementError);
  expect(thrown).toMatchObject({ code });
  expect((thrown as StatementError).message).toContain(why);
});

test('is no statement to execute', async () => {
  await using engine = await engineWith();
  await expect(engine.execute('PRINT s;')).rejects.toMatchObject({ hint: 'Send it to print().' });
});
