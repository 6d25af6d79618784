// What push queries of one isolate hold: bounded together, read no further ahead than their readers come, and whoever holds the most gives way.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PushRoom, type Reading, stateBytesOf } from '../../../edge/push-room.ts';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { withOwnTopics } from '../../../runtime/engine/own-topics.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { MemoryLog } from '../../../runtime/memory/memory-log.ts';
import type { Plan } from '../../../runtime/plan/step.ts';
import {
  FETCH_BYTES_MAX,
  PUSH_QUERIES_HELD_BYTES_MAX,
  PUSH_QUERY_GONE_MS,
} from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

beforeEach(() => void vi.useFakeTimers());
// Mocks first: they are of timers that are fake, and would be put back for good.
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const MAX = PUSH_QUERIES_HELD_BYTES_MAX;
const refused = expect.objectContaining({ name: 'PortError', code: 'OVERLOADED' });

/** What a read brings: one batch, if there is room for it. */
function bringing(bytes: number) {
  return async (bytesMax: number) =>
    bytes <= bytesMax
      ? { bytes, longest: bytes, needed: 0 }
      : { bytes: 0, longest: 0, needed: bytes };
}

const nothing = bringing(0);

/** One with so much state, which it has looked at. */
async function holding(room: PushRoom, bytes: number, ends: string[] = []): Promise<Reading> {
  const reading = room.enter();
  reading.begin(
    () => bytes,
    () => void ends.push(String(bytes)),
  );
  // State is looked at before there is a read, which may have to wait for room.
  void reading.read('0', 1, nothing).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(0);
  return reading;
}

test('whoever takes many batches sets few timers and takes none of them back, which workerd would remember', async () => {
  const reading = await holding(new PushRoom(), 0);
  await reading.read('0', 1_000, bringing(1_000));
  const cleared = vi.spyOn(globalThis, 'clearTimeout');
  const before = vi.getTimerCount();
  for (let i = 0; i < 100; i++) expect(await reading.next(async () => i)).toBe(i);
  expect(vi.getTimerCount() - before).toBeLessThanOrEqual(1);
  expect(cleared).not.toHaveBeenCalled();
  // It is still seen that one has had all that was read.
  void reading.next(() => new Promise(() => undefined));
  expect(reading.bytes).toBeGreaterThan(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(reading.bytes).toBe(0);
  reading.leave();
});

test('up to PUSH_QUERIES_HELD_BYTES_MAX they are held, at it none comes in, and where nobody gives anything back the one that holds the most ends', async () => {
  const room = new PushRoom();
  const ends: string[] = [];
  const small = await holding(room, MAX / 4, ends);
  void small.next(() => new Promise(() => undefined));
  const large = await holding(room, (MAX * 3) / 4 - 1, ends);
  void large.next(() => new Promise(() => undefined));
  expect(room.bytes).toBe(MAX - 1);
  expect(() => room.enter()).toThrow(refused);
  await vi.advanceTimersByTimeAsync(1_500);
  expect([small.hasGivenWay, large.hasGivenWay]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([small.hasGivenWay, large.hasGivenWay]).toEqual([false, true]);
  await expect(large.read('0', 1, nothing)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(new Set(ends)).toEqual(new Set([String((MAX * 3) / 4 - 1)]));
  room.enter().leave();
  small.leave();
  small.leave();
  expect(room.bytes).toBe(0);
});

test('nothing is read for which there is no room: as many wait as do not fit, and go on as others have had theirs', async () => {
  const room = new PushRoom();
  const bytes = 800_000;
  const fit = Math.floor(MAX / (4 * bytes));
  let [isReading, mostBytes, done] = [0, 0, 0];
  const readings = Array.from({ length: 4 * fit }, () => room.enter());
  const bring = bringing(bytes);
  const all = readings.map(async (reading) => {
    reading.begin(
      () => 0,
      () => undefined,
    );
    await reading.read('0', FETCH_BYTES_MAX, async (bytesMax) => {
      isReading += bytesMax;
      mostBytes = Math.max(mostBytes, isReading);
      await new Promise((resolve) => setTimeout(resolve, 10));
      isReading -= bytesMax;
      return bring(bytesMax);
    });
    done += 1;
    // Its reader comes for it.
    await reading.next(async () => 'batch');
    void reading.next(() => new Promise(() => undefined));
  });
  await vi.advanceTimersByTimeAsync(500);
  expect(done).toBe(readings.length);
  expect(mostBytes).toBeLessThanOrEqual(MAX / 4);
  expect(mostBytes).toBeGreaterThan(MAX / 8);
  await Promise.all(all);
  for (const reading of readings) reading.leave();
  expect(room.bytes).toBe(0);
});

test('those whose readers do not come give way to those that wait, after a second', async () => {
  const room = new PushRoom();
  const bytes = 1_000_000;
  const readings: Reading[] = [];
  const fit = Math.floor(MAX / (4 * bytes));
  for (let i = 0; i <= fit; i++) {
    const reading = room.enter();
    reading.begin(
      () => 0,
      () => undefined,
    );
    readings.push(reading);
  }
  const last = readings.pop();
  await Promise.all(readings.map((reading) => reading.read('0', 1, bringing(bytes))));
  let isRead = false;
  void last?.read('0', FETCH_BYTES_MAX, bringing(bytes)).then(() => (isRead = true));
  await vi.advanceTimersByTimeAsync(800);
  expect(() => room.enter()).toThrow(refused);
  expect([isRead, readings.filter(({ hasGivenWay }) => hasGivenWay).length]).toEqual([false, 0]);
  await vi.advanceTimersByTimeAsync(400);
  expect(isRead).toBe(true);
  expect(readings.filter(({ hasGivenWay }) => hasGivenWay).length).toBe(1);
});

test('those that wait for each other go on: where nothing is given back any more one of them gives way', async () => {
  const room = new PushRoom();
  const bytes = 1_000_000;
  const readings: Reading[] = [];
  // Each has one input, its reader waits, and it needs the other one.
  for (let i = 0; i < MAX / (4 * bytes) - 1; i++) {
    const reading = room.enter();
    reading.begin(
      () => 0,
      () => undefined,
    );
    void reading.next(() => new Promise(() => undefined));
    await reading.read('left', 1, bringing(bytes));
    readings.push(reading);
  }
  const outcomes = readings.map((reading) => reading.read('right', 1, bringing(bytes)));
  // Whoever is still being made looks at no time of its own.
  await vi.advanceTimersByTimeAsync(20_000);
  const settled = await Promise.allSettled(outcomes);
  expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
});

test('room that is kept for one that is dropped while it waits, or reads, is there for others again', async () => {
  const room = new PushRoom();
  const dropped = room.enter();
  void dropped.read(
    '0',
    1,
    () => Promise.withResolvers<Awaited<ReturnType<typeof nothing>>>().promise,
  );
  await vi.advanceTimersByTimeAsync(1);
  expect(room.bytes).toBe(4 * 65_536);
  await holding(room, MAX - 4 * 65_536 * 2);
  const waits = room.enter();
  void waits.read('0', 1, bringing(900_000)).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(200);
  // Their requests are no more, and so are their timers.
  vi.clearAllTimers();
  vi.setSystemTime(Date.now() + PUSH_QUERY_GONE_MS);
  let isRead = false;
  const reading = room.enter();
  void reading.read('0', 1, bringing(900_000)).then(() => (isRead = true));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(isRead).toBe(true);
});

test('one whose reader does not come reads FETCH_BYTES_MAX ahead, and goes on when it waits for more', async () => {
  const room = new PushRoom();
  const reading = room.enter();
  reading.begin(
    () => 0,
    () => undefined,
  );
  await reading.read('0', FETCH_BYTES_MAX, bringing(FETCH_BYTES_MAX - 1));
  await reading.read('1', FETCH_BYTES_MAX, bringing(1));
  let goesOn = false;
  void reading.read('0', 1, nothing).then(() => (goesOn = true));
  // A batch that lies there tells nothing of those behind it.
  expect(await reading.next(async () => 'batch')).toBe('batch');
  await vi.advanceTimersByTimeAsync(10_000);
  expect([goesOn, room.bytes]).toEqual([false, 4 * FETCH_BYTES_MAX]);
  const { promise, resolve } = Promise.withResolvers<string>();
  const next = reading.next(() => promise);
  await vi.advanceTimersByTimeAsync(1);
  expect([goesOn, room.bytes]).toEqual([true, 0]);
  // What is of no use to a reader who waits is not held.
  await reading.read('0', FETCH_BYTES_MAX, bringing(FETCH_BYTES_MAX));
  expect(room.bytes).toBe(4 * FETCH_BYTES_MAX);
  await reading.read('0', 1, nothing);
  expect(room.bytes).toBe(0);
  await reading.read('0', FETCH_BYTES_MAX, bringing(FETCH_BYTES_MAX));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(room.bytes).toBe(0);
  resolve('next');
  expect(await next).toBe('next');
  await reading.read('0', FETCH_BYTES_MAX, bringing(FETCH_BYTES_MAX));
  const waits = reading.read('0', 1, nothing);
  reading.leave();
  await expect(waits).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(room.bytes).toBe(0);
});

/** One that has had all that was read, of an input of which as much as may be is asked for next. */
async function readingMuch(): Promise<Reading> {
  const reading = await holding(new PushRoom(), 0);
  for (const bytes of [65_536, 262_144]) {
    await reading.read('0', FETCH_BYTES_MAX, bringing(bytes));
    const { promise, resolve } = Promise.withResolvers<string>();
    const next = reading.next(() => promise);
    await vi.advanceTimersByTimeAsync(1);
    resolve('batch');
    await next;
  }
  return reading;
}

test('an input that waits while much of another one is on its way goes on as soon as that has brought little, or the reader waits', async () => {
  for (const goOn of ['little', 'reader'] as const) {
    const reading = await readingMuch();
    const much = Promise.withResolvers<{ bytes: number; longest: number; needed: number }>();
    let asked = 0;
    void reading.read('0', FETCH_BYTES_MAX, (bytesMax) => {
      asked = bytesMax;
      return much.promise;
    });
    let goesOn = false;
    void reading.read('1', 1, nothing).then(() => (goesOn = true));
    await vi.advanceTimersByTimeAsync(10_000);
    expect([asked, goesOn]).toEqual([FETCH_BYTES_MAX, false]);
    if (goOn === 'little') much.resolve({ bytes: 1, longest: 1, needed: 0 });
    else void reading.next(() => new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(0);
    expect(goesOn, goOn).toBe(true);
    reading.leave();
  }
});

test('reads begin small, grow with what comes, and become shorter as less room is left', async () => {
  const room = new PushRoom();
  const asked: number[] = [];
  const full = async (bytesMax: number) => {
    asked.push(bytesMax);
    return { bytes: bytesMax, longest: 1, needed: 0 };
  };
  const reading = await holding(room, 0);
  void reading.next(() => new Promise(() => undefined));
  for (let i = 0; i < 4; i++) await reading.read('0', FETCH_BYTES_MAX, full);
  expect(asked).toEqual([65_536, 262_144, FETCH_BYTES_MAX, FETCH_BYTES_MAX]);
  await holding(room, (MAX * 7) / 8);
  await reading.read('0', FETCH_BYTES_MAX, full);
  expect(asked.at(-1)).toBe(MAX / 8 / 4 / 4);
});

test('what lies between the tasks of a query counts as its state does, until its reader is behind it', async () => {
  const internalTopics = [{ name: 'a', partitions: 2 }];
  const plan = { internalTopics } as unknown as Plan;
  const clock = new ManualClock();
  const { log, store } = await withOwnTopics(plan, { log: new MemoryLog(clock), clock });
  expect(stateBytesOf(store)).toBe(0);
  const builder = new RecordBatchBuilder();
  builder.append(null, new Uint8Array(100_000), 0);
  const bytes = builder.finish() ?? new Uint8Array(0);
  for (const partition of [0, 1, 1]) await log.append({ topic: 'a', partition }, bytes);
  expect(stateBytesOf(store)).toBe(3 * bytes.length);
  await log.trim({ topic: 'a', partition: 1 }, 1);
  expect(stateBytesOf(store)).toBe(2 * bytes.length);
});

test('one whose request was dropped holds nothing once it has not been heard of for PUSH_QUERY_GONE_MS', async () => {
  const room = new PushRoom();
  const read = 4 * 65_536;
  const large = await holding(room, MAX - read);
  void large.next(() => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(2 * PUSH_QUERY_GONE_MS);
  await holding(room, read);
  expect(() => room.enter()).toThrow(refused);
  const goneMs = Date.now() + PUSH_QUERY_GONE_MS;
  vi.clearAllTimers();
  vi.setSystemTime(goneMs);
  room.enter();
  expect(room.bytes).toBe(0);
});

test('a state that has grown since its query last read counts within a second, though nothing more comes', async () => {
  const room = new PushRoom();
  const reading = room.enter();
  let bytes = 0;
  reading.begin(
    () => bytes,
    () => undefined,
  );
  await reading.read('0', 1, nothing);
  bytes = 1_000;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(room.bytes).toBe(1_000);
  reading.leave();
});

test('one that was taken for gone and is not counts again, and nothing of it is left when it leaves', async () => {
  const room = new PushRoom();
  const reading = await holding(room, 0);
  await reading.read('0', 1, bringing(1_000));
  vi.setSystemTime(Date.now() + PUSH_QUERY_GONE_MS);
  expect(room.bytes).toBe(0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(room.bytes).toBe(4 * 1_000);
  vi.setSystemTime(Date.now() + PUSH_QUERY_GONE_MS);
  expect(room.bytes).toBe(0);
  await reading.read('0', 1, bringing(2_000));
  expect(room.bytes).toBe(4 * 3_000);
  reading.leave();
  expect(room.bytes).toBe(0);
});

test('at an edge readers who stall are read for no further, others get their rows, and a state that is too large ends its query', async () => {
  vi.useRealTimers();
  await using edge = await Workerd.start();
  const ksql =
    "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const batches = 100;
  for (let i = 0; i < batches; i++) {
    const records = [{ key: `k${i}`, value: { v: 'x'.repeat(800_000) } }];
    expect((await send(edge, 'POST', '/topics/s/records', { records })).status).toBe(200);
  }
  const query = (sql: string): Promise<Response> =>
    fetch(`${edge.url}/query-stream`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ sql, properties: { 'auto.offset.reset': 'earliest' } }),
    });
  const stalled: Response[] = [];
  for (let i = 0; i < 6; i++) stalled.push(await query('SELECT * FROM s EMIT CHANGES;'));
  const count = await (await query(`SELECT k FROM s EMIT CHANGES LIMIT ${batches};`)).text();
  expect(count.trim().split('\n')).toHaveLength(batches + 1);
  const held = async (): Promise<number> => {
    const { text } = await send(edge, 'GET', '/metrics');
    return Number(/^millrace_push_queries_held_bytes (\d+)$/m.exec(text)?.[1]);
  };
  await expect.poll(held).toBeGreaterThan(6 * FETCH_BYTES_MAX);
  const bytes = await held();
  expect(bytes).toBeLessThanOrEqual(6 * 4 * (FETCH_BYTES_MAX + 900_000));
  const large = await query('SELECT k, LATEST_BY_OFFSET(v) AS v FROM s GROUP BY k EMIT CHANGES;');
  expect(await large.text()).toContain('PUSH_QUERIES_HELD_BYTES_MAX');
  for (const { body } of stalled) await body?.cancel();
  await expect.poll(held).toBe(0);
});
