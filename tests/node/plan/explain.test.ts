// Golden tests: what statements are planned into, as EXPLAIN shows it.
import { expect, test } from 'vitest';
import { explain, explainPull, explainPlan } from '../../../runtime/plan/explain.ts';
import { Session } from './session.ts';

const quakes = (partitions: number): string => `
CREATE STREAM quakes (id STRING KEY, net STRING, type STRING, status STRING, mag DOUBLE, place STRING, sig INT,
                      lon DOUBLE, lat DOUBLE, depth DOUBLE, time BIGINT, updated BIGINT)
  WITH (KAFKA_TOPIC='quakes', PARTITIONS=${partitions}, VALUE_FORMAT='JSON', TIMESTAMP='time');`;

const PER_HOUR = `
CREATE TABLE quakes_per_hour AS
  SELECT net, COUNT(*) AS n, MAX(mag) AS strongest, SUM(sig) AS significance
  FROM quakes WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 6 HOURS) GROUP BY net EMIT CHANGES;`;

const TOTALS =
  "CREATE TABLE totals (id INT PRIMARY KEY, a STRING, b BIGINT) WITH (KAFKA_TOPIC='totals', PARTITIONS=2, VALUE_FORMAT='JSON');";

function explained(sql: string, properties: Readonly<Record<string, string>> = {}): string {
  return explain(new Session(properties).plan(sql));
}

test('over one partition both sides of GROUP BY are one task', () => {
  expect(explained(quakes(1) + PER_HOUR))
    .toBe(`Query CTAS_QUAKES_PER_HOUR_0 (persistent, from the earliest offset)
Sources: QUAKES
Sink: QUAKES_PER_HOUR
Fused: yes, the source topic has one partition
Pull queries: read the state of step 3, then 4
Task 0 (1 partition)
  1 source [kernel] QUAKES from topic quakes (key KAFKA, value JSON): NET, MAG, SIG
    2 rekey by NET, carrying MAG, SIG
      3 aggregate [kernel] COUNT(*), MAX(MAG), SUM(SIG) over a stream, TUMBLING 3600000 ms with 21600000 ms of grace
        4 project NET, WINDOWSTART, WINDOWEND, AGGREGATE_0 AS N, AGGREGATE_1 AS STRONGEST, AGGREGATE_2 AS SIGNIFICANCE
          5 sink table QUAKES_PER_HOUR to topic QUAKES_PER_HOUR (key KAFKA, value JSON): \`NET\` STRING KEY, \`N\` BIGINT, \`STRONGEST\` DOUBLE, \`SIGNIFICANCE\` INTEGER`);
});

test('over four partitions rows go through an internal topic of four', () => {
  const plan = new Session().plan(quakes(4) + PER_HOUR);
  expect(explain(plan)).toBe(`Query CTAS_QUAKES_PER_HOUR_0 (persistent, from the earliest offset)
Sources: QUAKES
Sink: QUAKES_PER_HOUR
Fused: no, GROUP BY changes the key and the source topic has 4 partitions
Pull queries: read the state of step 5, then 6
Task 0 (4 partitions)
  1 source [kernel] QUAKES from topic quakes (key KAFKA, value JSON): NET, MAG, SIG
    2 rekey by NET, carrying MAG, SIG
      3 repartition to topic __CTAS_QUAKES_PER_HOUR_0.3-repartition (4 partitions, key KAFKA)
Task 1 (4 partitions)
  4 internalSource from topic __CTAS_QUAKES_PER_HOUR_0.3-repartition: NET, MAG, SIG
    5 aggregate [kernel] COUNT(*), MAX(MAG), SUM(SIG) over a stream, TUMBLING 3600000 ms with 21600000 ms of grace
      6 project NET, WINDOWSTART, WINDOWEND, AGGREGATE_0 AS N, AGGREGATE_1 AS STRONGEST, AGGREGATE_2 AS SIGNIFICANCE
        7 sink table QUAKES_PER_HOUR to topic QUAKES_PER_HOUR (key KAFKA, value JSON): \`NET\` STRING KEY, \`N\` BIGINT, \`STRONGEST\` DOUBLE, \`SIGNIFICANCE\` INTEGER`);
  expect(plan.internalTopics).toEqual([
    { name: '__CTAS_QUAKES_PER_HOUR_0.3-repartition', partitions: 4 },
  ]);
});

test('millrace.fuse and millrace.path are followed, and the reasons say so', () => {
  const text = explained(quakes(1) + PER_HOUR, {
    'millrace.fuse': 'never',
    'millrace.path': 'row',
  });
  expect(text).toContain('Fused: no, GROUP BY changes the key and millrace.fuse is never\n');
  expect(text).toContain('aggregate [row: millrace.path is row] COUNT(*)');
});

test('grouping by the key of the source needs no repartition', () => {
  expect(
    explained(`${quakes(4)}CREATE TABLE n AS SELECT id, COUNT(*) AS n FROM quakes GROUP BY id;`),
  ).toBe(`Query CTAS_N_0 (persistent, from the earliest offset)
Sources: QUAKES
Sink: N
Fused: yes, the grouping key is the key of the source
Pull queries: read the state of step 3, then 4
Task 0 (4 partitions)
  1 source [kernel] QUAKES from topic quakes (key KAFKA [kernel], value JSON): ID
    2 rekey by ID
      3 aggregate [kernel] COUNT(*) over a stream
        4 project ID, AGGREGATE_0 AS N
          5 sink table N to topic N (key KAFKA, value JSON): \`ID\` STRING KEY, \`N\` BIGINT`);
});

const ORDERS = `CREATE STREAM orders (id STRING KEY, amount DOUBLE, o STRUCT<customer STRUCT<id INT, name STRING>, tags ARRAY<STRING>, total BIGINT>, t STRUCT<\`A\` INT, \`a\` INT>)
  WITH (KAFKA_TOPIC='orders', PARTITIONS=1, VALUE_FORMAT='JSON');`;

/** What the plan says of its source, and of the step behind it. */
function sourceOf(query: string, properties: Readonly<Record<string, string>> = {}): string[] {
  const lines = explained(ORDERS + query, properties).split('\n');
  const at = lines.findIndex((line) => line.includes('1 source '));
  return lines
    .slice(at, at + 2)
    .map((line) =>
      line.trim().replace(/ORDERS from topic orders \(key KAFKA.*, value JSON\): /u, ''),
    );
}

test('of structs only the fields are decoded that are read', () => {
  expect(
    sourceOf(`CREATE TABLE x AS SELECT o->customer->id AS c, SUM(o->total) AS s FROM orders
      WHERE o->customer->name <> 'x' AND amount > 1 GROUP BY o->customer->id;`),
  ).toEqual([
    '1 source [kernel] AMOUNT, O->CUSTOMER->NAME, O->CUSTOMER->ID, O->TOTAL',
    "2 filter ((O->CUSTOMER->NAME <> 'x') AND (AMOUNT > 1))",
  ]);
  expect(
    sourceOf('CREATE STREAM x AS SELECT id, o->customer AS c, o->customer->id AS i FROM orders;'),
  ).toEqual([
    '1 source [kernel] ID, O->CUSTOMER',
    '2 project ID, O->CUSTOMER AS C, O->CUSTOMER->ID AS I',
  ]);
  expect(
    sourceOf('CREATE STREAM x AS SELECT id, o->tags AS tags, o->total AS t FROM orders;')[0],
  ).toBe('1 source [kernel] ID, O->TAGS, O->TOTAL');
  // The same columns wherever they are decoded, so that the same records are bad.
  expect(
    sourceOf('CREATE STREAM x AS SELECT id, o->total AS t FROM orders;', {
      'millrace.path': 'row',
    })[0],
  ).toBe('1 source [row: millrace.path is row] ID, O->TOTAL');
});

test('a struct is decoded whole where all of it goes on, or where a field may be meant by another name', () => {
  for (const query of [
    'SELECT id, o, o->total AS t FROM orders;',
    'SELECT * FROM orders WHERE o->total > 1;',
  ])
    expect(sourceOf(`CREATE STREAM x AS ${query}`)[0]).toMatch(
      /^1 source \[kernel\] .*\bO\b(?!-)/u,
    );
  expect(sourceOf('CREATE STREAM x AS SELECT id, t->`a` AS a FROM orders;')[0]).toMatch(
    /^1 source \[kernel\] .*\bT\b(?!-)/u,
  );
});

test('EXPLAIN says where keys and DELIMITED values are decoded, and why not in the kernel', () => {
  const source = (columns: string, delimiter: string, query: string): string =>
    explained(`CREATE STREAM lines (id BIGINT KEY, ${columns}) WITH (KAFKA_TOPIC='lines', PARTITIONS=1, VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='${delimiter}');
      CREATE STREAM x AS SELECT ${query} FROM lines;`)
      .split('\n')
      .find((line) => line.includes('1 source '))
      ?.trim() ?? '';
  const text = 'LINES from topic lines (key KAFKA';
  expect(source('a INT, b BOOLEAN', ';', 'id, a')).toBe(
    `1 source [kernel] ${text} [kernel], value DELIMITED): ID, A`,
  );
  expect(source('a INT, b DECIMAL(4, 2)', ',', 'id, b')).toBe(
    `1 source [row: the kernel decodes no DECIMAL(4, 2) (B)] ${text}, value DELIMITED): ID, B`,
  );
  expect(source('a INT, b BOOLEAN', 'é', 'id, a')).toBe(
    `1 source [row: the kernel has no such DELIMITER] ${text}, value DELIMITED): ID, A`,
  );
});

test('what aggregates take is computed ahead of the repartition, once', () => {
  expect(
    explained(`${quakes(2)}CREATE TABLE x AS SELECT UCASE(net) AS k, SUM(sig * 2) AS s, SUM(sig * 2) / COUNT(1) AS m
      FROM quakes WHERE mag > 3 GROUP BY UCASE(net) HAVING COUNT(*) > 2;`),
  ).toBe(`Query CTAS_X_0 (persistent, from the earliest offset)
Sources: QUAKES
Sink: X
Fused: no, GROUP BY changes the key and the source topic has 2 partitions
Pull queries: read the state of step 7, then 8, 9
Task 0 (2 partitions)
  1 source [kernel] QUAKES from topic quakes (key KAFKA, value JSON): NET, MAG, SIG
    2 filter (MAG > 3)
      3 project UCASE(NET) AS K, (SIG * 2) AS ARGUMENT_0
        4 rekey by K, carrying ARGUMENT_0
          5 repartition to topic __CTAS_X_0.5-repartition (2 partitions, key KAFKA)
Task 1 (2 partitions)
  6 internalSource from topic __CTAS_X_0.5-repartition: K, ARGUMENT_0
    7 aggregate [kernel] SUM(ARGUMENT_0), COUNT(*) over a stream
      8 tableFilter (AGGREGATE_1 > 2)
        9 project K, AGGREGATE_0 AS S, (CAST(AGGREGATE_0 AS BIGINT) / AGGREGATE_1) AS M
          10 sink table X to topic X (key KAFKA, value JSON): \`K\` STRING KEY, \`S\` INTEGER, \`M\` BIGINT`);
});

test('a filter that no loops over columns compute says that it goes row by row', () => {
  const filterOf = (where: string): string | undefined =>
    explained(`${quakes(1)}CREATE STREAM x AS SELECT id, mag, sig FROM quakes WHERE ${where};`)
      .split('\n')
      .find((line) => line.includes(' filter '))
      ?.trim();
  expect(filterOf('sig % 2 = 0 AND mag IN (1.5, 2)')).not.toContain('row by row');
  expect(filterOf('100 % sig = 0')).toBe('2 filter ((100 % SIG) = 0), row by row');
});

test('a stream is filtered and projected in one task, and only what is read is decoded', () => {
  expect(
    explained(`${quakes(4)}CREATE STREAM strong WITH (VALUE_FORMAT='DELIMITED', PARTITIONS=2) AS
      SELECT id, place + '!' AS p, mag + sig, ROWTIME AS t FROM quakes q WHERE q.mag >= 6;`),
  ).toBe(`Query CSAS_STRONG_0 (persistent, from the earliest offset)
Sources: QUAKES
Sink: STRONG
Fused: yes, nothing is repartitioned
Pull queries: none, no state holds the result
Task 0 (4 partitions)
  1 source [kernel] QUAKES from topic quakes (key KAFKA [kernel], value JSON): ID, MAG, PLACE, SIG, ROWTIME
    2 filter (MAG >= 6)
      3 project ID, (PLACE + '!') AS P, (MAG + CAST(SIG AS DOUBLE)) AS KSQL_COL_0, ROWTIME AS T
        4 sink stream STRONG to topic STRONG (key KAFKA, value DELIMITED): \`ID\` STRING KEY, \`P\` STRING, \`KSQL_COL_0\` DOUBLE, \`T\` BIGINT`);
});

test('PARTITION BY gives a stream its new key in the same task', () => {
  expect(
    explained(
      `${quakes(4)}CREATE STREAM by_net AS SELECT net AS k, id, LEN(net) AS l FROM quakes PARTITION BY net;`,
    ),
  ).toBe(`Query CSAS_BY_NET_0 (persistent, from the earliest offset)
Sources: QUAKES
Sink: BY_NET
Fused: yes, nothing is repartitioned
Pull queries: none, no state holds the result
Task 0 (4 partitions)
  1 source [kernel] QUAKES from topic quakes (key KAFKA [kernel], value JSON): ID, NET
    2 rekey by NET AS K, carrying ID, NET
      3 project K, ID, LEN(NET) AS L
        4 sink stream BY_NET to topic BY_NET (key KAFKA, value JSON): \`K\` STRING KEY, \`ID\` STRING, \`L\` INTEGER`);
});

test('a table is aggregated over its old and new rows', () => {
  expect(
    explained(
      `${TOTALS}CREATE TABLE by_a AS SELECT a, SUM(b) AS s FROM totals WHERE b > 0 GROUP BY a;`,
    ),
  ).toBe(`Query CTAS_BY_A_0 (persistent, from the earliest offset)
Sources: TOTALS
Sink: BY_A
Fused: no, GROUP BY changes the key and the source topic has 2 partitions
Pull queries: read the state of step 6, then 7
Task 0 (2 partitions)
  1 source [kernel] TOTALS from topic totals (key KAFKA [kernel], value JSON, materialized): ID, A, B
    2 tableFilter (B > 0)
      3 rekey by A, carrying B
        4 repartition to topic __CTAS_BY_A_0.4-repartition (2 partitions, key KAFKA)
Task 1 (2 partitions)
  5 internalSource from topic __CTAS_BY_A_0.4-repartition: A, B
    6 aggregate [kernel] SUM(B) over a table
      7 project A, AGGREGATE_0 AS S
        8 sink table BY_A to topic BY_A (key KAFKA, value JSON): \`A\` STRING KEY, \`S\` BIGINT`);
});

test('a table made of a table is asked through the state of its source', () => {
  expect(explained(`${TOTALS}CREATE TABLE some AS SELECT id, b AS c FROM totals WHERE b > 0;`))
    .toBe(`Query CTAS_SOME_0 (persistent, from the earliest offset)
Sources: TOTALS
Sink: SOME
Fused: yes, nothing is repartitioned
Pull queries: read the state of step 1, then 2, 3
Task 0 (2 partitions)
  1 source [kernel] TOTALS from topic totals (key KAFKA [kernel], value JSON, materialized): ID, B
    2 tableFilter (B > 0)
      3 project ID, B AS C
        4 sink table SOME to topic SOME (key KAFKA, value JSON): \`ID\` INTEGER KEY, \`C\` BIGINT`);
});

test('a push query on a windowed table reads its window, in the order of the SELECT', () => {
  expect(
    explained(
      `${quakes(1)}${PER_HOUR}SELECT n, WINDOWEND, net FROM quakes_per_hour WHERE n > 3 EMIT CHANGES LIMIT 5;`,
    ),
  ).toBe(`Query TRANSIENT_QUAKES_PER_HOUR_1 (push, from the latest offset)
Sources: QUAKES_PER_HOUR
Fused: yes, nothing is repartitioned
Pull queries: none, no state holds the result
Task 0 (1 partition)
  1 source [kernel] QUAKES_PER_HOUR from topic QUAKES_PER_HOUR (key KAFKA, value JSON): NET, WINDOWSTART, WINDOWEND, N
    2 tableFilter (N > 3)
      3 project NET, WINDOWEND, N
        4 client N, WINDOWEND, NET, at most 5 rows`);
});

test('a push query may aggregate, from the offset that the session names', () => {
  expect(
    explained(
      `${quakes(1)}SELECT COUNT(*) AS n, WINDOWSTART FROM quakes WINDOW TUMBLING (SIZE 1 DAY) GROUP BY net, type EMIT CHANGES;`,
      { 'auto.offset.reset': 'earliest' },
    ),
  ).toBe(`Query TRANSIENT_QUAKES_0 (push, from the earliest offset)
Sources: QUAKES
Fused: yes, the source topic has one partition
Pull queries: none, no state holds the result
Task 0 (1 partition)
  1 source [kernel] QUAKES from topic quakes (key KAFKA, value JSON): NET, TYPE
    2 rekey by NET, TYPE
      3 aggregate [kernel] COUNT(*) over a stream, TUMBLING 86400000 ms with 0 ms of grace, kept 86400000 ms
        4 project WINDOWSTART, AGGREGATE_0 AS N
          5 client N, WINDOWSTART`);
});

test('INSERT INTO writes its target with the types that it has', () => {
  expect(
    explained(`${quakes(1)}CREATE STREAM strong AS SELECT id, mag, sig + 0.5e0 AS s FROM quakes;
      INSERT INTO strong SELECT id, mag, sig AS s FROM quakes WHERE sig > 1000;`),
  ).toBe(`Query INSERTQUERY_1 (persistent, from the earliest offset)
Sources: QUAKES
Sink: STRONG
Fused: yes, nothing is repartitioned
Pull queries: none, no state holds the result
Task 0 (1 partition)
  1 source [kernel] QUAKES from topic quakes (key KAFKA [kernel], value JSON): ID, MAG, SIG
    2 filter (SIG > 1000)
      3 project ID, MAG, CAST(SIG AS DOUBLE) AS S
        4 sink stream STRONG to topic STRONG (key KAFKA, value JSON): \`ID\` STRING KEY, \`MAG\` DOUBLE, \`S\` DOUBLE`);
});

test('a pull query shows its lookups, its condition and its columns', () => {
  const session = new Session();
  session.run(quakes(4) + PER_HOUR);
  expect(
    explainPull(
      session.pull(
        "SELECT n, net FROM quakes_per_hour WHERE net IN ('us', 'ak') AND WINDOWSTART > 5 LIMIT 3;",
      ),
    ),
  )
    .toBe(`Pull query on QUAKES_PER_HOUR: lookup of 2 keys in the state of step 5 of CTAS_QUAKES_PER_HOUR_0
Where: ((NET IN ('us', 'ak')) AND (WINDOWSTART > 5))
Select: N, NET
Limit: 3`);
  expect(explainPull(session.pull('SELECT * FROM quakes_per_hour WHERE n > 10;')))
    .toBe(`Pull query on QUAKES_PER_HOUR: scan of all rows in the state of step 5 of CTAS_QUAKES_PER_HOUR_0
Where: (N > 10)
Select: NET, WINDOWSTART, WINDOWEND, N, STRONGEST, SIGNIFICANCE`);
});

test('the structured form names paths, inputs and where pull queries read', () => {
  const shown = explainPlan(new Session().plan(quakes(1) + PER_HOUR));
  expect(shown.pull).toEqual({ table: '3', holds: 'aggregate', after: ['4'] });
  expect(shown.sink).toBe('QUAKES_PER_HOUR');
  expect(
    shown.subtopologies[0]?.steps.map((step) => [step.id, step.step, step.inputs, step.path]),
  ).toEqual([
    ['1', 'source', [], { path: 'kernel' }],
    ['2', 'rekey', ['1'], null],
    ['3', 'aggregate', ['2'], { path: 'kernel' }],
    ['4', 'project', ['3'], null],
    ['5', 'sink', ['4'], null],
  ]);
});
