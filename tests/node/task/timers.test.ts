// What time makes without input: final results after an idle time-out, and updates once a period; whatever restarts.

import { expect, test } from 'vitest';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import { readRecords } from '../../../runtime/engine/records.ts';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, v BIGINT)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;
const WINDOW = 'WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS)';

/** Engines one after the other over one host, whose clock stands still. */
class Application implements AsyncDisposable {
  readonly clock = new ManualClock(1_000_000);
  /** By how much the host's clock was set back. */
  behindMs = 0;
  readonly host = memoryHost({
    clock: {
      now: () => this.clock.now() - this.behindMs,
      wakeAt: (atMs, wake) => this.clock.wakeAt(atMs + this.behindMs, wake),
    },
  });
  #engine: Promise<Engine> | null = null;

  get engine(): Promise<Engine> {
    return (this.#engine ??= openEngine({ host: this.host }));
  }

  async execute(sql: string): Promise<void> {
    await (await this.engine).execute(sql);
  }

  async insert(k: string, timestamp: number): Promise<void> {
    const record = { key: k, value: '{"V": 1}', timestamp };
    await (await this.engine).produce('s', [record]);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
      await (await this.engine).idle();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Turns the clock, and lets what wakes up run. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  async restart(): Promise<void> {
    await (await this.engine).close();
    this.#engine = null;
    await this.settle();
  }

  async values(topic: string): Promise<string[]> {
    const records = await readRecords(this.host.log, topic, { partition: 0 });
    return records.map(({ key, value, timestamp }) => {
      const name = key === null ? '' : decodeUtf8(key.slice(0, 1));
      return `${name} ${value === null ? 'gone' : decodeUtf8(value)} @${timestamp}`;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.engine).close();
  }
}

test('an idle time-out closes windows as the wall clock passes their end, grace and the time-out', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    SET 'millrace.idle.timeout.ms' = '2000';
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s ${WINDOW} GROUP BY k EMIT FINAL;`);
  await app.insert('a', 1_000_000);
  await app.insert('a', 1_004_000);
  await app.advance(16_999);
  expect(await app.values('T')).toEqual([]);
  await app.advance(1);
  expect(await app.values('T')).toEqual(['a {"N":2} @1004000']);
  // Stream time has moved: what comes for the window now is late.
  await app.insert('a', 1_009_000);
  await app.advance(100_000);
  expect(await app.values('T')).toHaveLength(1);
  const { queries } = await (await app.engine).stats();
  expect(queries['CTAS_T_1']).toMatchObject({ late: 1, latePairs: 1 });
});

test('a time-out begins again with every input', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    SET 'millrace.idle.timeout.ms' = '60000';
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s ${WINDOW} GROUP BY k EMIT FINAL;`);
  await app.insert('a', 900_000);
  await app.advance(59_000);
  await app.insert('a', 900_001);
  await app.advance(59_000);
  expect(await app.values('T')).toEqual([]);
  await app.advance(1_000);
  expect(await app.values('T')).toEqual(['a {"N":2} @900001']);
});

test('a time-out goes on over restarts, however many', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    SET 'millrace.idle.timeout.ms' = '60000';
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s ${WINDOW} GROUP BY k EMIT FINAL;`);
  await app.insert('a', 900_000);
  for (let turn = 0; turn < 3; turn++) {
    await app.advance(19_000);
    await app.restart();
  }
  expect(await app.values('T')).toEqual([]);
  await app.advance(3_000);
  expect(await app.values('T')).toEqual(['a {"N":1} @900000']);
});

test('what a time-out made is made once, and the stream time that it moved stays moved', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    SET 'millrace.idle.timeout.ms' = '1000';
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s ${WINDOW} GROUP BY k EMIT FINAL;`);
  await app.insert('a', 1_000_000);
  await app.restart();
  await app.advance(16_000);
  expect(await app.values('T')).toEqual(['a {"N":1} @1000000']);
  await app.restart();
  await app.advance(60_000);
  await app.insert('a', 1_000_001);
  await app.advance(60_000);
  expect(await app.values('T')).toHaveLength(1);
});

test('without a time-out only rows close windows', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s ${WINDOW} GROUP BY k EMIT FINAL;`);
  await app.insert('a', 1_000_000);
  await app.advance(1_000_000);
  expect(await app.values('T')).toEqual([]);
  await app.insert('b', 1_015_000);
  expect(await app.values('T')).toEqual(['a {"N":1} @1000000']);
});

test('EMIT CHANGES EVERY gives the first updates at once, then one a key and period', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES EVERY 5 SECONDS;`);
  await app.insert('a', 1);
  expect(await app.values('T')).toEqual(['a {"N":1} @1']);
  for (const k of ['b', 'a', 'a', 'b']) await app.insert(k, 2);
  await app.advance(4_999);
  expect(await app.values('T')).toHaveLength(1);
  await app.advance(1);
  expect((await app.values('T')).slice(1)).toEqual(['a {"N":3} @2', 'b {"N":2} @2']);
  await app.advance(60_000);
  expect(await app.values('T')).toHaveLength(3);
});

// A laptop's clock that was wrong, or that its owner sets: by hours.
test('EMIT CHANGES EVERY goes on when the clock is set back', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES EVERY 5 SECONDS;`);
  await app.insert('a', 1);
  await app.insert('a', 2);
  app.behindMs = 3_600_000;
  await app.insert('a', 3);
  await app.advance(10_000);
  expect(await app.values('T')).toEqual(['a {"N":1} @1', 'a {"N":3} @3']);
});

test('an idle time-out is over in its time when the clock is set back', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    SET 'millrace.idle.timeout.ms' = '60000';
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s ${WINDOW} GROUP BY k EMIT FINAL;`);
  await app.insert('a', 1);
  await app.advance(30_000);
  app.behindMs = 900_000;
  await app.advance(30_000);
  expect(await app.values('T')).toEqual([]);
  // It has begun again when that was noticed.
  await app.advance(60_000);
  expect(await app.values('T')).toEqual(['a {"N":1} @1']);
});

test('a block of a cache ends when the clock is set back', async () => {
  await using app = new Application();
  await app.execute(`${STREAM} SET 'cache.max.bytes.buffering' = '1000'; SET 'commit.interval.ms' = '5000';
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES;`);
  const engine = await app.engine;
  const produce = async (timestamp: number): Promise<void> => {
    await engine.produce('s', [{ key: 'a', value: '{"V": 1}', timestamp }]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await produce(1);
  expect(await app.values('T')).toEqual([]);
  app.behindMs = 3_600_000;
  await produce(2);
  await app.settle();
  expect(await app.values('T')).toEqual(['a {"N":2} @2']);
});

test('updates that wait survive a restart, and the period goes on', async () => {
  await using app = new Application();
  await app.execute(`${STREAM}
    CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k HAVING COUNT(*) < 3
      EMIT CHANGES EVERY 5 SECONDS;`);
  await app.insert('a', 1);
  for (const k of ['b', 'a', 'a']) await app.insert(k, 2);
  await app.advance(3_000);
  await app.restart();
  await app.advance(1_999);
  expect(await app.values('T')).toHaveLength(1);
  await app.advance(1);
  expect((await app.values('T')).slice(1)).toEqual(['a gone @2', 'b {"N":1} @2']);
});

test('a push query shows one update a key and period', async () => {
  await using app = new Application();
  await app.execute(STREAM);
  const engine = await app.engine;
  await using rows = await engine.query(
    'SELECT COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES EVERY 5 SECONDS;',
  );
  const next = rows[Symbol.asyncIterator]();
  await app.insert('a', 1);
  expect((await next.next()).value).toMatchObject({ N: 1 });
  for (const ms of [2, 3, 4]) await app.insert('a', ms);
  await app.advance(5_000);
  expect((await next.next()).value).toMatchObject({ N: 4 });
});

test('a push query shows final results', async () => {
  await using app = new Application();
  await app.execute(STREAM);
  const engine = await app.engine;
  await using rows = await engine.query(
    `SELECT k, WINDOWSTART, COUNT(*) AS n FROM s WINDOW SESSION (5 SECONDS, GRACE PERIOD 0 SECONDS)
     GROUP BY k HAVING COUNT(*) > 1 EMIT FINAL;`,
  );
  const next = rows[Symbol.asyncIterator]();
  for (const ms of [1_000, 5_000, 30_000, 60_000, 62_000, 90_000]) await app.insert('a', ms);
  expect((await next.next()).value).toMatchObject({ K: 'a', WINDOWSTART: 1_000, N: 2 });
  expect((await next.next()).value).toMatchObject({ K: 'a', WINDOWSTART: 60_000, N: 2 });
});
