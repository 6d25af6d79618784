// Pull queries through the engine: over streams, in order, with limits, by keys of several columns, and what EXPLAIN says of them.

import { describe, expect, test } from 'vitest';
import { LimitError } from '../../../runtime/base/errors.ts';
import { BATCH_ROWS_MAX, PULL_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { schemaText } from '../../../runtime/data/schema-text.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { partitionsAsked } from '../../../runtime/engine/pull-partitions.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { StateReader } from '../../../runtime/ports/store.ts';
import { Session } from '../plan/session.ts';

const READINGS = `CREATE STREAM readings (site STRING KEY, degrees INT)
  WITH (KAFKA_TOPIC='readings', PARTITIONS=3, VALUE_FORMAT='JSON');`;
const SITES = `CREATE TABLE sites AS SELECT site, COUNT(*) AS n, MAX(degrees) AS hottest
  FROM readings GROUP BY site;`;

async function started(statements: string): Promise<Engine> {
  const engine = await open();
  await engine.execute(statements);
  return engine;
}

async function rowsOf(engine: Engine, sql: string) {
  await engine.idle();
  return (await engine.query(sql)).all();
}

describe('over a stream', () => {
  test('gives what the topic holds when it is asked, and ends', async () => {
    await using engine = await started(READINGS);
    await engine.insert('readings', [
      { site: 'a', degrees: 1 },
      { site: 'b', degrees: 2 },
      { site: 'a', degrees: 3 },
    ]);
    const rows = await engine.query('SELECT site, degrees * 2 AS twice FROM readings;');
    await engine.insert('readings', { site: 'a', degrees: 4 });
    expect(rows.kind).toBe('pull');
    expect(schemaText(rows.schema)).toBe('`SITE` STRING, `TWICE` INTEGER');
    const all = await rows.all();
    expect(all.filter(({ SITE }) => SITE === 'a').map(({ TWICE }) => TWICE)).toEqual([2, 6]);
    expect(all).toHaveLength(3);
    expect(rows.finalMessage).toBe('Query Completed');
  });

  test('filters, reads headers and rowtimes, and stops at its limit', async () => {
    await using engine = await started(`CREATE STREAM h (k STRING KEY, v INT, id BYTES HEADER('id'))
      WITH (KAFKA_TOPIC='h', PARTITIONS=1, VALUE_FORMAT='JSON');`);
    for (const v of [1, 2, 3, 4]) {
      const headers = [{ name: 'id', value: Uint8Array.of(v) }];
      await engine.produce('h', [{ key: 'k', value: `{"V":${v}}`, timestamp: v * 10, headers }]);
    }
    const rows = await engine.query('SELECT v, id, ROWTIME FROM h WHERE v <> 2 LIMIT 2;');
    expect(await rows.all()).toEqual([
      { V: 1, ID: Uint8Array.of(1), ROWTIME: 10 },
      { V: 3, ID: Uint8Array.of(3), ROWTIME: 30 },
    ]);
    expect(rows.finalMessage).toBe('Limit Reached');
    expect(await rowsOf(engine, 'SELECT v FROM h LIMIT 0;')).toEqual([]);
  });

  test('skips records without a value and those that cannot be read, and leaves no trace', async () => {
    await using engine = await started(READINGS);
    await engine.produce('readings', [
      { key: 'a', value: null },
      { key: 'a', value: '{"DEGREES":"warm"}' },
      { key: 'a', value: '{"DEGREES":7}' },
    ]);
    expect(await rowsOf(engine, 'SELECT * FROM readings;')).toEqual([{ SITE: 'a', DEGREES: 7 }]);
    expect(await engine.topicRecords('__processing_log')).toEqual([]);
  });

  test('reads more than a batch, a part at a time, and can be left early', async () => {
    await using engine = await started(READINGS);
    const count = 2 * BATCH_ROWS_MAX + 10;
    await engine.insert(
      'readings',
      Array.from({ length: count }, (_, degrees) => ({ site: 'a', degrees })),
    );
    expect(await rowsOf(engine, 'SELECT degrees FROM readings;')).toHaveLength(count);
    const rows = await engine.query('SELECT degrees FROM readings;');
    for await (const { DEGREES } of rows) {
      expect(DEGREES).toBe(0);
      break;
    }
  });

  test('an abort ends it', async () => {
    await using engine = await started(READINGS);
    await engine.insert('readings', { site: 'a', degrees: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const rows = await engine.query('SELECT * FROM readings;', { signal });
    controller.abort();
    await expect(rows.all()).rejects.toThrow('aborted');
  });
});

describe('over a table', () => {
  test('ORDER BY sorts by expressions and names of the SELECT, NULL first, equal rows by key', async () => {
    await using engine = await started(READINGS + SITES);
    await engine.insert('readings', [
      { site: 'a', degrees: 5 },
      { site: 'b', degrees: null },
      { site: 'c', degrees: 9 },
      { site: 'd', degrees: 5 },
      { site: 'd', degrees: 1 },
    ]);
    const order = async (clause: string) =>
      (await rowsOf(engine, `SELECT site, -hottest AS cold FROM sites ${clause};`)).map(
        ({ SITE }) => SITE,
      );
    expect(await order('ORDER BY site')).toEqual(['a', 'b', 'c', 'd']);
    expect(await order('ORDER BY hottest')).toEqual(['b', 'a', 'd', 'c']);
    expect(await order('ORDER BY hottest DESC')).toEqual(['c', 'a', 'd', 'b']);
    expect(await order('ORDER BY cold')).toEqual(['b', 'c', 'a', 'd']);
    expect(await order('ORDER BY n DESC, site DESC LIMIT 3')).toEqual(['d', 'c', 'b']);
    expect(await order('WHERE n = 1 ORDER BY LCASE(site) DESC LIMIT 1')).toEqual(['c']);
  });

  test('a key of several columns is found however the SELECT has put them', async () => {
    await using engine = await started(`
      CREATE STREAM s (a STRING, b INT) WITH (KAFKA_TOPIC='s', PARTITIONS=3, FORMAT='JSON');
      CREATE TABLE t AS SELECT b AS second, a AS first, COUNT(*) AS n FROM s GROUP BY a, b;`);
    await engine.insert('s', [
      { a: 'x', b: 1 },
      { a: 'x', b: 2 },
      { a: 'y', b: 1 },
    ]);
    const found = (where: string) =>
      rowsOf(engine, `SELECT first, second, n FROM t WHERE ${where} ORDER BY second;`);
    expect(await found("second = 2 AND first = 'x'")).toEqual([{ FIRST: 'x', SECOND: 2, N: 1 }]);
    expect(await found("first = 'x' AND second > 0")).toHaveLength(2);
    expect(await found("first = 'x' OR second = 1")).toHaveLength(3);
  });

  test('rows of a partition come in the order of their keys', async () => {
    await using engine = await started(`
      CREATE STREAM s (k INT KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
      CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`);
    const keys = [5, -3, 100, 0, -40, 7];
    await engine.insert(
      's',
      keys.map((k) => ({ k, v: 0 })),
    );
    const sorted = keys.toSorted((a, b) => a - b);
    expect((await rowsOf(engine, 'SELECT k FROM t;')).map(({ K }) => K)).toEqual(sorted);
    const some = 'SELECT k FROM t WHERE k >= -3 AND k < 100 LIMIT 3;';
    expect((await rowsOf(engine, some)).map(({ K }) => K)).toEqual([-3, 0, 5]);
  });

  test('a window is found by its end, and by several ranges', async () => {
    await using engine = await started(`${READINGS}
      CREATE TABLE w AS SELECT site, COUNT(*) AS n FROM readings
        WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY site;`);
    for (const timestamp of [1000, 11_000, 21_000, 31_000, 41_000]) {
      await engine.insert('readings', { site: 'a', degrees: 1 }, { timestamp });
    }
    const starts = async (where: string) =>
      (await rowsOf(engine, `SELECT WINDOWSTART FROM w WHERE ${where};`)).map(
        ({ WINDOWSTART }) => WINDOWSTART,
      );
    expect(await starts("site = 'a' AND WINDOWEND = 20000")).toEqual([10_000]);
    expect(
      await starts(
        "site = 'a' AND (WINDOWSTART < 10000 OR WINDOWSTART > 30000 OR WINDOWEND = 30000)",
      ),
    ).toEqual([0, 20_000, 40_000]);
    expect(await starts("site = 'a' AND WINDOWSTART BETWEEN '1970-01-01' AND 10000")).toEqual([
      0, 10_000,
    ]);
    expect(await starts("site = 'a' AND WINDOWEND > 9223372036854775000")).toEqual([]);
    expect(await starts("site = 'a' AND WINDOWSTART >= 29999.5")).toEqual([30_000, 40_000]);
  });

  test('a session is found by its start and its end', async () => {
    await using engine = await started(`${READINGS}
      CREATE TABLE visits AS SELECT site, COUNT(*) AS n FROM readings
        WINDOW SESSION (5 SECONDS) GROUP BY site;`);
    for (const timestamp of [1000, 3000, 20_000, 40_000, 41_000, 42_000]) {
      await engine.insert('readings', { site: 'a', degrees: 1 }, { timestamp });
    }
    const sessions = async (where: string) =>
      (await rowsOf(engine, `SELECT WINDOWSTART, WINDOWEND, n FROM visits WHERE ${where};`)).map(
        ({ WINDOWSTART, WINDOWEND, N }) => [WINDOWSTART, WINDOWEND, N],
      );
    const [first, second, third] = [
      [1000, 3000, 2],
      [20_000, 20_000, 1],
      [40_000, 42_000, 3],
    ];
    expect(await sessions("site = 'a'")).toEqual([first, second, third]);
    expect(await sessions("site = 'a' AND WINDOWEND = 42000")).toEqual([third]);
    expect(await sessions("site = 'a' AND WINDOWSTART < 40000 AND WINDOWEND > 3000")).toEqual([
      second,
    ]);
    expect(await sessions('WINDOWSTART = 1000 OR n = 3')).toEqual([first, third]);
  });

  test('a row that EMIT FINAL still holds back is not in the table yet', async () => {
    await using engine = await started(`${READINGS}
      CREATE TABLE w AS SELECT site, COUNT(*) AS n FROM readings
        WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY site EMIT FINAL;`);
    for (const timestamp of [1000, 2000, 12_000]) {
      await engine.insert('readings', { site: 'a', degrees: 1 }, { timestamp });
    }
    const closed = [{ WINDOWSTART: 0, N: 2 }];
    expect(await rowsOf(engine, 'SELECT WINDOWSTART, n FROM w;')).toEqual(closed);
    const sql = "SELECT WINDOWSTART, n FROM w WHERE site = 'a';";
    expect(await rowsOf(engine, sql)).toEqual(closed);
  });

  test.each([
    ['TUMBLING', "WINDOW_TYPE='TUMBLING', WINDOW_SIZE='10 SECONDS'", 10_000],
    ['SLIDING', "WINDOW_TYPE='SLIDING', WINDOW_SIZE='10 SECONDS'", 10_000],
    ['SESSION', "WINDOW_TYPE='SESSION'", 3000],
  ])('a windowed source table of the type %s shows its windows', async (type, window, end) => {
    await using engine = await started(`CREATE SOURCE TABLE w (k INT PRIMARY KEY, v INT)
      WITH (KAFKA_TOPIC='w', PARTITIONS=1, VALUE_FORMAT='JSON', ${window});`);
    const key = (endMs: number): Uint8Array => {
      const bytes = new DataView(new ArrayBuffer(type === 'SESSION' ? 20 : 12));
      bytes.setInt32(0, 7);
      if (type === 'SESSION') bytes.setBigInt64(4, BigInt(endMs));
      return new Uint8Array(bytes.buffer);
    };
    await engine.produce('w', [
      { key: key(3000), value: '{"V":1}' },
      { key: key(4000), value: type === 'SESSION' ? '{"V":2}' : null },
      { key: key(5000), value: '{"V":3}' },
    ]);
    const rows = await rowsOf(engine, `SELECT * FROM w WHERE k = 7 AND WINDOWEND <= ${end};`);
    expect(rows).toEqual([{ K: 7, WINDOWSTART: 0, WINDOWEND: end, V: type === 'SESSION' ? 1 : 3 }]);
  });

  test('gives PULL_ROWS_MAX rows, and is refused beyond them unless a limit says how many are wanted', async () => {
    await using engine = await started(READINGS + SITES);
    const readings = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => ({ site: `${from + i}`, degrees: from + i }));
    await engine.insert('readings', readings(0, PULL_ROWS_MAX));
    expect(await rowsOf(engine, 'SELECT site FROM sites;')).toHaveLength(PULL_ROWS_MAX);
    await engine.insert('readings', { site: 'one more', degrees: PULL_ROWS_MAX });
    for (const clause of ['', 'ORDER BY hottest', `LIMIT ${PULL_ROWS_MAX + 1}`]) {
      await expect(rowsOf(engine, `SELECT site FROM sites ${clause};`)).rejects.toThrow(LimitError);
    }
    const least = 'SELECT hottest FROM sites ORDER BY hottest LIMIT 2;';
    expect(await rowsOf(engine, least)).toEqual([{ HOTTEST: 0 }, { HOTTEST: 1 }]);
    const greatest = 'SELECT hottest FROM sites ORDER BY hottest DESC LIMIT 1;';
    expect(await rowsOf(engine, greatest)).toEqual([{ HOTTEST: PULL_ROWS_MAX }]);
    expect(await rowsOf(engine, 'SELECT site FROM sites LIMIT 0;')).toEqual([]);
  });

  test.each([
    ['LIMIT 3', 16],
    ['LIMIT 100', 100],
    ['WHERE hottest = 99 LIMIT 1', 16 + 32 + 64],
    ['ORDER BY hottest LIMIT 3', 1000],
  ])('%s looks through no more rows than it takes', async (clause, most) => {
    const host = memoryHost();
    const reader = host.store.reader.bind(host.store);
    let looked = 0;
    host.store.reader = async (task) => {
      const found = await reader(task);
      const scan: StateReader['scan'] = function* (...given) {
        for (const entry of found?.scan(...given) ?? []) {
          looked += 1;
          yield entry;
        }
      };
      return found && { get: (...given) => found.get(...given), scan };
    };
    await using engine = await open({ host });
    await engine.execute(READINGS.replace('PARTITIONS=3', 'PARTITIONS=1') + SITES);
    const readings = Array.from({ length: 1000 }, (_, i) => ({
      site: `${1000 + i}`,
      degrees: i,
    }));
    await engine.insert('readings', readings);
    const rows = await rowsOf(engine, `SELECT site FROM sites ${clause};`);
    expect(rows).toHaveLength(Number(/\d+$/.exec(clause)?.[0]));
    expect(looked).toBe(most);
  });

  test('a lookup asks the partition that holds its key, a range all of them', () => {
    const session = new Session();
    session.run(READINGS + SITES);
    const asked = (where: string): readonly number[] => [
      ...partitionsAsked(session.pull(`SELECT * FROM sites WHERE ${where};`), 3, FORMATS).keys(),
    ];
    expect(asked("site = 'a'")).toHaveLength(1);
    expect(asked("site = 'a' AND site = 'b'")).toEqual([]);
    expect(asked("site > 'a'")).toEqual([0, 1, 2]);
    expect(asked("site = 'a' OR hottest = 1")).toEqual([0, 1, 2]);
  });

  test.each([
    'SELECT k AS a, j AS b, COUNT(*) AS n FROM left_rows GROUP BY k, j',
    'SELECT k AS a, j AS b, COUNT(*) AS n FROM moves GROUP BY k, j',
    'SELECT k AS a, j AS b, COUNT(*) AS n FROM moves WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY k, j',
    'SELECT j AS b, k AS a, COUNT(*) AS n FROM moves GROUP BY j, k',
    'SELECT l.k AS a, l.j AS b, x FROM left_rows l JOIN right_rows r ON l.v = r.id',
    'SELECT k AS a, j AS b, v FROM left_rows',
  ])('finds each key where its rows lie, under whatever names: %s', async (select) => {
    await using engine = await started(`
      CREATE TABLE left_rows (k INT PRIMARY KEY, j INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='l', PARTITIONS=3, FORMAT='JSON');
      CREATE TABLE right_rows (id INT PRIMARY KEY, x INT) WITH (KAFKA_TOPIC='r', PARTITIONS=3, FORMAT='JSON');
      CREATE STREAM moves (k INT KEY, j INT KEY, v INT) WITH (KAFKA_TOPIC='m', PARTITIONS=3, FORMAT='JSON');
      CREATE TABLE made AS ${select};`);
    const rows = Array.from({ length: 12 }, (_, k) => ({ k, j: 1, v: 2 }));
    await engine.insert('right_rows', { id: 2, x: 7 });
    for (const source of ['left_rows', 'moves']) await engine.insert(source, rows);
    for (const { k } of rows) {
      const found = await rowsOf(engine, `SELECT a, b FROM made WHERE a = ${k} AND b = 1;`);
      expect(found).toEqual([{ A: k, B: 1 }]);
    }
  });
});

test('EXPLAIN says how a pull query finds its rows, and in which state', async () => {
  await using engine = await started(READINGS + SITES);
  const plan = async (sql: string): Promise<string> => {
    const [answer] = await engine.execute(`EXPLAIN ${sql}`);
    const description = answer?.['queryDescription'] as { executionPlan: string } | undefined;
    return description?.executionPlan ?? '';
  };
  const table = 'in the state of step 3 of CTAS_SITES_1';
  expect(await plan("SELECT * FROM sites WHERE site IN ('a', 'b');")).toContain(
    `lookup of 2 keys ${table}`,
  );
  expect(await plan("SELECT * FROM sites WHERE site > 'a' AND n > 1;")).toContain(
    `scan of 1 range ${table}`,
  );
  expect(await plan('SELECT * FROM sites WHERE n > 1 ORDER BY n DESC, site;')).toBe(
    `Pull query on SITES: scan of all rows ${table}
Where: (N > 1)
Select: SITE, N, HOTTEST
Order: N DESC, SITE`,
  );
  expect(await plan('SELECT site FROM readings WHERE degrees > 1;')).toContain(
    'Query PULL_READINGS (pull, from the earliest offset)',
  );
});
