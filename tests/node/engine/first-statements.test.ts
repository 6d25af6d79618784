// Each kind of statement and query as the first thing an engine is asked, with no code fetched for it: the answer is as where all code is there.

import { afterEach, expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { PARTS_BY_FOLDER, takeAway } from '../../support/taken-parts.ts';

const parts = PARTS_BY_FOLDER.flatMap(([, of]) => of);
let putBack = (): void => undefined;
afterEach(() => putBack());

/** What an engine goes on from. */
const THERE = `
  CREATE STREAM s (k STRING KEY, a INT, d DECIMAL(6, 2), l ARRAY<INT>, st STRUCT<x INT>, ts BIGINT)
    WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='ts');
  CREATE TABLE t (k STRING PRIMARY KEY, r STRING) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='DELIMITED');
  CREATE SOURCE TABLE kept (k STRING PRIMARY KEY, r STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='DELIMITED');
  CREATE TABLE agg AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;
  CREATE TABLE win AS SELECT k, SUM(a) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY k;
  CREATE STREAM up AS SELECT k, a + 1 AS b FROM s;
  CREATE TYPE address AS STRUCT<street STRING>;
  INSERT INTO s (ROWTIME, k, a, d, l, st, ts)
    VALUES (60000, 'k1', 1, 1.25, ARRAY[1, 2], STRUCT(x := 1), 60000);
  INSERT INTO s (ROWTIME, k, a, ts) VALUES (60001, 'k2', 2, 60001);
  INSERT INTO t (k, r) VALUES ('k1', 'k2');`;

const STATEMENTS = [
  "SET 'auto.offset.reset' = 'earliest';",
  "UNSET 'auto.offset.reset';",
  "ALTER SYSTEM 'auto.offset.reset' = 'earliest';",
  "DEFINE x = 'y';",
  'UNDEFINE x;',
  'SHOW VARIABLES;',
  'SHOW STREAMS EXTENDED;',
  'SHOW TABLES;',
  'SHOW TOPICS EXTENDED;',
  'SHOW QUERIES;',
  'SHOW QUERIES EXTENDED;',
  'SHOW FUNCTIONS;',
  'SHOW TYPES;',
  'SHOW PROPERTIES;',
  'SHOW CONNECTORS;',
  'DESCRIBE s;',
  'DESCRIBE agg EXTENDED;',
  'DESCRIBE FUNCTION sum;',
  'EXPLAIN SELECT k, COUNT(*) FROM s GROUP BY k EMIT CHANGES;',
  'EXPLAIN SELECT * FROM agg;',
  'PAUSE ALL;',
  'RESUME ALL;',
  'TERMINATE ALL;',
  'DROP STREAM IF EXISTS nothing;',
  'DROP TYPE address;',
  'DROP STREAM up DELETE TOPIC;',
  'CREATE TYPE other AS STRUCT<n INT>;',
  'ALTER STREAM s ADD COLUMN z INT;',
  'ASSERT TOPIC s;',
  'ASSERT NOT EXISTS TOPIC s TIMEOUT 0 SECONDS;',
  "INSERT INTO s (k, a, d, l, st) VALUES ('k', 1 + 1, 2.5, ARRAY[1], STRUCT(x := 1));",
  'INSERT INTO up SELECT k, a FROM s;',
  "CREATE STREAM n (a INT, at TIMESTAMP) WITH (KAFKA_TOPIC='n', PARTITIONS=2, FORMAT='JSON');",
  "CREATE STREAM n (a INT) WITH (KAFKA_TOPIC='n', PARTITIONS=2, VALUE_FORMAT='AVRO');",
  "CREATE SOURCE STREAM n (k STRING KEY, a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
  'CREATE OR REPLACE STREAM up AS SELECT k, a + 2 AS b FROM s;',
  'CREATE STREAM n AS SELECT s.k, t.r FROM s LEFT JOIN t ON s.k = t.k;',
  'CREATE STREAM n AS SELECT s.k, u.b FROM s JOIN up u WITHIN 1 HOUR GRACE PERIOD 1 MINUTE ON s.k = u.k;',
  'CREATE TABLE n AS SELECT t.k, agg.n FROM t JOIN agg ON t.r = agg.k;',
  'CREATE TABLE n AS SELECT k, COUNT_DISTINCT(a) AS n, TOPK(a, 2) AS top FROM s WINDOW SESSION (1 MINUTE) GROUP BY k EMIT FINAL;',
  'CREATE TABLE n AS SELECT r, COUNT(*) AS n FROM t GROUP BY r;',
  'CREATE STREAM n AS SELECT * FROM s PARTITION BY a;',
  "CREATE STREAM n AS SELECT k, EXPLODE(l) AS x, REGEXP_EXTRACT('a.*', k) AS z FROM s;",
  'CREATE STREAM n AS SELECT nothing FROM s;',
  'RUN SCRIPT x;',
  'SELECT * FROM s EMIT CHANGES;',
];

const QUERIES = [
  'SELECT * FROM s;',
  'SELECT * FROM s EMIT CHANGES LIMIT 2;',
  'SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES LIMIT 2;',
  'SELECT s.k, t.r FROM s LEFT JOIN t ON s.k = t.k EMIT CHANGES LIMIT 2;',
  'SELECT k, TRANSFORM(l, i => i + 1) AS x, st->x, d * 2 AS y FROM s EMIT CHANGES LIMIT 2;',
  "SELECT k, FORMAT_TIMESTAMP(FROM_UNIXTIME(ROWTIME), 'yyyy') AS y FROM s WHERE k LIKE 'k%' EMIT CHANGES LIMIT 2;",
  'SELECT * FROM agg EMIT CHANGES LIMIT 2;',
  'SELECT * FROM agg;',
  "SELECT * FROM agg WHERE k IN ('k1', 'k2') AND n > 0 ORDER BY n LIMIT 1;",
  "SELECT * FROM win WHERE k = 'k1' AND WINDOWSTART >= 0;",
  "SELECT UCASE(k) AS u FROM kept WHERE k > 'a';",
  'SELECT * FROM t;',
  'SELECT * FROM nothing EMIT CHANGES;',
  "SELECT * FROM s WHERE a = 'x' EMIT CHANGES;",
];

/** What an engine says to what it is asked first: one for which all code is there, and one that has no more than what it was opened with. */
async function answers(
  there: string,
  ask: (engine: Engine) => Promise<unknown>,
): Promise<{ readonly whole: unknown; readonly bare: unknown }> {
  const answer = async (prepare: () => void): Promise<unknown> => {
    const engine = await open({
      kernel: null,
      properties: { 'auto.offset.reset': 'earliest' },
    });
    await engine.execute(there);
    await engine.idle();
    prepare();
    const said = await ask(engine).catch(String);
    putBack();
    await engine.close();
    return said;
  };
  return {
    whole: await answer(() => undefined),
    bare: await answer(() => {
      putBack = takeAway(parts);
    }),
  };
}

test.each(STATEMENTS)('%s', async (statement) => {
  for (const there of ['', THERE]) {
    const { whole, bare } = await answers(there, (engine) => engine.execute(statement));
    expect(bare).toEqual(whole);
  }
});

test.each(QUERIES)('%s', async (query) => {
  const { whole, bare } = await answers(THERE, async (engine) => (await engine.query(query)).all());
  expect(bare).toEqual(whole);
});

test.each(['s', 'nothing'])('PRINT %s', async (topic) => {
  const { whole, bare } = await answers(THERE, async (engine) =>
    Array.fromAsync(await engine.print(`PRINT ${topic} FROM BEGINNING LIMIT 1;`)),
  );
  expect(bare).toEqual(whole);
});
