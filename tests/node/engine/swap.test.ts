// ALTER ... SWAP WITH: a query that was made beside another one takes its place once it has caught up.

import { expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { Store } from '../../../runtime/ports/store.ts';
import { refusal } from '../../support/refusal.ts';

const SALES = `SET 'auto.offset.reset' = 'earliest';
  CREATE STREAM sales (shop STRING KEY, product STRING, cents BIGINT)
    WITH (KAFKA_TOPIC='sales', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE TABLE totals AS SELECT shop, SUM(cents) AS cents FROM sales GROUP BY shop;`;
const NEXT = `CREATE TABLE totals_next AS
  SELECT product, SUM(cents) AS cents, COUNT(*) AS n FROM sales GROUP BY product;`;
const SWAP = 'ALTER TABLE totals SWAP WITH totals_next';

async function rows(engine: Engine, sql: string): Promise<unknown[]> {
  await using answer = await engine.query(sql);
  return await answer.all();
}

function sales(from: number, count: number) {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return { shop: `shop ${n % 3}`, product: `product ${n % 7}`, cents: n };
  });
}

function sumOf(rows: readonly { readonly product: string; readonly cents: number }[]): number {
  return rows.reduce((sum, { product, cents }) => sum + (product === 'product 1' ? cents : 0), 0);
}

test('another aggregate is made beside a running one and takes its name with all that came meanwhile', async () => {
  const host = memoryHost();
  const all = sales(0, 30_000);
  {
    await using engine = await open({ host });
    await engine.execute(SALES);
    await engine.insert('sales', all.slice(0, 20_000));
    await engine.execute(NEXT);
    await engine.insert('sales', all.slice(20_000));
    const [status] = await engine.execute(`${SWAP} TIMEOUT 1 MINUTE;`);
    expect(status).toMatchObject({
      commandId: 'table/TOTALS/alter',
      commandStatus: { status: 'SUCCESS', message: 'Tables TOTALS and TOTALS_NEXT swapped.' },
    });
    // Nothing is waited for behind the swap: it has waited for it.
    expect(await rows(engine, "SELECT * FROM totals WHERE product = 'product 1';")).toEqual([
      { PRODUCT: 'product 1', CENTS: sumOf(all), N: 4286 },
    ]);
  }
  await using engine = await open({ host });
  await engine.insert('sales', { shop: 'shop 0', product: 'product 1', cents: 1 });
  await engine.idle();
  expect(await rows(engine, "SELECT * FROM totals WHERE product = 'product 1';")).toEqual([
    { PRODUCT: 'product 1', CENTS: sumOf(all) + 1, N: 4287 },
  ]);
  expect(await rows(engine, "SELECT * FROM totals_next WHERE shop = 'shop 0';")).toEqual([
    { SHOP: 'shop 0', CENTS: 149_985_001 },
  ]);
  await engine.execute('DROP TABLE totals_next DELETE TOPIC;');
  expect([...engine.catalog.queries.keys()]).toEqual(['CTAS_TOTALS_NEXT_2']);
  expect(engine.catalog.source('TOTALS').topic).toBe('TOTALS_NEXT');
});

test('queries go on with what they read, under its other name', async () => {
  const host = memoryHost();
  {
    await using engine = await open({ host });
    await engine.execute(`${SALES} ${NEXT}
      CREATE TABLE large AS SELECT * FROM totals WHERE cents > 100;`);
    await using push = await engine.query('SELECT shop, cents FROM totals EMIT CHANGES;');
    await engine.execute(`${SWAP};`);
    await engine.insert('sales', { shop: 'here', product: 'this', cents: 500 });
    await engine.idle();
    expect(await rows(engine, "SELECT * FROM large WHERE shop = 'here';")).toEqual([
      { SHOP: 'here', CENTS: 500 },
    ]);
    expect((await push[Symbol.asyncIterator]().next()).value).toMatchObject({ SHOP: 'here' });
  }
  await using engine = await open({ host });
  const { message } = await refusal(engine, 'DROP TABLE totals_next;');
  expect(message).toContain('TOTALS_NEXT is in use by CTAS_LARGE_3; LARGE is made from it');
  const [described] = await engine.execute('DESCRIBE totals;');
  expect(described).toMatchObject({
    sourceDescription: { readQueries: [], writeQueries: [{ id: 'CTAS_TOTALS_NEXT_2' }] },
  });
  // A query of now reads what has the name now.
  await engine.execute('CREATE TABLE many AS SELECT * FROM totals WHERE n > 0;');
  await engine.idle();
  expect(await rows(engine, "SELECT * FROM many WHERE product = 'this';")).toEqual([
    { PRODUCT: 'this', CENTS: 500, N: 1 },
  ]);
});

test('two streams of topics exchange their names as they are', async () => {
  await using engine = await open();
  for (const name of ['a', 'b'])
    await engine.execute(`CREATE STREAM ${name} (k STRING KEY, ${name}1 INT)
      WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  await engine.execute("ALTER STREAM a SWAP WITH b; INSERT INTO a (k, b1) VALUES ('x', 1);");
  const [record] = await engine.topicRecords('b');
  expect(new TextDecoder().decode(record?.value ?? new Uint8Array())).toBe('{"B1":1}');
  await engine.execute('ALTER STREAM a SWAP WITH b;');
  expect(engine.catalog.source('A').topic).toBe('a');
});

/** A store whose commits of one query wait until they are let go. */
function heldStore(
  store: Store,
  query: string,
): { readonly store: Store; readonly go: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const commit: Store['commit'] = async (...given) => {
    if (given[0].startsWith(`${query}/`)) await promise;
    return store.commit(...given);
  };
  const held = new Proxy(store, {
    get(of, name) {
      if (name === 'commit') return commit;
      const value: unknown = Reflect.get(of, name, of);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });
  return { store: held, go: resolve };
}

test('what has not caught up keeps its name until it has', async () => {
  const memory = memoryHost();
  const { store, go } = heldStore(memory.store, 'CSAS_CLEAN_2');
  await using engine = await open({ host: { ...memory, store } });
  await engine.execute(`${SALES}
    CREATE STREAM clean AS SELECT * FROM sales WHERE cents > 0;
    CREATE TABLE totals_next AS SELECT product, COUNT(*) AS n FROM clean GROUP BY product;`);
  await engine.insert('sales', { shop: 'here', product: 'this', cents: 5 });
  const { message, hint } = await refusal(engine, `${SWAP} TIMEOUT 20 MILLISECONDS;`);
  expect(message).toMatch(
    /^the query CSAS_CLEAN_2 has not caught up: it has 1 records of topic 'sales', partition [01], to read$/,
  );
  expect(hint).toContain('TIMEOUT');
  expect(engine.catalog.source('TOTALS').topic).toBe('TOTALS');
  const swapped = engine.execute(`${SWAP} TIMEOUT 1 MINUTE;`);
  go();
  await swapped;
  expect(await rows(engine, "SELECT * FROM totals WHERE product = 'this';")).toEqual([
    { PRODUCT: 'this', N: 1 },
  ]);
});

test('the topic of what has another name now is not written by a second query', async () => {
  await using engine = await open();
  await engine.execute(`${SALES} ${NEXT} ${SWAP}; DROP TABLE totals_next DELETE TOPIC;`);
  const { message, hint } = await refusal(engine, NEXT);
  expect(message).toContain(
    'the topic TOTALS_NEXT is written by CTAS_TOTALS_NEXT_2, which makes TOTALS',
  );
  expect(hint).toContain('KAFKA_TOPIC');
  await engine.insert('sales', { shop: 'here', product: 'this', cents: 5 });
  await engine.idle();
  // What is replaced stays where it is.
  await engine.execute(`CREATE OR REPLACE TABLE totals AS
    SELECT product, SUM(cents) AS cents, COUNT(*) AS n FROM sales WHERE cents < 9 GROUP BY product;
    CREATE TABLE totals_next WITH (KAFKA_TOPIC='totals_3') AS
      SELECT shop, COUNT(*) AS n FROM sales GROUP BY shop;`);
  await engine.insert('sales', { shop: 'here', product: 'this', cents: 9 });
  await engine.execute(`${SWAP};`);
  expect(await rows(engine, 'SELECT * FROM totals;')).toEqual([{ SHOP: 'here', N: 2 }]);
  expect(await rows(engine, 'SELECT * FROM totals_next;')).toEqual([
    { PRODUCT: 'this', CENTS: 5, N: 1 },
  ]);
});

test('while it waits others are answered, and what they change is seen', async () => {
  const memory = memoryHost();
  const { store, go } = heldStore(memory.store, 'CTAS_TOTALS_NEXT_2');
  await using engine = await open({ host: { ...memory, store } });
  await engine.execute(`${SALES} ${NEXT}`);
  await engine.insert('sales', { shop: 'here', product: 'this', cents: 5 });
  const swapped = engine.execute(`${SWAP} TIMEOUT 1 MINUTE; SHOW TABLES;`);
  await expect
    .poll(() => rows(engine, "SELECT cents FROM totals WHERE shop = 'here';"))
    .toEqual([{ CENTS: 5 }]);
  await engine.execute(`CREATE TABLE large AS SELECT * FROM totals WHERE cents > 100;`);
  go();
  const [, shown] = await swapped;
  expect(shown).toMatchObject({ tables: [{ name: 'TOTALS' }, {}, { name: 'LARGE' }] });
  expect(engine.catalog.queries.get('CTAS_LARGE_3')?.reads).toEqual(['TOTALS_NEXT']);
});

test('what was changed while it waited is not swapped', async () => {
  const memory = memoryHost();
  const { store, go } = heldStore(memory.store, 'CTAS_TOTALS_NEXT_2');
  await using engine = await open({ host: { ...memory, store } });
  await engine.execute(`${SALES} ${NEXT}`);
  await engine.insert('sales', { shop: 'here', product: 'this', cents: 5 });
  const refused = refusal(engine, `${SWAP} TIMEOUT 1 MINUTE;`);
  await engine.execute(`CREATE OR REPLACE TABLE totals AS
    SELECT shop, SUM(cents) AS cents FROM sales WHERE cents > 0 GROUP BY shop;`);
  go();
  expect((await refused).message).toContain('TOTALS was changed meanwhile');
});

test('an engine that is closed waits no longer', async () => {
  const memory = memoryHost();
  const { store, go } = heldStore(memory.store, 'CTAS_TOTALS_NEXT_2');
  const engine = await open({ host: { ...memory, store } });
  await engine.execute(`${SALES} ${NEXT}`);
  await engine.insert('sales', { shop: 'here', product: 'this', cents: 5 });
  const refused = engine.execute(`${SWAP} TIMEOUT 10 MINUTES;`).catch((thrown: unknown) => thrown);
  const closed = engine.close();
  go();
  await closed;
  expect(await refused).toMatchObject({ code: 'UNAVAILABLE', message: 'the engine is closed' });
});

test.each([
  ['ALTER TABLE totals SWAP WITH totals;', 'TOTALS cannot be swapped with itself'],
  ['ALTER TABLE totals SWAP WITH sales;', 'SALES is a stream'],
  ['ALTER STREAM totals SWAP WITH sales;', 'TOTALS is a table'],
  ['ALTER TABLE totals SWAP WITH nothing;', 'there is no stream or table NOTHING'],
  ['ALTER STREAM sales SWAP WITH ksql_processing_log;', "millrace's own"],
  [`${SWAP} TIMEOUT 11 MINUTES;`, 'waits at most 600000 ms (STATEMENT_WAIT_MS_MAX)'],
  [`${SWAP};`, 'the query CTAS_TOTALS_NEXT_2 is PAUSED'],
])('%s is refused: %s', async (sql, why) => {
  await using engine = await open();
  await engine.execute(`${SALES} ${NEXT} PAUSE CTAS_TOTALS_NEXT_2;`);
  expect((await refusal(engine, sql)).message).toContain(why);
});

test('a statement waits up to STATEMENT_WAIT_MS_MAX', async () => {
  await using engine = await open();
  await engine.execute(`${SALES} ${NEXT} ${SWAP} TIMEOUT 10 MINUTES;`);
  expect(engine.catalog.source('TOTALS').topic).toBe('TOTALS_NEXT');
});
