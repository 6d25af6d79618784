// Statements whose change is made, and what follows it is refused by the host: what is said of the query then, and how it goes on.

import { expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { Life } from '../../../runtime/memory/faults.ts';
import { type MemoryHost, memoryHost } from '../../../runtime/memory/memory-host.ts';
import { NearWorkers } from '../../support/near-workers.ts';

const STREAM = `SET 'auto.offset.reset' = 'earliest';
  CREATE STREAM s (k STRING KEY, a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM o (a INT) WITH (KAFKA_TOPIC='T', PARTITIONS=2, VALUE_FORMAT='JSON');`;
const TABLE = 'CREATE TABLE t AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;';
const REFUSED = { code: 'UNAVAILABLE' };

/** An engine whose ports refuse the operations that are named, each of them so often. */
async function failing(workers = 1): Promise<{
  readonly engine: Engine;
  readonly host: MemoryHost;
  readonly refuse: (operation: string, times?: number) => void;
}> {
  const host = memoryHost();
  const refused = new Map<string, number>();
  const at = (operation: string): 'unavailable' | 'none' => {
    const left = refused.get(operation) ?? 0;
    refused.set(operation, left - 1);
    return left > 0 ? 'unavailable' : 'none';
  };
  const life = new Life({ at }, () => undefined);
  const store = Object.assign(life.store(host.store), { delivers: true });
  const log = life.log(host.log);
  const engine = await open({ host: { ...host, log, store, workers: new NearWorkers() }, workers });
  const refuse = (operation: string, times = 1): void => void refused.set(operation, times);
  return { engine, host, refuse };
}

async function statesOf(engine: Engine): Promise<unknown> {
  const [shown] = await engine.execute('SHOW QUERIES;');
  const queries = shown?.['queries'] as readonly { readonly id: string; readonly state: string }[];
  return queries.map(({ id, state }) => `${id} ${state}`);
}

const counted = async (engine: Engine): Promise<unknown> =>
  (await engine.query('SELECT * FROM t;')).all();

test('a query whose topics cannot be made is in ERROR until it is resumed', async () => {
  const { engine, host, refuse } = await failing();
  await engine.execute(STREAM);
  await engine.insert('s', { k: 'x', a: 1 });
  refuse('log.create');
  await expect(engine.execute(TABLE)).rejects.toMatchObject(REFUSED);
  expect(await statesOf(engine)).toEqual(['CTAS_T_1 ERROR']);
  expect(engine.errorOf('CTAS_T_1')).toMatchObject(REFUSED);
  await expect(engine.idle()).rejects.toMatchObject(REFUSED);
  await engine.execute('RESUME CTAS_T_1;');
  expect(await statesOf(engine)).toEqual(['CTAS_T_1 RUNNING']);
  await engine.idle();
  expect(await counted(engine)).toEqual([{ A: 1, N: 1 }]);
  await engine.execute('TERMINATE CTAS_T_1;');
  expect(host.store.tasks.size).toBe(0);
  await engine.close();
});

test('nor does one that is terminated before leave anything behind', async () => {
  const { engine, host, refuse } = await failing();
  await engine.execute(STREAM);
  refuse('log.create');
  await expect(engine.execute(TABLE)).rejects.toMatchObject(REFUSED);
  await engine.execute('TERMINATE CTAS_T_1;');
  await engine.idle();
  expect((await host.log.list()).filter(({ name }) => name.includes('CTAS_T_1'))).toEqual([]);
  await engine.close();
});

test('one that cannot be resumed is in ERROR, the others go on, and the next RESUME tries again', async () => {
  const { engine, refuse } = await failing();
  await engine.execute(`${STREAM} ${TABLE} CREATE STREAM u AS SELECT * FROM s; PAUSE ALL;`);
  await engine.insert('s', { k: 'x', a: 1 });
  // Its topic between the tasks is looked for.
  refuse('log.describe');
  await expect(engine.execute('RESUME ALL;')).rejects.toMatchObject(REFUSED);
  expect(await statesOf(engine)).toEqual(['CTAS_T_1 ERROR', 'CSAS_U_2 RUNNING']);
  await engine.execute('RESUME ALL;');
  await engine.idle();
  expect(await statesOf(engine)).toEqual(['CTAS_T_1 RUNNING', 'CSAS_U_2 RUNNING']);
  expect(await counted(engine)).toEqual([{ A: 1, N: 1 }]);
  await engine.close();
});

test('of queries that are terminated together all end, though what one leaves cannot be removed', async () => {
  const { engine, host, refuse } = await failing();
  await engine.execute(`${STREAM} ${TABLE} CREATE STREAM u AS SELECT * FROM s;`);
  await engine.idle();
  refuse('store.remove');
  await expect(engine.execute('TERMINATE ALL;')).rejects.toMatchObject(REFUSED);
  await engine.insert('s', { k: 'x', a: 1 });
  await engine.idle();
  expect((await host.log.bounds({ topic: 'U', partition: 0 })).highWatermark).toBe(0);
  expect((await host.log.bounds({ topic: 'U', partition: 1 })).highWatermark).toBe(0);
  await engine.close();
});

test.each([1, 2])(
  'a paused query that is replaced while its state cannot be read is in ERROR until it is resumed, workers: %i',
  async (workers) => {
    const { engine, refuse } = await failing(workers);
    const named = (columns: string): string =>
      `CREATE OR REPLACE TABLE named AS SELECT ${columns} FROM users;`;
    await engine.execute(`SET 'auto.offset.reset' = 'earliest';
    CREATE TABLE users (id INT PRIMARY KEY, name STRING, age INT)
      WITH (KAFKA_TOPIC='users', PARTITIONS=2, VALUE_FORMAT='JSON'); ${named('id, name')}`);
    await engine.insert('users', { id: 1, name: 'ann', age: 30 });
    await engine.idle();
    await engine.execute('PAUSE ALL;');
    refuse('store.load');
    const replaced = engine.execute(named('id, name, age'));
    await expect(replaced).rejects.toMatchObject(REFUSED);
    expect(await statesOf(engine)).toEqual(['CTAS_NAMED_1 ERROR']);
    await engine.execute('RESUME ALL;');
    await engine.idle();
    expect(await (await engine.query('SELECT * FROM named;')).all()).toEqual([
      { ID: 1, NAME: 'ann', AGE: null },
    ]);
    await engine.close();
  },
);
