// Joins through the engine: over several partitions, asked by pull queries, pushed to clients, restarted, dropped.

import { expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const PEOPLE = 12;
const TEAMS = 5;

const TABLES = `
CREATE TABLE people (id INT PRIMARY KEY, name STRING, team STRING) WITH (KAFKA_TOPIC='people', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE teams (tid STRING PRIMARY KEY, floor INT) WITH (KAFKA_TOPIC='teams', PARTITIONS=3, VALUE_FORMAT='JSON');
CREATE TABLE pay (pid INT PRIMARY KEY, money INT) WITH (KAFKA_TOPIC='pay', PARTITIONS=2, VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
CREATE STREAM entries (door INT KEY, who INT) WITH (KAFKA_TOPIC='entries', PARTITIONS=4, VALUE_FORMAT='JSON');
CREATE STREAM exits (door INT KEY, who INT) WITH (KAFKA_TOPIC='exits', PARTITIONS=1, VALUE_FORMAT='JSON');`;

async function fill(engine: Engine): Promise<void> {
  for (let id = 0; id < PEOPLE; id++) {
    await engine.insert('people', { id, name: `n${id}`, team: `t${id % (TEAMS + 1)}` });
    if (id % 2 === 0) await engine.insert('pay', { pid: id, money: id * 100 });
  }
  for (let tid = 0; tid < TEAMS; tid++)
    await engine.insert('teams', { tid: `t${tid}`, floor: tid });
}

async function pull(engine: Engine, sql: string) {
  await engine.idle();
  const rows = await (await engine.query(sql)).all();
  return rows.map((row) => JSON.stringify(row)).sort();
}

function expected(rowOf: (id: number) => object | null): string[] {
  return Array.from({ length: PEOPLE }, (_, id) => rowOf(id))
    .filter((row) => row !== null)
    .map((row) => JSON.stringify(row))
    .sort();
}

test('a foreign key joins tables of two and of three partitions, and pull queries read the result', async () => {
  const host = memoryHost();
  const sql = 'SELECT id, name, floor FROM x;';
  {
    await using engine = await open({ host });
    await engine.execute(
      `${TABLES} CREATE TABLE x AS SELECT id, name, floor FROM people LEFT JOIN teams ON team = tid;`,
    );
    await fill(engine);
    expect(await pull(engine, sql)).toEqual(
      expected((id) => {
        const team = id % (TEAMS + 1);
        return { ID: id, NAME: `n${id}`, FLOOR: team < TEAMS ? team : null };
      }),
    );
  }
  await using again = await open({ host });
  await again.insert('teams', { tid: 't1', floor: 77 });
  await again.insert('people', { id: 3, name: 'moved', team: 't1' });
  expect(await pull(again, sql)).toEqual(
    expected((id) => {
      if (id === 3) return { ID: id, NAME: 'moved', FLOOR: 77 };
      const team = id % (TEAMS + 1);
      return { ID: id, NAME: `n${id}`, FLOOR: team === 1 ? 77 : team < TEAMS ? team : null };
    }),
  );
  expect(await pull(again, 'SELECT floor FROM x WHERE id = 7;')).toEqual(['{"FLOOR":77}']);
});

test('tables with keys in two formats meet in the partitions of the left one', async () => {
  await using engine = await open();
  await engine.execute(
    `${TABLES} CREATE TABLE x AS SELECT id, name, money FROM people JOIN pay ON id = pid;`,
  );
  await fill(engine);
  const rows = await pull(engine, 'SELECT id, money FROM x;');
  expect(rows).toEqual(expected((id) => (id % 2 === 0 ? { ID: id, MONEY: id * 100 } : null)));
  expect(await pull(engine, 'SELECT name FROM x WHERE id = 4;')).toEqual(['{"NAME":"n4"}']);
});

test('a stream of four partitions looks up a table of two, and is counted by a column of it', async () => {
  await using engine = await open();
  await engine.execute(
    `${TABLES} CREATE TABLE x AS SELECT team, COUNT(*) AS n FROM entries JOIN people ON who = id GROUP BY team;`,
  );
  await fill(engine);
  await engine.idle();
  for (let i = 0; i < 60; i++) await engine.insert('entries', { door: i, who: i % 15 });
  const counts = new Map<string, number>();
  for (let i = 0; i < 60; i++) {
    if (i % 15 >= PEOPLE) continue;
    const team = `t${(i % 15) % (TEAMS + 1)}`;
    counts.set(team, (counts.get(team) ?? 0) + 1);
  }
  expect(await pull(engine, 'SELECT team, n FROM x;')).toEqual(
    [...counts].map(([TEAM, N]) => JSON.stringify({ TEAM, N })).sort(),
  );
});

test('streams of four and of one partition meet by a value of both', async () => {
  await using engine = await open();
  await engine.execute(
    `${TABLES} CREATE STREAM x AS SELECT e.who, e.door AS came, x.door AS went
      FROM entries e JOIN exits x WITHIN 1 HOUR ON e.who = x.who;`,
  );
  for (let i = 0; i < 20; i++) {
    await engine.insert('entries', { door: i, who: i }, { timestamp: 1000 });
    if (i % 3 === 0) await engine.insert('exits', { door: 100 + i, who: i }, { timestamp: 2000 });
  }
  await engine.idle();
  const values: string[] = [];
  for (let partition = 0; partition < 4; partition++) {
    const records = await engine.topicRecords('X', { partition });
    values.push(...records.map(({ value }) => new TextDecoder().decode(value ?? undefined)));
  }
  const wanted = Array.from({ length: 7 }, (_, n) => `{"CAME":${n * 3},"WENT":${100 + n * 3}}`);
  expect(values.sort()).toEqual(wanted.sort());
});

test('a push query joins what comes with what the table already holds', async () => {
  await using engine = await open();
  await engine.execute(TABLES);
  await fill(engine);
  await engine.insert('entries', { door: 1, who: 1 });
  await engine.idle();
  await using rows = await engine.query(
    'SELECT door, name FROM entries JOIN people ON who = id EMIT CHANGES LIMIT 2;',
  );
  await engine.insert('entries', { door: 2, who: 5 });
  await engine.insert('entries', { door: 3, who: 99 });
  await engine.insert('entries', { door: 4, who: 7 });
  expect(new Set((await rows.all()).map(({ NAME }) => NAME))).toEqual(new Set(['n5', 'n7']));
});

test('a source that a join reads is not dropped', async () => {
  await using engine = await open();
  await engine.execute(
    `${TABLES} CREATE TABLE x AS SELECT id, floor FROM people JOIN teams ON team = tid;`,
  );
  await expect(engine.execute('DROP TABLE teams;')).rejects.toMatchObject({ code: 'IN_USE' });
  await engine.execute('DROP TABLE x; DROP TABLE teams;');
});
