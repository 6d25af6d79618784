// Processors in code through the engine: state, outputs and positions as one, over restarts and crashes, in the catalog and in pull queries.

import { expect, test } from 'vitest';
import { processor, table } from '../../../runtime/index.ts';
import { TestDriver } from '../../../runtime/testing.ts';

const STREAMS = `
  CREATE STREAM bets (user STRING KEY, amount DOUBLE) WITH (KAFKA_TOPIC='bets', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM alerts (user STRING KEY, total DOUBLE, n BIGINT) WITH (KAFKA_TOPIC='alerts', PARTITIONS=2, VALUE_FORMAT='JSON');`;

const fraud = processor({
  name: 'fraud',
  inputs: ['bets'],
  outputs: { alerts: 'alerts' },
  state: { totals: table({ key: { user: 'STRING' }, value: { n: 'BIGINT', total: 'DOUBLE' } }) },
  process(record, { state, emit }) {
    const { user } = record.key;
    const amount = record.value?.['amount'];
    if (amount < 0) throw new RangeError(`a bet of ${amount}`);
    const old = state.totals.get({ user });
    const n = (old?.n ?? 0n) + 1n;
    const total = (old?.total ?? 0) + amount;
    state.totals.set({ user }, { n, total });
    if (total > 100) emit.alerts({ user, total, n });
  },
});

const bet = (user: string, amount: number, timestamp = 0) => ({
  key: user,
  value: JSON.stringify({ amount }),
  timestamp,
});

async function alertsOf(driver: TestDriver): Promise<string[]> {
  const both = [...(await driver.texts('alerts', 0)), ...(await driver.texts('alerts', 1))];
  return both.map(({ key, value }) => `${key} ${value}`);
}

test('begins with its last stream, keeps state, emits, and is asked', async () => {
  await using driver = new TestDriver({ processors: [fraud] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('ann', 60), bet('bob', 5), bet('ann', 70)]);
  await driver.settle();
  expect(await alertsOf(driver)).toEqual(['ann {"TOTAL":130.0,"N":2}']);
  expect(await driver.query('SELECT * FROM fraud_totals;')).toEqual(
    expect.arrayContaining([
      { USER: 'ann', N: 2, TOTAL: 130 },
      { USER: 'bob', N: 1, TOTAL: 5 },
    ]),
  );
  expect(await driver.query("SELECT total FROM fraud_totals WHERE user = 'bob';")).toEqual([
    { TOTAL: 5 },
  ]);
  driver.crash();
  await driver.pipe('bets', [bet('bob', 96)]);
  await driver.settle();
  expect(await alertsOf(driver)).toContain('bob {"TOTAL":101.0,"N":2}');
});
