// INSERT VALUES: which column takes which value, and what is refused.
import { expect, test } from 'vitest';
import { Session } from '../plan/session.ts';

const SOURCES = `
CREATE STREAM s (v BIGINT, id INT KEY, p DECIMAL(6, 2), d DOUBLE, a STRING, ts TIMESTAMP, xs ARRAY<BIGINT>,
  m MAP<STRING, DOUBLE>, o STRUCT<x BIGINT, y STRING>, f BOOLEAN) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE t (id INT PRIMARY KEY, a STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE STREAM h (id INT KEY, x BYTES HEADER('x'), a STRING) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');
`;

function inserted(sql: string) {
  const session = new Session();
  const analysis = session.run(SOURCES + sql);
  if (analysis.kind !== 'insertValues') throw new Error('nothing was inserted');
  return analysis;
}

test('values without names follow the schema, the key first wherever it was declared', () => {
  const { values, keyNull, rowtime } = inserted(
    "INSERT INTO s VALUES (7, 9007199254740993, 1.5, 2, 'x', '2026-01-31T12:00', ARRAY[1, 2], MAP('k' := 1), STRUCT(x := 1, y := 'z'), FALSE);",
  );
  expect(values).toEqual([
    7,
    9007199254740993n,
    150n,
    2,
    'x',
    Date.UTC(2026, 0, 31, 12),
    [1n, 2n],
    new Map([['k', 1]]),
    [1n, 'z'],
    false,
  ]);
  expect(keyNull).toBe(false);
  expect(rowtime).toBeNull();
});

test('columns that are not named are null, a key among them makes no key', () => {
  const { values, keyNull, rowtime } = inserted("INSERT INTO s (ROWTIME, a) VALUES (1234, 'x');");
  expect(values).toEqual([null, null, null, null, 'x', null, null, null, null, null]);
  expect(keyNull).toBe(true);
  expect(rowtime).toBe(1234);
});

test('fields of a STRUCT go by name, and those that are not named are null', () => {
  const field = (written: string) => inserted(`INSERT INTO s (o) VALUES (${written});`).values[8];
  expect(field("STRUCT(y := 'z', x := 1)")).toEqual([1n, 'z']);
  expect(field("STRUCT(y := 'z')")).toEqual([null, 'z']);
  expect(field('STRUCT()')).toEqual([null, null]);
  expect(() => field("STRUCT(nope := 'z')")).toThrow('does not fit');
  expect(() => field('STRUCT(x := 1.5)')).toThrow('does not fit');
});

test('a cast and a sign are constants', () => {
  expect(
    inserted("INSERT INTO s (id, v, d) VALUES (1, CAST('12' AS BIGINT), -1.5e3);").values.slice(
      0,
      4,
    ),
  ).toEqual([1, 12n, null, -1500]);
});

test.each([
  ['INSERT INTO s (id, v) VALUES (1);', 'INVALID line 1:31: 1 values for 2 columns'],
  ['INSERT INTO s VALUES (1);', 'INVALID line 1:23: 1 values for 10 columns'],
  ['INSERT INTO s (id, id) VALUES (1, 2);', 'INVALID line 1:20: the column ID stands twice'],
  ['INSERT INTO s (nope) VALUES (1);', 'UNKNOWN_COLUMN line 1:16: NOPE is not a column of S'],
  [
    "INSERT INTO s (id) VALUES ('x');",
    'TYPE_MISMATCH line 1:28: the column ID is INTEGER, which STRING does not fit',
  ],
  [
    'INSERT INTO s (id) VALUES (3000000000);',
    'TYPE_MISMATCH line 1:28: the column ID is INTEGER, which BIGINT does not fit',
  ],
  [
    'INSERT INTO s (p) VALUES (1.234);',
    'TYPE_MISMATCH line 1:27: the column P is DECIMAL(6, 2), which DECIMAL(4, 3) does not fit',
  ],
  [
    'INSERT INTO s (p) VALUES (12345);',
    'TYPE_MISMATCH line 1:27: the column P is DECIMAL(6, 2), which INTEGER does not fit',
  ],
  [
    "INSERT INTO s (ts) VALUES ('soon');",
    "TYPE_MISMATCH line 1:28: the column TS is TIMESTAMP, which 'soon' does not fit",
  ],
  [
    'INSERT INTO s (v) VALUES (UNIX_TIMESTAMP());',
    'UNSUPPORTED line 1:27: VALUES takes literals and constructors of them only',
  ],
  [
    'INSERT INTO s (v) VALUES (1 / 0);',
    'INVALID line 1:29: the value of V fails: division by zero',
  ],
  ['INSERT INTO s (v) VALUES (id);', 'UNKNOWN_COLUMN line 1:27: ID is not a column of VALUES'],
  ['INSERT INTO s (ROWTIME, id) VALUES (-1, 1);', 'INVALID line 1:1: ROWTIME is out of range'],
  [
    'INSERT INTO s (ROWOFFSET, id) VALUES (1, 1);',
    'UNKNOWN_COLUMN line 1:16: ROWOFFSET is not a column of S',
  ],
  ["INSERT INTO t (a) VALUES ('x');", 'INVALID line 1:1: the primary key ID has no value'],
  ["INSERT INTO h VALUES (1, NULL, 'x');", 'INVALID line 1:1: X is filled from the headers'],
  ['INSERT INTO h (x) VALUES (NULL);', 'INVALID line 1:16: X is filled from the headers'],
  ['INSERT INTO nope VALUES (1);', 'UNKNOWN_SOURCE line 1:13: there is no stream or table NOPE'],
])('%s', (sql, message) => {
  const session = new Session();
  session.run(SOURCES);
  expect(session.refusal(sql)).toBe(message);
});

test('functions in VALUES are computed where the caller says what now is', () => {
  const session = new Session();
  session.run(SOURCES);
  session.callContext = { now: 42, random: () => 0.5 };
  const analysis = session.run('INSERT INTO s (v) VALUES (UNIX_TIMESTAMP());');
  expect(analysis.kind === 'insertValues' && analysis.values[1]).toBe(42n);
});
