// State that is longer than a row of an object's database may be: kept while it is within its limits, and beyond them its record's fault, never the query's.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  STATE_KEY_BYTES_MAX,
  STATE_VALUE_BYTES_MAX,
  TEXT_LENGTH_MAX,
  VALUE_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

async function ksql(text: string): Promise<void> {
  const { status, text: answer } = await send(edge, 'POST', '/ksql', {
    ksql: text,
    streamsProperties: { 'auto.offset.reset': 'earliest' },
  });
  if (status !== 200) throw new Error(answer);
}

async function produce(topic: string, key: string, value: object): Promise<void> {
  const answer = await send(edge, 'POST', `/topics/${topic}/records`, {
    records: [{ key, value }],
  });
  if (answer.status !== 200) throw new Error(answer.text);
}

async function rowsOf(sql: string): Promise<unknown> {
  const { body } = await send(edge, 'POST', '/query', { ksql: sql });
  return (body as { row?: { columns: unknown[] } }[]).flatMap(({ row }) =>
    row ? [row.columns] : [],
  );
}

/** As soon as a pull query answers otherwise. */
const POLL = { interval: 200 };

interface Letter {
  readonly query: string;
  readonly offset: number;
  readonly attempts: number;
  readonly error: string;
}

async function deadLetters(query: string): Promise<Letter[]> {
  const { body } = await send(edge, 'GET', '/topics/__dead_letters/partitions/0/records');
  const { records } = body as { records: { value: Letter }[] };
  return records.map(({ value }) => value).filter((letter) => letter.query === query);
}

/** As long as a value may be with what else stands in the record, of three bytes a character. */
const TEXT = '€'.repeat(Math.floor((VALUE_BYTES_MAX - 100) / 3));
/** So many of them fill a list. */
const FULL = Math.floor(TEXT_LENGTH_MAX / TEXT.length);

test('the longest list of a group is kept, over kills of the process too', async () => {
  await ksql(
    "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  await ksql(
    'CREATE TABLE longest AS SELECT k, ARRAY_LENGTH(COLLECT_LIST(v)) AS n, COUNT(*) AS c FROM s GROUP BY k;',
  );
  for (let i = 0; i < FULL; i++) {
    await produce('s', 'a', { v: TEXT });
    if (i % 5 === 0) {
      await edge.kill();
      await edge.restart();
    }
  }
  await expect.poll(() => rowsOf('SELECT n, c FROM longest;'), POLL).toEqual([[FULL, FULL]]);
  // One more fits into no list: it is left out, as the function says, and counted.
  await produce('s', 'a', { v: TEXT });
  await produce('s', 'b', { v: 'short' });
  await expect
    .poll(() => rowsOf('SELECT n, c FROM longest;'), POLL)
    .toEqual([
      [FULL, FULL + 1],
      [1, 1],
    ]);
  expect(await deadLetters('CTAS_LONGEST_2')).toEqual([]);
});

test('a record that makes the state of its group too long is given up; the group stays as it was, and others go on', async () => {
  await ksql(
    "CREATE STREAM s2 (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s2', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  await ksql(
    "CREATE TABLE twice AS SELECT k, ARRAY_LENGTH(COLLECT_LIST(v)) AS n, ARRAY_LENGTH(COLLECT_LIST(CONCAT(v, ''))) AS m FROM s2 GROUP BY k;",
  );
  const fits = Math.floor(STATE_VALUE_BYTES_MAX / (2 * 3 * TEXT.length));
  for (let i = 0; i < fits; i++) await produce('s2', 'a', { v: TEXT });
  await expect.poll(() => rowsOf('SELECT n, m FROM twice;'), POLL).toEqual([[fits, fits]]);
  await produce('s2', 'a', { v: TEXT });
  await produce('s2', 'b', { v: 'short' });
  await produce('s2', 'a', { v: 'short' });
  await expect
    .poll(() => rowsOf('SELECT n, m FROM twice;'), POLL)
    .toEqual([
      [fits + 1, fits + 1],
      [1, 1],
    ]);
  expect(await deadLetters('CTAS_TWICE_4')).toMatchObject([
    { offset: fits, error: expect.stringContaining('STATE_VALUE_BYTES_MAX') as string },
  ]);
});

test('a row of a table that is longer than its record is kept', async () => {
  await ksql(
    "CREATE SOURCE TABLE wide (k STRING PRIMARY KEY, xs ARRAY<BIGINT>) WITH (KAFKA_TOPIC='wide', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  const items = Math.floor((VALUE_BYTES_MAX - 100) / 2);
  await produce('wide', 'a', { xs: Array(items).fill(1) });
  await produce('wide', 'b', { xs: [1] });
  await expect
    .poll(() => rowsOf('SELECT k, ARRAY_LENGTH(xs) FROM wide;'), POLL)
    .toEqual([
      ['a', items],
      ['b', 1],
    ]);
  await edge.kill();
  await edge.restart();
  await expect
    .poll(() => rowsOf("SELECT ARRAY_LENGTH(xs) FROM wide WHERE k = 'a';"), POLL)
    .toEqual([[items]]);
});

test('a key of a group is kept up to its limit, and one that is longer makes a dead letter', async () => {
  await ksql(
    "CREATE STREAM s3 (v STRING, n INTEGER) WITH (KAFKA_TOPIC='s3', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  await ksql(
    'CREATE TABLE long_keys AS SELECT v, COUNT(*) AS c, AS_VALUE(LEN(v)) AS n FROM s3 GROUP BY v;',
  );
  // What a STRING in a key adds: one byte before it, two behind.
  const most = STATE_KEY_BYTES_MAX - 3;
  for (const length of [most, most + 1, 3])
    await produce('s3', '', { v: 'k'.repeat(length), n: 1 });
  await produce('s3', '', { v: 'k'.repeat(most), n: 1 });
  await expect
    .poll(() => rowsOf('SELECT n, c FROM long_keys;'), POLL)
    .toEqual([
      [3, 1],
      [most, 2],
    ]);
  expect(await deadLetters('CTAS_LONG_KEYS_7')).toMatchObject([
    { error: expect.stringContaining('STATE_KEY_BYTES_MAX') as string },
  ]);
});
