// Records as server-sent events: what resumes after a cut, what is refused at once and what ends a stream.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../support/edge-client.ts';
import { EventReader } from '../../support/event-source.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

let topics = 0;
async function topic(): Promise<string> {
  const name = `t${topics++}`;
  expect((await send(edge, 'POST', '/topics', { name })).status).toBe(201);
  return name;
}

async function produce(name: string, ...values: unknown[]): Promise<void> {
  const records = values.map((value) => ({ value }));
  expect((await send(edge, 'POST', `/topics/${name}/records`, { records })).status).toBe(200);
}

const eventsOf = (name: string, query = ''): string =>
  `${edge.url}/topics/${name}/partitions/0/records${query}`;

interface Page {
  readonly records: readonly { readonly offset: number; readonly value: unknown }[];
  readonly next: number;
}

/** Reads events until `count` records have come. */
async function records(
  reader: EventReader,
  count: number,
): Promise<{ values: unknown[]; offsets: number[]; id: string }> {
  const values: unknown[] = [];
  const offsets: number[] = [];
  let id = '';
  while (values.length < count) {
    const event = await reader.next();
    if (event === null || event.type !== 'message') throw new Error(JSON.stringify(event));
    id = event.id ?? '';
    for (const record of (JSON.parse(event.data) as Page).records) {
      values.push(record.value);
      offsets.push(record.offset);
    }
  }
  return { values, offsets, id };
}

test('events tell proxies that they are not to be held back', async () => {
  const gone = new AbortController();
  const { headers } = await fetch(eventsOf(await topic()), {
    headers: { Accept: 'text/event-stream' },
    signal: gone.signal,
  });
  expect(headers.get('cache-control')).toBe('no-store, no-transform');
  expect(headers.get('x-accel-buffering')).toBe('no');
  gone.abort();
});

test('records that are there and records that come later are events', async () => {
  const name = await topic();
  await produce(name, 1, 2);
  await using reader = await EventReader.open(eventsOf(name));
  expect((await records(reader, 2)).values).toEqual([1, 2]);
  await produce(name, 3);
  expect((await records(reader, 1)).values).toEqual([3]);
});

test('a value of several lines is one text to the client', async () => {
  const name = await topic();
  await send(
    edge,
    'POST',
    `/topics/${name}/records`,
    '{"records":[{"value":{"a":\n1,\r\n"b":\r2}}]}',
  );
  await using reader = await EventReader.open(eventsOf(name));
  expect((await records(reader, 1)).values).toEqual([{ a: 1, b: 2 }]);
});

test('the id of the last event resumes without loss or repeat, in the header and in the query', async () => {
  const name = await topic();
  const seen: number[] = [];
  let id = '';
  for (let round = 0; round < 6; round++) {
    await produce(name, round * 2, round * 2 + 1);
    const inHeader = id !== '' && round % 2 === 0;
    await using reader = await EventReader.open(
      eventsOf(name, id === '' || inHeader ? '' : `?last_event_id=${id}`),
      inHeader ? { headers: { 'Last-Event-ID': id } } : {},
    );
    const got = await records(reader, 2);
    seen.push(...got.offsets);
    id = got.id;
  }
  expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i));
});

test('an id of another incarnation, or none, is refused before the stream begins', async () => {
  const name = await topic();
  await produce(name, 1);
  const refused = async (headers: Record<string, string>, query = ''): Promise<number> => {
    await using reader = await EventReader.open(eventsOf(name, query), { headers });
    return reader.status;
  };
  expect(await refused({ 'Last-Event-ID': 'another/1' })).toBe(409);
  expect(await refused({ 'Last-Event-ID': 'nonsense' })).toBe(400);
  expect(await refused({ 'Last-Event-ID': 'a/-1' })).toBe(400);
  expect(await refused({}, '?offset=2')).toBe(416);
  await using nowhere = await EventReader.open(eventsOf('nowhere'));
  expect(nowhere.status).toBe(404);
});

test('a stream without records says that it lives', async () => {
  const name = await topic();
  const beganMs = performance.now();
  await using reader = await EventReader.open(eventsOf(name, '?wait_ms=50'));
  const one = records(reader, 1);
  await expect.poll(() => reader.comments).toBeGreaterThanOrEqual(3);
  await produce(name, 1);
  await one;
  // And no more often.
  expect(reader.comments).toBeLessThanOrEqual((performance.now() - beganMs) / 50);
});

test('a topic that is dropped ends its stream with an error', async () => {
  const name = await topic();
  await using reader = await EventReader.open(eventsOf(name));
  await produce(name, 1);
  await records(reader, 1);
  expect((await send(edge, 'DELETE', `/topics/${name}`)).status).toBe(204);
  const event = await reader.next();
  expect(event?.type).toBe('error');
  expect(JSON.parse(event?.data ?? '')).toMatchObject({ error_code: 40400 });
  expect(await reader.next()).toBeNull();
});

test('a client that goes away leaves nothing behind that others notice', async () => {
  const name = await topic();
  for (let i = 0; i < 20; i++) {
    const reader = await EventReader.open(eventsOf(name));
    await reader[Symbol.asyncDispose]();
  }
  await using reader = await EventReader.open(eventsOf(name));
  await produce(name, 'x');
  expect((await records(reader, 1)).values).toEqual(['x']);
});

test('an event that comes once its reader has gone is no fault of the server', async () => {
  const name = await topic();
  for (let i = 0; i < 8; i++) {
    await using reader = await EventReader.open(eventsOf(name, '?offset=earliest'));
    await produce(name, i);
    await reader.next();
  }
  await produce(name, 'late');
  expect(edge.output).not.toContain('event-stream-failed');
});
