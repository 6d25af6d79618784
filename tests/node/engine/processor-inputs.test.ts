// What processors in code read and keep: several inputs, one topic twice, windowed keys, names, sizes, and turns of stream time.

import { expect, test } from 'vitest';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { processor, table } from '../../../runtime/index.ts';
import { TestDriver } from '../../../runtime/testing.ts';
import { bet, STREAMS } from '../../support/fraud.ts';

test('a stream and a table of as many partitions meet in one task, by rowtime', async () => {
  const limits = processor({
    name: 'limits',
    inputs: {
      bets: { key: { user: 'STRING' }, value: { amount: 'DOUBLE' } },
      most: { key: { user: 'STRING' }, value: { amount: 'DOUBLE' } },
    },
    outputs: { alerts: 'alerts' },
    state: { most: table({ key: { user: 'STRING' }, value: { amount: 'DOUBLE' } }) },
    process({ source, key, value }, { state, emit }) {
      const user = key.user ?? '';
      if (source === 'most') {
        if (value === null) state.most.delete({ user });
        else state.most.set({ user }, { amount: value.amount });
        return;
      }
      const most = state.most.get({ user })?.amount ?? Infinity;
      if ((value?.amount ?? 0) > most) emit.alerts({ user, total: value?.amount ?? null });
    },
  });
  await using driver = new TestDriver({ processors: [limits] });
  await driver.execute(`${STREAMS}
    CREATE TABLE most (user STRING PRIMARY KEY, amount DOUBLE) WITH (KAFKA_TOPIC='most', PARTITIONS=2, VALUE_FORMAT='JSON');`);
  await driver.pipe('most', [
    bet('ann', 10, 5),
    { key: 'ann', value: null, timestamp: 20 },
    bet('bob', 1, 0),
  ]);
  await driver.pipe('bets', [
    bet('ann', 11, 1),
    bet('ann', 12, 10),
    bet('ann', 13, 30),
    bet('bob', 2, 1),
  ]);
  await driver.settle();
  const alerts = [...(await driver.texts('alerts', 0)), ...(await driver.texts('alerts', 1))];
  expect(alerts.map(({ key, value }) => `${key} ${value}`).sort()).toEqual([
    'ann {"TOTAL":12.0,"N":null}',
    'bob {"TOTAL":2.0,"N":null}',
  ]);
});

test('two streams over one topic are read record by record, each by its own columns', async () => {
  const seen: string[] = [];
  const both = processor({
    name: 'both',
    inputs: ['bets', 'others'],
    process({ source, value, offset }) {
      seen.push(`${source} ${offset} ${JSON.stringify(value)}`);
    },
  });
  await using driver = new TestDriver({ processors: [both] });
  await driver.execute(`${STREAMS}
    CREATE STREAM others (user STRING KEY, \`Two\` INT, amount BIGINT, \`amount\` STRING) WITH (KAFKA_TOPIC='bets', VALUE_FORMAT='JSON');`);
  const records = [1, 2].map((n) => ({
    key: 'ann',
    value: JSON.stringify({ Two: n, AMOUNT: null, amount: null }),
    timestamp: n,
    partition: 0,
  }));
  await driver.pipe('bets', records);
  await driver.settle();
  expect(seen).toEqual([
    'bets 0 {"amount":null}',
    // Of two names that differ in their case alone each stays as it is.
    'others 0 {"Two":1,"AMOUNT":null,"amount":null}',
    'bets 1 {"amount":null}',
    'others 1 {"Two":2,"AMOUNT":null,"amount":null}',
  ]);
});

test('the rows of a windowed table come with their window in the key', async () => {
  const seen: unknown[] = [];
  const windows = processor({
    name: 'windows',
    inputs: ['counts'],
    process({ key, value }) {
      seen.push({ ...key, ...value });
    },
  });
  await using driver = new TestDriver({ processors: [windows] });
  await driver.execute(`${STREAMS}
    CREATE TABLE counts AS SELECT user, COUNT(*) AS n FROM bets WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY user;`);
  await driver.pipe('bets', [bet('ann', 1, 12_000), bet('ann', 1, 13_000)]);
  await driver.settle();
  const window = { user: 'ann', windowstart: 10_000n, windowend: 20_000n };
  expect(seen).toEqual([
    { ...window, n: 1n },
    { ...window, n: 2n },
  ]);
});

test('keys and values of state are as long as they may be, and no longer', async () => {
  // Of a key column 1 byte says that it is there, 2 end it; of cells 16 bytes stand before them, 8 are the cell and 4 the length.
  const keyMax = KEY_BYTES_MAX - 3;
  const valueMax = VALUE_BYTES_MAX - 28;
  const keeper = processor({
    name: 'keeper',
    inputs: { bets: { key: { user: 'STRING' }, value: { amount: 'DOUBLE' } } },
    state: { texts: table({ key: { k: 'STRING' }, value: { v: 'STRING' } }) },
    process({ key, value }, { state }) {
      const more = value?.amount ?? 0;
      if (key.user === 'key') state.texts.set({ k: 'k'.repeat(keyMax + more) }, { v: '' });
      else state.texts.set({ k: 'k' }, { v: 'v'.repeat(valueMax + more) });
    },
  });
  await using driver = new TestDriver({ processors: [keeper] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('key', 0), bet('key', 1), bet('value', 0), bet('value', 1)]);
  await driver.settle();
  const rows = await driver.query('SELECT LEN(k) AS k, LEN(v) AS v FROM keeper_texts;');
  expect(rows).toEqual(
    expect.arrayContaining([
      { K: keyMax, V: 0 },
      { K: 1, V: valueMax },
    ]),
  );
  const dead = [0, 1].map((partition) => driver.texts('__dead_letters', partition).catch(() => []));
  const reasons = (await Promise.all(dead)).flat().map(({ value }) => value ?? '');
  expect(reasons.filter((reason) => reason.includes('bytes, more than'))).toHaveLength(2);
});

test("turns of stream time are each partition's own, and the same after a crash", async () => {
  const turns = processor({
    name: 'turns',
    inputs: ['bets'],
    outputs: { alerts: 'alerts' },
    state: { open: table({ key: { user: 'STRING' }, value: { total: 'DOUBLE' } }) },
    process({ key, value }, { state }) {
      const { user } = key;
      state.open.set(
        { user },
        { total: (state.open.get({ user })?.total ?? 0) + value?.['amount'] },
      );
    },
    onTimeEveryMs: 1000,
    onTime(_ms, { state, emit }) {
      for (const { key, value } of state.open.scan()) {
        emit.alerts({ ...key, ...value });
        state.open.delete(key);
      }
    },
  });
  await using driver = new TestDriver({ processors: [turns], delivery: 'outbox' });
  await driver.execute(STREAMS);
  const at = (ms: number) => ({ ...bet('ann', 1, ms), partition: 0 });
  await driver.pipe('bets', [at(100), at(200)]);
  await driver.settle();
  driver.crash();
  await driver.pipe('bets', [at(999), at(3500), at(3999)]);
  await driver.settle();
  driver.crash();
  await driver.pipe('bets', [at(4000)]);
  await driver.settle();
  const emitted = [...(await driver.texts('alerts', 0)), ...(await driver.texts('alerts', 1))];
  expect(emitted.map(({ value, timestamp }) => `${value} ${timestamp}`)).toEqual([
    '{"TOTAL":3.0,"N":null} 3000',
    '{"TOTAL":2.0,"N":null} 4000',
  ]);
  expect(await driver.query('SELECT * FROM turns_open;')).toEqual([{ USER: 'ann', TOTAL: 1 }]);
});
