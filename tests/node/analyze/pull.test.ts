// What a pull query may not be, where, and what to do instead; and which of them find their rows where scans are forbidden.

import { describe, expect, test } from 'vitest';
import { Session } from '../plan/session.ts';

const SOURCES = `
CREATE STREAM s (id INT KEY, a STRING, b BIGINT, l ARRAY<INT>) WITH (KAFKA_TOPIC='s', PARTITIONS=2, FORMAT='JSON');
CREATE TABLE t (id INT PRIMARY KEY, a STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE TABLE by_id AS SELECT id, COUNT(*) AS n, LATEST_BY_OFFSET(l) AS l FROM s GROUP BY id;
CREATE TABLE by_a AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;
CREATE TABLE by_both AS SELECT a, id, COUNT(*) AS n FROM s GROUP BY a, id;
CREATE TABLE by_hour AS SELECT a, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY a;`;

function refusal(sql: string): string {
  const session = new Session();
  session.run(SOURCES);
  return session.refusal(sql);
}

test.each([
  // Clauses that need a query which goes on
  ['SELECT id, COUNT(*) FROM by_id GROUP BY id;', 'INVALID line 1:41: GROUP BY in a pull query'],
  ['SELECT * FROM s PARTITION BY a;', 'INVALID line 1:30: PARTITION BY in a pull query'],
  ['SELECT * FROM by_id HAVING n > 1;', 'INVALID line 1:30: HAVING in a pull query'],
  ['SELECT * FROM s WINDOW TUMBLING (SIZE 1 HOUR);', 'INVALID line 1:24: WINDOW in a pull query'],
  ['SELECT * FROM s JOIN t ON s.id = t.id;', 'INVALID line 1:17: JOIN in a pull query'],
  ['SELECT MAX(n) FROM by_id;', 'INVALID line 1:8: the aggregate MAX(N) in a pull query'],
  ['SELECT 1 + COUNT(*) FROM s;', 'INVALID line 1:12: the aggregate COUNT(*) in a pull query'],
  // Columns that no answer has
  ['SELECT id, ROWPARTITION FROM by_id;', 'INVALID line 1:12: ROWPARTITION in a pull query'],
  [
    'SELECT * FROM s WHERE id = 1 AND ROWOFFSET > 2;',
    'INVALID line 1:34: ROWOFFSET in a pull query',
  ],
  ['SELECT * FROM by_id ORDER BY ROWOFFSET;', 'INVALID line 1:30: ROWOFFSET in a pull query'],
  // Order
  ['SELECT * FROM s ORDER BY a;', 'INVALID line 1:26: ORDER BY in a pull query over the stream S'],
  ['SELECT * FROM by_id ORDER BY l;', 'TYPE_MISMATCH line 1:30: ARRAY<INTEGER> has no order'],
  ['SELECT * FROM by_id ORDER BY x;', 'UNKNOWN_COLUMN line 1:30: X is not a column of BY_ID'],
  // Sources
  ['SELECT * FROM t;', 'INVALID line 1:15: T is not materialized: no running query keeps its rows'],
  ['SELECT * FROM nope;', 'UNKNOWN_SOURCE line 1:15: there is no stream or table NOPE'],
  // Keys
  [
    'SELECT * FROM by_id WHERE id IN (1, NULL);',
    'INVALID line 1:37: the key column ID is never NULL',
  ],
  [
    "SELECT * FROM by_id WHERE id IN (1, '2');",
    "TYPE_MISMATCH line 1:37: '2' is no key: ID is INTEGER",
  ],
  [
    "SELECT * FROM by_id WHERE id = '2';",
    'TYPE_MISMATCH line 1:30: cannot compare INTEGER with STRING by =',
  ],
  [
    'SELECT * FROM by_id WHERE id = NULL;',
    'TYPE_MISMATCH line 1:30: a comparison with NULL is never true',
  ],
  [
    'SELECT * FROM by_id WHERE id LIKE 12;',
    'TYPE_MISMATCH line 1:27: what LIKE looks at is INTEGER, not STRING',
  ],
  [
    'SELECT * FROM by_id WHERE WINDOWSTART = 0;',
    'UNKNOWN_COLUMN line 1:27: WINDOWSTART is not a column of BY_ID',
  ],
  [
    "SELECT * FROM by_hour WHERE WINDOWSTART > 'soon';",
    "TYPE_MISMATCH line 1:43: 'soon' is no point in time",
  ],
  // Arithmetic
  ['SELECT n + NULL FROM by_id;', 'TYPE_MISMATCH line 1:10: cannot compute BIGINT + NULL'],
])('%s', (sql, message) => {
  expect(refusal(sql)).toBe(message);
});

test.each([
  ['stream', 's', 'pull queries over streams are switched off, and S is a stream'],
  ['limit.clause', 'by_id LIMIT 1', 'LIMIT in pull queries is switched off'],
  ['limit.clause', 's LIMIT 1', 'LIMIT in pull queries is switched off'],
])('ksql.query.pull.%s.enabled forbids SELECT * FROM %s', (what, rest, why) => {
  const property = `ksql.query.pull.${what}.enabled`;
  const forbidding = new Session({ [property]: 'FALSE' });
  forbidding.run(SOURCES);
  expect(forbidding.refusal(`SELECT * FROM ${rest};`)).toContain(why);
  forbidding.run(
    `SELECT * FROM ${rest} EMIT CHANGES;`.replace(/LIMIT 1 EMIT CHANGES/, 'EMIT CHANGES LIMIT 1'),
  );
  forbidding.run('SELECT * FROM by_id WHERE id = 1;');
  const allowing = new Session({ [property]: 'true' });
  allowing.run(SOURCES);
  allowing.run(`SELECT * FROM ${rest};`);
});

describe('where scans are forbidden', () => {
  const session = (more: Readonly<Record<string, string>> = {}): Session => {
    const made = new Session({ 'ksql.query.pull.table.scan.enabled': 'false', ...more });
    made.run(SOURCES);
    return made;
  };

  test.each([
    'by_id WHERE id = 10 + 1',
    'by_id WHERE id IN (1, 2) AND n > 2',
    'by_id WHERE id = 1 OR id = 2',
    'by_id WHERE 1 > 2',
    "by_both WHERE id = 1 AND a = 'x'",
    "by_hour WHERE a = 'x' AND WINDOWSTART > 5 AND WINDOWEND < 9",
    "by_a WHERE a < 'x'",
    "by_a WHERE 'x' <= a AND n = 1",
    's WHERE b > 1',
  ])('SELECT * FROM %s finds its rows', (rest) => {
    expect(session().run(`SELECT * FROM ${rest};`).kind).toMatch(/^(pull|query)$/);
  });

  test.each([
    'by_id',
    'by_id WHERE n = 1',
    'by_id WHERE id = 1 OR n = 1',
    'by_id WHERE id + 1 = 2',
    'by_id WHERE id = n',
    'by_id WHERE id > 1',
    // As ksqlDB, each column of the key is compared once.
    'by_id WHERE id = 1 AND id IN (1, 2)',
    'by_id WHERE id = 1 AND id = 2',
    "by_a WHERE a > 'x' AND a < 'y'",
    "by_a WHERE a < 'x' OR a > 'y'",
    "by_a WHERE a LIKE 'x%'",
    'by_both WHERE id = 1',
    "by_both WHERE a = 'x' AND id > 1",
    "by_hour WHERE a > 'x'",
    'by_hour WHERE WINDOWSTART = 0',
  ])('SELECT * FROM %s is refused', (rest) => {
    const table = rest.split(' ')[0]?.toUpperCase();
    expect(session().refusal(`SELECT * FROM ${rest};`)).toMatch(
      new RegExp(`^INVALID line 1:\\d+: the query would look through all rows of ${table}$`),
    );
  });

  test('ranges may be forbidden too', () => {
    const strict = session({ 'ksql.query.pull.range.scan.enabled': 'false' });
    expect(strict.refusal("SELECT * FROM by_a WHERE a < 'x';")).toContain('INVALID line 1:28');
    strict.run("SELECT * FROM by_a WHERE a = 'x';");
  });
});
