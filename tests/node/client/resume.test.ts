// Readers of the client over connections that are cut anywhere, and an edge that is killed: their rows are those of a reader that was never cut.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  ANSWER_SILENCE_MS_MAX,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_PARK_MS,
  SOCKET_RESUMED_BYTES_MAX,
  SOCKET_RESUMED_ROWS_MAX,
  SOCKET_WINDOW_ROWS_MAX,
} from '../../../runtime/base/limits.ts';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { Lines } from '../../../runtime/client/lines.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { draws } from '../../support/draws.ts';
import { Workerd } from '../../support/workerd.ts';

let workerd: Workerd;
let edge: Client;
beforeAll(async () => {
  workerd = await Workerd.start();
  edge = connect({ url: workerd.url });
});
afterAll(() => workerd.stop());

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));

/** A text that does not compress, of a length of its own. */
function textOf(n: number): string {
  const next = drawn(n, 0, 36);
  return Array.from({ length: (n * 7) % 300 }, () => next().toString(36)).join('');
}

/** Numbers at random within least .. most, each as likely. */
function drawn(seed: number, least: number, most: number): () => number {
  const draw = draws(seed);
  return () => least + draw(most - least);
}

const EARLIEST = { 'auto.offset.reset': 'earliest' };

async function stream(name: string, partitions: number): Promise<void> {
  await edge.execute(
    `CREATE STREAM ${name} (k STRING KEY, n BIGINT, t STRING) WITH (KAFKA_TOPIC='${name}', PARTITIONS=${partitions}, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
  );
}

/** Produces `count` records a few at a time, numbered from `from`. */
async function produce(client: Client, topic: string, from: number, count: number): Promise<void> {
  await using producer = client.producer({ batchRecords: 40 });
  const sent: Promise<unknown>[] = [];
  for (let i = from; i < from + count; i++) {
    const value = JSON.stringify({ N: i, T: textOf(i) });
    sent.push(producer.send(topic, { key: `k${i % 5}`, value }));
    if (i % 50 === 0) await new Promise((done) => setTimeout(done, 5));
  }
  await Promise.all(sent);
}

test.each(['sse', 'socket'] as const)(
  `a push query over %s shows each row once, whatever is cut (SEED=${SEED})`,
  async (transport) => {
    const name = `CUT_${transport}`;
    await stream(name, 2);
    const proxy = await CuttingProxy.start(() => workerd.url, drawn(SEED, 1000, 30_000));
    const sql = `SELECT k, n, t FROM ${name} WHERE n % 4 <> 1 EMIT CHANGES;`;
    const client = connect({ url: proxy.url });
    // From the latest offset: what it has not asked for again would be missed.
    await using rows = await client.query(sql, { transport });
    expect(rows.isResumable).toBe(true);
    const count = 800;
    const produced = produce(edge, name, 0, count);
    const wanted = Array.from({ length: count }, (_, i) => i).filter((n) => n % 4 !== 1);
    const seen: number[] = [];
    const last = new Map<unknown, number>();
    for await (const { K, N, T } of rows) {
      const n = Number(N);
      expect(T).toBe(textOf(n));
      expect(n).toBeGreaterThan(last.get(K) ?? -1);
      last.set(K, n);
      seen.push(n);
      if (seen.length === wanted.length) break;
    }
    await produced;
    expect(seen.toSorted((a, b) => a - b)).toEqual(wanted);
    expect(proxy.cuts).toBeGreaterThan(0);
    await proxy.stop();
  },
);

test(`a consumer over a socket sees each record once, in order, whatever is cut (SEED=${SEED})`, async () => {
  const topic = 'cut-records';
  await edge.topics.create({ name: topic, partitions: 3 });
  const proxy = await CuttingProxy.start(() => workerd.url, drawn(SEED, 10_000, 90_000));
  const count = 800;
  const produced = produce(edge, topic, 0, count);
  const client = connect({ url: proxy.url });
  await using consumer = client.consumer({ topic, transport: 'socket' });
  const seen: number[] = [];
  const next = [0, 0, 0];
  // Whoever leaves the loop and comes again goes on where it was.
  while (seen.length < count) {
    let some = 211;
    for await (const { partition, offset, value } of consumer) {
      expect(offset).toBe(next[partition]);
      next[partition] = offset + 1;
      seen.push((JSON.parse(decodeUtf8(value ?? new Uint8Array(0))) as { N: number }).N);
      if (seen.length === count || --some === 0) break;
    }
  }
  await produced;
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(proxy.cuts).toBeGreaterThan(0);
  await proxy.stop();
});

test(`a consumer over connections that all break before a batch has come gets on all the same (SEED=${SEED})`, async () => {
  const topic = 'cut-batches';
  await edge.topics.create({ name: topic, partitions: 1 });
  const count = 300;
  await using producer = edge.producer({ batchRecords: count });
  const sent = Array.from({ length: count }, (_, i) =>
    producer.send(topic, { value: JSON.stringify({ N: i, T: textOf(i) }) }),
  );
  await Promise.all(sent);
  const proxy = await CuttingProxy.start(() => workerd.url, drawn(SEED, 4000, 12_000));
  const asked: (readonly [credit: unknown, frame: unknown])[] = [];
  class Noted extends WebSocket {
    override send(text: string): void {
      const { op, credit, frame } = JSON.parse(text) as Record<string, unknown>;
      if (op === 'subscribe') asked.push([credit, frame]);
      super.send(text);
    }
  }
  const client = connect({ url: proxy.url, WebSocket: Noted });
  await using consumer = client.consumer({ topic, transport: 'socket' });
  const seen: number[] = [];
  for await (const { offset, value } of consumer) {
    expect(offset).toBe(seen.length);
    seen.push((JSON.parse(decodeUtf8(value ?? new Uint8Array(0))) as { N: number }).N);
    if (seen.length === count) break;
  }
  expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
  // What has come whole over each connection is less than the batch.
  expect(proxy.cuts).toBeGreaterThan(2);
  const resumed = [SOCKET_RESUMED_BYTES_MAX, SOCKET_RESUMED_BYTES_MAX];
  expect(asked[0]).toEqual([SOCKET_FRAME_BYTES_MAX + 32, undefined]);
  expect(asked.slice(1)).toEqual(asked.slice(1).map(() => resumed));
  await proxy.stop();
});

test('what is read is granted again half a window at a time', async () => {
  const topic = 'granted';
  await edge.topics.create({ name: topic, partitions: 1 });
  await using producer = edge.producer({ batchRecords: 1 });
  const value = 'x'.repeat(SOCKET_FRAME_BYTES_MAX / 8);
  const granted: number[] = [];
  class Noted extends WebSocket {
    override send(text: string): void {
      // What asks whether it was read, and is sent back, is no JSON.
      const { op, bytes } = JSON.parse(text.startsWith('{') ? text : '{}') as Record<
        string,
        unknown
      >;
      if (op === 'credit') granted.push(Number(bytes));
      super.send(text);
    }
  }
  const client = connect({ url: workerd.url, WebSocket: Noted });
  await using consumer = client.consumer({ topic, transport: 'socket' });
  const records = consumer[Symbol.asyncIterator]();
  for (let i = 0; i < 9; i++) {
    await producer.send(topic, { value });
    expect((await records.next()).value?.offset).toBe(i);
  }
  expect(granted).toHaveLength(2);
  for (const bytes of granted) expect(bytes * 2).toBeGreaterThan(SOCKET_FRAME_BYTES_MAX);
});

test('an edge is killed under its readers: none misses or repeats a row', async () => {
  const own = await Workerd.start();
  try {
    const proxy = await CuttingProxy.start(
      () => own.url,
      () => Infinity,
    );
    const client = connect({ url: proxy.url });
    await client.execute(
      `CREATE STREAM killed (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='killed', PARTITIONS=1, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
    );
    const sql = 'SELECT n FROM killed EMIT CHANGES;';
    const count = 300;
    const readers = (['sse', 'socket'] as const).map(async (transport) => {
      const rows = await client.query(sql, { transport, properties: EARLIEST });
      const seen: unknown[] = [];
      for await (const { N } of rows) if (seen.push(N) === count) break;
      return seen;
    });
    const consumed = (async () => {
      const offsets: number[] = [];
      for await (const { offset } of client.consumer({ topic: 'killed', transport: 'socket' }))
        if (offsets.push(offset) === count) break;
      return offsets;
    })();
    for (let round = 0; round < 3; round++) {
      await produce(client, 'killed', round * 100, 100);
      await new Promise((done) => setTimeout(done, 30 * round));
      await own.kill();
      await own.restart();
    }
    const all = Array.from({ length: count }, (_, i) => i);
    expect(await Promise.all(readers)).toEqual([all, all]);
    expect(await consumed).toEqual(all);
    await proxy.stop();
  } finally {
    await own.stop();
  }
});

test('readers of one client share a socket, and one that does not read holds no other up', async () => {
  await stream('SHARED', 1);
  const opened: string[] = [];
  class Counted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      opened.push(new URL(url).pathname);
    }
  }
  const client = connect({ url: workerd.url, WebSocket: Counted });
  const sql = 'SELECT n FROM shared EMIT CHANGES;';
  const options = { transport: 'socket', properties: EARLIEST } as const;
  await using stalled = await client.query(sql, options);
  await produce(edge, 'SHARED', 0, 6000);
  await using read = await client.query(sql, options);
  let rows = 0;
  for await (const _ of read) if (++rows === 6000) break;
  // What it has not read waits at the edge, and is there when it comes.
  const late: unknown[] = [];
  for await (const { N } of stalled) if (late.push(N) === 6000) break;
  expect(late).toEqual(Array.from({ length: 6000 }, (_, i) => i));
  expect(opened).toEqual(['/query-socket']);
});

test('rows that wait unread for SOCKET_PARK_MS are put off, and come when their reader does', async () => {
  await stream('PARKED', 1);
  const count = SOCKET_WINDOW_ROWS_MAX + 500;
  await produce(edge, 'PARKED', 0, count);
  let opened = 0;
  let came = 0;
  const granted: number[][] = [];
  class Counted extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      opened += 1;
      this.addEventListener('message', ({ data }) => {
        const text = String(data);
        if (!text.startsWith('{')) return;
        const { op, rows } = JSON.parse(text) as { op: string; rows: unknown[] };
        if (op === 'rows') came += rows.length;
      });
    }
    override send(text: string): void {
      const { op, credit, rows } = JSON.parse(text) as Record<string, number | string>;
      if (op === 'query') granted.push([Number(credit)]);
      if (op === 'credit') granted.at(-1)?.push(Number(rows));
      super.send(text);
    }
  }
  const client = connect({ url: workerd.url, WebSocket: Counted });
  const options = { transport: 'socket', properties: EARLIEST } as const;
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await using rows = await client.query('SELECT n FROM parked EMIT CHANGES;', options);
    await expect.poll(() => came).toBe(SOCKET_WINDOW_ROWS_MAX);
    vi.advanceTimersByTime(SOCKET_PARK_MS);
    expect(opened).toBe(1);
    const seen: unknown[] = [];
    for await (const { N } of rows) if (seen.push(N) === count) break;
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(opened).toBe(2);
    // Behind a cut the window begins small: half of it is granted again as it is read, and as much as it is, so that it doubles.
    const first = SOCKET_RESUMED_ROWS_MAX;
    const grants = [1, 2, 4, 8, 16].map((times) => times * first * 1.5);
    expect(granted).toEqual([[SOCKET_WINDOW_ROWS_MAX], [first, ...grants]]);
    const sql = 'SELECT k, COUNT(*) AS n FROM parked GROUP BY k EMIT CHANGES;';
    came = 0;
    await using counted = await client.query(sql, options);
    await expect.poll(() => came).toBeGreaterThan(0);
    vi.advanceTimersByTime(SOCKET_PARK_MS);
    await expect(counted.all()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    vi.useRealTimers();
  }
});

test('an answer that is silent for ANSWER_SILENCE_MS_MAX is cut', async () => {
  vi.useFakeTimers();
  try {
    const lines = new Lines(new ReadableStream<Uint8Array>());
    let isCut = false;
    const waiting = lines.next().catch((thrown: unknown) => {
      isCut = true;
      return thrown;
    });
    await vi.advanceTimersByTimeAsync(ANSWER_SILENCE_MS_MAX - 1);
    expect(isCut).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    vi.useRealTimers();
  }
});

test('a query that keeps state ends when its connection is cut, and says so', async () => {
  await stream('COUNTED', 1);
  for (const transport of ['sse', 'socket'] as const) {
    const proxy = await CuttingProxy.start(
      () => workerd.url,
      () => Infinity,
    );
    const client = connect({ url: proxy.url });
    const sql = 'SELECT k, COUNT(*) AS n FROM counted GROUP BY k EMIT CHANGES;';
    const rows = await client.query(sql, { transport });
    expect(rows.isResumable).toBe(false);
    const reading = rows.all();
    setTimeout(() => void proxy.stop(), 50);
    await expect(reading).rejects.toMatchObject({ name: 'PortError', code: 'UNAVAILABLE' });
  }
});

test('what is wrong with a query over a socket is told as over a request, and pull queries are answered', async () => {
  await stream('TOLD', 1);
  const transport = 'socket';
  const wrong = edge.query('SELECT nothing FROM told;', { transport });
  await expect(wrong).rejects.toMatchObject({ name: 'StatementError', code: 'UNKNOWN_COLUMN' });
  await produce(edge, 'TOLD', 0, 10);
  const rows = await edge.query('SELECT n FROM told LIMIT 3;', { transport });
  expect(rows).toMatchObject({ kind: 'pull', queryId: null });
  expect((await rows.all()).map(({ N }) => N)).toEqual([0, 1, 2]);
  expect(rows.finalMessage).toBe('Limit Reached');
  const control = new AbortController();
  const push = await edge.query('SELECT n FROM told EMIT CHANGES;', {
    transport,
    signal: control.signal,
  });
  setTimeout(() => control.abort(), 30);
  expect(await push.all()).toEqual([]);
});
