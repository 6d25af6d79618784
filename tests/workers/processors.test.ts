// Processors in code at the edge: begun by the statements of a tenant, fed by its partitions, asked, and gone on with after an eviction.

import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { catalogOf, processorAt } from '../../edge/env.ts';
import { catalogName, processorName } from '../../edge/names.ts';
import { registerProcessors } from '../../edge/registry.ts';
import { Lines } from '../../edge/rows.ts';
import { unwrap } from '../../edge/wire.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { fraud } from '../support/fraud.ts';
import { until } from './objects.ts';

registerProcessors([fraud]);

const TASK = 'PROCESSOR_FRAUD_3/0/0';
const STREAMS = `
  CREATE STREAM bets (user STRING KEY, amount DOUBLE) WITH (KAFKA_TOPIC='bets', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM alerts (user STRING KEY, total DOUBLE, n BIGINT) WITH (KAFKA_TOPIC='alerts', PARTITIONS=1, VALUE_FORMAT='JSON');`;
const NOBODY = {
  properties: new Map<string, string>(),
  variables: new Map<string, string>(),
};

/** The tenant of one test. */
class Tenant {
  readonly #name: string;
  readonly #log: RemoteLog;

  constructor(name: string) {
    this.#name = name;
    this.#log = new RemoteLog({ env, tenant: name });
  }

  async execute(sql: string): Promise<readonly unknown[]> {
    const tenant = this.#name;
    const answer = await unwrap(catalogOf(env, tenant).execute(tenant, { sql, ...NOBODY }));
    if (answer.failed !== null) throw new Error(answer.failed.error.message);
    return answer.entities;
  }

  async bet(user: string, amount: number): Promise<void> {
    const value = encodeUtf8(JSON.stringify({ amount }));
    await this.#log.append(
      { topic: 'bets', partition: 0 },
      singleRecord(encodeUtf8(user), value, 1),
    );
  }

  async pull(sql: string): Promise<string[]> {
    const prepared = await unwrap(catalogOf(env, this.#name).prepare({ sql, ...NOBODY }));
    if (prepared.kind !== 'pull') throw new Error('a pull query was asked');
    const { pull, planned } = prepared;
    const rows = await unwrap(processorAt(env, this.#name, TASK).pull(pull, planned));
    return [...new Lines(rows.lines).next(Infinity)];
  }

  async emitted(): Promise<number> {
    const { highWatermark } = await this.#log.bounds({ topic: 'alerts', partition: 0 });
    return highWatermark;
  }

  async caughtUp(count: number): Promise<void> {
    await until(
      async () => (await this.emitted()) >= count,
      async () => `${await this.emitted()} of ${count} rows`,
    );
  }

  async evict(): Promise<void> {
    await evictDurableObject(
      env.PROCESSOR.get(env.PROCESSOR.idFromName(processorName(this.#name, TASK))),
    );
    await evictDurableObject(env.CATALOG.get(env.CATALOG.idFromName(catalogName(this.#name))));
  }
}

test('it begins with its streams, gives bad records up, keeps its state over an eviction and is ended', async () => {
  const tenant = new Tenant('coded');
  await tenant.execute(STREAMS);
  expect(await tenant.execute('SHOW QUERIES; SHOW TABLES;')).toMatchObject([
    { queries: [{ id: 'PROCESSOR_FRAUD_3', sinks: ['ALERTS'] }] },
    { tables: [{ name: 'FRAUD_TOTALS', processor: 'FRAUD' }] },
  ]);
  await tenant.bet('ann', 1);
  await tenant.bet('ann', -1);
  await tenant.bet('ann', 2);
  await tenant.caughtUp(2);
  await tenant.evict();
  await tenant.bet('ann', 4);
  await tenant.caughtUp(3);
  expect(await tenant.emitted()).toBe(3);
  expect(await tenant.pull("SELECT * FROM fraud_totals WHERE user = 'ann';")).toEqual([
    '["ann",3,7.0]',
  ]);
  await tenant.execute('PAUSE PROCESSOR_FRAUD_3;');
  await tenant.bet('bob', 8);
  await scheduler.wait(50);
  expect(await tenant.emitted()).toBe(3);
  await tenant.execute('RESUME PROCESSOR_FRAUD_3;');
  await tenant.caughtUp(4);
  await tenant.execute('TERMINATE PROCESSOR_FRAUD_3;');
  await tenant.evict();
  expect(await tenant.execute('SHOW QUERIES; SHOW TABLES;')).toMatchObject([
    { queries: [] },
    { tables: [] },
  ]);
});
