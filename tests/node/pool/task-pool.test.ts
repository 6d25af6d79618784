// What goes to a Worker and what stays, the limits of the pool, and queries that are steered while their tasks are in Workers.

import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { messageOf, PortError } from '../../../runtime/base/errors.ts';
import {
  STATE_PAGE_BYTES_MAX,
  WORKER_ENDS_MAX,
  WORKERS_MAX,
} from '../../../runtime/base/limits.ts';
import { open } from '../../../runtime/engine/open.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { scalarFunction } from '../../../runtime/functions/user-functions.ts';
import { processor } from '../../../runtime/functions/user-processor.ts';
import { type MemoryHost, memoryHost } from '../../../runtime/memory/memory-host.ts';
import { changesOf, pageOf } from '../../../runtime/pool/packed-state.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { StartedWorker, Workers } from '../../../runtime/ports/workers.ts';
import { PROCESSING_LOG_TOPIC } from '../../../runtime/task/task-topics.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { NearWorkers } from '../../support/near-workers.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', PARTITIONS=4, VALUE_FORMAT='JSON');`;
const TABLE = 'CREATE TABLE t AS SELECT k, SUM(v) AS total FROM s GROUP BY k;';
const QUERY = 'CTAS_T_1';

function spread(host: MemoryHost, near: Workers, workers = 2, more = {}): Promise<Engine> {
  const properties = { 'auto.offset.reset': 'earliest' };
  return open({ host: { ...host, workers: near }, workers, properties, ...more });
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `k${(from + i) % 10}`,
    value: `{"V":${from + i}}`,
  }));

async function totals(engine: Engine): Promise<string> {
  const rows = await (await engine.query('SELECT * FROM t;')).all();
  return rows
    .map(({ K, TOTAL }) => `${K as string}=${TOTAL as number}`)
    .sort()
    .join(' ');
}

/** What the table holds after `numbers(0, count)`. */
function summed(count: number): string {
  const sums = new Map<string, number>();
  for (let i = 0; i < count; i++) sums.set(`k${i % 10}`, (sums.get(`k${i % 10}`) ?? 0) + i);
  return [...sums]
    .map(([key, sum]) => `${key}=${sum}`)
    .sort()
    .join(' ');
}

test('WORKERS_MAX Workers are started, and one more, none or a part of one is refused', async () => {
  const near = new NearWorkers();
  const engine = await spread(memoryHost(), near, WORKERS_MAX);
  expect(near.started).toBe(WORKERS_MAX);
  await engine.close();
  for (const workers of [WORKERS_MAX + 1, 0, 1.5]) {
    const refused = spread(memoryHost(), near, workers);
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow(`1 .. ${WORKERS_MAX}`);
  }
  await expect(spread(memoryHost(), near, Number.NaN)).rejects.toThrow(TypeError);
});

test('a host that starts no Workers is told apart from one that does', async () => {
  await expect(open({ host: memoryHost(), workers: 2 })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('a host that starts Workers'),
  });
});

test('a Worker that cannot be started keeps the engine from opening, and the others are ended', async () => {
  const near = new NearWorkers();
  const ended: Promise<Error>[] = [];
  const workers: Workers = {
    bringFunctions: false,
    start: async (number): Promise<StartedWorker> => {
      if (number === 2) throw new PortError('UNAVAILABLE', 'no threads are left');
      const worker = await near.start(number);
      ended.push(worker.ended);
      return worker;
    },
  };
  await expect(spread(memoryHost(), workers)).rejects.toThrow('no threads are left');
  await expect(Promise.all(ended)).resolves.toHaveLength(1);
});

test('one partition, a function and a processor of the user stay, and the statistics say why', async () => {
  const twice = scalarFunction({
    name: 'TWICE',
    parameters: [{ name: 'n', type: 'INT' }],
    returns: 'INT',
    call: ([n]) => n * 2,
  });
  const code = processor({
    name: 'code',
    inputs: ['s'],
    outputs: { out: 'out' },
    process: ({ key }, { emit }) => emit.out({ K: key['K'] }),
  });
  const more = { functions: [twice], processors: [code] };
  await using engine = await spread(
    memoryHost({ kernel: kernelModule() }),
    new NearWorkers(),
    2,
    more,
  );
  await engine.execute(`${STREAM}
    CREATE STREAM out (k STRING KEY) WITH (KAFKA_TOPIC='out', PARTITIONS=4, VALUE_FORMAT='JSON');
    CREATE STREAM one (k STRING KEY, v INT) WITH (KAFKA_TOPIC='one', PARTITIONS=1, VALUE_FORMAT='JSON');
    CREATE STREAM doubled AS SELECT k, ABS(TWICE(v)) AS v FROM s;
    CREATE STREAM same AS SELECT k, ABS(v) AS v FROM s;
    CREATE STREAM single AS SELECT k, v FROM one;`);
  await engine.produce('s', numbers(0, 40));
  await engine.idle();
  const { tasks = {}, queries } = await engine.stats();
  const why = (start: string): unknown =>
    Object.entries(tasks)
      .filter(([id]) => id.startsWith(start))
      .map(([, places]) => [...new Set(places.map((place) => place.why))].join());
  expect(why('CSAS_DOUBLED')).toEqual(['the function TWICE cannot be sent to a Worker']);
  expect(why('PROCESSOR_CODE')).toEqual(['code of a processor cannot be sent to a Worker']);
  expect(why('CSAS_SINGLE')).toEqual(['it has one partition']);
  expect(why('CSAS_SAME')).toEqual(['']);
  for (const [id, { out }] of Object.entries(queries))
    expect(`${id} ${out}`).toBe(`${id} ${id.startsWith('CSAS_SINGLE') ? 0 : 40}`);
});

test(`a task whose Worker ends ${WORKER_ENDS_MAX} times before it does anything goes on, one more ends the query, and RESUME lets it try again`, async () => {
  for (const more of [0, 1]) {
    // Each hears of the task, begins to load it, and is gone. It has no other: of two, one
    // may be waiting for the next Worker while one ends.
    const lives = Array.from({ length: WORKER_ENDS_MAX + more }, () => 3);
    const near = new NearWorkers(lives);
    const spreading: Workers = {
      bringFunctions: false,
      start: (number) => (number === 1 ? near : new NearWorkers()).start(number),
    };
    await using engine = await spread(memoryHost({ kernel: kernelModule() }), spreading, 4);
    await engine.execute(STREAM);
    await engine.produce('s', numbers(0, 100));
    await engine.execute(TABLE);
    const thrown = await engine.idle().then(() => null, messageOf);
    expect(thrown).toBe(more === 0 ? null : 'Worker 1 has ended');
    expect(engine.errorOf(QUERY) instanceof PortError).toBe(more === 1);
    await engine.execute(`PAUSE ${QUERY}; RESUME ${QUERY};`);
    await engine.idle();
    expect(await totals(engine)).toBe(summed(100));
  }
});

test('PAUSE, RESUME, CREATE OR REPLACE, TERMINATE and a bad record, with tasks in Workers', async () => {
  const host = memoryHost({ kernel: kernelModule() });
  await using engine = await spread(host, new NearWorkers());
  await engine.execute(STREAM + TABLE);
  await engine.produce('s', numbers(0, 50));
  await engine.idle();
  await engine.execute(`PAUSE ${QUERY};`);
  await engine.produce('s', numbers(50, 80));
  expect(await totals(engine)).toBe(summed(50));
  await engine.execute(`RESUME ${QUERY};`);
  await engine.idle();
  expect(await totals(engine)).toBe(summed(80));
  await engine.execute(
    'CREATE OR REPLACE TABLE t AS SELECT k, SUM(v) AS total FROM s WHERE v >= 0 GROUP BY k;',
  );
  await engine.produce('s', [
    ...numbers(80, 100),
    { key: 'k1', value: '{"V":-1}' },
    { key: 'k1', value: '{' },
  ]);
  await engine.idle();
  expect(await totals(engine)).toBe(summed(100));
  const { queries } = await engine.stats();
  expect(queries[QUERY]).toMatchObject({ in: 102, errors: 1 });
  const [problem] = await engine.topicRecords(PROCESSING_LOG_TOPIC);
  expect(decodeUtf8(problem?.value ?? new Uint8Array())).toContain('DESERIALIZATION');
  await engine.execute(`TERMINATE ${QUERY};`);
  expect([...host.store.tasks.keys()]).toEqual([]);
});

test('state that has outgrown a Worker goes on where the store is, and the statistics say so', async () => {
  const host = memoryHost();
  const small = 2000;
  let commits = 0;
  // As a store on disk: it takes what no Worker can keep resident.
  const near = new NearWorkers([], small);
  await using engine = await spread(host, near);
  await engine.execute(STREAM + TABLE);
  for (; commits < 10; commits++) {
    const records = Array.from({ length: 50 }, (_, i) => ({
      key: `key-${commits * 50 + i}`,
      value: '{"V":1}',
    }));
    await engine.produce('s', records);
    await engine.idle();
  }
  const rows = await (await engine.query('SELECT * FROM t;')).all();
  expect(rows.length).toBe(500);
  expect(rows.every(({ TOTAL }) => TOTAL === 1)).toBe(true);
  const { tasks, queries } = await engine.stats();
  expect(queries[QUERY]).toMatchObject({ in: 500, out: 500 });
  expect(tasks?.[QUERY]).toEqual(
    [0, 1, 2, 3].map((partition) => ({
      query: QUERY,
      subtopology: 0,
      partition,
      worker: null,
      why: 'its state is larger than a Worker keeps resident',
    })),
  );
});

test('a page of state holds STATE_PAGE_BYTES_MAX and no more, one entry by itself may be longer, and all pages are the table', () => {
  const tables = new ResidentTables();
  const half = STATE_PAGE_BYTES_MAX / 2;
  const entry = (key: string, bytes: number) => ({
    table: '1',
    key: encodeUtf8(key),
    value: new Uint8Array(bytes - key.length).fill(key.charCodeAt(0)),
  });
  const entries = [
    entry('a', half),
    entry('b', half),
    entry('c', half),
    entry('d', half + 1),
    entry('e', STATE_PAGE_BYTES_MAX + 1),
    entry('f', 10),
  ];
  tables.apply(entries);
  const pages: string[] = [];
  const found: unknown[] = [];
  let behind: Uint8Array | null = null;
  do {
    const page = pageOf(tables, '1', behind);
    const changes = changesOf([page.pack]);
    found.push(...changes.map(({ key, value }) => [decodeUtf8(key), value?.length, value?.[0]]));
    pages.push(changes.map(({ key }) => decodeUtf8(key)).join(''));
    behind = page.after;
  } while (behind !== null);
  expect(pages).toEqual(['ab', 'c', 'd', 'e', 'f']);
  expect(found).toEqual(entries.map(({ key, value }) => [decodeUtf8(key), value.length, value[0]]));
});
