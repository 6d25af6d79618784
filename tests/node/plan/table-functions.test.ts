// Table functions and aggregates with constants in plans: what is carried, what is refused and where, what the plan fixes.

import { expect, test } from 'vitest';
import { explain } from '../../../runtime/plan/explain.ts';
import type { AggregateStep, Plan } from '../../../runtime/plan/step.ts';
import { planProblems } from './check-plan.ts';
import { Session } from './session.ts';

const SOURCES = `
CREATE STREAM s (id STRING KEY, items ARRAY<INT>, words ARRAY<STRING>, m MAP<STRING, INT>, n INT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE t (id STRING PRIMARY KEY, items ARRAY<INT>, n INT)
  WITH (KAFKA_TOPIC='t', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE STREAM d (id STRING KEY, n INT, x DOUBLE)
  WITH (KAFKA_TOPIC='d', PARTITIONS=2, VALUE_FORMAT='DELIMITED');`;

function planned(sql: string, properties: Readonly<Record<string, string>> = {}): Plan {
  const plan = new Session(properties).plan(SOURCES + sql);
  expect(planProblems(plan)).toEqual([]);
  return plan;
}

function refused(sql: string): string {
  const session = new Session();
  session.run(SOURCES);
  return session.refusal(sql);
}

const steps = (sql: string): string => explain(planned(sql)).split('\n').slice(6).join('\n');

test('table functions stand behind the filter, and what only they read goes no further', () => {
  expect(
    steps(
      'CREATE STREAM x AS SELECT id, n + EXPLODE(items) AS v, EXPLODE(words) AS w FROM s WHERE n > 1;',
    ),
  ).toBe(`  1 source [kernel] S from topic s (key KAFKA [kernel], value JSON): ID, ITEMS, WORDS, N
    2 filter (N > 1)
      3 flatMap EXPLODE(ITEMS) AS TABLE_0, EXPLODE(WORDS) AS TABLE_1, carrying ID, N
        4 project ID, (N + TABLE_0) AS V, TABLE_1 AS W
          5 sink stream X to topic X (key KAFKA, value JSON): \`ID\` STRING KEY, \`V\` INTEGER, \`W\` STRING`);
});

test('with PARTITION BY they stand behind the new key', () => {
  expect(
    steps('CREATE STREAM x AS SELECT n, EXPLODE(items) AS v, rowtime AS ts FROM s PARTITION BY n;'),
  ).toBe(`  1 source [kernel] S from topic s (key KAFKA, value JSON): ITEMS, N, ROWTIME
    2 rekey by N, carrying ROWTIME, ITEMS
      3 flatMap EXPLODE(ITEMS) AS TABLE_0, carrying N, ROWTIME
        4 project N, TABLE_0 AS V, ROWTIME AS TS
          5 sink stream X to topic X (key KAFKA, value JSON): \`N\` INTEGER KEY, \`V\` INTEGER, \`TS\` BIGINT`);
});

test('a push query may select nothing else', () => {
  const plan = planned('SELECT EXPLODE(items) AS v, LCASE(EXPLODE(words)) FROM s EMIT CHANGES;');
  expect(explain(plan)).toContain('flatMap EXPLODE(ITEMS) AS TABLE_0, EXPLODE(WORDS) AS TABLE_1\n');
});

test.each([
  ['CREATE TABLE x AS SELECT id, EXPLODE(items) AS v FROM t;', '1:30', 'a query over a table'],
  ['CREATE TABLE x AS SELECT n, EXPLODE(items), COUNT(*) FROM s GROUP BY n;', '1:29', 'SELECT'],
  ['CREATE STREAM x AS SELECT id, n FROM s WHERE EXPLODE(items) > 1;', '1:46', 'WHERE'],
  ['CREATE STREAM x AS SELECT id, n FROM s PARTITION BY EXPLODE(items);', '1:53', 'PARTITION BY'],
  ['CREATE TABLE x AS SELECT COUNT(*) FROM s GROUP BY EXPLODE(items);', '1:51', 'GROUP BY'],
  [
    'CREATE STREAM x AS SELECT id, EXPLODE(CUBE_EXPLODE(items)) FROM s;',
    '1:39',
    'the arguments of EXPLODE',
  ],
  [
    'CREATE STREAM x AS SELECT id, CASE WHEN n > 1 THEN EXPLODE(items) ELSE 0 END FROM s;',
    '1:52',
    'CASE',
  ],
])('%s is refused at %s', (sql, at, where) => {
  const refusal = refused(sql);
  expect(refusal).toMatch(
    new RegExp(`^INVALID line ${at}: the table function .* cannot stand in ${where}`),
  );
});

test('a map cannot be exploded', () => {
  const refusal = refused('CREATE STREAM x AS SELECT id, EXPLODE(m) FROM s;');
  expect(refusal).toBe('UNKNOWN_FUNCTION line 1:31: EXPLODE does not take (MAP<STRING, INTEGER>)');
});

function call(sql: string, properties: Readonly<Record<string, string>> = {}) {
  const plan = planned(sql, properties);
  const found = plan.subtopologies
    .flatMap((part) => part.steps)
    .find((step): step is AggregateStep => step.step === 'aggregate');
  return { call: found?.calls[0], plan };
}

test('constants of an aggregate are no columns: they stand in the call', () => {
  const { call: topk, plan } = call(
    'CREATE TABLE x AS SELECT id, TOPK(n, id, 3) AS v FROM s GROUP BY id;',
  );
  expect(topk).toMatchObject({
    function: 'TOPK',
    signature: 'TOPK(INTEGER, ANY..., INTEGER)',
    arguments: [1, 2],
    constants: [{ value: 3, type: { kind: 'INTEGER' } }],
  });
  expect(explain(plan)).toContain('[row: the kernel has no TOPK] TOPK(N, ID, 3) over a stream');
});

test('what a session says of a function is fixed with the plan, and only where it is set', () => {
  const sql = 'CREATE TABLE x AS SELECT id, COLLECT_LIST(n) AS v FROM s GROUP BY id;';
  expect(call(sql, { 'ksql.functions.collect_list.limit': '7' }).call?.settings).toEqual({
    'ksql.functions.collect_list.limit': '7',
  });
  expect(call(sql, { 'ksql.functions.collect_set.limit': '7' }).call).not.toHaveProperty(
    'settings',
  );
});

test.each([
  ['SELECT id, TOPK(n, n) FROM s', '1:38: argument 2 of TOPK is not a constant'],
  ['SELECT id, TOPK(n, 0) FROM s', '1:30: TOPK(N, 0): k must be 1 .. 10000'],
  ['SELECT id, TOPK(n, -1) FROM s', '1:30: TOPK(N, -1): k must be 1 .. 10000'],
  [
    'SELECT id, EARLIEST_BY_OFFSET(n, 0) FROM s',
    '1:30: EARLIEST_BY_OFFSET(N, 0): n must be 1 .. 10000',
  ],
  ['SELECT id, COLLECT_SET(n) FROM t', '1:30: COLLECT_SET(N) cannot be computed over the table T'],
  [
    'SELECT id, LATEST_BY_OFFSET(n, 2) FROM t',
    '1:30: LATEST_BY_OFFSET(N, 2) cannot be computed over the table T',
  ],
  [
    'SELECT id, AVG(x) FROM d',
    '1:30: AVG(X) cannot be computed over D, whose value format is DELIMITED',
  ],
  [
    'SELECT id, COLLECT_LIST(x) FROM d',
    '1:30: COLLECT_LIST(X) cannot be computed over D, whose value format is DELIMITED',
  ],
])('%s is refused: %s', (select, message) => {
  expect(refused(`CREATE TABLE x AS ${select} GROUP BY id;`)).toBe(`INVALID line ${message}`);
});

test('over DELIMITED a state of one plain value is fine', () => {
  const sql = `CREATE TABLE x WITH (VALUE_FORMAT='JSON') AS
    SELECT id, SUM(x) AS s, MAX(n) AS m, COUNT(*) AS c FROM d GROUP BY id;`;
  expect(call(sql).call).toMatchObject({ function: 'SUM' });
});

test('a limit that is no number is refused by the statement that it would concern', () => {
  const session = new Session({ 'ksql.functions.collect_list.limit': 'many' });
  session.run(SOURCES);
  expect(
    session.refusal('CREATE TABLE x AS SELECT id, COLLECT_LIST(n) AS v FROM s GROUP BY id;'),
  ).toBe(
    'INVALID line 1:30: COLLECT_LIST(N): ksql.functions.collect_list.limit is no whole number up to 10000',
  );
  session.run('CREATE TABLE x AS SELECT id, COLLECT_SET(n) AS v FROM s GROUP BY id;');
});
