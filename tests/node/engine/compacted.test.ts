// Every reader of a compacted topic, whose batches hold fewer records than offsets: tasks, pull queries, PRINT, programs.

import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { type MemoryHost, memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { TopicPartition } from '../../../runtime/ports/log.ts';
import { PROCESSING_LOG_TOPIC } from '../../../runtime/task/task-topics.ts';

const AT: TopicPartition = { topic: 's', partition: 0 };
const STREAM = `CREATE STREAM s (k STRING KEY, v INT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON', CLEANUP_POLICY='compact');`;

function batchOf(records: readonly (readonly [key: string, value: string | null])[]): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const [key, value] of records) {
    builder.append(encodeUtf8(key), value === null ? null : encodeUtf8(value), 1000);
  }
  return builder.finish() ?? new Uint8Array();
}

/** Offsets 0 .. 9, of which 2, 5, 7 and 9 are left; 5 is no JSON. */
async function compacted(): Promise<{ readonly host: MemoryHost; readonly engine: Engine }> {
  const clock = new ManualClock(1_700_000_000_000);
  const host = memoryHost({ clock });
  const engine = await open({ host });
  await engine.execute(STREAM);
  const { log } = host;
  await log.append(AT, batchOf([['a', '{"V":1}'], ['b', '{"V":2}'], ['c', '{"V":3}']])); // prettier-ignore
  await log.append(AT, batchOf([['a', '{"V":4}'], ['b', '{"V":5}']])); // prettier-ignore
  await log.append(AT, batchOf([['a', '{'], ['b', '{"V":6}'], ['b', '{"V":7}']])); // prettier-ignore
  await log.append(AT, batchOf([['d', null]]));
  await log.append(AT, batchOf([['e', '{"V":9}']]));
  while (log.upkeep(AT));
  // The tombstone has been met; a day later it goes, and what it stood in is merged.
  clock.advance(25 * 3_600_000);
  while (log.upkeep(AT));
  const { batches } = await log.read(AT, 0, 1 << 20);
  expect(batches.map(({ base, count }) => [base, count])).toEqual([
    [0, 9],
    [9, 1],
  ]);
  expect(parseRecordBatch(batches[0]?.bytes ?? new Uint8Array()).count).toBe(3);
  return { host, engine };
}

const textOf = (bytes: Uint8Array | null) => decodeUtf8(bytes ?? new Uint8Array());

test('a query over it sees what is left, at its offsets, and goes on behind it', async () => {
  const { host, engine } = await compacted();
  await engine.execute(`CREATE STREAM o AS SELECT k, v, ROWOFFSET AS place FROM s EMIT CHANGES;`);
  await engine.idle();
  await host.log.append(AT, batchOf([['f', '{"V":10}']]));
  await engine.idle();
  const made = await engine.topicRecords('O');
  expect(made.map(({ value }) => textOf(value))).toEqual([
    '{"V":3,"PLACE":2}',
    '{"V":7,"PLACE":7}',
    '{"V":9,"PLACE":9}',
    '{"V":10,"PLACE":10}',
  ]);
  const bad = await engine.topicRecords(PROCESSING_LOG_TOPIC);
  expect(bad.map(({ value }) => JSON.parse(textOf(value)))).toMatchObject([
    { topic: 's', partition: 0, offset: 5 },
  ]);
  await engine.close();
});

test('a pull query over the stream, PRINT and a program read the same', async () => {
  const { engine } = await compacted();
  const rows = await engine.query('SELECT k, v FROM s;');
  expect(await Array.fromAsync(rows)).toEqual([
    { K: 'c', V: 3 },
    { K: 'b', V: 7 },
    { K: 'e', V: 9 },
  ]);
  const printed = await Array.fromAsync(await engine.print('PRINT s FROM BEGINNING LIMIT 4;'));
  expect(printed.map((line) => /key: (.)/.exec(line)?.[1]).filter(Boolean)).toEqual([
    'c',
    'a',
    'b',
    'e',
  ]);
  const found = await engine.topicRecords('s', { from: 3 });
  expect(found.map(({ offset, key }) => [offset, textOf(key)])).toEqual([
    [5, 'a'],
    [7, 'b'],
    [9, 'e'],
  ]);
  await engine.close();
});

test('a query that stands before what was taken goes on behind it', async () => {
  const { host, engine } = await compacted();
  const at = { topic: 'only', partition: 0 };
  await host.log.create({
    name: 'only',
    partitions: 1,
    retentionMs: null,
    compacted: true,
    internal: false,
  });
  await engine.execute(`CREATE STREAM n (k STRING KEY, v INT) WITH (KAFKA_TOPIC='only', VALUE_FORMAT='JSON');
    CREATE STREAM p AS SELECT k, v FROM n EMIT CHANGES;`);
  for (const value of [1, 2, 3]) await host.log.append(at, batchOf([['a', `{"V":${value}}`]]));
  await engine.execute('PAUSE ALL;');
  await host.log.append(at, batchOf([['a', null]]));
  await host.log.append(at, batchOf([['z', '{"V":9}']]));
  while (host.log.upkeep(at));
  await engine.execute('RESUME ALL;');
  await engine.idle();
  const last = (await engine.topicRecords('P')).at(-1);
  expect([textOf(last?.key ?? null), textOf(last?.value ?? null)]).toEqual(['z', '{"V":9}']);
  await engine.close();
});

test('a record without a key is refused by name, through every door', async () => {
  const { engine } = await compacted();
  const keyless = engine.produce('s', [{ key: null, value: '1' }]);
  await expect(keyless).rejects.toMatchObject({ code: 'INVALID_RECORD', detail: { record: 0 } });
  await expect(engine.execute('INSERT INTO s (v) VALUES (1);')).rejects.toThrow(/has no key/);
  await engine.close();
});
