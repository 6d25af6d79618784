// Every rule that refuses a statement: one statement each, with the code, the place and the message.
import { expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import { Session } from '../plan/session.ts';

const SOURCES = `
CREATE STREAM s (id INT KEY, a STRING, b BIGINT, m MAP<STRING, INT>, l ARRAY<INT>, o STRUCT<x INT>)
  WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE t (id INT PRIMARY KEY, a STRING, b BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE TABLE w (id INT PRIMARY KEY, a STRING)
  WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 HOUR');
CREATE STREAM h (id INT KEY, x BYTES HEADER('x'), a STRING) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');
CREATE STREAM bare (a STRING) WITH (KAFKA_TOPIC='bare', VALUE_FORMAT='KAFKA');
CREATE STREAM twin (a STRING) WITH (KAFKA_TOPIC='bare', VALUE_FORMAT='KAFKA');
CREATE SOURCE STREAM fixed (id INT KEY, a STRING) WITH (KAFKA_TOPIC='fixed', VALUE_FORMAT='JSON');
CREATE TABLE made AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;
`;

function refusal(sql: string): string {
  const session = new Session();
  session.run(SOURCES);
  return session.refusal(sql);
}

const as = (query: string): string => `CREATE STREAM x AS ${query};`;
const table = (query: string): string => `CREATE TABLE x AS ${query};`;

test.each([
  // Projection
  [as('SELECT a FROM s'), 'INVALID line 1:20: the SELECT lacks the key column ID'],
  [
    as('SELECT id, id AS k, a FROM s'),
    'INVALID line 1:31: the key column is selected twice, as ID and as K',
  ],
  [as('SELECT id FROM s'), 'INVALID line 1:20: the SELECT has no value columns'],
  [as('SELECT id, a, b AS a FROM s'), 'INVALID line 1:34: two columns of the SELECT are called A'],
  [as('SELECT id, ROWTIME FROM s'), 'INVALID line 1:31: ROWTIME is a reserved name'],
  [as('SELECT id, a AS ROWTIME FROM s'), 'INVALID line 1:36: ROWTIME is a reserved name'],
  [as('SELECT id, nope FROM s'), 'UNKNOWN_COLUMN line 1:31: NOPE is not a column of S'],
  [as('SELECT id, z.a FROM s'), 'UNKNOWN_SOURCE line 1:31: Z is not a source of this query'],
  [as('SELECT z.* FROM s'), 'UNKNOWN_SOURCE line 1:27: Z is not a source of this query'],
  [as('SELECT id, a FROM nope'), 'UNKNOWN_SOURCE line 1:38: there is no stream or table NOPE'],
  [
    as('SELECT id, NULL AS n FROM s'),
    'TYPE_MISMATCH line 1:31: nothing says which type this NULL is',
  ],
  // Kinds of results
  [as('SELECT * FROM t'), 'INVALID line 1:1: the query makes a table, not a stream'],
  [
    as('SELECT id, COUNT(*) FROM s GROUP BY id'),
    'INVALID line 1:1: the query makes a table, not a stream',
  ],
  [table('SELECT * FROM s'), 'INVALID line 1:1: the query makes a stream, not a table'],
  [
    table('SELECT * FROM w'),
    'INVALID line 1:33: W is a windowed table, which no persistent query reads',
  ],
  [as('SELECT * FROM s EMIT CHANGES LIMIT 3'), 'INVALID line 1:20: LIMIT in a persistent query'],
  // Grouping
  [
    table('SELECT id, a, COUNT(*) FROM s GROUP BY id'),
    'INVALID line 1:30: A in SELECT is neither grouped by nor aggregated',
  ],
  [
    table('SELECT id, COUNT(*) FROM s GROUP BY id HAVING a = 1'),
    'INVALID line 1:65: A in HAVING is neither grouped by nor aggregated',
  ],
  [
    table('SELECT COUNT(*) AS n FROM s GROUP BY id'),
    'INVALID line 1:19: the SELECT lacks the grouping expression ID',
  ],
  [
    table('SELECT id, COUNT(*) AS n FROM s GROUP BY id, id'),
    'INVALID line 1:19: the grouping expression ID stands twice',
  ],
  [
    as("SELECT id, DATE '2026-02-30' AS d FROM s"),
    "TYPE_MISMATCH line 1:31: '2026-02-30' is not a valid DATE",
  ],
  [
    as("SELECT id, a FROM s WHERE TIMESTAMP 'x' IS NULL"),
    "TYPE_MISMATCH line 1:46: 'x' is not a valid TIMESTAMP",
  ],
  [
    as("SELECT id, INTEGER '1.5' AS n FROM s"),
    "TYPE_MISMATCH line 1:31: '1.5' is not a valid INTEGER",
  ],
  [
    as('SELECT id, a FROM s WHERE NULL'),
    'TYPE_MISMATCH line 1:46: nothing says which type this NULL is',
  ],
  [
    table('SELECT id, COUNT(*) AS n FROM s GROUP BY id HAVING NULL'),
    'TYPE_MISMATCH line 1:70: nothing says which type this NULL is',
  ],
  [
    table('SELECT id, SUM(COUNT(*)) FROM s GROUP BY id'),
    'INVALID line 1:34: the aggregate COUNT(*) stands within SUM(COUNT(*))',
  ],
  [
    table('SELECT id, COUNT(*) FROM s GROUP BY SUM(b)'),
    'INVALID line 1:55: the aggregate SUM(B) cannot stand in GROUP BY',
  ],
  [
    table('SELECT id, COUNT(*) FROM s WHERE SUM(b) > 1 GROUP BY id'),
    'INVALID line 1:52: the aggregate SUM cannot stand in WHERE',
  ],
  [
    table('SELECT id, AS_VALUE(id) AS c FROM t GROUP BY id'),
    'INVALID line 1:64: GROUP BY without an aggregate',
  ],
  [
    as('SELECT id, COUNT(*) FROM s'),
    'INVALID line 1:31: the aggregate COUNT(*) stands in a query without GROUP BY',
  ],
  [as('SELECT id, a FROM s HAVING a = 1'), 'INVALID line 1:49: HAVING without GROUP BY'],
  [
    table('SELECT id, MAX(b) FROM t GROUP BY id'),
    'INVALID line 1:30: MAX(B) cannot be computed over the table T',
  ],
  [
    table('SELECT a, COUNT(*) FROM bare GROUP BY a'),
    'INVALID line 1:57: GROUP BY over BARE, whose value format is KAFKA',
  ],
  [table('SELECT m, COUNT(*) FROM s GROUP BY m'), 'INVALID line 1:1: the key column M holds a MAP'],
  // Windows
  [
    as('SELECT id, a FROM s WINDOW TUMBLING (SIZE 1 HOUR)'),
    'INVALID line 1:47: WINDOW without GROUP BY',
  ],
  [
    table('SELECT id, COUNT(*) FROM t WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY id'),
    'INVALID line 1:53: WINDOW over a table',
  ],
  [
    table('SELECT id, COUNT(*) FROM s WINDOW TUMBLING (SIZE 0 HOURS) GROUP BY id'),
    'INVALID line 1:68: SIZE of a window is 0',
  ],
  [
    table(
      'SELECT id, COUNT(*) FROM s WINDOW TUMBLING (SIZE 1 HOUR, RETENTION 1 HOUR, GRACE PERIOD 1 HOUR) GROUP BY id',
    ),
    'INVALID line 1:86: RETENTION is shorter than the window stays open',
  ],
  [
    table('SELECT id, COUNT(*) FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY id, WINDOWSTART'),
    'INVALID line 1:89: WINDOWSTART cannot stand in GROUP BY',
  ],
  [
    table('SELECT id, WINDOWEND, COUNT(*) FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY id'),
    'INVALID line 1:30: WINDOWEND is a reserved name',
  ],
  [
    table('SELECT id, COUNT(*) FROM s GROUP BY id EMIT FINAL'),
    'INVALID line 1:58: EMIT FINAL without a window',
  ],
  // PARTITION BY
  [
    as('SELECT id, a FROM s PARTITION BY b'),
    'INVALID line 1:20: the SELECT lacks the partitioning expression B',
  ],
  [
    as('SELECT a, b FROM s PARTITION BY a, a'),
    'INVALID line 1:20: the partitioning expression A stands twice',
  ],
  [
    as('SELECT * FROM s PARTITION BY a, NULL'),
    'INVALID line 1:52: PARTITION BY several expressions with a NULL among them',
  ],
  [table('SELECT id, a FROM t PARTITION BY a'), 'INVALID line 1:52: PARTITION BY over a table'],
  [as('SELECT * FROM s PARTITION BY m'), 'INVALID line 1:1: the key column M holds a MAP'],
  // Types
  [
    as('SELECT id, a FROM s WHERE a'),
    'TYPE_MISMATCH line 1:46: the condition of WHERE is STRING, not BOOLEAN',
  ],
  [
    as('SELECT id, a FROM s WHERE id = a'),
    'TYPE_MISMATCH line 1:49: cannot compare INTEGER with STRING by =',
  ],
  [
    as('SELECT id, a FROM s WHERE l < l'),
    'TYPE_MISMATCH line 1:48: cannot compare ARRAY<INTEGER> with ARRAY<INTEGER> by <',
  ],
  [
    as('SELECT id, a FROM s WHERE id = NULL'),
    'TYPE_MISMATCH line 1:49: a comparison with NULL is never true',
  ],
  [
    as("SELECT id, a FROM s WHERE id IN (1, 'x')"),
    "TYPE_MISMATCH line 1:56: 'x' is not of type INTEGER",
  ],
  [
    as('SELECT id, a FROM s WHERE id IN (1, TRUE)'),
    'TYPE_MISMATCH line 1:56: INTEGER cannot be IN a list with BOOLEAN',
  ],
  [
    as('SELECT id, a + b FROM s'),
    'TYPE_MISMATCH line 1:35: the right side of + is BIGINT, not STRING',
  ],
  [as('SELECT id, a * 2 FROM s'), 'TYPE_MISMATCH line 1:33: cannot compute STRING * INTEGER'],
  [as('SELECT id, -a FROM s'), 'TYPE_MISMATCH line 1:31: cannot put - before STRING'],
  [
    as('SELECT id, CAST(a AS MAP<STRING, INT>) FROM s'),
    'TYPE_MISMATCH line 1:31: there is no CAST of STRING to MAP<STRING, INTEGER>',
  ],
  [as('SELECT id, CAST(a AS NOPE) FROM s'), 'INVALID line 1:41: unknown type NOPE'],
  [as('SELECT id, o->y FROM s'), 'UNKNOWN_COLUMN line 1:34: the STRUCT has no field Y'],
  [as('SELECT id, a->y FROM s'), 'TYPE_MISMATCH line 1:32: STRING has no fields'],
  [as('SELECT id, a[1] FROM s'), 'TYPE_MISMATCH line 1:32: STRING has no items'],
  [
    as("SELECT id, l['x'] FROM s"),
    'TYPE_MISMATCH line 1:33: the index of an ARRAY is STRING, not INTEGER',
  ],
  [
    as('SELECT id, ARRAY[] AS l2 FROM s'),
    'INVALID line 1:31: this ARRAY has no items, so that its type is not known',
  ],
  [
    as('SELECT id, ARRAY[NULL] AS l2 FROM s'),
    'TYPE_MISMATCH line 1:31: nothing but NULL stands in this ARRAY, so that its type is not known',
  ],
  [
    as('SELECT id, STRUCT(f := a, f := b) AS o2 FROM s'),
    'INVALID line 1:46: the field F stands twice in one STRUCT',
  ],
  [
    as('SELECT id, CASE WHEN id = 1 THEN a ELSE b END AS c FROM s'),
    'TYPE_MISMATCH line 1:60: STRING and BIGINT stand together in this CASE',
  ],
  [
    as("SELECT id, a FROM s WHERE ROWTIME > 'soon'"),
    "TYPE_MISMATCH line 1:56: 'soon' is no point in time",
  ],
  [as('SELECT id, nope(a) FROM s'), 'UNKNOWN_FUNCTION line 1:31: there is no function NOPE'],
  [as('SELECT id, UCASE(b) FROM s'), 'UNKNOWN_FUNCTION line 1:31: UCASE does not take (BIGINT)'],
  // What takes no ROWTIME is not called with nothing.
  [
    'CREATE TABLE c AS SELECT id, HISTOGRAM(*) FROM s GROUP BY id;',
    'UNKNOWN_FUNCTION line 1:30: HISTOGRAM does not take ()',
  ],
  [
    'CREATE TABLE c AS SELECT id, CORRELATION() FROM s GROUP BY id;',
    'UNKNOWN_FUNCTION line 1:30: CORRELATION does not take ()',
  ],
  // Sinks
  ['CREATE STREAM s AS SELECT * FROM h;', 'ALREADY_EXISTS line 1:15: the stream S exists already'],
  [
    "CREATE STREAM x WITH (KAFKA_TOPIC='s') AS SELECT * FROM s;",
    'INVALID line 1:35: the query would read the topic s that it writes',
  ],
  [
    "CREATE STREAM x WITH (TIMESTAMP='nope') AS SELECT * FROM s;",
    'UNKNOWN_COLUMN line 1:33: the TIMESTAMP column NOPE does not exist',
  ],
  [
    "CREATE STREAM x WITH (TIMESTAMP='a') AS SELECT * FROM s;",
    'TYPE_MISMATCH line 1:33: the TIMESTAMP column is STRING',
  ],
  [
    'CREATE STREAM x WITH (WRAP_SINGLE_VALUE=false) AS SELECT * FROM s;',
    'INVALID line 1:41: WRAP_SINGLE_VALUE stands beside several value columns',
  ],
  [
    "CREATE STREAM x WITH (KEY_FORMAT='KAFKA') AS SELECT * FROM s PARTITION BY NULL;",
    'INVALID line 1:34: a key format for a stream without a key',
  ],
  ['CREATE STREAM `a b` AS SELECT * FROM s;', 'INVALID line 1:15: no topic can be called a b'],
  // INSERT INTO ... SELECT
  ['INSERT INTO t SELECT * FROM t;', 'INVALID line 1:13: T is a table'],
  ['INSERT INTO fixed SELECT id, a FROM s;', 'INVALID line 1:13: FIXED is read-only'],
  [
    'INSERT INTO h SELECT id, a FROM s;',
    'INVALID line 1:13: H has header columns, which nothing can write',
  ],
  [
    'INSERT INTO s SELECT id, a FROM h;',
    'INVALID line 1:15: the columns of the query do not fit S',
  ],
  ...['CTAS_MADE_7', 'insertquery_1', 'cst_x_1', 'CSAS_X_1', 'a b', ''].map((id) => [
    `INSERT INTO s WITH (QUERY_ID='${id}') SELECT * FROM h;`,
    `INVALID line 1:30: QUERY_ID cannot be '${id}'`,
  ]),
  [
    'INSERT INTO s SELECT * FROM s;',
    'INVALID line 1:13: the query would read the topic s that it writes',
  ],
  // Statements on names
  ['DROP STREAM t;', 'INVALID line 1:13: T is a table'],
  ['DROP STREAM nope;', 'UNKNOWN_SOURCE line 1:13: there is no stream or table NOPE'],
  ['DROP STREAM s;', 'IN_USE line 1:13: S is in use by CTAS_MADE_0; MADE is made from it'],
  ['DROP STREAM fixed DELETE TOPIC;', 'INVALID line 1:13: FIXED is read-only: its topic stays'],
  ['DROP STREAM twin DELETE TOPIC;', 'IN_USE line 1:13: the topic bare is also that of BARE'],
  ['TERMINATE CTAS_MADE_1;', 'UNKNOWN_QUERY line 1:11: there is no query CTAS_MADE_1'],
  ['CREATE TYPE STRING AS INT;', 'ALREADY_EXISTS line 1:13: the type STRING exists already'],
  ['DROP TYPE nope;', 'INVALID line 1:11: there is no type NOPE'],
  ['DESCRIBE nope;', 'UNKNOWN_SOURCE line 1:10: there is no stream or table NOPE'],
  ['DESCRIBE FUNCTION nope;', 'UNKNOWN_FUNCTION line 1:19: there is no function NOPE'],
  // Queries of clients: rows are objects, which hold one value a name.
  [
    'SELECT a, b AS a FROM s EMIT CHANGES;',
    'INVALID line 1:11: two columns of the SELECT are called A',
  ],
  ['SELECT *, a FROM s;', 'INVALID line 1:11: two columns of the SELECT are called A'],
  ['SELECT n AS id, id FROM made;', 'INVALID line 1:17: two columns of the SELECT are called ID'],
  // Pull queries
  ['SELECT * FROM t;', 'INVALID line 1:15: T is not materialized: no running query keeps its rows'],
])('%s', (sql, message) => {
  expect(refusal(sql)).toBe(message);
});

test.each([
  ['SHOW CONNECTORS;', 'there are no connectors: connectors are not supported'],
  [
    "CREATE SINK CONNECTOR jdbc WITH ('url'='x');",
    'the connector JDBC cannot be made: connectors are not supported',
  ],
  ['DESCRIBE CONNECTOR jdbc;', 'there is no connector JDBC: connectors are not supported'],
  ['ASSERT SCHEMA SUBJECT x;', 'ASSERT SCHEMA needs a schema registry'],
])('%s is named as not supported', (sql, message) => {
  expect(refusal(sql)).toMatch(
    new RegExp(`^UNSUPPORTED line \\d+:\\d+: ${message.replaceAll('*', '\\*')}$`),
  );
});

test('a key of several columns is refused by the format KAFKA at the statement, and taken by JSON', () => {
  const sql = (properties: string): string =>
    `CREATE TABLE x ${properties} AS SELECT a, b, COUNT(*) FROM s GROUP BY a, b;`;
  expect(refusal(sql(''))).toMatch(/^INVALID line 1:1: key format: .*KAFKA/);
  expect(refusal(sql("WITH (KEY_FORMAT='KAFKA')"))).toMatch(/^INVALID line 1:33: key format: /);
  const session = new Session();
  session.run(`${SOURCES}${sql("WITH (KEY_FORMAT='JSON')")}`);
  expect(session.catalog.source('X').keyFormat.format).toBe('JSON');
});

test('a pull query without a key is refused where the session forbids to look through all rows', () => {
  const session = new Session({ 'ksql.query.pull.table.scan.enabled': 'false' });
  session.run(SOURCES);
  session.run('SELECT * FROM made WHERE id = 1 AND n > 2;');
  expect(session.refusal('SELECT * FROM made WHERE n > 2;')).toBe(
    'INVALID line 1:28: the query would look through all rows of MADE',
  );
});

function hintOf(sql: string): string {
  const session = new Session();
  session.run(SOURCES);
  try {
    session.run(sql);
  } catch (thrown) {
    if (thrown instanceof StatementError) return thrown.hint;
  }
  throw new Error('nothing was refused');
}

test('a table where a query is meant names its query', () => {
  for (const statement of ['TERMINATE', 'PAUSE', 'RESUME', 'EXPLAIN'])
    expect(hintOf(`${statement} made;`)).toBe('CTAS_MADE_0 writes MADE.');
  expect(hintOf('TERMINATE t;')).toBe('SHOW QUERIES lists those that run.');
  expect(hintOf('TERMINATE CTAS_MADE_1;')).toBe('Did you mean CTAS_MADE_0?');
});

test('an unknown column is refused with the nearest one, or with those there are', () => {
  const hint = (column: string): string => hintOf(`SELECT ${column} FROM t EMIT CHANGES;`);
  expect(hint('rowtme')).toBe('Did you mean ROWTIME?');
  expect(hint('`Id`')).toBe('Did you mean ID?');
  expect(hint('"some text"')).toMatch(/^Text stands in single quotes\. The columns are /);
  expect(hint('something')).toBe('The columns are ID, A, B, ROWTIME, ROWPARTITION, ROWOFFSET.');
});

test.each([['ksql.functions.substring.legacy.args', 'true', 'false']])(
  'a query under %s = %s is refused, and not one under %s',
  (property, refused, allowed) => {
    const session = new Session();
    session.run(SOURCES);
    const sql = 'CREATE STREAM x AS SELECT id, a FROM s;';
    session.properties.set(property, refused);
    expect(session.refusal(sql)).toBe(
      `UNSUPPORTED line 1:1: the property ${property} is not supported yet`,
    );
    session.run("CREATE STREAM other (a INT) WITH (KAFKA_TOPIC='o', VALUE_FORMAT='JSON');");
    session.properties.set(property, allowed);
    session.run(sql);
    expect(session.catalog.sources.has('X')).toBe(true);
  },
);
