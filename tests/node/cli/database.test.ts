// `millrace run --database`: what one run leaves to the next, and what it passes over.

import { afterAll, expect, test } from 'vitest';
import { open } from '../../../runtime/engine/open.ts';
import { type Ended, resultLines, Workplace } from './command.ts';

const workplace = new Workplace();
afterAll(() => workplace.remove());

const APP = `
  CREATE STREAM s (id STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE TABLE totals AS SELECT id, SUM(n) AS total FROM s GROUP BY id;
  CREATE STREAM many (id STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='many', PARTITIONS=1, VALUE_FORMAT='JSON');
  INSERT INTO many SELECT id, n FROM s PARTITION BY id;`;

let databases = 0;
const database = () => `@${++databases}.db`;

async function run(file: string, sql: string, lines: readonly string[], ...more: string[]) {
  workplace.write('app.sql', sql);
  workplace.write('s.ndjson', lines.map((line) => `${line}\n`).join(''));
  const inputs = lines.length === 0 ? [] : ['--input', 's=@s.ndjson'];
  return await workplace.millrace('run', '@app.sql', ...inputs, '--database', file, ...more);
}

function totals(ended: Ended): unknown[] {
  return resultLines(ended)
    .filter(({ source }) => source === 'TOTALS')
    .map(({ key, value }) => [key['ID'], value?.['TOTAL']]);
}

test('the next run goes on where the last one ended, and prints what is new', async () => {
  const file = database();
  const first = await run(file, APP, ['{"id":"a","n":1}', '{"id":"a","n":2}']);
  expect([first.status, first.stderr]).toEqual([0, '']);
  expect(totals(first)).toEqual([
    ['a', 1],
    ['a', 3],
  ]);
  const second = await run(file, APP, ['{"id":"a","n":10}'], '--stats', '@stats.json');
  expect([second.status, second.stderr]).toEqual([0, '']);
  expect(totals(second)).toEqual([['a', 13]]);
  expect(resultLines(second).filter(({ source }) => source === 'MANY')).toHaveLength(1);
  expect(JSON.parse(workplace.read('stats.json'))).toMatchObject({
    topics: { s: { in: 1 } },
    queries: { CTAS_TOTALS_1: { out: 3 } },
  });
  const asked = await run(file, "SELECT total FROM totals WHERE id = 'a';", []);
  expect(resultLines(asked).map(({ value }) => value)).toEqual([{ TOTAL: 13 }]);
});

test('a query that comes later reads what earlier runs have fed', async () => {
  const file = database();
  await run(file, APP, ['{"id":"a","n":1}', '{"id":"b","n":2}']);
  const later = `${APP} CREATE STREAM twice AS SELECT id, n * 2 AS m FROM s;`;
  const ended = await run(file, later, ['{"id":"c","n":3}'], '--output', 'twice');
  const seen = resultLines(ended).map(({ value }) => Number(value?.['M']));
  expect(seen.sort((a, b) => a - b)).toEqual([2, 4, 6]);
});

test('a statement of another text for a name that is taken is refused', async () => {
  const file = database();
  await run(file, APP, []);
  const other = await run(file, APP.replace('SUM(n)', 'MAX(n)'), []);
  expect(other.status).toBe(1);
  expect(other.stderr).toContain('app.sql:3:16:');
});

test('what is dropped and made again begins anew', async () => {
  const file = database();
  await run(file, APP, ['{"id":"a","n":1}']);
  const anew = `DROP TABLE totals DELETE TOPIC; ${APP}`;
  const ended = await run(file, anew, [], '--output', 'totals');
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  expect(totals(ended)).toEqual([['a', 1]]);
});

test('a file that another process has open is told of, and is none of the run', async () => {
  const file = database();
  await using engine = await open({ storage: { file: workplace.path(file.slice(1)) } });
  const ended = await run(file, APP, []);
  expect(ended.status).toBe(1);
  expect(ended.stderr).toMatch(/^millrace: '1?\d\.db' is open already/);
  expect([...engine.catalog.sources.keys()]).not.toContain('S');
});

test('a process ends as well as it began', async () => {
  workplace.write('app.sql', `${APP} INSERT INTO s (id, n) VALUES ('a', 5);`);
  for (const total of [5, 10]) {
    const ended = await workplace.process('run', 'app.sql', '--database', 'own.db');
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(totals(ended)).toEqual([['a', total]]);
  }
});
