// What `insert` and `produce` refuse of callers that have no types, and where they say it is.

import { expect, test } from 'vitest';
import type { InsertRow } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import type { ProducedRecord } from '../../../runtime/engine/insert.ts';
import { PARTS_BY_FOLDER, takeAway } from '../../support/taken-parts.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, i INT, b BIGINT, d DATE, ts TIMESTAMP, p DECIMAL(4, 2))
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

test.each<[unknown, string, string | null]>([
  [
    { i: 'x' },
    'I is INTEGER; this string does not fit',
    'Give a whole number of 32 bits, or null.',
  ],
  [
    { b: 1.5 },
    'B is BIGINT; this number does not fit',
    'Give a bigint, a safe whole number, or digits, or null.',
  ],
  [
    { d: new Date(0) },
    'D is DATE; this object does not fit',
    'Give the days since 1970-01-01, or null.',
  ],
  [
    { ts: new Date('no date') },
    'TS is TIMESTAMP; this object does not fit',
    'Give a Date, or the milliseconds since 1970, or null.',
  ],
  [{ p: '123.4' }, 'P is DECIMAL(4, 2); this string does not fit', null],
  [[{ i: 1 }, { i: 2, x: 1 }], 'row 1: S has no column x', null],
  [[{ i: 1 }, { i: [] }], 'row 1: I is INTEGER; this object does not fit', null],
  [{ I: 1, i: 2 }, 'I is given twice', null],
  [5, 'a row is an object of values by column names', null],
  [[{ i: 1 }, null], 'row 1: a row is an object of values by column names', null],
])('the row %j is refused: %s', async (row, message, hint) => {
  await using engine = await open();
  await engine.execute(STREAM);
  const expected = hint === null ? { message } : { message, hint };
  await expect(engine.insert('s', row as InsertRow)).rejects.toMatchObject(expected);
  expect(await engine.topicRecords('s')).toEqual([]);
});

test.each([[{ I: 1 }], [5], [[1, 2]], [true]])(
  'a key or value of %j is refused, and a batch with it',
  async (given) => {
    await using engine = await open();
    await engine.execute(STREAM);
    for (const record of [
      { key: null, value: given },
      { key: given, value: '{}' },
    ]) {
      const records = [{ value: '{}' }, record] as unknown as ProducedRecord[];
      await expect(engine.produce('s', records)).rejects.toThrow(
        new TypeError(`${typeof given} is no bytes`),
      );
    }
    expect(await engine.topicRecords('s')).toEqual([]);
  },
);

// A row with a DECIMAL needs code that the others do not, as the first one in a page does.
test('calls append in their order, though the first one waits for code and none is waited for', async () => {
  await using engine = await open();
  await engine.execute(STREAM);
  const putBack = takeAway(PARTS_BY_FOLDER.flatMap(([, parts]) => parts));
  try {
    const places = await Promise.all([
      engine.insert('s', { i: 0, p: '1.25' }),
      engine.insert('s', { i: 1 }),
      engine.insert('s', { i: 'refused' }).catch(() => []),
      engine.insert('s', [{ i: 2 }, { i: 3, ts: new Date(0) }]),
      engine.insert('s', { i: 4 }),
    ]);
    expect(places.flat().map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
  } finally {
    putBack();
  }
});

// As the compiler sees it: rows of an interface, which has no index signature, and what may be one row or many.
test("rows may be of the caller's own types, and the answer is of as many places", async () => {
  interface Order {
    readonly k: string;
    readonly i?: number | undefined;
  }
  await using engine = await open();
  await engine.execute(STREAM);
  const order: Order = { k: 'a', i: 1 };
  const { offset } = await engine.insert('s', order);
  const places = await engine.insert('s', [order, order]);
  const some: Order | readonly Order[] = [order];
  const either = await engine.insert('s', some);
  expect([offset, ...places.map((place) => place.offset), ...[either].flat()]).toEqual([
    0,
    1,
    2,
    { partition: 0, offset: 3 },
  ]);
});
