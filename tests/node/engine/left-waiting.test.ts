// Rows and lines that are left while the next one is waited for, as a stream that is cancelled leaves them: the query ends at once.

import { expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import type { QueryRows } from '../../../runtime/engine/query-rows.ts';

const STREAM = "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');";
const DONE = { done: true, value: undefined };

type Read = (rows: QueryRows) => AsyncGenerator<unknown, void, undefined>;
const READS: readonly (readonly [string, Read])[] = [
  ['rows', (rows) => rows[Symbol.asyncIterator]()],
  ['changes', (rows) => rows.changes()],
  ['batches', (rows) => rows.batches()],
];

test.each(READS)('%s of a push query', async (_, read) => {
  await using engine = await open();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT * FROM s EMIT CHANGES;');
  const items = read(rows);
  const waiting = items.next();
  expect(await items.return()).toEqual(DONE);
  expect(await waiting).toEqual(DONE);
  // It has ended: there is nothing that it would wait for.
  await engine.produce('s', [{ value: '{"A":1}' }]);
  await rows.idle();
  expect(await items.next()).toEqual(DONE);
});

test.each(READS)('%s that nobody has asked for', async (_, read) => {
  await using engine = await open();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT * FROM s EMIT CHANGES;');
  expect(await read(rows).return()).toEqual(DONE);
  await engine.produce('s', [{ value: '{"A":1}' }]);
  // Of one that goes on this waits for a reader.
  await rows.idle();
  expect(await rows.all()).toEqual([]);
});

test('lines of a topic', async () => {
  await using engine = await open();
  await engine.execute(STREAM);
  const lines = await engine.print('PRINT s;');
  const waiting = lines.next();
  expect(await lines.return()).toEqual(DONE);
  expect(await waiting).toEqual(DONE);
});

test('a loop that is left, and rows of which only some are taken', async () => {
  await using engine = await open();
  await engine.execute(STREAM);
  await engine.insert('s', [{ a: 1 }, { a: 2 }]);
  const rows = await engine.query('SELECT * FROM s;');
  for await (const row of rows) {
    expect(row).toEqual({ A: 1 });
    break;
  }
  const push = await engine.query('SELECT * FROM s EMIT CHANGES;', {
    properties: { 'auto.offset.reset': 'earliest' },
  });
  const changes = push.changes();
  expect((await changes.next()).value).toMatchObject({ row: { A: 1 } });
  expect(await changes.return()).toEqual(DONE);
});
