// Lambdas, functions of collections and `->*` through the engine: inserted values, push and pull queries, bad items in the log.

import { expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';

const TABLE = `
  CREATE STREAM s (k STRING KEY, xs ARRAY<INT>, o STRUCT<a INT, b STRING>)
    WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, LATEST_BY_OFFSET(xs) AS xs, LATEST_BY_OFFSET(o) AS o FROM s GROUP BY k;`;

test('a pull query transforms, filters and reduces what a table holds, and names the fields of a struct', async () => {
  await using engine = await open();
  await engine.execute(TABLE);
  await engine.execute(
    `INSERT INTO s (k, xs, o) VALUES ('a', ARRAY_CONCAT(ARRAY[1, 2], GENERATE_SERIES(7, 5)), STRUCT(a := 4, b := 'x'));`,
  );
  await engine.idle();
  const sql = `SELECT k, TRANSFORM(xs, x => x * o->a) AS ys, REDUCE(FILTER(xs, x => x > 2), 0, (n, x) => n + x) AS n,
    o->* FROM t WHERE ARRAY_CONTAINS(xs, 6);`;
  expect(await (await engine.query(sql)).all()).toEqual([
    { K: 'a', YS: [4, 8, 28, 24, 20], N: 18, A: 4, B: 'x' },
  ]);
});

test('an item that fails is null in the row, and the processing log says why', async () => {
  await using engine = await open();
  await engine.execute(TABLE);
  await engine.insert('s', { k: 'a', xs: [0, 2], o: null });
  const rows = await engine.query(
    'SELECT TRANSFORM(xs, x => STRUCT(x := x, y := 10 / x)) AS ys FROM s EMIT CHANGES LIMIT 1;',
    { properties: { 'auto.offset.reset': 'earliest' } },
  );
  expect(await rows.all()).toEqual([
    {
      YS: [
        { X: 0, Y: null },
        { X: 2, Y: 5 },
      ],
    },
  ]);
  const problems = await engine.query('SELECT * FROM ksql_processing_log EMIT CHANGES LIMIT 1;', {
    properties: { 'auto.offset.reset': 'earliest' },
  });
  const [problem] = await problems.all();
  expect(problem).toMatchObject({ TOPIC: 's', OFFSET: 0, CODE: 'EXPRESSION' });
});
