// Processors in code over records: state, outputs and positions as one, over faults and crashes; what code may do and what it is told.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededFaults } from '../../../runtime/memory/faults.ts';
import { processor, table } from '../../../runtime/index.ts';
import { TestDriver } from '../../../runtime/testing.ts';
import { bet, fraud, STREAMS } from '../../support/fraud.ts';

async function textsOf(driver: TestDriver, topic: string): Promise<string[]> {
  const both = [...(await driver.texts(topic, 0)), ...(await driver.texts(topic, 1))];
  return both.map(({ key, value }) => `${key} ${value}`);
}

test('begins with its last stream, keeps state, emits, and is asked', async () => {
  await using driver = new TestDriver({ processors: [fraud] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('ann', 60), bet('bob', 5), bet('ann', 70)]);
  await driver.settle();
  expect(await textsOf(driver, 'alerts')).toEqual(
    expect.arrayContaining(['ann {"TOTAL":130.0,"N":2}', 'bob {"TOTAL":5.0,"N":1}']),
  );
  expect(await driver.query('SELECT * FROM fraud_totals;')).toEqual(
    expect.arrayContaining([
      { USER: 'ann', N: 2, TOTAL: 130 },
      { USER: 'bob', N: 1, TOTAL: 5 },
    ]),
  );
  // A key is looked for in every partition.
  for (const [user, total] of [
    ['ann', 130],
    ['bob', 5],
  ])
    expect(await driver.query(`SELECT total FROM fraud_totals WHERE user = '${user}';`)).toEqual([
      { TOTAL: total },
    ]);
});

test('a record that it throws at is tried again and then given up, without a trace in state or outputs', async () => {
  await using driver = new TestDriver({ processors: [fraud] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('ann', 1), bet('ann', -1), bet('ann', 2)]);
  await driver.settle();
  expect(await textsOf(driver, 'alerts')).toEqual([
    'ann {"TOTAL":1.0,"N":1}',
    'ann {"TOTAL":3.0,"N":2}',
  ]);
  const [dead] = await driver.texts('__dead_letters');
  expect(dead?.value).toContain('process of the processor FRAUD failed: a bet of -1');
  expect(await driver.query('SELECT n FROM fraud_totals;')).toEqual([{ N: 2 }]);
});

test.each<[string, Parameters<typeof processor>[0]['process'], string]>([
  [
    'a promise',
    (() => Promise.reject(new Error('nobody waits'))) as () => void,
    'it gave a promise: a processor is synchronous',
  ],
  [
    'a value of another type',
    (_, { emit }) => emit['alerts']?.({ n: 1 }),
    'ALERTS.N gave 1 (number), which is no BIGINT',
  ],
  ['an unknown column', (_, { emit }) => emit['alerts']?.({ m: 1 }), 'ALERTS has no column m'],
  [
    'a rowtime before 1970',
    (_, { emit }) => emit['alerts']?.({ user: 'a' }, { rowtime: -1 }),
    '-1 is no rowtime',
  ],
  [
    'rows without end',
    (_, { emit }) => {
      for (;;) emit['alerts']?.({ user: 'a' });
    },
    'a call emits at most 10000 rows (PROCESSOR_ROWS_MAX)',
  ],
])('%s is a fault of the record', async (_, process, message) => {
  const faulty = processor({
    name: 'faulty',
    inputs: ['bets'],
    outputs: { alerts: 'alerts' },
    process,
  });
  await using driver = new TestDriver({ processors: [faulty] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('ann', 1)]);
  await driver.settle();
  expect(await textsOf(driver, 'alerts')).toEqual([]);
  const dead = [...(await driver.texts('__dead_letters'))];
  expect(dead[0]?.value).toContain(JSON.stringify(message).slice(1, -1));
});

test('as many rows as a call may emit are emitted', async () => {
  const busy = processor({
    name: 'busy',
    inputs: ['bets'],
    outputs: { alerts: 'alerts' },
    process({ key, rowtime }, { emit }) {
      for (let i = 0; i < 10_000; i++)
        emit.alerts({ user: key['user'], n: BigInt(i) }, { rowtime });
    },
  });
  await using driver = new TestDriver({ processors: [busy] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('ann', 1)]);
  await driver.settle();
  expect((await textsOf(driver, 'alerts')).length).toBe(10_000);
});

test('what it was given for a call is of no use after it', async () => {
  let late: (() => unknown) | null = null;
  const leaking = processor({
    name: 'leaking',
    inputs: ['bets'],
    state: { kept: table({ key: { k: 'INT' }, value: {} }) },
    process(_record, context) {
      late = () => context.random();
      expect(Object.keys(context.state.kept)).toEqual(['get', 'set', 'delete', 'scan']);
    },
  });
  await using driver = new TestDriver({ processors: [leaking] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [bet('ann', 1)]);
  await driver.settle();
  expect(() => late?.()).toThrow('is used after the call that it was for');
});

test('records come with their place, headers and time; the numbers that are drawn stay over a replay', async () => {
  const seen: string[] = [];
  const drawn: number[] = [];
  const looking = processor({
    name: 'looking',
    inputs: { bets: { key: { user: 'STRING' }, value: { amount: 'DOUBLE' } } },
    process(record, { random, now, streamTime }) {
      const { headers, ...rest } = record;
      const texts = headers.map(({ name, value }) => `${name}=${value?.join('.')}`);
      seen.push(`${JSON.stringify(rest)} ${texts.join()} ${now} ${streamTime}`);
      drawn.push(random(), random());
      if (drawn.length === 2) throw new Error('again');
    },
  });
  await using driver = new TestDriver({ processors: [looking] });
  await driver.execute(STREAMS);
  await driver.pipe('bets', [
    { ...bet('ann', 1, 7), headers: [{ name: 'h', value: Uint8Array.of(1, 2) }], partition: 1 },
    { key: 'bob', value: null, timestamp: 9, partition: 1 },
  ]);
  await driver.settle();
  const first =
    '{"source":"bets","key":{"user":"ann"},"value":{"amount":1},"rowtime":7,"partition":1,"offset":0} h=1.2 9 7';
  expect(seen.slice(0, 2)).toEqual([first, first]);
  expect(seen.at(-1)).toBe(
    '{"source":"bets","key":{"user":"bob"},"value":null,"rowtime":9,"partition":1,"offset":1}  9 9',
  );
  expect(drawn.slice(0, 2)).toEqual(drawn.slice(2, 4));
  expect(new Set(drawn).size).toBe(4);
});

test('under faults and crashes state and outputs are those of a fold over the records', async () => {
  const bets = fc.array(
    fc.record({ user: fc.constantFrom('a', 'b', 'c', 'd'), amount: fc.nat({ max: 9 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  let crashes = 0;
  const property = fc.asyncProperty(bets, fc.nat(), async (given, seed) => {
    await using driver = new TestDriver({ processors: [fraud], delivery: 'outbox' });
    await driver.execute(STREAMS);
    driver.arm(seededFaults(seed, 0.1));
    for (let from = 0; from < given.length; from += 7) {
      await driver.pipe(
        'bets',
        given.slice(from, from + 7).map(({ user, amount }) => bet(user, amount)),
      );
      await (from % 2 === 0 ? driver.run() : driver.settle());
      if (seed % 3 === 0) driver.crash();
    }
    driver.disarm();
    await driver.settle();
    crashes += driver.crashes;
    const folded = new Map<string, { n: number; total: number }>();
    const alerts: string[] = [];
    for (const { user, amount } of given) {
      const old = folded.get(user) ?? { n: 0, total: 0 };
      const next = { n: old.n + 1, total: old.total + amount };
      folded.set(user, next);
      alerts.push(`${user} {"TOTAL":${next.total.toFixed(1)},"N":${next.n}}`);
    }
    const of = (lines: readonly string[], user: string) =>
      lines.filter((line) => line.startsWith(user));
    const written = await textsOf(driver, 'alerts');
    for (const user of folded.keys()) expect(of(written, user)).toEqual(of(alerts, user));
    expect(written.length).toBe(alerts.length);
    const rows = await driver.query('SELECT * FROM fraud_totals;');
    expect(new Map(rows.map(({ USER, N, TOTAL }) => [USER, { n: N, total: TOTAL }]))).toEqual(
      folded,
    );
  });
  await fc.assert(property, { numRuns: 25 });
  expect(crashes).toBeGreaterThan(0);
});
