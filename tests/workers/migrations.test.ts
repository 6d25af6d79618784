// Migrations in the SQLite of an object: what is remembered, in which order, and how much.

import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { catalogOf } from '../../edge/env.ts';
import { catalogName, processorName } from '../../edge/names.ts';
import { Migrations } from '../../edge/objects/migrations.ts';
import { unwrap } from '../../edge/wire.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { MIGRATIONS_MAX } from '../../runtime/base/limits.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';

const script = { sql: '', properties: new Map(), variables: new Map() };

test('a catalog remembers so many migrations and no more, and applies none twice', async () => {
  const stub = env.CATALOG.get(env.CATALOG.idFromName('t:migrations:catalog:main'));
  await runInDurableObject(stub, (_, { storage }) => {
    const migrations = new Migrations(storage.sql);
    const of = (i: number) => ({ name: `m${i}`, version: null, sha256: String(i), script });
    for (let i = 0; i < MIGRATIONS_MAX; i++) migrations.begin(of(i))?.end(null);
    expect(migrations.list()).toHaveLength(MIGRATIONS_MAX);
    expect(() => migrations.begin(of(MIGRATIONS_MAX))).toThrow('and no more');
    expect(migrations.begin(of(0))).toBeNull();
    expect(() => migrations.begin({ ...of(0), sha256: 'x' })).toThrow('with another text');
  });
});

test('a migration that is applied is told so at once, while another one waits', async () => {
  const tenant = 'waiting';
  const port = catalogOf(env, tenant);
  const migrate = (name: string, sql: string) =>
    unwrap(port.migrate(tenant, { name, version: null, sha256: sql, script: { ...script, sql } }));
  const made = `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE TABLE a AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;
    CREATE TABLE b AS SELECT k, SUM(v) AS n FROM s GROUP BY k;`;
  expect((await migrate('made', made)).failed).toBeNull();
  const task = env.PROCESSOR.get(env.PROCESSOR.idFromName(processorName(tenant, 'CTAS_B_3/0/0')));
  await runInDurableObject(task, (_, { storage }) => {
    const refuse =
      "CREATE TRIGGER refuse BEFORE UPDATE OF position ON task BEGIN SELECT RAISE(ABORT, 'no'); END";
    storage.sql.exec(refuse);
  });
  const at = { topic: 's', partition: 0 };
  const record = singleRecord(encodeUtf8('k'), encodeUtf8('{"V":1}'), 0);
  await new RemoteLog({ env, tenant }).append(at, record);
  let isOver = false;
  const waits = migrate('waits', 'ALTER TABLE a SWAP WITH b TIMEOUT 2 SECONDS;').finally(
    () => (isOver = true),
  );
  await scheduler.wait(100);
  const again = await migrate('made', made);
  expect([again.applied, isOver]).toEqual([false, false]);
  expect((await waits).failed?.error.message).toContain('has not caught up');
});

test('a statement whose transaction fails is not noted as done, and is done by the next attempt', async () => {
  const tenant = 'rolled-back';
  const port = catalogOf(env, tenant);
  const sql = `CREATE STREAM one (k STRING KEY) WITH (KAFKA_TOPIC='one', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM two (k STRING KEY) WITH (KAFKA_TOPIC='two', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  const migrate = () =>
    unwrap(
      port.migrate(tenant, {
        name: 'm',
        version: null,
        sha256: 'x',
        script: { ...script, sql },
      }),
    );
  const within = (text: string) =>
    runInDurableObject(env.CATALOG.get(env.CATALOG.idFromName(catalogName(tenant))), (_, state) => {
      state.storage.sql.exec(text);
    });
  await unwrap(port.topics());
  await within(`CREATE TRIGGER refuse BEFORE INSERT ON effect WHEN NEW.call LIKE '%"two"%'
    BEGIN SELECT RAISE(ABORT, 'no'); END`);
  expect((await migrate()).failed).not.toBeNull();
  expect(await unwrap(port.migrations())).toMatchObject([{ state: 'ERROR', statements: 1 }]);
  await within('DROP TRIGGER refuse');
  expect((await migrate()).failed).toBeNull();
  expect(await unwrap(port.topic('two'))).not.toBeNull();
  expect(await unwrap(port.migrations())).toMatchObject([{ state: 'MIGRATED', statements: 2 }]);
});
