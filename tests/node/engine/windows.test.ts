// Windowed tables asked by pull queries: hopping windows, sessions and final results.

import { expect, test } from 'vitest';
import { BIGINT } from '../../../runtime/data/type.ts';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { of, parameter } from '../../../runtime/functions/declare.ts';
import type { AggregateOverload } from '../../../runtime/functions/registry.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { open } from '../../../runtime/engine/open.ts';
import type { Host } from '../../../runtime/ports/host.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v BIGINT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

async function started(
  query: string,
  rows: readonly (readonly [string, number])[],
  host?: Host,
): Promise<Engine> {
  const engine = host === undefined ? await open() : await openEngine({ host });
  await engine.execute(`${STREAM} CREATE TABLE t AS ${query};`);
  for (const [key, timestamp] of rows) {
    await engine.produce('s', [{ key, value: '{"V": 1}', timestamp }]);
  }
  await engine.idle();
  return engine;
}

async function rowsOf(engine: Engine, sql: string) {
  return (await engine.query(sql)).all();
}

test('hopping windows are found by their start and their end', async () => {
  await using engine = await started(
    'SELECT k, COUNT(*) AS n FROM s WINDOW HOPPING (SIZE 10 MILLISECONDS, ADVANCE BY 5 MILLISECONDS) GROUP BY k',
    [
      ['a', 7],
      ['a', 12],
      ['b', 7],
    ],
  );
  const sql = "SELECT k, WINDOWSTART, WINDOWEND, n FROM t WHERE k = 'a'";
  expect(await rowsOf(engine, `${sql};`)).toEqual([
    { K: 'a', WINDOWSTART: 0, WINDOWEND: 10, N: 1 },
    { K: 'a', WINDOWSTART: 5, WINDOWEND: 15, N: 2 },
    { K: 'a', WINDOWSTART: 10, WINDOWEND: 20, N: 1 },
  ]);
  expect(await rowsOf(engine, `${sql} AND WINDOWSTART >= 5 AND WINDOWEND < 20;`)).toHaveLength(1);
});

test('sliding windows are found by their start and their inclusive end, and are there again after a restart', async () => {
  const host = memoryHost();
  const sql = "SELECT k, WINDOWSTART, WINDOWEND, n FROM t WHERE k = 'a'";
  const asked = async (engine: Engine): Promise<void> => {
    expect(await rowsOf(engine, `${sql};`)).toEqual([
      { K: 'a', WINDOWSTART: 0, WINDOWEND: 10, N: 1 },
      { K: 'a', WINDOWSTART: 2, WINDOWEND: 12, N: 2 },
      { K: 'a', WINDOWSTART: 8, WINDOWEND: 18, N: 1 },
    ]);
    expect(await rowsOf(engine, `${sql} AND WINDOWSTART >= 2 AND WINDOWEND < 18;`)).toHaveLength(1);
    expect(await rowsOf(engine, `${sql} AND WINDOWEND = 18;`)).toHaveLength(1);
    expect(await rowsOf(engine, 'SELECT * FROM t WHERE WINDOWSTART = 0;')).toHaveLength(1);
  };
  {
    await using engine = await started(
      'SELECT k, COUNT(*) AS n FROM s WINDOW SLIDING (SIZE 10 MILLISECONDS) GROUP BY k',
      [
        ['a', 7],
        ['a', 12],
        ['b', 30],
      ],
      host,
    );
    await asked(engine);
    const answer = await engine.execute(`EXPLAIN SELECT k, COUNT(*) FROM s
      WINDOW SLIDING (SIZE 10 MILLISECONDS) GROUP BY k EMIT CHANGES;`);
    expect(JSON.stringify(answer)).toContain('SLIDING 10 ms with 86399990 ms of grace');
  }
  await using again = await openEngine({ host });
  await again.insert('s', { k: 'a', v: 1 }, { timestamp: 40 });
  await again.idle();
  expect(await rowsOf(again, `${sql} AND WINDOWSTART > 8;`)).toEqual([
    { K: 'a', WINDOWSTART: 30, WINDOWEND: 40, N: 1 },
  ]);
});

test('sessions are found by their bounds, and one that was merged away is not there', async () => {
  await using engine = await started(
    'SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (10 MILLISECONDS) GROUP BY k',
    [
      ['a', 0],
      ['a', 8],
      ['a', 50],
      ['b', 3],
    ],
  );
  const sql = "SELECT k, WINDOWSTART, WINDOWEND, n FROM t WHERE k = 'a'";
  const [first, second] = [
    { K: 'a', WINDOWSTART: 0, WINDOWEND: 8, N: 2 },
    { K: 'a', WINDOWSTART: 50, WINDOWEND: 50, N: 1 },
  ];
  expect(await rowsOf(engine, `${sql};`)).toEqual([first, second]);
  expect(await rowsOf(engine, `${sql} AND WINDOWEND = 8;`)).toEqual([first]);
  expect(await rowsOf(engine, `${sql} AND WINDOWSTART > 0;`)).toEqual([second]);
  expect(await rowsOf(engine, 'SELECT * FROM t;')).toHaveLength(3);
});

test.each([
  ['TUMBLING (SIZE 10 MILLISECONDS, RETENTION 1 DAY, GRACE PERIOD 0 MILLISECONDS)', 10],
  ['SESSION (5 MILLISECONDS, RETENTION 1 DAY, GRACE PERIOD 0 MILLISECONDS)', 4],
  ['SLIDING (SIZE 10 MILLISECONDS, RETENTION 1 DAY, GRACE PERIOD 9 MILLISECONDS)', 10],
])('a table of final results of %s holds no window that is open', async (window, end) => {
  await using engine = await started(
    `SELECT k, COUNT(*) AS n FROM s WINDOW ${window} GROUP BY k HAVING COUNT(*) > 1 EMIT FINAL`,
    [
      ['a', 0],
      ['a', 4],
      ['b', 1],
      ['a', 21],
      ['a', 22],
    ],
  );
  const expected = [{ K: 'a', WINDOWSTART: 0, WINDOWEND: end, N: 2 }];
  expect(await rowsOf(engine, 'SELECT k, WINDOWSTART, WINDOWEND, n FROM t;')).toEqual(expected);
  expect(await rowsOf(engine, "SELECT k, WINDOWSTART, WINDOWEND, n FROM t WHERE k = 'a';")).toEqual(
    expected,
  );
});

test('EXPLAIN says which windows there are, when results are shown and what the idle time-out is', async () => {
  await using engine = await started('SELECT k, COUNT(*) AS n FROM s GROUP BY k', []);
  const [, answer] = await engine.execute(`SET 'millrace.idle.timeout.ms' = '1000';
    EXPLAIN SELECT k, COUNT(*) FROM s
      WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY k EMIT FINAL;`);
  const text = JSON.stringify(answer);
  expect(text).toContain('HOPPING 10000 ms every 2000 ms with 1000 ms of grace');
  expect(text).toContain('suppress each HOPPING window once, when it has closed');
  expect(text).toContain('Idle: stream time follows the clock after 1000 ms without input');
});

test('an aggregate that cannot put two sessions together is refused over sessions, with its place', async () => {
  const once: AggregateOverload = {
    kind: 'aggregate',
    name: 'ONCE',
    category: 'AGGREGATE',
    description: 'The first value.',
    parameters: [parameter('value', of(BIGINT))],
    returns: () => BIGINT,
    body: () => ({
      cells: [BIGINT],
      initial: () => [null],
      add(cells, [value = null]) {
        cells[0] ??= value;
      },
      undo: null,
      merge: null,
      result: (cells) => cells[0] ?? null,
    }),
  };
  await using engine = await openEngine({ host: memoryHost(), functions: [once] });
  const table = (window: string): string =>
    `CREATE TABLE t AS SELECT k, ONCE(v) AS v FROM s WINDOW ${window} GROUP BY k;`;
  await engine.execute(STREAM);
  await expect(engine.execute(table('SESSION (1 SECOND)'))).rejects.toThrow(
    'line 1:29: ONCE(V) cannot be computed per session',
  );
  await engine.execute(table('HOPPING (SIZE 2 SECONDS, ADVANCE BY 1 SECOND)'));
});
