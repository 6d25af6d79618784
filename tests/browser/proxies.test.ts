// Rows, options and the engine itself in the deep proxies of reactive frameworks, which structured clone and private members refuse.

import { expect, test } from 'vitest';
import type { PublicRow } from '../../runtime/browser/index.ts';
import { reactive } from '../support/reactive.ts';
import { openTest } from './open.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, n BIGINT, d TIMESTAMP, b BYTES, a ARRAY<INT>, m MAP<STRING, INT>, o STRUCT<x ARRAY<INT>>)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

/** An array whose only item is that array. */
function endless(): unknown[] {
  const items: unknown[] = [];
  items.push(items);
  return items;
}

const row = (n: number) => ({
  k: 'a',
  n: BigInt(n),
  d: new Date(5),
  b: Uint8Array.of(1, 2),
  a: [1, 2],
  m: new Map([['q', 1]]),
  o: { x: [3] },
});

test('rows and options go to the Worker out of proxies, as they are and in their order', async () => {
  const properties = { 'auto.offset.reset': 'earliest' };
  const engine = await openTest(reactive({ properties }));
  await engine.execute(STREAM, reactive({ properties }));
  // None of them is waited for: a copy is no later than what needs none.
  const places = await Promise.all([
    engine.insert('s', reactive(row(0))),
    engine.insert('s', row(1)),
    engine.insert('s', reactive([row(2), row(3)]), reactive({ timestamp: 7 })),
    engine.insert('s', [reactive(row(4))]),
  ]);
  expect(places.flat().map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
  const rows = await engine.query(
    'SELECT * FROM s EMIT CHANGES LIMIT 5;',
    reactive({ properties }),
  );
  const expected = (n: number): PublicRow => ({
    K: 'a',
    N: n,
    D: 5,
    B: Uint8Array.of(1, 2),
    A: [1, 2],
    M: new Map([['q', 1]]),
    O: { X: [3] },
  });
  expect(await rows.all()).toEqual([0, 1, 2, 3, 4].map(expected));
  const records = await engine.topicRecords('s', reactive({ partition: 0, from: 2 }));
  expect(records.map(({ timestamp }) => timestamp).slice(0, 2)).toEqual([7, 7]);
});

test('an engine and the rows of a query are used through what is reactive', async () => {
  const { engine } = reactive({ engine: await openTest() });
  await engine.execute(STREAM);
  const { rows } = reactive({ rows: await engine.query('SELECT n FROM s EMIT CHANGES LIMIT 1;') });
  await engine.insert('s', { n: 1 });
  expect(await rows.all()).toEqual([{ N: 1 }]);
});

test.each([
  ['a function', () => 1],
  ['a promise', Promise.resolve(1)],
  ['a symbol', Symbol('n')],
  ['what holds itself', endless()],
])('%s is no value, and the calls beside it are made', async (_, n) => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const [refused, place] = await Promise.allSettled([
    engine.insert('s', reactive({ k: 'a', n })),
    engine.insert('s', { k: 'a', n: 1 }),
  ]);
  expect(refused).toMatchObject({ reason: { name: 'StatementError', code: 'TYPE_MISMATCH' } });
  expect(place).toMatchObject({ value: { offset: 0 } });
});
