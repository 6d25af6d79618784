// Statements: every form is read and written, words that are names elsewhere stay names, and places and texts are right.

import { describe, expect, test } from 'vitest';
import { formatName } from '../../../runtime/sql/format-name.ts';
import { parse, parseColumns } from '../../../runtime/sql/parser.ts';
import { print } from '../../../runtime/sql/print.ts';
import { plain } from './plain.ts';

function only(sql: string): unknown {
  const statements = parse(sql);
  expect(statements).toHaveLength(1);
  return plain(statements[0]);
}

describe('one spelling is read and written for', () => {
  test.each([
    'CREATE STREAM S',
    "CREATE OR REPLACE SOURCE STREAM IF NOT EXISTS S (ID INT KEY, A STRING) WITH (KAFKA_TOPIC = 's', PARTITIONS = 1)",
    "CREATE TABLE T (ID BIGINT PRIMARY KEY, H ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS, X BYTES HEADER('x'))",
    'CREATE SOURCE TABLE T (ID INT PRIMARY KEY)',
    "CREATE STREAM S WITH (VALUE_FORMAT = 'JSON', WRAP_SINGLE_VALUE = TRUE, N = -1, E = NULL) AS SELECT * FROM A EMIT CHANGES",
    'CREATE OR REPLACE TABLE IF NOT EXISTS T AS SELECT A, COUNT(*) FROM S GROUP BY A EMIT FINAL',
    "INSERT INTO S WITH (QUERY_ID = 'q') SELECT * FROM A EMIT CHANGES",
    'INSERT INTO S SELECT * FROM A PARTITION BY B',
    "INSERT INTO S (ROWTIME, A) VALUES (1, 'x')",
    "INSERT INTO S VALUES (1, MAP('a' := 1), NULL)",
    'INSERT INTO S VALUES ()',
    'ALTER STREAM S ADD COLUMN A INT, ADD COLUMN B ARRAY<STRING>',
    'ALTER TABLE T ADD COLUMN A DECIMAL(4, 2)',
    'DROP STREAM S',
    'DROP TABLE IF EXISTS T DELETE TOPIC',
    'CREATE TYPE IF NOT EXISTS ADDRESS AS STRUCT<STREET STRING, NUMBER INT>',
    'DROP TYPE IF EXISTS ADDRESS',
    "CREATE SOURCE CONNECTOR IF NOT EXISTS C WITH ('connector.class' = 'x', TASKS = 1)",
    "CREATE SINK CONNECTOR C WITH (A = '')",
    'DROP CONNECTOR IF EXISTS C',
    'TERMINATE CTAS_T_1',
    'TERMINATE ALL',
    'PAUSE CSAS_S_0',
    'RESUME ALL',
    "SET 'auto.offset.reset' = 'earliest'",
    "UNSET 'auto.offset.reset'",
    "ALTER SYSTEM 'a' = 'b'",
    "DEFINE replicas = '3'",
    'UNDEFINE replicas',
    'SHOW STREAMS',
    'SHOW TABLES EXTENDED',
    'SHOW TOPICS',
    'SHOW ALL TOPICS EXTENDED',
    'SHOW QUERIES EXTENDED',
    'SHOW FUNCTIONS',
    'SHOW TYPES',
    'SHOW VARIABLES',
    'SHOW PROPERTIES',
    'SHOW CONNECTORS',
    'SHOW SOURCE CONNECTORS',
    'SHOW SINK CONNECTORS',
    'SHOW CONNECTOR PLUGINS',
    'DESCRIBE S',
    'DESCRIBE S EXTENDED',
    'DESCRIBE STREAMS EXTENDED',
    'DESCRIBE TABLES',
    'DESCRIBE `TABLES`',
    'DESCRIBE FUNCTION ABS',
    'DESCRIBE CONNECTOR C',
    'EXPLAIN CTAS_T_1',
    'EXPLAIN SELECT * FROM S EMIT CHANGES',
    'EXPLAIN CREATE STREAM S AS SELECT A FROM B',
    "PRINT 'my-topic'",
    "PRINT 'T' FROM BEGINNING INTERVAL 2 LIMIT 10",
    "ASSERT VALUES S (A, B) VALUES (1, 'x')",
    'ASSERT NULL VALUES T (ID) KEY (1)',
    "ASSERT STREAM S (ID INT KEY) WITH (KAFKA_TOPIC = 's')",
    'ASSERT TABLE T',
    "ASSERT TOPIC 't' WITH (PARTITIONS = 1) TIMEOUT 10 SECONDS",
    "ASSERT NOT EXISTS TOPIC 't'",
    "ASSERT SCHEMA SUBJECT 's' ID 3 TIMEOUT 1 MINUTE",
    'ASSERT NOT EXISTS SCHEMA ID 3',
    "RUN SCRIPT '/a.sql'",
    'SELECT * FROM T WHERE ID = 1 ORDER BY A DESC LIMIT 5',
  ])('%s', (sql) => {
    expect(parse(`${sql};`).map(print)).toEqual([sql]);
    expect(parse(sql.replace(/^[A-Z]+/, (word) => word.toLowerCase())).map(print)).toEqual([sql]);
  });
});

describe('spellings that are one', () => {
  test.each([
    ['LIST STREAMS', 'SHOW STREAMS'],
    ['PRINT t SAMPLE 3', 'PRINT t INTERVAL 3'],
    ['ALTER STREAM s ADD a INT', 'ALTER STREAM s ADD COLUMN a INT'],
    ['CREATE TYPE t AS INT ARRAY', 'CREATE TYPE t AS ARRAY<INT>'],
    ['CREATE STREAM s (a VARCHAR(STRING))', 'CREATE STREAM s (a VARCHAR)'],
    ["CREATE STREAM s WITH ('KAFKA_TOPIC'='x')", "CREATE STREAM s WITH (kafka_topic='x')"],
    ['SELECT a b FROM c d', 'SELECT a AS b FROM c AS d'],
    ['SELECT * FROM a ORDER BY b', 'SELECT * FROM a ORDER BY b ASC'],
    [
      'SELECT * FROM a JOIN b WITHIN (1 HOUR, 1 HOUR) ON x = y',
      'SELECT * FROM a JOIN b WITHIN 1 HOURS ON x == y',
    ],
  ])('%s is %s', (sql, other) => {
    expect(only(sql)).toEqual(only(other));
  });
});

describe('words of the grammar that are names where they can be', () => {
  test.each<[string, object]>([
    [
      'CREATE STREAM IF (KEY INT KEY)',
      { name: { text: 'IF' }, columns: [{ name: { text: 'KEY' } }] },
    ],
    ['CREATE TYPE IF AS INT', { ifNotExists: false, name: { text: 'IF' } }],
    ['DROP TYPE IF', { ifExists: false, name: { text: 'IF' } }],
    ['DESCRIBE FUNCTION', { kind: 'Describe', source: { text: 'FUNCTION' } }],
    [
      'DESCRIBE FUNCTION EXTENDED',
      { kind: 'Describe', source: { text: 'FUNCTION' }, extended: true },
    ],
    ['DESCRIBE `TABLES`', { kind: 'Describe', source: { text: 'TABLES' } }],
    ['EXPLAIN SHOW', { subject: { kind: 'ExplainQuery', query: { text: 'SHOW' } } }],
    [
      'ALTER STREAM s ADD COLUMN INT',
      { additions: [{ name: { text: 'COLUMN' }, type: { kind: 'NamedType' } }] },
    ],
    [
      'ALTER STREAM s ADD COLUMN ARRAY<INT>',
      { additions: [{ name: { text: 'COLUMN' }, type: { kind: 'ArrayType' } }] },
    ],
    ['ALTER STREAM s ADD COLUMN COLUMN INT', { additions: [{ name: { text: 'COLUMN' } }] }],
    ['SELECT emit, `select` FROM partition', { query: { from: { name: { text: 'PARTITION' } } } }],
  ])('%s', (sql, expected) => {
    expect(only(sql)).toMatchObject(expected);
  });
});

test('topics keep their case, other plain names do not', () => {
  expect(only('PRINT MyTopic')).toMatchObject({ topic: { text: 'MyTopic' } });
  expect(only('ASSERT TOPIC MyTopic')).toMatchObject({ topic: { text: 'MyTopic' } });
  expect(only('DESCRIBE MyStream')).toMatchObject({ source: { text: 'MYSTREAM' } });
  expect(only("DEFINE myVar = '1'")).toMatchObject({ variable: { text: 'myVar' } });
});

test.each([
  ['ABC', 'ABC'],
  ['A_1', 'A_1'],
  ['abc', '`abc`'],
  ['SELECT', '`SELECT`'],
  ['1R', '`1R`'],
  ['a`b', '`a``b`'],
  ['MAP', '`MAP`'],
  ['KEY', 'KEY'],
])('the name %s is written %s', (name, written) => {
  expect(formatName(name)).toBe(written);
});

test('a column list stands alone', () => {
  expect(plain(parseColumns('ID BIGINT KEY, `a` map<string, double>'))).toEqual([
    {
      name: { text: 'ID' },
      type: { kind: 'NamedType', name: { text: 'BIGINT' }, parameters: [] },
      constraint: { kind: 'Key' },
    },
    {
      name: { text: 'a' },
      type: {
        kind: 'MapType',
        key: { kind: 'NamedType', name: { text: 'STRING' }, parameters: [] },
        value: { kind: 'NamedType', name: { text: 'DOUBLE' }, parameters: [] },
      },
      constraint: null,
    },
  ]);
  expect(() => parseColumns('ID BIGINT KEY) x')).toThrow(/expected .*the end, found '\)'/);
});

test('several statements keep their order, places and source texts', () => {
  const statements = parse('\n SHOW  STREAMS ; ;\n-- c\nDROP /* x */ TABLE t;PRINT p');
  expect(statements.map(({ at, text }) => [at.line, at.column, text])).toEqual([
    [2, 2, 'SHOW  STREAMS'],
    [4, 1, 'DROP /* x */ TABLE t'],
    [4, 22, 'PRINT p'],
  ]);
  expect(parse(' -- nothing\n ;; ')).toEqual([]);
});

test('EXPLAIN holds the statement with its own text', () => {
  expect(parse('EXPLAIN  SELECT 1 FROM s;')).toMatchObject([
    {
      text: 'EXPLAIN  SELECT 1 FROM s',
      subject: {
        statement: { kind: 'Select', text: 'SELECT 1 FROM s', at: { line: 1, column: 10 } },
      },
    },
  ]);
});
