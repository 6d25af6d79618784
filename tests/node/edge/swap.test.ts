// ALTER ... SWAP WITH over HTTP: a query beside a running one takes its place under load, and clients go on with what they read.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, send, until } from '../../support/edge-client.ts';
import { EventReader } from '../../support/event-source.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const ksql = (text: string): Promise<Answer> => send(edge, 'POST', '/ksql', { ksql: text });

/** A stream, a table over it and one that is to take its place, whose rows go through a topic of their own. */
async function pipeline(name: string): Promise<void> {
  const { text, status } = await ksql(`SET 'auto.offset.reset' = 'earliest';
    CREATE STREAM ${name} (shop STRING KEY, product STRING, cents BIGINT)
      WITH (KAFKA_TOPIC='${name}', PARTITIONS=3, VALUE_FORMAT='JSON');
    CREATE TABLE ${name}_totals AS SELECT shop, SUM(cents) AS cents FROM ${name} GROUP BY shop;
    CREATE TABLE ${name}_next AS
      SELECT product, SUM(cents) AS cents, COUNT(*) AS n FROM ${name} GROUP BY product;`);
  expect(status, text).toBe(200);
}

async function sell(name: string, from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => ({
    key: `shop ${(from + i) % 5}`,
    value: { product: `product ${(from + i) % 7}`, cents: from + i },
  }));
  const { status, text } = await send(edge, 'POST', `/topics/${name}/records`, { records });
  expect(status, text).toBe(200);
}

async function pulled(sql: string): Promise<unknown> {
  const { text } = await send(edge, 'POST', '/query', { ksql: sql });
  return text;
}

test('under load, and with nothing missing of what had come before', async () => {
  await pipeline('sold');
  let sent = 0;
  const selling = new AbortController();
  const seller = (async () => {
    for (; !selling.signal.aborted; sent += 500) await sell('sold', sent, 500);
  })();
  await until(() => Promise.resolve(sent >= 5_000));
  const before = sent;
  const { body, text } = await ksql(
    'ALTER TABLE sold_totals SWAP WITH sold_next TIMEOUT 1 MINUTE;',
  );
  expect(body, text).toMatchObject([
    { commandStatus: { message: 'Tables SOLD_TOTALS and SOLD_NEXT swapped.' } },
  ]);
  const row = await pulled("SELECT n FROM sold_totals WHERE product = 'product 1';");
  const [, n] = /"columns":\[(\d+)\]/.exec(String(row)) ?? [];
  expect(Number(n)).toBeGreaterThanOrEqual(Math.floor(before / 7));
  selling.abort();
  await seller;
  const [query] = (await ksql('DESCRIBE sold_totals;')).body as [
    { sourceDescription: { topic: string; writeQueries: readonly { id: string }[] } },
  ];
  expect(query.sourceDescription.topic).toBe('SOLD_NEXT');
  await edge.kill();
  await edge.restart();
  const all = Array.from({ length: sent }, (_, i) => i).filter((i) => i % 7 === 1);
  const sum = all.reduce((total, cents) => total + cents, 0);
  await expect
    .poll(() => pulled("SELECT * FROM sold_totals WHERE product = 'product 1';"))
    .toContain(`["product 1",${sum},${all.length}]`);
  expect(await pulled("SELECT * FROM sold_next WHERE shop = 'shop 1';")).toContain('"shop 1"');
  expect((await ksql('DROP TABLE sold_next DELETE TOPIC;')).status).toBe(200);
  expect((await ksql('SHOW QUERIES;')).text).toContain(query.sourceDescription.writeQueries[0]?.id);
});

test('a query that runs goes on; one that comes back behind a cut is told to begin anew', async () => {
  await pipeline('cut');
  await sell('cut', 0, 50);
  const sql = 'SELECT * FROM cut_totals EMIT CHANGES;';
  const properties = { 'auto.offset.reset': 'earliest' };
  await using reader = await EventReader.open(`${edge.url}/query-stream`, {
    body: { sql, properties },
  });
  expect((await reader.next())?.data).toContain('SHOP');
  const first = await reader.next();
  const swap = 'ALTER TABLE cut_totals SWAP WITH cut_next TIMEOUT 1 MINUTE;';
  expect((await ksql(swap)).status).toBe(200);
  await sell('cut', 50, 5);
  let event = first;
  while (event?.data.includes('["shop 4",319]') === false) event = await reader.next();
  expect(event).not.toBeNull();
  const again = await send(edge, 'POST', '/query-stream', { sql, properties, token: first?.id });
  expect(again).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('it is of another statement') },
  });
});
