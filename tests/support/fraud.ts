// A processor in code for tests: bets added up by user; knows no host.

import { processor, table } from '../../runtime/functions/user-processor.ts';

/** What it reads and writes. */
export const STREAMS = `
  CREATE STREAM bets (user STRING KEY, amount DOUBLE) WITH (KAFKA_TOPIC='bets', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM alerts (user STRING KEY, total DOUBLE, n BIGINT) WITH (KAFKA_TOPIC='alerts', PARTITIONS=2, VALUE_FORMAT='JSON');`;

/** The key and value of its state. */
export const TOTALS = table({ key: { user: 'STRING' }, value: { n: 'BIGINT', total: 'DOUBLE' } });

/** Adds bets up, tells of each, and throws at those below 0. */
export const fraud = processor({
  name: 'fraud',
  inputs: ['bets'],
  outputs: { alerts: 'alerts' },
  state: { totals: TOTALS },
  process(record, { state, emit }) {
    const { user } = record.key;
    const amount = record.value?.['amount'];
    const old = state.totals.get({ user });
    const n = (old?.n ?? 0n) + 1n;
    const total = (old?.total ?? 0) + amount;
    state.totals.set({ user }, { n, total });
    emit.alerts({ user, total, n });
    if (amount < 0) throw new RangeError(`a bet of ${amount}`);
  },
});

export const bet = (user: string, amount: number, timestamp = 0) => ({
  key: user,
  value: JSON.stringify({ amount }),
  timestamp,
});
