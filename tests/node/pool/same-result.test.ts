// Tasks in Workers give what they give in one thread: rows in their order, state to the byte, whatever is cut, ends or starts anew.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { type MemoryHost, memoryHost } from '../../../runtime/memory/memory-host.ts';
import { threads } from '../../../runtime/threads/threads.ts';
import type { StartedWorker, Workers } from '../../../runtime/ports/workers.ts';
import {
  type EarthquakesFile,
  quakePieces,
  quakeRecords,
  QUAKES_STREAM_OF_FOUR,
  QUAKES_TABLE,
  type QuakeRecord,
  recountPartitions,
} from '../../support/earthquakes.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { NearWorkers } from '../../support/near-workers.ts';

const file = resolve(
  import.meta.dirname,
  '../../../node_modules/vega-datasets/data/earthquakes.json',
);
const records = quakeRecords(JSON.parse(readFileSync(file, 'utf8')) as EarthquakesFile);
const pieces = quakePieces(records);
const model = recountPartitions(records);
const QUERY = 'CTAS_QUAKES_PER_HOUR_1';

const produced = ({ key, value }: QuakeRecord) => ({ key, value: JSON.stringify(value) });

async function feed(engine: Engine, some: readonly (readonly QuakeRecord[])[]): Promise<void> {
  for (const piece of some) {
    await engine.produce('quakes', piece.map(produced));
    await engine.idle();
  }
}

/** The changes of the table, partition by partition, are those of the reference, and so are its counts. */
async function expectQuakes(engine: Engine): Promise<void> {
  for (const [partition, { changes }] of model.entries()) {
    const found = await engine.topicRecords('QUAKES_PER_HOUR', { partition });
    expect(found.map(({ value }) => decodeUtf8(value ?? new Uint8Array()))).toEqual(
      changes.map(({ value }) => value),
    );
    expect(found.map(({ timestamp }) => timestamp)).toEqual(changes.map(({ rowtime }) => rowtime));
  }
  expect((await engine.stats()).queries[QUERY]).toMatchObject({
    in: records.length,
    late: model.reduce((sum, { late }) => sum + late, 0),
    out: model.reduce((sum, { changes }) => sum + changes.length, 0),
  });
}

function inWorkers(host: MemoryHost, workers: number, near: Workers, path = 'kernel') {
  const properties = { 'millrace.path': path, 'auto.offset.reset': 'earliest' };
  return open({ host: { ...host, workers: near }, workers, properties });
}

test.each([
  [1, 'kernel'],
  [2, 'kernel'],
  [3, 'row'],
] as const)(
  'the earthquakes over four partitions and an internal topic of four, workers: %i, %s path: the reference',
  async (workers, path) => {
    const host = memoryHost({ kernel: kernelModule() });
    await using engine = await inWorkers(host, workers, new NearWorkers(), path);
    await engine.execute(QUAKES_STREAM_OF_FOUR + QUAKES_TABLE);
    await feed(engine, pieces);
    await expectQuakes(engine);
    const { tasks } = await engine.stats();
    const places = [0, 1, 2, 3].map((partition) => ({
      worker: (partition % workers) + 1,
      why: null,
    }));
    expect(tasks?.[QUERY]?.map(({ worker, why }) => ({ worker, why }))).toEqual(
      workers === 1 ? undefined : [...places, ...places],
    );
  },
);

test("in a thread of Node's that is killed in the middle: nothing is lost, nothing comes twice", async () => {
  let thread: StartedWorker | null = null as StartedWorker | null;
  const started: StartedWorker[] = [];
  const near = new NearWorkers();
  const workers: Workers = {
    bringFunctions: false,
    start: async (number) => {
      // The one that is killed is a thread, which takes a while to start; what stands beside it and comes after it need be none.
      const isThread = number === 2 && started.length < 2;
      const worker = await (isThread ? threads : near).start(number);
      started.push(worker);
      if (isThread) thread = worker;
      return worker;
    },
  };
  const host = memoryHost({ kernel: kernelModule() });
  await using engine = await inWorkers(host, 2, workers);
  await engine.execute(QUAKES_STREAM_OF_FOUR + QUAKES_TABLE);
  const half = pieces.length >> 1;
  await feed(engine, pieces.slice(0, half));
  const [piece = []] = pieces.slice(half);
  const fed = engine.produce('quakes', piece.map(produced));
  await thread?.terminate();
  await fed;
  await engine.idle();
  await feed(engine, pieces.slice(half + 1));
  await expectQuakes(engine);
  expect(started.length).toBe(3);
});

const STATEMENTS = `
  CREATE STREAM s (k STRING KEY, v BIGINT, g STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=4, VALUE_FORMAT='JSON');
  CREATE TABLE by_key AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM s
    WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 2 SECONDS) GROUP BY k;
  CREATE TABLE sessions AS SELECT k, COUNT(*) AS n, COLLECT_LIST(g) AS gs FROM s
    WINDOW SESSION (100 MILLISECONDS) GROUP BY k;
  CREATE STREAM filtered AS SELECT k, v * 2 AS v, UUID() AS id FROM s WHERE v > 10 AND k <> '3';
  CREATE TABLE regrouped AS SELECT g, COUNT(*) AS n, MAX(v) AS most FROM s GROUP BY g;`;

interface Event {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

const events = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 9 }).map(String),
    v: fc.integer({ min: -5, max: 1000 }),
    g: fc.constantFrom('a', 'b', 'c'),
    at: fc.integer({ min: 0, max: 6000 }),
    isBroken: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 150 },
);

/** All that tasks have committed for one partition by themselves, as text: rows in their order, state and positions. */
async function committed(engine: Engine, host: MemoryHost): Promise<string[]> {
  const lines: string[] = [];
  for (const topic of ['BY_KEY', 'SESSIONS', 'FILTERED']) {
    for (let partition = 0; partition < 4; partition++) {
      for (const { key, value, timestamp } of await engine.topicRecords(topic, { partition })) {
        // Its incarnation, which is another one in each run, is in the seed of a UUID.
        const text = value && decodeUtf8(value).replace(/"ID":"[^"]+"/, '');
        lines.push(`${topic} ${partition} ${key?.join()} ${text} ${timestamp}`);
      }
    }
  }
  for (const [id, task] of [...host.store.tasks].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (id.startsWith('CTAS_REGROUPED')) continue;
    for (const table of [...task.tables.ids].sort()) {
      for (const { key, value } of task.tables.scan(table, { from: null, to: null }))
        lines.push(`${id} ${table} ${key.join()} ${value.join()}`);
    }
    const { offsets, counters, streamTimes } = task;
    const totals = [
      ...[...offsets.values()].map(({ at, next }) => `${at.topic} ${next}`),
      ...[...counters.values()].map(({ name, value }) => `${name} ${value}`),
      ...[...streamTimes.values()].map(({ step, ms }) => `${step} ${ms}`),
    ];
    // Whichever came first.
    lines.push(`${id} ${totals.sort().join()}`);
  }
  return lines;
}

async function table(engine: Engine): Promise<string[]> {
  const rows = await (await engine.query('SELECT * FROM regrouped;')).all();
  return rows.map((row) => JSON.stringify(row)).sort();
}

async function fed(engine: Engine, all: readonly Event[], cuts: readonly number[]): Promise<void> {
  let from = 0;
  for (const cut of [...cuts, all.length]) {
    await engine.produce('s', all.slice(from, cut));
    if (cut % 3 === 0) await engine.idle();
    from = cut;
  }
  await engine.idle();
}

test('rows in their order, state, positions and counts are those of one thread: for any cut, any n, Workers that end at any message, a restart with another n', async () => {
  const cutsOf = fc.array(fc.nat(150), { maxLength: 5 });
  const livesOf = fc.array(fc.integer({ min: 3, max: 60 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      events,
      cutsOf,
      livesOf,
      fc.constantFrom('auto', 'row'),
      fc.constantFrom('atomic', 'outbox'),
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      async (made, cuts, lives, path, delivery, n, another) => {
        const all = made.map(({ key, v, g, at, isBroken }) => ({
          key,
          value: isBroken ? '{' : JSON.stringify({ V: v, G: g }),
          timestamp: at,
        }));
        const ends = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b);
        const middle = all.length >> 1;
        const hosts = ['atomic' as const, delivery].map((by) =>
          memoryHost({ kernel: kernelModule(), delivery: by }),
        ) as [MemoryHost, MemoryHost];
        const [alone, spread] = hosts;

        await using one = await inWorkers(alone, 1, new NearWorkers(), path);
        await one.execute(STATEMENTS);
        await fed(one, all, []);

        const near = new NearWorkers(lives);
        const many = await inWorkers(spread, n, near, path);
        await many.execute(STATEMENTS);
        await fed(
          many,
          all.slice(0, middle),
          ends.filter((end) => end < middle),
        );
        await many.close();
        await using other = await inWorkers(spread, another, new NearWorkers(), path);
        await fed(
          other,
          all.slice(middle),
          ends.filter((end) => end > middle).map((end) => end - middle),
        );
        expect(await committed(other, spread)).toEqual(await committed(one, alone));
        expect(await table(other)).toEqual(await table(one));
      },
    ),
    { numRuns: 4 },
  );
});
