// Processors in code as queries of the catalog: shown, paused, ended, asked, refused, and taken up again over a file.

import { afterAll, describe, expect, test } from 'vitest';
import {
  type Engine,
  open,
  type Processor,
  processor,
  StatementError,
  table,
} from '../../../runtime/index.ts';
import { bet, fraud, STREAMS, TOTALS } from '../../support/fraud.ts';
import { Folder } from '../sqlite/file.ts';

async function refusal(work: () => Promise<unknown>): Promise<string> {
  const thrown = await work().then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof StatementError))
    throw new Error('nothing was refused', { cause: thrown });
  return `${thrown.code}: ${thrown.message}`;
}

describe('as a query of the catalog', () => {
  test('it is shown, explained, paused, resumed and ended', async () => {
    await using engine = await open({ processors: [fraud] });
    for (const name of ['FRAUD', 'fraud']) expect(engine.errorOf(name)?.message).toContain('BETS');
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
    expect((await engine.execute('SHOW QUERIES;'))[0]).toMatchObject({ queries: [] });
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

test('two of one name are refused: only one would run', async () => {
  await expect(open({ processors: [fraud, fraud] })).rejects.toThrow(
    'two processors are called FRAUD',
  );
});

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
      await expect(engine.idle()).rejects.toThrow('is not here');
      expect(engine.errorOf('PROCESSOR_FRAUD_1')?.message).toContain('is not here');
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

  test('once it is terminated it does not begin again, whatever is opened and created', async () => {
    const file = fresh();
    {
      await using engine = await opened(file, fraud);
      await engine.execute(`${STREAMS} TERMINATE PROCESSOR_FRAUD_1;`);
    }
    await using engine = await opened(file, fraud);
    await engine.execute('CREATE STREAM more AS SELECT * FROM bets;');
    expect(engine.errorOf('FRAUD')?.message).toBe('the processor FRAUD was terminated');
    const [shown] = await engine.execute('SHOW QUERIES;');
    expect(shown).toMatchObject({ queries: [{ id: 'CSAS_MORE_2' }] });
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
        await expect(engine.idle()).rejects.toThrow(`the ${part} of the processor FRAUD`);
        const { message = '' } = engine.errorOf('PROCESSOR_FRAUD_1') ?? {};
        expect(message).toContain(`the ${part} of the processor FRAUD were `);
      }
      await using engine = await opened(file, processor({ ...declared, process: none }));
      await engine.idle();
      expect(engine.errorOf('PROCESSOR_FRAUD_1')).toBeNull();
    },
  );
});
