// What versions of one application are made of.

import { processor, table } from '../../../runtime/functions/user-processor.ts';

export const STREAMS = `
  CREATE STREAM bets (user STRING KEY, amount BIGINT) WITH (KAFKA_TOPIC='bets', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM alerts (user STRING KEY, n BIGINT, version STRING) WITH (KAFKA_TOPIC='alerts', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM echoes (user STRING KEY, amount BIGINT) WITH (KAFKA_TOPIC='echoes', PARTITIONS=2, VALUE_FORMAT='JSON');`;
export const SUMS = `
  SET 'auto.offset.reset' = 'earliest';
  CREATE TABLE sums AS SELECT user, COUNT(*) AS n, SUM(amount) AS total FROM bets GROUP BY user;`;
export const LARGE = `
  SET 'auto.offset.reset' = 'earliest';
  CREATE STREAM large AS SELECT * FROM bets WHERE amount >= 100;`;

/** Counts the bets of each user, and says which version has counted. */
export const tally = (version: string) =>
  processor({
    name: 'tally',
    inputs: ['bets'],
    outputs: { alerts: 'alerts' },
    state: { counts: table({ key: { user: 'STRING' }, value: { n: 'BIGINT' } }) },
    process({ key: { user } }, { state, emit }) {
      const n = (state.counts.get({ user })?.n ?? 0n) + 1n;
      state.counts.set({ user }, { n });
      emit.alerts({ user, n, version });
    },
  });

/** Repeats each bet. */
export const echoed = processor({
  name: 'echoed',
  inputs: ['bets'],
  outputs: { echoes: 'echoes' },
  process({ key: { user }, value }, { emit }) {
    emit.echoes({ user, amount: value?.['amount'] });
  },
});
