// What is under way in a page as its engine is closed, or as a reader leaves while the next row is waited for.

import { expect, test } from 'vitest';
import { freshDatabase, openTest } from './open.ts';

const STREAM = "CREATE STREAM s (n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=8, VALUE_FORMAT='JSON');";
const DONE = { done: true, value: undefined };

test('records that nobody has waited for are in the database', async () => {
  const database = freshDatabase();
  const engine = await openTest({ database });
  await engine.execute(STREAM);
  const calls = Array.from({ length: 20 }, (_, call) =>
    engine.produce(
      's',
      Array.from({ length: 8 }, (__, partition) => ({ value: `{"N":${call}}`, partition })),
    ),
  );
  const outcomes = Promise.allSettled(calls);
  await engine.close();
  expect((await outcomes).filter(({ status }) => status === 'rejected')).toEqual([]);
  const again = await openTest({ database });
  expect(await (await again.query('SELECT n FROM s;')).all()).toHaveLength(160);
});

test('a reader of rows, or of lines, that leaves while it waits ends them', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT n FROM s EMIT CHANGES;');
  for (const items of [rows.changes(), await engine.print('PRINT s;')]) {
    const waiting = items.next();
    expect(await items.return()).toEqual(DONE);
    expect(await waiting).toEqual(DONE);
  }
});

test('queries and lines that are asked for as it is closed end or are refused', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const refused = (thrown: unknown): unknown => (thrown as { readonly code: unknown }).code;
  const outcomes = Promise.all([
    engine.query('SELECT n FROM s EMIT CHANGES;').then((rows) => rows.all(), refused),
    engine.print('PRINT s;').then((lines) => lines.next(), refused),
  ]);
  await engine.close();
  for (const outcome of await outcomes) expect([[], DONE, 'UNAVAILABLE']).toContainEqual(outcome);
});
