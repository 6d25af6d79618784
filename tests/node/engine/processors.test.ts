// Processors in code through the engine: state, outputs and positions as one, over restarts and crashes, in the catalog and in pull queries.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { seededFaults } from '../../../runtime/memory/faults.ts';
import {
  type Engine,
  open,
  type Processor,
  processor,
  StatementError,
  table,
} from '../../../runtime/index.ts';
import { TestDriver } from '../../../runtime/testing.ts';
import { Folder } from '../sqlite/file.ts';

const STREAMS = `
  CREATE STREAM bets (user STRING KEY, amount DOUBLE) WITH (KAFKA_TOPIC='bets', PARTITIONS=2, VALUE_FORMAT='JSON');
  CREATE STREAM alerts (user STRING KEY, total DOUBLE, n BIGINT) WITH (KAFKA_TOPIC='alerts', PARTITIONS=2, VALUE_FORMAT='JSON');`;

const TOTALS = table({ key: { user: 'STRING' }, value: { n: 'BIGINT', total: 'DOUBLE' } });

const fraud = processor({
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

const bet = (user: string, amount: number, timestamp = 0) => ({
  key: user,
  value: JSON.stringify({ amount }),
  timestamp,
});

async function textsOf(driver: TestDriver, topic: string): Promise<string[]> {
  const both = [...(await driver.texts(topic, 0)), ...(await driver.texts(topic, 1))];
  return both.map(({ key, value }) => `${key} ${value}`);
}

async function refusal(work: () => Promise<unknown>): Promise<string> {
  const thrown = await work().then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof StatementError))
    throw new Error('nothing was refused', { cause: thrown });
  return `${thrown.code}: ${thrown.message}`;
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
    process(_record, context) {
      late = () => context.random();
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

describe('as a query of the catalog', () => {
  test('it is shown, explained, paused, resumed and ended', async () => {
    await using engine = await open({ processors: [fraud] });
    expect(engine.errorOf('FRAUD')?.message).toContain('BETS');
    await engine.execute(STREAMS);
    expect(engine.errorOf('FRAUD')).toBeNull();
    const id = 'PROCESSOR_FRAUD_1';
    const [queries, tables, explained, described] = await engine.execute(
      `SHOW QUERIES; SHOW TABLES; EXPLAIN ${id}; DESCRIBE fraud_totals;`,
    );
    expect(queries).toMatchObject({
      queries: [{ id, sinks: ['ALERTS'], sinkKafkaTopics: ['alerts'], state: 'RUNNING' }],
    });
    expect(tables).toMatchObject({ tables: [{ name: 'FRAUD_TOTALS', processor: 'FRAUD' }] });
    expect(described).toMatchObject({ sourceDescription: { processor: 'FRAUD' } });
    expect(JSON.stringify(explained)).toContain('process by the code of FRAUD');
    await engine.execute(`PAUSE ${id};`);
    await engine.produce('bets', [bet('ann', 1)]);
    await engine.idle();
    expect(await (await engine.query('SELECT * FROM fraud_totals;')).all()).toEqual([]);
    await engine.execute(`RESUME ${id};`);
    await engine.idle();
    expect(await (await engine.query('SELECT n FROM fraud_totals;')).all()).toEqual([{ N: 1 }]);
    expect(await refusal(() => engine.execute('DROP STREAM alerts;'))).toMatch(/^IN_USE/);
    expect(await refusal(() => engine.execute('DROP STREAM bets;'))).toMatch(/^IN_USE/);
    expect(await refusal(() => engine.execute('DROP TABLE fraud_totals;'))).toMatch(
      /^IN_USE.*state of the processor FRAUD/,
    );
    await engine.execute(`TERMINATE ${id};`);
    const [after] = await engine.execute('SHOW TABLES;');
    expect(after).toMatchObject({ tables: [] });
    await engine.execute('DROP STREAM alerts;');
  });

  test('its state is asked and nothing else', async () => {
    await using engine = await open({ processors: [fraud] });
    await engine.execute(STREAMS);
    for (const sql of [
      'CREATE TABLE t AS SELECT * FROM fraud_totals;',
      'CREATE STREAM t AS SELECT b.user, n FROM bets b JOIN fraud_totals f ON b.user = f.user;',
    ])
      expect(await refusal(() => engine.execute(sql))).toMatch(/INVALID: .*is the state of/);
    expect(await refusal(() => engine.query('SELECT * FROM fraud_totals EMIT CHANGES;'))).toMatch(
      /INVALID: .*is the state of/,
    );
    expect(
      await refusal(() => engine.execute("INSERT INTO fraud_totals (user) VALUES ('a');")),
    ).toMatch(/read-only/);
    expect(await refusal(() => engine.insert('fraud_totals', { user: 'a' }))).toMatch(/read-only/);
  });
});

test.each<[string, Parameters<typeof processor>[0], string]>([
  ['a stream that is none', { name: 'p', inputs: ['betz'], process: none }, 'BETZ'],
  [
    'a column that is none',
    { name: 'p', inputs: { bets: { key: {}, value: { m: 'INT' } } }, process: none },
    'has no value column M',
  ],
  [
    'a column of another type',
    { name: 'p', inputs: { bets: { key: {}, value: { amount: 'INT' } } }, process: none },
    'BETS.AMOUNT is DOUBLE, and the processor P declares INTEGER',
  ],
  [
    'its own output',
    { name: 'p', inputs: ['bets'], outputs: { o: 'copies' }, process: none },
    'it writes',
  ],
  [
    'a table as output',
    { name: 'p', inputs: ['bets'], outputs: { o: 't' }, process: none },
    'is a table',
  ],
  [
    'other partitions',
    { name: 'p', inputs: ['bets', 't'], process: none },
    'partitions of the inputs',
  ],
  [
    'a name that is taken',
    { name: 'b', inputs: ['bets'], state: { ets: TOTALS }, process: none },
    'B_ETS exists already',
  ],
])('it does not begin with %s, and says so', async (_, declaration, message) => {
  await using engine = await open({ processors: [processor(declaration)] });
  await engine.execute(`
    CREATE STREAM b_ets (user STRING KEY) WITH (KAFKA_TOPIC='b', PARTITIONS=1, VALUE_FORMAT='JSON');
    ${STREAMS}
    CREATE STREAM copies (user STRING KEY) WITH (KAFKA_TOPIC='bets', VALUE_FORMAT='JSON');
    CREATE TABLE t (user STRING PRIMARY KEY) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');`);
  expect(engine.errorOf(declaration.name.toUpperCase())?.message).toContain(message);
  expect((await engine.execute('SHOW QUERIES;'))[0]).toMatchObject({ queries: [] });
});

function none(): void {
  // What it would do is of no matter.
}

test.each<[string, () => unknown]>([
  ['no input', () => processor({ name: 'p', inputs: [], process: none })],
  ['no name', () => processor({ name: 'a b', inputs: ['s'], process: none })],
  [
    'no type',
    () =>
      processor({
        name: 'p',
        inputs: ['s'],
        state: { t: table({ key: { k: 'TEXT' }, value: {} }) },
        process: none,
      }),
  ],
  [
    'a type without its size',
    () =>
      processor({
        name: 'p',
        inputs: ['s'],
        state: { t: table({ key: { k: 'DECIMAL' }, value: {} }) },
        process: none,
      }),
  ],
  [
    'no key',
    () =>
      processor({
        name: 'p',
        inputs: ['s'],
        state: { t: table({ key: {}, value: {} }) },
        process: none,
      }),
  ],
  [
    'an interval alone',
    () => processor({ name: 'p', inputs: ['s'], onTimeEveryMs: 5, process: none }),
  ],
  [
    'an interval of 0',
    () => processor({ name: 'p', inputs: ['s'], onTimeEveryMs: 0, onTime: none, process: none }),
  ],
  ['one input twice', () => processor({ name: 'p', inputs: ['s', 'S'], process: none })],
])('a declaration with %s is refused at once', (_, declare) => {
  expect(declare).toThrow(TypeError);
});

describe('over a file', () => {
  const folder = new Folder();
  afterAll(() => folder.remove());
  let files = 0;
  const fresh = () => folder.file(`${++files}.db`);
  const opened = (file: string, ...processors: Processor[]) =>
    open({ storage: { file, durability: 'relaxed' }, processors });
  const totals = async (engine: Engine) =>
    await (await engine.query("SELECT * FROM fraud_totals WHERE user = 'ann';")).all();

  test('it goes on where it was; without its code its query alone ends, and its state stays', async () => {
    const file = fresh();
    {
      await using engine = await opened(file, fraud);
      await engine.execute(STREAMS);
      await engine.produce('bets', [bet('ann', 1)]);
      await engine.idle();
    }
    {
      await using engine = await opened(file);
      await engine.execute('CREATE STREAM copies AS SELECT * FROM bets;');
      await engine.produce('bets', [bet('ann', 2)]);
      await engine.idle();
      expect(engine.errorOf('PROCESSOR_FRAUD_1')?.message).toContain('was not given');
      expect(engine.errorOf('CSAS_COPIES_2')).toBeNull();
      expect((await engine.stats()).topics).toMatchObject({ COPIES: { in: 2 }, alerts: { in: 1 } });
      expect(await totals(engine)).toEqual([{ USER: 'ann', N: 1, TOTAL: 1 }]);
    }
    {
      await using engine = await opened(file, fraud);
      await engine.idle();
      expect(await totals(engine)).toEqual([{ USER: 'ann', N: 2, TOTAL: 3 }]);
      expect((await engine.stats()).topics).toMatchObject({ alerts: { in: 2 } });
    }
  });

  test.each<[string, Partial<Parameters<typeof processor>[0]>]>([
    ['inputs', { inputs: ['alerts'] }],
    ['outputs', { outputs: { other: 'alerts' } }],
    ['state', { state: { totals: table({ key: { user: 'STRING' }, value: { n: 'INT' } }) } }],
  ])(
    'another declaration of its %s is refused by name, its code may change',
    async (part, change) => {
      const declared = {
        name: 'fraud',
        inputs: ['bets'],
        outputs: { alerts: 'alerts' },
        state: { totals: TOTALS },
      };
      const file = fresh();
      {
        await using engine = await opened(file, fraud);
        await engine.execute(STREAMS);
        await engine.idle();
      }
      {
        await using engine = await opened(
          file,
          processor({ ...declared, process: none, ...change }),
        );
        await engine.idle();
        const { message = '' } = engine.errorOf('PROCESSOR_FRAUD_1') ?? {};
        expect(message).toContain(`the ${part} of the processor FRAUD were `);
      }
      await using engine = await opened(file, processor({ ...declared, process: none }));
      await engine.idle();
      expect(engine.errorOf('PROCESSOR_FRAUD_1')).toBeNull();
    },
  );
});

test(
  'under faults and crashes state and outputs are those of a fold over the records',
  { timeout: 60_000 },
  async () => {
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
  },
);
