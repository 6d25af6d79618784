// Syntax errors: what was found and expected, where, and what to do about it; and that reading goes on behind them.

import { describe, expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import { parse, parseScript } from '../../../runtime/sql/parser.ts';
import { print } from '../../../runtime/sql/print.ts';

function errorOf(sql: string): string[] {
  const { errors } = parseScript(sql);
  return errors.map(({ message, hint }) => (hint === '' ? message : `${message} | ${hint}`));
}

describe('a misspelt word is named with its nearest neighbour', () => {
  test.each([
    ['SELCT * FROM a', '1:1: no statement starts with SELCT | Did you mean SELECT?'],
    ['SELECT * FORM a', "1:10: expected ',' or FROM, found FORM | Did you mean FROM?"],
    [
      'CREATE STREM s (a INT)',
      '1:8: expected OR REPLACE, TYPE, SOURCE, STREAM or TABLE, found STREM | Did you mean STREAM?',
    ],
    [
      'SELECT * FROM a EMIT CHANGE',
      '1:22: expected FINAL or CHANGES, found CHANGE | Did you mean CHANGES?',
    ],
    [
      'SELECT * FROM a WINDOW TUMBLIN (SIZE 1 DAY)',
      '1:24: expected TUMBLING, HOPPING, SESSION or SLIDING, found TUMBLIN | Did you mean TUMBLING?',
    ],
  ])('%s', (sql, error) => {
    expect(errorOf(sql)).toEqual([`line ${error}`]);
  });

  test.each([
    ['SELECT * FROM a WHRE x = 1', 'WHRE was read as an alias; did you mean WHERE?'],
    ['SELECT * FROM a GROUPBY x', 'GROUPBY was read as an alias; did you mean GROUP BY?'],
    ['SELECT * FROM a b WITHN 1 HOUR', ''],
  ])('%s, where the word could be an alias', (sql, hint) => {
    expect(parseScript(sql).errors.map((error) => error.hint)).toEqual([hint]);
  });
});

test.each([
  ['TERMINATE QUERY q', 'Write TERMINATE id, as SHOW QUERIES has it.'],
  ['PAUSE QUERY q', 'Write PAUSE id, as SHOW QUERIES has it.'],
  ['RESUME', 'Write RESUME id, as SHOW QUERIES has it.'],
  ['DESCRIBE EXTENDED s', 'Write DESCRIBE name EXTENDED.'],
  ['DESCRIBE STREAM s', 'Write DESCRIBE name EXTENDED.'],
  ['DESCRIBE', 'Write DESCRIBE name EXTENDED.'],
])('%s is told how it is written', (sql, hint) => {
  expect(parseScript(sql).errors.map((error) => error.hint)).toEqual([hint]);
});

describe('quotes', () => {
  test.each([
    [
      'CREATE STREAM select (a INT)',
      '1:15: expected IF NOT EXISTS or a stream or table name, found select | SELECT is a reserved word; in backticks it is a name: `select`.',
    ],
    [
      "DESCRIBE 's'",
      "1:10: expected CONNECTOR, STREAMS, TABLES or a stream or table name, found the text 's' | Names stand plain or in backticks; single quotes are for text.",
    ],
    [
      'CREATE STREAM s WITH (KAFKA_TOPIC = "s")',
      '1:37: expected a constant, found the name `s` | Text goes in single quotes.',
    ],
    [
      'CREATE STREAM s WITH (KAFKA_TOPIC = s)',
      '1:37: expected a constant, found s | Text goes in single quotes.',
    ],
    [
      'SET "a" = 1',
      '1:5: expected a property in quotes, found the name `a` | Text goes in single quotes.',
    ],
    [
      "SELECT 'abc FROM s;\nSHOW STREAMS;",
      "1:8: the text that starts here has no closing ' | A quote within text is written twice.",
    ],
    ['SELECT /* FROM s', '1:8: this comment has no end | Close it with */.'],
    [
      'SELECT “a” FROM s',
      `1:8: "“" is not part of the language | Text goes in straight single quotes: 'text'.`,
    ],
  ])('%s', (sql, error) => {
    expect(errorOf(sql)).toEqual([`line ${error}`]);
  });
});

describe('other slips', () => {
  test.each([
    [
      'SELECT a, FROM s',
      "1:11: expected '*' or an expression, found FROM | Is the comma before it one too many?",
    ],
    [
      'SELECT a, values FROM s',
      "1:11: expected '*' or an expression, found values | VALUES is a reserved word; in backticks it is a name: `values`.",
    ],
    [
      'CREATE STREAM s (k STRING KEY, group STRING)',
      '1:32: expected a column name, found group | GROUP is a reserved word; in backticks it is a name: `group`.',
    ],
    ['SELECT a b c FROM s', "1:12: expected ',' or FROM, found c | Is a comma missing before it?"],
    ['SELECT (a FROM s', "1:11: expected ')', found FROM"],
    [
      'SHOW STREAMS DROP STREAM s',
      "1:14: expected EXTENDED or ';', found DROP | A statement ends with a semicolon.",
    ],
    [
      'SELECT * FROM s LIMIT 5 EMIT CHANGES',
      "1:25: expected ';', found EMIT | The clauses of a query are in this order: FROM, JOIN, WINDOW, WHERE, GROUP BY, PARTITION BY, HAVING, ORDER BY, EMIT, LIMIT.",
    ],
    [
      'SELECT * FROM s GROUP BY a, b = 1',
      "1:31: expected ',', PARTITION BY, HAVING, ORDER BY, EMIT, LIMIT or ';', found '=' | A condition goes in parentheses here.",
    ],
    [
      'SELECT a.b.c FROM s',
      '1:11: a column has at most one source before it | Fields of a STRUCT are reached with ->.',
    ],
    [
      'SELECT DISTINCT a FROM s',
      '1:8: SELECT DISTINCT is not part of the language | GROUP BY keeps one row of each group.',
    ],
    [
      'SELECT COUNT(DISTINCT a) FROM s',
      '1:14: DISTINCT does not stand inside a call | COUNT_DISTINCT(x) counts distinct values.',
    ],
    [
      'SELECT * FROM a, b',
      '1:16: a query reads from one source | Use JOIN ... ON to read from two.',
    ],
    [
      'SELECT * FROM (SELECT 1)',
      '1:15: a query cannot stand inside a query | CREATE STREAM or TABLE ... AS gives the inner query a name.',
    ],
    [
      'SELECT * FROM a JOIN b',
      '1:23: expected AS, WITHIN or ON, found the end of the statement | A join says which columns must be equal: ON a.id = b.id.',
    ],
    ['SELECT * FROM a LIMIT -1', "1:23: expected a number of rows, found '-'"],
    [
      'SELECT * FROM a WINDOW SESSION (1 MONTH)',
      '1:35: expected MILLISECONDS, SECONDS, MINUTES, HOURS or DAYS, found MONTH | The longest unit is DAYS.',
    ],
    [
      'SELECT * FROM a WINDOW SESSION (5minutes)',
      '1:33: expected a span of time, found 5minutes | Put a space behind the number: 5 minutes.',
    ],
    [
      'CREATE STREAM s (a DECIMAL)',
      "1:27: expected '(', found ')' | DECIMAL has a precision and a scale: DECIMAL(10, 2).",
    ],
    [
      'CREATE STREAM s (a INT) AS SELECT 1 FROM b',
      '1:18: a query gives its own columns | Leave out either the column list or AS SELECT.',
    ],
    [
      'CREATE SOURCE TABLE s AS SELECT 1 FROM b',
      '1:26: CREATE SOURCE does not take a query | Leave out SOURCE: the result of a query is written by it.',
    ],
    [
      'INSERT INTO s VALUES (1), (2)',
      '1:25: one statement takes one row of values | Write an INSERT for each row.',
    ],
    [
      'INSERT INTO s (a) SELECT 1 FROM b',
      '1:19: INSERT INTO ... SELECT takes no column list | The names of the selected columns decide.',
    ],
    ["SELECT a LIKE 'b' ESCAPE 'cd' FROM s", '1:26: ESCAPE takes exactly one character'],
    [
      'SELECT 9223372036854775808 FROM s',
      '1:8: 9223372036854775808 does not fit a BIGINT | A BIGINT has 64 bits; with a point at the end the number is a DECIMAL.',
    ],
    ['SELECT -1.8E308 FROM s', '1:8: -1.8E308 does not fit a DOUBLE'],
    [
      'SELECT * FROM s LIMIT 9007199254740992',
      '1:23: 9007199254740992 is too large for a number of rows',
    ],
    ['', ''],
  ])('%s', (sql, error) => {
    expect(errorOf(sql)).toEqual(error === '' ? [] : [`line ${error}`]);
  });
});

test('every faulty statement of a text gives one error, and the others are read', () => {
  const { statements, errors } = parseScript(
    "SHOW STREAMS;\nSELECT FROM;\nDROP STREAM 'a;b';\nSHOW TABLES;\nCREATE STREAM s (a # INT);\nSHOW TOPICS",
  );
  expect(statements.map(print)).toEqual(['SHOW STREAMS', 'SHOW TABLES', 'SHOW TOPICS']);
  expect(errors.map((error) => error.position)).toEqual([
    { line: 2, column: 8 },
    { line: 3, column: 13 },
    { line: 5, column: 20 },
  ]);
  expect(errors.every((error) => error instanceof StatementError && error.code === 'SYNTAX')).toBe(
    true,
  );
});

test('parse throws the first error of the text', () => {
  expect(() => parse('SHOW STREAMS; SELECT FROM; DROP')).toThrow(/^line 1:22: /);
});

test('a found text is shown in part when it is long', () => {
  expect(errorOf(`DROP STREAM '${'x'.repeat(100)}'`)[0]).toContain(
    `the text '${'x'.repeat(24)}...'`,
  );
});
