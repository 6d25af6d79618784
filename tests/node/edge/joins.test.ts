// Joins on plain workerd: tasks with several inputs, wakened by each, and tasks that feed each other round and round.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

async function ksql(text: string): Promise<Answer> {
  const answer = await send(edge, 'POST', '/ksql', { ksql: text });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer;
}

/** The rows of a query once they are those wanted; what they were last when they do not come to that. */
async function rows(sql: string, wanted: readonly unknown[]): Promise<unknown[]> {
  let last: unknown[] = [];
  const isThere = async (): Promise<boolean> => {
    const { body } = await send(edge, 'POST', '/query', { ksql: sql });
    last = (body as { row?: { columns: unknown } }[]).flatMap(({ row }) =>
      row === undefined ? [] : [row.columns],
    );
    return JSON.stringify(last) === JSON.stringify(wanted);
  };
  await until(isThere).catch(() => last);
  return last;
}

test('a stream is joined with a table of another key, whichever of them moves', async () => {
  await ksql(`
    CREATE STREAM clicks (id INT KEY, who STRING) WITH (KAFKA_TOPIC='clicks', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE TABLE people (name STRING PRIMARY KEY, town STRING) WITH (KAFKA_TOPIC='people', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE STREAM placed AS SELECT clicks.who, people.town AS town FROM clicks JOIN people ON clicks.who = people.name;
    CREATE TABLE per_town AS SELECT town, COUNT(*) AS n FROM placed GROUP BY town;`);
  await ksql(`
    INSERT INTO people (name, town) VALUES ('ada', 'London');
    INSERT INTO people (name, town) VALUES ('max', 'Kiel');`);
  // The table is read before what comes later in time.
  await ksql(`
    INSERT INTO clicks (id, who) VALUES (1, 'ada');
    INSERT INTO clicks (id, who) VALUES (2, 'max');
    INSERT INTO clicks (id, who) VALUES (3, 'ada');
    INSERT INTO clicks (id, who) VALUES (4, 'nobody');`);
  expect(await rows("SELECT n FROM per_town WHERE town = 'London';", [[2]])).toEqual([[2]]);
  expect(await rows("SELECT n FROM per_town WHERE town = 'Kiel';", [[1]])).toEqual([[1]]);
});

test('a join by foreign key follows both of its tables', async () => {
  await ksql(`
    CREATE TABLE orders (id INT PRIMARY KEY, item STRING) WITH (KAFKA_TOPIC='orders', PARTITIONS=2, VALUE_FORMAT='JSON');
    CREATE TABLE items (name STRING PRIMARY KEY, price INT) WITH (KAFKA_TOPIC='items', PARTITIONS=3, VALUE_FORMAT='JSON');
    CREATE TABLE priced AS SELECT orders.id AS id, items.price AS price FROM orders JOIN items ON orders.item = items.name;`);
  await ksql(`
    INSERT INTO orders (id, item) VALUES (1, 'pen');
    INSERT INTO orders (id, item) VALUES (2, 'ink');
    INSERT INTO items (name, price) VALUES ('pen', 3);
    INSERT INTO items (name, price) VALUES ('ink', 9);`);
  expect(await rows('SELECT price FROM priced WHERE id = 1;', [[3]])).toEqual([[3]]);
  expect(await rows('SELECT price FROM priced WHERE id = 2;', [[9]])).toEqual([[9]]);
  await ksql("INSERT INTO items (name, price) VALUES ('pen', 4);");
  expect(await rows('SELECT price FROM priced WHERE id = 1;', [[4]])).toEqual([[4]]);
  await ksql("INSERT INTO orders (id, item) VALUES (1, 'ink');");
  expect(await rows('SELECT price FROM priced WHERE id = 1;', [[9]])).toEqual([[9]]);
  await ksql("INSERT INTO orders (id, item) VALUES (2, 'paper');");
  expect(await rows('SELECT price FROM priced WHERE id = 2;', [])).toEqual([]);
});
