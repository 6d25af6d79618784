// Commands of the catalog to a processor: once each, whatever is repeated, late, cut short or evicted.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import {
  catalogOf,
  type CatalogPort,
  processorAt,
  type ProcessorPort,
  type ProcessorStatus,
} from '../../edge/env.ts';
import { catalogName, processorName } from '../../edge/names.ts';
import type { CatalogEffect } from '../../edge/objects/catalog-effects.ts';
import { Lines } from '../../edge/rows.ts';
import { unwrap } from '../../edge/wire.ts';
import { decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import { OBJECTS_ASKED_MAX } from '../../runtime/base/limits.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { until } from './objects.ts';

const TASK = 'CTAS_NAMED_2/0/0';
const NOBODY = {
  properties: new Map<string, string>(),
  variables: new Map<string, string>(),
};
const WIDER = 'CREATE OR REPLACE TABLE named AS SELECT id, name, age FROM users;';

/** A table of names over a table of users, of a tenant of its own. */
class Pipeline {
  readonly tenant: string;
  readonly task: string;
  readonly log: RemoteLog;
  readonly processor: DurableObjectStub;
  readonly catalog: DurableObjectStub;

  constructor(tenant: string, task = TASK) {
    this.tenant = tenant;
    this.task = task;
    this.log = new RemoteLog({ env, tenant });
    this.processor = env.PROCESSOR.get(env.PROCESSOR.idFromName(processorName(tenant, task)));
    this.catalog = env.CATALOG.get(env.CATALOG.idFromName(catalogName(tenant)));
  }

  static async start(tenant: string): Promise<Pipeline> {
    const made = new Pipeline(tenant);
    await made.execute(`CREATE TABLE users (id INT PRIMARY KEY, name STRING, age INT)
        WITH (KAFKA_TOPIC='users', PARTITIONS=1, VALUE_FORMAT='JSON');
      CREATE TABLE named AS SELECT id, name FROM users;`);
    return made;
  }

  async execute(sql: string): Promise<void> {
    const { tenant } = this;
    const { failed } = await unwrap(catalogOf(env, tenant).execute(tenant, { sql, ...NOBODY }));
    if (failed !== null) throw new Error(failed.error.message);
  }

  async append(id: number, name: string, age: number): Promise<void> {
    const value = encodeUtf8(JSON.stringify({ NAME: name, AGE: age }));
    const key = new Uint8Array(new Int32Array([id]).buffer).reverse();
    await this.log.append({ topic: 'users', partition: 0 }, singleRecord(key, value, age));
  }

  /** Values of the table's changes. */
  async changes(topic = 'NAMED'): Promise<unknown[]> {
    const { batches } = await this.log.read({ topic, partition: 0 }, 0, 1_000_000);
    return batches.flatMap(({ bytes, count }) => {
      const records = parseRecordBatch(bytes);
      return Array.from({ length: count }, (_, i) =>
        JSON.parse(decodeUtf8(records.value(i) ?? encodeUtf8('null'))),
      );
    });
  }

  async caughtUp(count: number): Promise<void> {
    await until(async () => (await this.changes()).length >= count);
  }

  async prepared(sql: string) {
    const prepared = await unwrap(catalogOf(env, this.tenant).prepare({ sql, ...NOBODY }));
    if (prepared.kind !== 'pull') throw new Error('a pull query was asked');
    return prepared;
  }

  async pull(sql: string): Promise<string[]> {
    const { pull, planned } = await this.prepared(sql);
    const rows = await unwrap(processorAt(env, this.tenant, this.task).pull(pull, planned));
    return [...new Lines(rows.lines).next(Infinity)];
  }

  async status(): Promise<ProcessorStatus> {
    const status = await unwrap(processorAt(env, this.tenant, this.task).status());
    if (status === null) throw new Error('the task is there');
    return status;
  }

  /** Runs statements of SQLite in the processor. */
  async within(sql: string): Promise<void> {
    await runInDurableObject(this.processor, (_, { storage }) => void storage.sql.exec(sql));
  }

  /** What the catalog has still to tell other objects. */
  async pending(): Promise<CatalogEffect[]> {
    return runInDurableObject(this.catalog, (_, { storage }) =>
      storage.sql
        .exec<{ call: string }>('SELECT call FROM effect ORDER BY id')
        .toArray()
        .map(({ call }) => JSON.parse(call) as CatalogEffect),
    );
  }
}

test('a paused task is paused after an eviction, takes no wake-up as work and keeps its state', async () => {
  const made = await Pipeline.start('paused');
  await made.append(1, 'ann', 30);
  await made.caughtUp(1);
  await made.execute('PAUSE ALL;');
  const { offsets } = await made.status();
  await made.append(2, 'bob', 40);
  await evictDurableObject(made.processor);
  expect(await made.status()).toMatchObject({ state: 'PAUSED', pending: false, offsets });
  const port = processorAt(env, made.tenant, TASK);
  expect(await unwrap(port.wake({ topic: 'users', partition: 0 }, 2, null))).toBe(true);
  expect(await made.status()).toMatchObject({ pending: false });
  await runDurableObjectAlarm(made.catalog);
  await scheduler.wait(50);
  expect(await made.status()).toMatchObject({ state: 'PAUSED', pending: false, offsets });
  expect(await made.pull('SELECT name FROM named;')).toEqual(['["ann"]']);
  await made.execute('RESUME ALL;');
  await made.caughtUp(2);
  expect(await made.status()).toMatchObject({ state: 'RUNNING' });
});

test('a sweep wakes every task, OBJECTS_ASKED_MAX at a time, though some do not answer', async () => {
  const made = new Pipeline('swept');
  const tasks = 2 * OBJECTS_ASKED_MAX;
  await made.execute(`CREATE STREAM clicks (k STRING KEY, v INT)
      WITH (KAFKA_TOPIC='clicks', PARTITIONS=${tasks}, VALUE_FORMAT='JSON');
    CREATE TABLE counts AS SELECT k, COUNT(*) AS n FROM clicks GROUP BY k;`);
  const woken: string[] = [];
  let [underWay, most] = [0, 0];
  const namespace = {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      wake: async () => {
        woken.push(name);
        most = Math.max(most, (underWay += 1));
        await scheduler.wait(1);
        underWay -= 1;
        if (woken.length % 3 === 0) throw new Error('no answer');
        return { ok: true, value: true };
      },
    }),
  };
  // What the statements have armed has been, and the next sweep is a minute away.
  await runDurableObjectAlarm(made.catalog);
  await runInDurableObject(made.catalog, async (object) => {
    const catalog = object as unknown as { env: object; alarm(): Promise<void> };
    const own = catalog.env;
    catalog.env = { ...own, PROCESSOR: namespace };
    await catalog.alarm();
    catalog.env = own;
  });
  expect(new Set(woken).size).toBe(tasks);
  expect([woken.length, most]).toEqual([tasks, OBJECTS_ASKED_MAX]);
});

test('a task that does not answer is told of as that, and hides no other one', async () => {
  const made = await Pipeline.start('unanswered');
  await made.execute(`CREATE TABLE aged AS SELECT id, age FROM users;`);
  const dead = processorName(made.tenant, TASK);
  const lists = await runInDurableObject(made.catalog, async (object) => {
    const catalog = object as unknown as { env: typeof env } & CatalogPort;
    const own = catalog.env;
    const status = () => Promise.reject(new Error('no answer'));
    const namespace = {
      idFromName: (name: string) => name,
      get: (name: string) =>
        name === dead ? { status } : own.PROCESSOR.get(own.PROCESSOR.idFromName(name)),
    };
    catalog.env = { ...own, PROCESSOR: namespace as unknown as typeof own.PROCESSOR };
    const sql = 'SHOW QUERIES; DESCRIBE named;';
    const shown = await unwrap(catalog.execute(made.tenant, { sql, ...NOBODY }));
    const queries = await unwrap(catalog.queries(made.tenant));
    catalog.env = own;
    return { shown, queries };
  });
  const states = [
    { id: 'CTAS_NAMED_2', state: 'UNRESPONSIVE' },
    { id: 'CTAS_AGED_3', state: 'RUNNING' },
  ];
  expect(lists.queries).toMatchObject(states);
  expect(lists.queries.map(({ tasks }) => tasks[0]?.status === null)).toEqual([true, false]);
  expect(lists.shown.failed).toBeNull();
  expect(lists.shown.entities).toMatchObject([
    { queries: states },
    { sourceDescription: { writeQueries: [states[0]] } },
  ]);
});

test('commands that come again or late change nothing', async () => {
  const made = await Pipeline.start('late');
  await made.append(1, 'ann', 30);
  await made.caughtUp(1);
  const port = processorAt(env, made.tenant, TASK);
  await made.execute('PAUSE ALL; RESUME ALL;');
  // The statements are numbered 1 to 4.
  await unwrap(port.pause(true, 3));
  expect(await made.status()).toMatchObject({ state: 'RUNNING' });
  await made.execute('DROP TABLE named;');
  expect(await unwrap(port.status())).toBeNull();
  await unwrap(port.pause(false, 4));
  await unwrap(port.remove(5));
  expect(await unwrap(port.wake({ topic: 'users', partition: 0 }, 1, null))).toBe(false);
  const left = await runInDurableObject(made.processor, (_, { storage }) =>
    ['process', 'task', 'delta', 'page', 'outbox'].map(
      (table) => storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n,
    ),
  );
  expect(left).toEqual([0, 0, 0, 0, 0]);
});

test('a query that is replaced has its rows in their new columns at once', async () => {
  const made = await Pipeline.start('wider');
  await made.append(1, 'ann', 30);
  await made.append(2, 'bob', 40);
  await made.caughtUp(2);
  await made.execute(WIDER);
  expect(await made.pull('SELECT * FROM named;')).toEqual(['[1,"ann",null]', '[2,"bob",null]']);
  await made.append(2, 'bob', 41);
  await made.caughtUp(3);
  expect((await made.changes())[2]).toEqual({ NAME: 'bob', AGE: 41 });
  await evictDurableObject(made.processor);
  expect(await made.pull('SELECT * FROM named;')).toEqual(['[1,"ann",null]', '[2,"bob",41]']);
});

test('a paused query that is replaced moves its rows and stays paused', async () => {
  const made = await Pipeline.start('asleep');
  await made.append(1, 'ann', 30);
  await made.caughtUp(1);
  await made.execute(`PAUSE ALL; ${WIDER}`);
  expect(await made.pull('SELECT * FROM named;')).toEqual(['[1,"ann",null]']);
  expect(await made.status()).toMatchObject({ state: 'PAUSED', pending: false });
});

/** A step of the transaction that replaces a plan, and how it is made to fail. */
const STEPS = [
  ['the plan', "BEFORE INSERT ON process BEGIN SELECT RAISE(ABORT, 'no'); END"],
  ['the number of the command', "BEFORE INSERT ON command BEGIN SELECT RAISE(ABORT, 'no'); END"],
  ['the rows', "BEFORE INSERT ON delta BEGIN SELECT RAISE(ABORT, 'no'); END"],
  ['the position', "BEFORE UPDATE OF position ON task BEGIN SELECT RAISE(ABORT, 'no'); END"],
] as const;

test.each(STEPS)(
  'a replacement that fails at %s leaves the old query whole, and is repeated',
  async (what, trigger) => {
    const made = await Pipeline.start(`cut-${what.replaceAll(' ', '-')}`);
    await made.append(1, 'ann', 30);
    await made.caughtUp(1);
    await made.within(`CREATE TRIGGER refuse ${trigger}`);
    await made.execute(WIDER);
    expect(await made.pending()).toMatchObject([{ effect: 'start' }]);
    const plan = async () =>
      runInDurableObject(
        made.processor,
        (_, { storage }) =>
          storage.sql.exec<{ plan: string }>('SELECT plan FROM process').one().plan,
      );
    expect(await plan()).not.toContain('"moved"');
    // The new plan is known to the catalog and not yet to the processor: no rows rather than those of another plan.
    await expect(made.pull('SELECT * FROM named;')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await evictDurableObject(made.processor);
    await made.within('DROP TRIGGER refuse');
    await made.append(1, 'ann', 31);
    await until(async () => {
      await runDurableObjectAlarm(made.catalog);
      return (await made.pending()).length === 0;
    });
    expect(await plan()).toContain('"moved"');
    await until(
      async () =>
        (await made.pull('SELECT * FROM named;')).includes('[1,"ann",31]') ||
        (await made.changes()).length === 2,
    );
    await made.append(2, 'bob', 40);
    await until(async () => (await made.pull('SELECT * FROM named;')).length === 2);
    expect((await made.pull('SELECT * FROM named;'))[1]).toBe('[2,"bob",40]');
  },
);

test('a pull query whose plan is replaced while it is answered is told so, and has no rows of both', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const made = await Pipeline.start(`pulled-${turns}`);
    await made.append(1, 'ann', 30);
    await made.caughtUp(1);
    const { pull, planned } = await made.prepared('SELECT * FROM named;');
    await made.within(
      "CREATE TRIGGER refuse BEFORE INSERT ON process BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    await made.execute(WIDER);
    const [effect] = await made.pending();
    if (effect?.effect !== 'start') throw new Error('the plan is to be replaced');
    await made.within('DROP TRIGGER refuse');
    const answer = await runInDurableObject(made.processor, async (object) => {
      const processor = object as unknown as ProcessorPort;
      const starting = processor.start(effect.spec);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const pulled = await processor.pull(pull, planned);
      await starting;
      return pulled;
    });
    const rows = answer.ok ? [...new Lines(answer.value.lines).next(Infinity)] : ['[1,"ann"]'];
    expect(rows).toEqual(['[1,"ann"]']);
    expect(answer).toMatchObject(answer.ok ? {} : { error: { code: 'UNAVAILABLE' } });
  }
});

test('a command that comes twice moves rows once', async () => {
  const made = await Pipeline.start('twice');
  await made.append(1, 'ann', 30);
  await made.caughtUp(1);
  await made.execute(WIDER);
  await made.append(1, 'ann', 31);
  await made.caughtUp(2);
  const spec = await runInDurableObject(made.processor, (_, { storage }) =>
    storage.sql
      .exec<{ tenant: string; object: string; task: string; plan: string }>('SELECT * FROM process')
      .one(),
  );
  const { tenant, object } = spec;
  const [task, plan] = [JSON.parse(spec.task), JSON.parse(spec.plan)];
  const again = { tenant, object, task, plan, planned: 3, paused: true };
  await unwrap(processorAt(env, made.tenant, TASK).start(again));
  expect(await made.status()).toMatchObject({ state: 'RUNNING' });
  expect(await made.pull('SELECT * FROM named;')).toEqual(['[1,"ann",31]']);
});

test('state that is damaged in its object is made again, and nothing is sent twice', async () => {
  const made = new Pipeline('damaged', 'CTAS_COUNTS_2/0/0');
  await made.execute(`CREATE STREAM clicks (k STRING KEY, v INT)
      WITH (KAFKA_TOPIC='clicks', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE counts AS SELECT k, COUNT(*) AS n FROM clicks GROUP BY k;`);
  const click = (k: string): Promise<unknown> =>
    made.log.append(
      { topic: 'clicks', partition: 0 },
      singleRecord(encodeUtf8(k), encodeUtf8('{"V":1}'), 0),
    );
  for (const k of ['a', 'b', 'a']) await click(k);
  await until(async () => (await made.changes('COUNTS')).length === 3);
  // The last bytes of a delta are those of a value: its checksum does not agree any more.
  await made.within(
    "UPDATE delta SET data = CAST(substr(data, 1, length(data) - 1) || x'7F' AS BLOB)",
  );
  await evictDurableObject(made.processor);
  await click('b');
  await until(async () => (await made.changes('COUNTS')).length >= 4);
  expect(await made.changes('COUNTS')).toEqual([1, 1, 2, 2].map((N) => ({ N })));
  expect(await made.pull('SELECT * FROM counts;')).toEqual(['["a",2]', '["b",2]']);
  expect(await made.status()).toMatchObject({
    state: 'RUNNING',
    counters: expect.arrayContaining([{ name: 'in', value: 4 }]),
  });
  expect(await made.changes('__processing_log')).toMatchObject([{ code: 'REBUILT', offset: 3 }]);
});

test('a query over damaged state is replaced all the same', async () => {
  const made = await Pipeline.start('torn');
  await made.append(1, 'ann', 30);
  await made.caughtUp(1);
  await made.within(
    "UPDATE delta SET data = CAST(substr(data, 1, length(data) - 1) || x'7F' AS BLOB)",
  );
  await evictDurableObject(made.processor);
  await made.execute(WIDER);
  // What is to be done about the state is the task's to say; the command is carried out.
  await vi.waitFor(async () => expect(await made.pending()).toEqual([]), 5000);
});

test('of statements that make one name at the same time one wins', async () => {
  const tenant = 'race';
  const sql = `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');`;
  const outcomes = await Promise.all(
    Array.from({ length: 16 }, () =>
      unwrap(catalogOf(env, tenant).execute(tenant, { sql, ...NOBODY })),
    ),
  );
  const failed = outcomes.flatMap((outcome) => outcome.failed ?? []);
  expect(failed).toHaveLength(15);
  for (const { error } of failed) expect(error).toMatchObject({ code: 'ALREADY_EXISTS' });
});
