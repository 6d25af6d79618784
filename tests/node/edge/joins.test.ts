// Joins on plain workerd: tasks of several objects, topics between them in both directions, and pull queries on the result.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
}, 60_000);
afterAll(() => edge.stop());

async function ksql(text: string): Promise<Answer> {
  const answer = await send(edge, 'POST', '/ksql', { ksql: text, streamsProperties: {} });
  expect(answer.text).not.toContain('error_code');
  return answer;
}

async function rows(sql: string): Promise<string[]> {
  const { body } = await send(edge, 'POST', '/query', { ksql: sql });
  return (body as { row?: { columns: unknown } }[])
    .flatMap(({ row }) => (row === undefined ? [] : [JSON.stringify(row.columns)]))
    .sort();
}

test('a foreign key goes to the tasks of the other table and its answers come back', async () => {
  await ksql(`
    CREATE TABLE people (id INT PRIMARY KEY, name STRING, team STRING) WITH (KAFKA_TOPIC='people', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE TABLE teams (tid STRING PRIMARY KEY, floor INT) WITH (KAFKA_TOPIC='teams', PARTITIONS=3, VALUE_FORMAT='JSON');
    CREATE TABLE seats AS SELECT id, name, floor FROM people JOIN teams ON team = tid;`);
  await ksql(`
    INSERT INTO people VALUES (1, 'Ada', 'x'); INSERT INTO people VALUES (2, 'Bo', 'y');
    INSERT INTO people VALUES (3, 'Cy', 'x'); INSERT INTO people VALUES (4, 'Di', 'none');
    INSERT INTO teams VALUES ('x', 7); INSERT INTO teams VALUES ('y', 8);`);
  const seats = await until(async () => {
    const found = await rows('SELECT id, name, floor FROM seats;');
    return found.length === 3 ? found : null;
  });
  expect(seats).toEqual(['[1,"Ada",7]', '[2,"Bo",8]', '[3,"Cy",7]']);
});

test('a stream under a new key looks a table up in its partitions', async () => {
  await ksql(`
    CREATE STREAM visits (door INT KEY, who INT) WITH (KAFKA_TOPIC='visits', PARTITIONS=3, VALUE_FORMAT='JSON');
    CREATE TABLE names (id INT PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE TABLE counts AS SELECT name, COUNT(*) AS n FROM visits LEFT JOIN names ON who = id GROUP BY name;`);
  await ksql("INSERT INTO names VALUES (1, 'Ada'); INSERT INTO names VALUES (2, 'Bo');");
  // Each table is read in its own time: a visit is counted under a name once its row has been.
  await until(async () => {
    await ksql('INSERT INTO visits VALUES (1, 1); INSERT INTO visits VALUES (8, 2);');
    const known = await rows("SELECT name FROM counts WHERE name IN ('Ada', 'Bo');");
    return known.length === 2 ? true : null;
  });
});
