// The engine's calls as a page makes them: rows, errors, endings, and values that programs get wrong.

import { expect, test } from 'vitest';
import {
  LimitError,
  open,
  type OpenOptions,
  PortError,
  type PublicRow,
  StatementError,
} from '../../runtime/browser/index.ts';
import { valueAt } from '../../runtime/data/column.ts';
import { freshDatabase, openTest, ownWorker } from './open.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, n BIGINT, b BYTES, a ARRAY<BIGINT>, m MAP<STRING, BIGINT>)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

const thrownBy = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );

test('a push query gives rows as they are inserted, one or many in a call, until it is left', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT k, n FROM s EMIT CHANGES;');
  expect(rows.kind).toBe('push');
  expect(rows.queryId).not.toBeNull();
  expect(rows.columns).toEqual([
    { name: 'K', type: 'STRING' },
    { name: 'N', type: 'BIGINT' },
  ]);
  expect(await engine.insert('s', { k: 'a', n: 1 })).toEqual({ partition: 0, offset: 0 });
  const many = Array.from({ length: 500 }, (_, i) => ({ k: `key ${i}`, n: i }));
  const places = await engine.insert('s', many);
  expect(places.map(({ offset }) => offset)).toEqual(many.map((_, i) => i + 1));
  const seen: PublicRow[] = [];
  for await (const row of rows) {
    seen.push(row);
    if (seen.length === 501) break;
  }
  expect(seen[0]).toEqual({ K: 'a', N: 1 });
  expect(seen.slice(1)).toEqual(many.map(({ k, n }) => ({ K: k, N: n })));
  await expect(rows.all()).rejects.toThrow('read once');
});

test('LIMIT ends a push query by itself', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT n FROM s EMIT CHANGES LIMIT 3;');
  await engine.insert(
    's',
    [1, 2, 3, 4, 5].map((n) => ({ k: 'a', n })),
  );
  expect(await rows.all()).toEqual([{ N: 1 }, { N: 2 }, { N: 3 }]);
});

test('batches come as columns', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT n FROM s EMIT CHANGES LIMIT 1000;');
  await engine.insert(
    's',
    Array.from({ length: 1000 }, (_, n) => ({ k: 'a', n })),
  );
  let sum = 0n;
  let count = 0;
  for await (const batch of rows.batches()) {
    const [column] = batch.columns;
    if (column === undefined) throw new Error('the query has a column');
    for (let i = 0; i < batch.length; i++) sum += valueAt(column, i) as bigint;
    count += batch.length;
  }
  expect([count, sum]).toEqual([1000, 499_500n]);
});

test('an AbortSignal ends a query that waits, and refuses one that has not begun', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const abort = new AbortController();
  const rows = await engine.query('SELECT n FROM s EMIT CHANGES;', { signal: abort.signal });
  const all = rows.all();
  await engine.insert('s', { k: 'a', n: 1 });
  abort.abort();
  expect((await all).length).toBeLessThanOrEqual(1);
  const error = await thrownBy(
    engine.query('SELECT n FROM s EMIT CHANGES;', { signal: abort.signal }),
  );
  expect(error).toBe(abort.signal.reason);
});

test('a Worker that is terminated ends queries and calls with an error that says so', async () => {
  const worker = ownWorker();
  const engine = await openTest({ worker: () => worker });
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT n FROM s EMIT CHANGES;');
  const all = thrownBy(rows.all());
  worker.terminate();
  const call = thrownBy(engine.execute(STREAM));
  for (const error of [await all, await call, await thrownBy(engine.stats())]) {
    expect(error).toBeInstanceOf(PortError);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'the Worker has ended' });
  }
  await engine.close();
});

test('closing ends queries without an error, and refuses what comes later', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT n FROM s EMIT CHANGES;');
  const all = rows.all();
  await engine.close();
  expect(await all).toEqual([]);
  expect(await thrownBy(engine.stats())).toMatchObject({ message: 'the engine is closed' });
  await engine.close();
});

test('errors keep class, code, position and hint; what ran before the failing statement stays', async () => {
  const engine = await openTest();
  const done: string[] = [];
  const error = await thrownBy(
    engine.execute(`${STREAM}\nCREATE STREAM t AS SELECT nn FROM s;`, {
      onEntity: (entity) => done.push(entity['@type']),
    }),
  );
  expect(error).toBeInstanceOf(StatementError);
  expect(error).toMatchObject({ code: 'UNKNOWN_COLUMN', position: { line: 3, column: 27 } });
  expect((error as StatementError).hint).toContain('N');
  expect((error as StatementError).message.match(/line 3:27/g)).toHaveLength(1);
  expect(done).toEqual(['currentStatus']);
  expect(await thrownBy(engine.execute(STREAM))).toMatchObject({ code: 'ALREADY_EXISTS' });
  expect(await thrownBy(engine.query('SELECT FROM;'))).toMatchObject({ code: 'SYNTAX' });
  expect(await thrownBy(engine.produce('absent', [{ value: 'x' }]))).toMatchObject({
    code: 'UNKNOWN_TOPIC',
  });
  // Whoever writes no types may give a text, which would be turned into a number on the way.
  for (const partition of [-1, 1, 0.5, NaN, '0' as unknown as number]) {
    expect(await thrownBy(engine.produce('s', [{ value: 'x', partition }]))).toMatchObject({
      code: 'UNKNOWN_PARTITION',
    });
  }
  for (const timestamp of [-1, 0.5, NaN, Infinity, '5' as unknown as number]) {
    expect(await thrownBy(engine.produce('s', [{ value: 'x', timestamp }]))).toMatchObject({
      code: 'INVALID_TIMESTAMP',
    });
  }
  expect(await thrownBy(engine.insert('s', { k: 'a', x: 1 }))).toMatchObject({
    code: 'UNKNOWN_COLUMN',
  });
  expect(await thrownBy(engine.insert('s', { k: 'a', n: () => 1 }))).toMatchObject({
    code: 'TYPE_MISMATCH',
  });
  const headers = Array.from({ length: 65 }, () => ({ name: 'h', value: null }));
  expect(await thrownBy(engine.produce('s', [{ value: 'x', headers }]))).toBeInstanceOf(LimitError);
  const named = { trace: Uint8Array.of(1) } as unknown as typeof headers;
  expect(await thrownBy(engine.produce('s', [{ value: 'x', headers: named }]))).toMatchObject({
    message: 'headers is an array of { name, value }',
  });
  expect(await engine.insert('s', { k: 'a', n: 1 })).toEqual({ partition: 0, offset: 0 });
});

test('null is none, for a partition and a time of a record as for its key', async () => {
  const engine = await openTest();
  await engine.execute(`CREATE STREAM s (k STRING KEY, v STRING)
    WITH (KAFKA_TOPIC='s', PARTITIONS=4, VALUE_FORMAT='JSON');`);
  const beforeMs = Date.now();
  const none = { timestamp: null, partition: null } as unknown as { readonly partition: number };
  const places = await engine.produce('s', [{ key: 'abc', value: null, ...none }]);
  // murmur2 of 'abc' is 479470107.
  expect(places).toEqual([{ partition: 3, offset: 0 }]);
  const [found] = await engine.topicRecords('s', { partition: 3 });
  expect(found?.timestamp).toBeGreaterThanOrEqual(beforeMs);
});

test('digits beyond a double, names of every object and bytes come back as they were', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT * FROM s EMIT CHANGES LIMIT 2;');
  const exact = 9_007_199_254_740_993n;
  const m = new Map([['__proto__', exact]]);
  await engine.insert('s', [
    { k: '__proto__', n: exact, b: Uint8Array.of(0, 255), a: [exact, 1n], m },
    { k: 'constructor', n: '-9223372036854775808', b: null, a: [], m: {} },
  ]);
  expect(await rows.all()).toEqual([
    { K: '__proto__', N: exact, B: Uint8Array.of(0, 255), A: [exact, 1], M: m },
    { K: 'constructor', N: -(2n ** 63n), B: null, A: [], M: new Map() },
  ]);
  await engine.execute('CREATE TABLE t AS SELECT k, MAX(n) AS `__proto__` FROM s GROUP BY k;');
  await engine.idle();
  const [row] = await (await engine.query("SELECT * FROM t WHERE k = '__proto__';")).all();
  expect(Object.entries(row ?? {})).toEqual([
    ['K', '__proto__'],
    ['__proto__', exact],
  ]);
  const always = await engine.query("SELECT * FROM t WHERE k = '__proto__';", { bigint: 'bigint' });
  expect((await always.all())[0]?.['__proto__']).toBe(exact);
  await engine.produce('s', [{ key: '__proto__', value: 'not JSON' }]);
  await engine.idle();
  const { queries } = await engine.stats();
  expect(Object.values(queries)[0]).toMatchObject({ in: 3, errors: 1 });
});

test.each([
  [{ n: 'x' }, 'N is BIGINT; this string does not fit'],
  [[{ n: 1 }, { n: 'x' }], 'row 1: N is BIGINT; this string does not fit'],
])('what is said of the row %j has its number where there are several', async (given, message) => {
  const engine = await openTest();
  await engine.execute(STREAM);
  expect(await thrownBy(engine.insert('s', given))).toMatchObject({ message });
  await engine.insert('s', { n: 1 });
  expect(await engine.insert('s', [{ n: 2 }])).toEqual([{ partition: 0, offset: 1 }]);
});

test('an option that there is not is refused, by its name, and nothing is opened', async () => {
  const database = freshDatabase();
  const misspelt = { database, durabilty: 'strict' };
  const thrown = await thrownBy(openTest(misspelt));
  expect(thrown).toBeInstanceOf(TypeError);
  expect(thrown).toMatchObject({
    message: expect.stringMatching(/^open has no option 'durabilty', but .*\bdurability\b/),
  });
  const all = { storage: 'indexeddb', kernel: null, whenLocked: 'fail', durability: 'strict' };
  const others = { properties: {}, commitIntervalMs: 0, preload: false, workers: 1 };
  const engine = await openTest({ database, ...all, ...others } as OpenOptions);
  expect((await engine.stats()).topics).toEqual({});
});

test('calls refuse options that there are not and values that an option does not take, by name', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const slip = { tiemstamp: 1 } as object;
  const calls = {
    execute: engine.execute('SHOW STREAMS;', slip),
    query: engine.query('SELECT * FROM s;', slip),
    print: engine.print('PRINT s;', slip),
    insert: engine.insert('s', { n: 1 }, slip),
    topicRecords: engine.topicRecords('s', slip),
  };
  for (const [name, call] of Object.entries(calls))
    expect(await thrownBy(call)).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining(`${name} has no option 'tiemstamp', but`),
    });
  expect(
    await thrownBy(engine.query('SELECT * FROM s;', { bigint: 'all' as 'exact' })),
  ).toMatchObject({ name: 'TypeError', message: "query: bigint is 'exact' | 'bigint', not 'all'" });
  expect(await engine.topicRecords('s')).toEqual([]);
});

test('records go in and come back with key, value, headers, timestamp and partition', async () => {
  const engine = await openTest();
  await engine.execute(
    "CREATE STREAM p (n INT) WITH (KAFKA_TOPIC='p', PARTITIONS=3, VALUE_FORMAT='JSON');",
  );
  const headers = [{ name: 'h', value: Uint8Array.of(1) }];
  const places = await engine.produce('p', [
    { key: 'a', value: '{"n":1}', timestamp: 5, headers, partition: 2 },
    { key: null, value: null, timestamp: 6, partition: 1 },
    { key: Uint8Array.of(7), value: '{"n":2}', timestamp: 7, partition: 2 },
  ]);
  expect(places).toEqual([
    { partition: 2, offset: 0 },
    { partition: 1, offset: 0 },
    { partition: 2, offset: 1 },
  ]);
  const records = await engine.topicRecords('p', { partition: 2 });
  expect(records).toMatchObject([
    { partition: 2, offset: 0, timestamp: 5, headers },
    { partition: 2, offset: 1, timestamp: 7, headers: [] },
  ]);
  expect(records[0]?.key).toEqual(new TextEncoder().encode('a'));
  expect(await engine.topicRecords('p', { partition: 1 })).toMatchObject([
    { offset: 0, key: null, value: null },
  ]);
  expect(await engine.topicRecords('p', { partition: 2, from: 1 })).toMatchObject([{ offset: 1 }]);
});

test('calls of one turn are appended in their order, each with its own places, error or answer', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const rows = await engine.query('SELECT k FROM s EMIT CHANGES LIMIT 1026;');
  const good = Array.from({ length: 1025 }, (_, n) =>
    engine.produce('s', [{ key: `${n}`, value: '{}' }]),
  );
  const refused = [
    thrownBy(engine.produce('s', [{ value: '{}', partition: 7 }])),
    thrownBy(engine.produce('absent', [{ value: '{}' }])),
    thrownBy(engine.produce('s', [{ value: '{}', timestamp: -1 }])),
  ];
  const none = engine.produce('s', []);
  const headers = [{ name: 'h', value: Uint8Array.of(1) }];
  const last = engine.produce('s', [{ key: 'last', value: '{}', headers }]);
  headers[0]?.value.fill(9);
  const offsets = (await Promise.all(good)).map(([place]) => place?.offset);
  expect(offsets).toEqual(offsets.map((_, n) => n));
  expect(await Promise.all(refused)).toMatchObject([
    { code: 'UNKNOWN_PARTITION' },
    { code: 'UNKNOWN_TOPIC' },
    { code: 'INVALID_TIMESTAMP' },
  ]);
  expect(await none).toEqual([]);
  expect(await last).toEqual([{ partition: 0, offset: 1025 }]);
  const [record] = await engine.topicRecords('s', { from: 1025 });
  expect(record?.headers).toEqual([{ name: 'h', value: Uint8Array.of(1) }]);
  expect((await rows.all()).map(({ K }) => K)).toEqual([...offsets.map(String), 'last']);
});

test('calls that wait for their turn are refused when the Worker ends before it', async () => {
  const engine = await openTest();
  await engine.execute(STREAM);
  const produced = thrownBy(engine.produce('s', [{ value: '{}' }]));
  engine.terminate();
  expect(await produced).toMatchObject({
    code: 'UNAVAILABLE',
    message: 'the engine is closed',
  });
});

test('a kernel that is not there is said to be so, with its address', async () => {
  const error = await thrownBy(open({ storage: 'memory', kernel: '/no/kernel.wasm' }));
  expect(error).toMatchObject({ code: 'UNAVAILABLE' });
  expect((error as Error).message).toContain('/no/kernel.wasm');
});

test('the address of a kernel is relative to the page, behind its <base href>', async () => {
  const base = document.createElement('base');
  base.href = '/no/base/';
  document.head.append(base);
  try {
    const error = await thrownBy(open({ storage: 'memory', kernel: 'kernel.wasm' }));
    expect((error as Error).message).toContain(`${location.origin}/no/base/kernel.wasm`);
  } finally {
    base.remove();
  }
});

test.each(['insert', 'produce'] as const)(
  'idle waits for each %s that came before it, though none is waited for',
  async (how) => {
    const engine = await openTest();
    await engine.execute(
      `${STREAM} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES;`,
    );
    const write = {
      insert: () => engine.insert('s', { k: 'a' }),
      produce: () => engine.produce('s', [{ key: 'a', value: '{}' }]),
    }[how];
    for (let written = 0; written < 50;) {
      for (let i = 0; i < 10; i++, written++) void write();
      await engine.idle();
      const [row] = await (await engine.query('SELECT n FROM t;')).all();
      expect(row?.['N']).toBe(written);
    }
  },
);

test('a Worker whose script is not there is said to be so', async () => {
  const worker = () => new Worker('/no/worker.js', { type: 'module' });
  const error = await thrownBy(open({ storage: 'memory', worker }));
  expect(error).toMatchObject({ code: 'UNAVAILABLE' });
  expect((error as Error).message).toContain('did not load (docs/pages.md)');
});
