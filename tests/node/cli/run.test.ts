// `millrace run` as a program meets it: exact digits, several inputs, queries of every kind, and what is chosen for output.

import { afterAll, describe, expect, test } from 'vitest';
import { resultLines, Workplace } from './command.ts';

const workplace = new Workplace();
afterAll(() => workplace.remove());

const STREAM = `CREATE STREAM s (id STRING KEY, n BIGINT, d DECIMAL(20, 4), x DOUBLE, m MAP<STRING, INT>)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

const COPY = `${STREAM} CREATE STREAM copy AS SELECT * FROM s;`;

async function run(sql: string, lines: readonly string[], ...options: readonly string[]) {
  workplace.write('app.sql', sql);
  workplace.write('s.ndjson', lines.map((line) => `${line}\n`).join(''));
  return workplace.millrace('run', '@app.sql', '--input', 's=@s.ndjson', ...options);
}

describe('digits', () => {
  test('of BIGINT, DECIMAL and DOUBLE all arrive', async () => {
    const { status, stdout } = await run(COPY, [
      '{"id": "a", "n": 9007199254740993, "d": 1234567890123456.5, "x": 0.1, "rowtime": 7}',
      '{"id": "b", "n": -9223372036854775808, "d": "-0.0001", "x": 1e300, "rowtime": 8}',
    ]);
    expect(status).toBe(0);
    expect(stdout).toBe(
      '{"source":"COPY","key":{"ID":"a"},"value":{"N":9007199254740993,"D":1234567890123456.5000,"X":0.1,"M":null},"rowtime":7}\n' +
        '{"source":"COPY","key":{"ID":"b"},"value":{"N":-9223372036854775808,"D":-0.0001,"X":1.0E300,"M":null},"rowtime":8}\n',
    );
  });

  test('of a sum beyond 2^53 are exact', async () => {
    const sql = `${STREAM} CREATE TABLE sums AS SELECT id, SUM(n) AS total FROM s GROUP BY id;`;
    const { stdout } = await run(sql, ['{"id":"a","n":9007199254740993}', '{"id":"a","n":4}']);
    expect(stdout).toContain('"value":{"TOTAL":9007199254740997}');
  });
});

describe('names', () => {
  test('of columns may be __proto__ and constructor', async () => {
    const sql = `CREATE STREAM s (\`__proto__\` STRING KEY, \`constructor\` INT, m MAP<STRING, INT>)
      WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
      CREATE TABLE t AS SELECT \`__proto__\`, COUNT(*) AS n FROM s GROUP BY \`__proto__\`;`;
    const line = '{"__proto__": "__proto__", "constructor": 1, "rowtime": 1}';
    const { stdout } = await run(sql, [line, line], '--output', 'S', '--output', 'T');
    expect(stdout.split('\n')).toEqual([
      '{"source":"S","key":{"__proto__":"__proto__"},"value":{"constructor":1,"M":null},"rowtime":1}',
      '{"source":"S","key":{"__proto__":"__proto__"},"value":{"constructor":1,"M":null},"rowtime":1}',
      '{"source":"T","key":{"__proto__":"__proto__"},"value":{"N":1},"rowtime":1}',
      '{"source":"T","key":{"__proto__":"__proto__"},"value":{"N":2},"rowtime":1}',
      '',
    ]);
  });

  test('of columns are matched in any case, and others are left out', async () => {
    const ended = await run(COPY, ['{"ID": "a", "N": 1, "nobody": {"knows": [1]}, "RowTime": 5}']);
    expect(resultLines(ended)).toEqual([
      {
        source: 'COPY',
        key: { ID: 'a' },
        value: { N: 1, D: null, X: null, M: null },
        rowtime: 5,
      },
    ]);
  });
});

describe('inputs', () => {
  test('may begin with a byte order mark and end lines as Windows does, and so may the SQL', async () => {
    const line = '{"id":"a","n":1,"rowtime":1}\r';
    const { status, stdout, stderr } = await run(`\uFEFF${COPY}\r\n`, [`\uFEFF${line}`, line]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/"N":1,/g)).toHaveLength(2);
  });

  test('come one after the other, in the order given', async () => {
    workplace.write('more.ndjson', '{"id":"c","n":3,"rowtime":1}\r\n{"id":"d","n":4,"rowtime":1}');
    const lines = ['{"id":"a","n":1,"rowtime":2}', '{"id":"b","n":2,"rowtime":2}'];
    const ended = await run(COPY, lines, '--input', 's=@more.ndjson', '--stats', '@stats.json');
    expect(resultLines(ended).map(({ key }) => key['ID'])).toEqual(['a', 'b', 'c', 'd']);
    expect(JSON.parse(workplace.read('stats.json'))).toEqual({
      topics: { s: { in: 4 } },
      queries: { CSAS_COPY_1: { late: 0, out: 4 } },
    });
  });

  test('a record without ROWTIME has the time of reading', async () => {
    const before = Date.now();
    const [line] = resultLines(await run(COPY, ['{"id":"a"}']));
    expect(line?.rowtime).toBeGreaterThanOrEqual(before);
    expect(line?.rowtime).toBeLessThanOrEqual(Date.now());
  });

  test('a record whose key columns are all null has no key', async () => {
    const sql = `${STREAM} CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;`;
    const ended = await run(sql, ['{"n":1,"rowtime":1}'], '--output', 's', '--output', 't');
    expect(resultLines(ended).map(({ source, key }) => [source, key])).toEqual([
      ['S', { ID: null }],
    ]);
  });

  test('more than a piece of a file is read to the end, through several partitions', async () => {
    const sql = `CREATE STREAM s (id STRING KEY, grp INT, n BIGINT, pad STRING)
      WITH (KAFKA_TOPIC='s', PARTITIONS=3, VALUE_FORMAT='JSON');
      CREATE TABLE sums AS SELECT grp, SUM(n) AS total, COUNT(*) AS rows FROM s GROUP BY grp;`;
    const pad = 'é'.repeat(100);
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `{"id":"k${i}","grp":${i % 7},"n":${i},"pad":"${pad}"}`,
    );
    const ended = await run(sql, lines, '--stats', '@stats.json');
    const last = new Map(resultLines(ended).map(({ key, value }) => [key['GRP'], value]));
    const sums = Array.from({ length: 7 }, (_, grp): [number, object] => {
      const of = lines.keys().filter((i) => i % 7 === grp);
      const all = [...of];
      return [grp, { TOTAL: all.reduce((sum, i) => sum + i, 0), ROWS: all.length }];
    });
    expect(new Map(sums)).toEqual(last);
    expect(JSON.parse(workplace.read('stats.json'))).toMatchObject({ topics: { s: { in: 5000 } } });
  });
});

describe('queries', () => {
  const lines = ['{"id":"a","n":1}', '{"id":"b","n":2}', '{"id":"a","n":3}', '{"id":"a","n":4}'];
  const table = `${STREAM} CREATE TABLE t AS SELECT id, SUM(n) AS total FROM s GROUP BY id;`;

  test('a pull query is answered once the input has ended', async () => {
    const ended = await run(`${table} SELECT * FROM t WHERE id = 'a';`, lines, '--output', 's');
    expect(resultLines(ended).at(-1)).toMatchObject({
      source: 'PULL_1',
      key: { ID: 'a' },
      value: { TOTAL: 8 },
    });
  });

  test('a push query prints what it sees, up to its limit or the end of the input', async () => {
    const sql = `${STREAM} SELECT id, n FROM s WHERE n > 1 EMIT CHANGES;
      SELECT n FROM s EMIT CHANGES LIMIT 1;`;
    const rows = resultLines(await run(sql, lines)).map(({ value }) => Number(value?.['N']));
    expect(rows.sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  test('chains of queries are followed to their end', async () => {
    const sql = `${table} CREATE TABLE big AS SELECT id, total FROM t WHERE total > 3;`;
    const ended = await run(sql, lines, '--output', 'big');
    expect(resultLines(ended).map(({ key, value }) => [key['ID'], value])).toEqual([
      ['a', { TOTAL: 4 }],
      ['a', { TOTAL: 8 }],
    ]);
  });

  test('a row that leaves a table is printed with a null value', async () => {
    const sql = `${STREAM} CREATE TABLE t AS SELECT id, SUM(n) AS total FROM s GROUP BY id HAVING SUM(n) < 4;`;
    const ended = await run(sql, lines);
    expect(resultLines(ended).map(({ key, value }) => [key['ID'], value])).toEqual([
      ['a', { TOTAL: 1 }],
      ['b', { TOTAL: 2 }],
      ['a', null],
    ]);
  });

  test('INSERT VALUES comes before the files, SHOW is answered in JSON', async () => {
    const sql = `${COPY} INSERT INTO s (id, n) VALUES ('first', 0); SHOW QUERIES;`;
    const [answer, ...rows] = resultLines(await run(sql, lines.slice(0, 1)));
    expect(answer).toMatchObject({ '@type': 'queries', queries: [{ id: 'CSAS_COPY_1' }] });
    expect(rows.map(({ key }) => key['ID'])).toEqual(['first', 'a']);
  });

  test('variables are replaced, and SET holds for the statements that follow', async () => {
    const sql = `DEFINE least = '3'; SET 'millrace.path' = 'row'; ${STREAM}
      CREATE STREAM u AS SELECT id, n FROM s WHERE n >= \${least};`;
    expect(resultLines(await run(sql, lines)).map(({ value }) => value)).toEqual([
      { N: 3 },
      { N: 4 },
    ]);
  });
});
