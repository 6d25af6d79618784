// What push queries of one isolate hold: bounded together, read no further ahead than their readers come, and whoever holds the most gives way.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PushRoom, type Reading } from '../../../edge/push-room.ts';
import {
  FETCH_BYTES_MAX,
  PUSH_QUERIES_HELD_BYTES_MAX,
  PUSH_QUERY_GONE_MS,
} from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MAX = PUSH_QUERIES_HELD_BYTES_MAX;
const refused = expect.objectContaining({ name: 'PortError', code: 'OVERLOADED' });

/** One with so much state, which it has looked at. */
async function holding(room: PushRoom, bytes: number, ends: string[] = []): Promise<Reading> {
  const reading = room.enter();
  reading.begin(
    () => bytes,
    () => void ends.push(String(bytes)),
  );
  await reading.turn(1);
  return reading;
}

test('up to PUSH_QUERIES_HELD_BYTES_MAX they are held, at it none comes in, and beyond it the one that holds the most ends', async () => {
  const room = new PushRoom();
  const ends: string[] = [];
  const small = await holding(room, MAX / 4, ends);
  const large = await holding(room, (MAX * 3) / 4 - 1, ends);
  expect(room.bytes).toBe(MAX - 1);
  await holding(room, 1, ends);
  expect(room.bytes).toBe(MAX);
  expect(() => room.enter()).toThrow(refused);
  small.read(1);
  await vi.advanceTimersByTimeAsync(1_000);
  await small.turn(1);
  expect(large.fault).toEqual(refused);
  await expect(large.turn(1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(room.bytes).toBeLessThan(MAX / 2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ends).toEqual([String((MAX * 3) / 4 - 1)]);
  expect(small.fault).toBe(null);
  small.leave();
  small.leave();
  expect(room.bytes).toBe(1);
});

test('one whose reader does not come reads FETCH_BYTES_MAX ahead, and goes on when it waits for more', async () => {
  const room = new PushRoom();
  const reading = room.enter();
  reading.begin(
    () => 0,
    () => undefined,
  );
  expect(await reading.turn(FETCH_BYTES_MAX)).toBe(FETCH_BYTES_MAX);
  reading.read(FETCH_BYTES_MAX - 1);
  await reading.turn(1);
  reading.read(1);
  let goesOn = false;
  void reading.turn(1).then(() => (goesOn = true));
  // A batch that lies there tells nothing of those behind it.
  expect(await reading.next(async () => 'batch')).toBe('batch');
  await vi.advanceTimersByTimeAsync(10_000);
  expect([goesOn, room.bytes]).toEqual([false, 4 * FETCH_BYTES_MAX]);
  const { promise, resolve } = Promise.withResolvers<string>();
  const next = reading.next(() => promise);
  await vi.advanceTimersByTimeAsync(1);
  expect([goesOn, room.bytes]).toEqual([true, 0]);
  resolve('next');
  expect(await next).toBe('next');
  reading.read(2 * FETCH_BYTES_MAX);
  const waits = reading.turn(1);
  reading.leave();
  await expect(waits).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(room.bytes).toBe(0);
});

test('what is on its way to a reader who comes for it is no reason to end, and reads become shorter', async () => {
  const room = new PushRoom();
  const reads = await holding(room, 0);
  const waits = await holding(room, 0);
  reads.read(MAX / 8);
  waits.read(MAX / 8 - 1);
  await vi.advanceTimersByTimeAsync(900);
  await reads.next(async () => 'batch');
  await vi.advanceTimersByTimeAsync(100);
  expect(room.share(FETCH_BYTES_MAX)).toBeLessThan(FETCH_BYTES_MAX / 4);
  const another = await holding(room, 5);
  expect([reads.fault, waits.fault, another.fault]).toEqual([null, refused, null]);
});

test('one whose request was dropped holds nothing once it has not been heard of for PUSH_QUERY_GONE_MS', async () => {
  const room = new PushRoom();
  await holding(room, MAX);
  expect(() => room.enter()).toThrow(refused);
  await vi.advanceTimersByTimeAsync(2 * PUSH_QUERY_GONE_MS);
  expect(() => room.enter()).toThrow(refused);
  const goneMs = Date.now() + PUSH_QUERY_GONE_MS;
  vi.clearAllTimers();
  vi.setSystemTime(goneMs);
  room.enter();
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
  await expect.poll(held, { timeout: 10_000 }).toBeGreaterThan(6 * FETCH_BYTES_MAX);
  const bytes = await held();
  expect(bytes).toBeLessThanOrEqual(6 * 4 * (FETCH_BYTES_MAX + 900_000));
  const large = await query('SELECT k, LATEST_BY_OFFSET(v) AS v FROM s GROUP BY k EMIT CHANGES;');
  expect(await large.text()).toContain('PUSH_QUERIES_HELD_BYTES_MAX');
  for (const { body } of stalled) await body?.cancel();
  await expect.poll(held, { timeout: 30_000 }).toBe(0);
}, 120_000);
