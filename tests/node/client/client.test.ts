// The client against plain workerd: topics, statements, queries with exact rows, consumers, and errors as the engine has them.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  type Client,
  connect,
  EdgeError,
  LimitError,
  PortError,
  StatementError,
} from '../../../runtime/client/index.ts';
import {
  ANSWER_LINE_LENGTH_MAX,
  CONSUMER_FETCHES_MAX,
  PRODUCER_BUFFER_BYTES_MAX,
  PRODUCER_SENDS_MAX,
} from '../../../runtime/base/limits.ts';
import { Lines } from '../../../runtime/client/lines.ts';
import { until } from '../../support/edge-client.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { reactive } from '../../support/reactive.ts';
import { Workerd } from '../../support/workerd.ts';

let workerd: Workerd;
let edge: Client;
beforeAll(async () => {
  workerd = await Workerd.start();
  edge = connect({ url: `${workerd.url}/` });
});
afterAll(() => workerd.stop());

test('a client, its producers, consumers and answers are used through what is reactive', async () => {
  const { client } = reactive({ client: connect({ url: workerd.url }) });
  await client.topics.create({ name: 'held' });
  const held = reactive({
    producer: client.producer(),
    consumer: client.consumer({ topic: 'held' }),
    rows: await client.query('SELECT * FROM ksql_processing_log EMIT CHANGES;'),
  });
  await held.rows.close();
  expect(await held.rows.all()).toEqual([]);
  await held.producer.send('held', { value: 'x' });
  for await (const { offset } of held.consumer) {
    expect(offset).toBe(0);
    break;
  }
  await held.producer.close();
});

test('topics are created, described, listed and deleted', async () => {
  const made = await edge.topics.create({ name: 'mine', partitions: 2, retentionMs: 1000 });
  expect(made).toMatchObject({ name: 'mine', partitions: 2, retentionMs: 1000 });
  await expect(edge.topics.create({ name: 'mine' })).rejects.toMatchObject({
    name: 'PortError',
    code: 'TOPIC_EXISTS',
  });
  await using producer = edge.producer();
  await producer.send('mine', { value: 'x', partition: 1 });
  const { bounds, incarnation } = await edge.topics.describe('mine');
  expect(incarnation).toBe(made.incarnation);
  expect(bounds).toMatchObject([
    { partition: 0, start: 0, highWatermark: 0, storage: 'ok' },
    { partition: 1, start: 0, highWatermark: 1, storage: 'ok' },
  ]);
  expect((await edge.topics.list()).map(({ name }) => name)).toContain('mine');
  await edge.topics.delete('mine');
  await expect(edge.topics.describe('mine')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
});

test('errors are those of the engine, with code, position, hint and detail', async () => {
  const bad = await edge.execute('SHOW STREAMS;\nCREATE STREEM x;').catch((e: unknown) => e);
  expect(bad).toBeInstanceOf(StatementError);
  expect(bad).toMatchObject({ code: 'SYNTAX', position: { line: 2 } });
  expect(String(bad)).toMatch(/^StatementError: line 2:\d+: [^l]/);
  const unknown = await edge.query('SELECT * FROM nowhere;').catch((e: unknown) => e);
  expect(unknown).toMatchObject({ name: 'StatementError', code: 'UNKNOWN_SOURCE' });
  const nowhere = connect({ url: `${workerd.url}/no/such` });
  const missing = await nowhere.topics.list().catch((e: unknown) => e);
  expect(missing).toBeInstanceOf(EdgeError);
  expect(missing).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  await edge.topics.create({ name: 'short' });
  await using consumer = edge.consumer({ topic: 'short', partition: 0, from: 5 });
  const far = await consumer[Symbol.asyncIterator]()
    .next()
    .catch((e: unknown) => e);
  expect(far).toBeInstanceOf(PortError);
  expect(far).toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
    detail: { start: 0, highWatermark: 0 },
  });
});

test('an edge that is not there is UNAVAILABLE after the deadline', async () => {
  const gone = connect({ url: 'http://127.0.0.1:9', deadlineMs: 200 });
  const from = performance.now();
  await expect(gone.topics.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await using producer = gone.producer();
  await expect(producer.send('t', { value: '' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  // By itself it is two minutes.
  expect(performance.now() - from).toBeLessThan(20_000);
});

test('statements answer as those of the engine, and rows of a pull query are exact', async () => {
  const entities = await edge.execute(
    `CREATE STREAM exact (k STRING KEY, big BIGINT, d DECIMAL(20, 4), f DOUBLE, b BYTES, ok BOOLEAN, l ARRAY<BIGINT>, m MAP<STRING, INTEGER>,
       s STRUCT<\`constructor\` BIGINT, t STRING>, tm TIMESTAMP) WITH (KAFKA_TOPIC='exact', PARTITIONS=1, FORMAT='JSON');
     CREATE TABLE exact_t AS SELECT k, LATEST_BY_OFFSET(big) AS \`a, \`\`b\`, LATEST_BY_OFFSET(d) AS d, LATEST_BY_OFFSET(f) AS f, LATEST_BY_OFFSET(b) AS b,
       LATEST_BY_OFFSET(ok) AS ok, LATEST_BY_OFFSET(l) AS l, LATEST_BY_OFFSET(m) AS m, LATEST_BY_OFFSET(s) AS s,
       LATEST_BY_OFFSET(tm) AS tm FROM exact GROUP BY k;`,
  );
  expect(entities.map((entity) => entity['@type'])).toEqual(['currentStatus', 'currentStatus']);
  await using producer = edge.producer();
  const value = `{"BIG": 9007199254740993, "D": 1234567890123456.5000, "F": 0.1, "B": "AAH/", "OK": true, "L": [1, null, -9223372036854775808],
    "M": {"x\\"y": 1}, "S": {"constructor": 7, "T": "two\\nlines"}, "TM": 1700000000000}`;
  await producer.send('exact', { key: '"a"', value });
  const sql = "SELECT * FROM exact_t WHERE k = 'a';";
  const [row] = await until(async () => {
    const rows = await (await edge.query(sql)).all();
    return rows.length > 0 && rows;
  });
  expect(Object.getPrototypeOf(row)).toBeNull();
  expect({ ...row }).toEqual({
    K: 'a',
    'a, `b': 9007199254740993n,
    D: '1234567890123456.5000',
    F: 0.1,
    B: new Uint8Array([0, 1, 255]),
    OK: true,
    L: [1, null, -9223372036854775808n],
    M: new Map([['x"y', 1]]),
    S: expect.objectContaining({ constructor: 7, T: 'two\nlines' }),
    TM: 1700000000000,
  });
  const bigints = await (await edge.query(sql, { bigint: 'bigint' })).all();
  expect(bigints[0]?.['L']).toEqual([1n, null, -9223372036854775808n]);
  const pull = await edge.query(sql);
  expect(pull).toMatchObject({ kind: 'pull', queryId: null });
  expect(pull.columns[1]).toEqual({ name: 'a, `b', type: 'BIGINT' });
  expect(await pull.all()).toHaveLength(1);
  await expect(pull.all()).rejects.toMatchObject({ code: 'INVALID' });
});

test('a push query gives rows as they come, tells deleted ones, and ends with LIMIT, close or its signal', async () => {
  await edge.execute(
    `CREATE TABLE live (k STRING PRIMARY KEY, n INT) WITH (KAFKA_TOPIC='live', PARTITIONS=1, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
  );
  await using producer = edge.producer({ lingerMs: 0 });
  await producer.send('live', { key: 'a', value: '{"N": 1}' });
  await producer.send('live', { key: 'a', value: null });
  const properties = { 'auto.offset.reset': 'earliest' };
  const limited = await edge.query('SELECT * FROM live EMIT CHANGES LIMIT 2;', { properties });
  expect(limited.kind).toBe('push');
  const changes = [];
  for await (const { row, isDelete } of limited.changes()) changes.push({ ...row, isDelete });
  expect(changes).toEqual([
    { K: 'a', N: 1, isDelete: false },
    { K: 'a', N: null, isDelete: true },
  ]);
  expect(limited.finalMessage).toBe('Limit Reached');
  const control = new AbortController();
  for (const end of ['close', 'abort'] as const) {
    const { signal } = control;
    const rows = await edge.query('SELECT * FROM live EMIT CHANGES;', { properties, signal });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const row of rows) seen.push(row['N']);
    })();
    await until(async () => seen.length === 2);
    if (end === 'close') await rows.close();
    else control.abort();
    await reading;
    expect(seen).toEqual([1, null]);
  }
});

test('a push query that is cut for long says so', async () => {
  await edge.execute(
    `CREATE STREAM cut (n INT) WITH (KAFKA_TOPIC='cut', PARTITIONS=1, VALUE_FORMAT='JSON');`,
  );
  const proxy = await FaultProxy.start(
    () => workerd.url,
    () => 'none',
  );
  const client = connect({ url: proxy.url, deadlineMs: 300 });
  const rows = await client.query('SELECT * FROM cut EMIT CHANGES;');
  const reading = rows.all();
  setTimeout(() => void proxy.stop(), 50);
  await expect(reading).rejects.toMatchObject({ name: 'PortError', code: 'UNAVAILABLE' });
});

test('a consumer begins where it is told and goes elsewhere when it seeks', async () => {
  await edge.topics.create({ name: 'seek', partitions: 6 });
  await using producer = edge.producer();
  const send = (value: string, partition = 0) => producer.send('seek', { value, partition });
  await Promise.all(['0', '1', '2', '3'].map((value) => send(value)));
  const take = async (consumer: AsyncIterable<{ value: Uint8Array | null }>, count: number) => {
    const values: string[] = [];
    for await (const { value } of consumer) {
      if (values.push(decodeUtf8(value ?? new Uint8Array(0))) === count) break;
    }
    return values;
  };
  await using earliest = edge.consumer({ topic: 'seek', partition: 0 });
  expect(await take(earliest, 2)).toEqual(['0', '1']);
  expect(await take(earliest, 1)).toEqual(['2']);
  expect(await earliest.positions()).toEqual(new Map([[0, 3]]));
  await earliest.seek(1);
  expect(await take(earliest, 3)).toEqual(['1', '2', '3']);
  await earliest.seek('earliest');
  const seen: number[] = [];
  for await (const { offset } of earliest) {
    seen.push(offset);
    if (seen.length === 2) await earliest.seek(3);
    if (offset === 3) break;
  }
  expect(seen).toEqual([0, 1, 3]);
  await using latest = edge.consumer({ topic: 'seek', from: 'latest' });
  await latest.ready();
  const values = ['4', '5', '6', '7', '8', '9'];
  await Promise.all(values.map((value, partition) => send(value, partition)));
  expect((await take(latest, 6)).toSorted()).toEqual(values);
  const batches = edge.consumer({ topic: 'seek', partition: 0, from: 2 });
  for await (const { base, first, records, end } of batches.batches()) {
    const values = Array.from({ length: records.count - first }, (_, i) =>
      records.value(first + i),
    );
    expect(values.map((value) => decodeUtf8(value ?? new Uint8Array(0)))).toEqual(['2', '3']);
    expect(base + first).toBe(2);
    expect(end).toBe(4);
    break;
  }
});

test('a consumer begins at a time, and seeks to one', async () => {
  await edge.topics.create({ name: 'times', partitions: 2 });
  await using producer = edge.producer();
  for (const [i, timestamp] of [100, 200, 300, 400].entries()) {
    await producer.send('times', { value: String(i), partition: i % 2, timestamp });
  }
  await using consumer = edge.consumer({ topic: 'times', from: { timestamp: 250 } });
  expect(await consumer.positions()).toEqual(
    new Map([
      [0, 1],
      [1, 1],
    ]),
  );
  await consumer.seek({ timestamp: 150 }, 1);
  expect(await consumer.positions()).toEqual(
    new Map([
      [0, 1],
      [1, 0],
    ]),
  );
  await consumer.seek({ timestamp: 401 });
  const { bounds } = await edge.topics.describe('times');
  expect([...(await consumer.positions()).values()]).toEqual(bounds.map((of) => of.highWatermark));
});

test('an answer that does not come in time is no answer', async () => {
  const proxy = await FaultProxy.start(
    () => workerd.url,
    () => ({ delayMs: 3000 }),
  );
  // Time for several attempts, though the machine stands still during one or two.
  const client = connect({ url: proxy.url, requestMs: 300, deadlineMs: 3000 });
  await expect(client.topics.list()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    cause: { name: 'TimeoutError' },
  });
  expect(proxy.counts.get('delay')).toBeGreaterThan(1);
  await proxy.stop();
});

test('a producer holds PRODUCER_BUFFER_BYTES_MAX and no more, whatever it is told', async () => {
  const producer = connect({ url: 'http://127.0.0.1:9', deadlineMs: 500 }).producer({
    bufferBytes: Infinity,
  });
  const value = new Uint8Array(900_000);
  const sent = Array.from({ length: 50 }, () => producer.send('nowhere', { value }));
  expect(producer.bufferedBytes).toBeGreaterThan(PRODUCER_BUFFER_BYTES_MAX - 1_000_000);
  expect(producer.bufferedBytes).toBeLessThan(PRODUCER_BUFFER_BYTES_MAX);
  for (const one of await Promise.allSettled(sent)) expect(one.status).toBe('rejected');
  expect(producer.bufferedBytes).toBe(0);
});

test('a line of an answer may be so long and no longer', async () => {
  const linesOf = (length: number) =>
    new Lines(new Blob(['x'.repeat(length), '\n']).stream()).next();
  expect((await linesOf(ANSWER_LINE_LENGTH_MAX))?.length).toBe(ANSWER_LINE_LENGTH_MAX);
  await expect(linesOf(ANSWER_LINE_LENGTH_MAX + 200_000)).rejects.toMatchObject({
    limit: 'ANSWER_LINE_LENGTH_MAX',
  });
});

test('a consumer of many partitions asks a few of them at a time', async () => {
  const name = 'wide';
  await edge.topics.create({ name, partitions: CONSUMER_FETCHES_MAX * 3 });
  let underWay = 0;
  let most = 0;
  const counting = async (url: string, init: RequestInit): Promise<Response> => {
    most = Math.max(most, ++underWay);
    try {
      return await fetch(url, init);
    } finally {
      underWay--;
    }
  };
  await using producer = edge.producer();
  const partitions = Array.from({ length: CONSUMER_FETCHES_MAX * 3 }, (_, partition) => partition);
  await Promise.all(partitions.map((partition) => producer.send(name, { value: '', partition })));
  await using consumer = connect({ url: workerd.url, fetch: counting }).consumer({ topic: name });
  const seen: number[] = [];
  for await (const { partition } of consumer) if (seen.push(partition) === partitions.length) break;
  expect(seen.toSorted((a, b) => a - b)).toEqual(partitions);
  expect(most).toBe(CONSUMER_FETCHES_MAX);
});

test('a consumer that waits ends with its signal, and without one the next loop is refused while it waits', async () => {
  await edge.topics.create({ name: 'quiet' });
  const control = new AbortController();
  const consumer = edge.consumer({ topic: 'quiet', signal: control.signal });
  const waiting = Array.fromAsync(consumer);
  await expect(Array.fromAsync(consumer)).rejects.toMatchObject({ code: 'INVALID' });
  setTimeout(() => control.abort(), 50);
  expect(await waiting).toEqual([]);
  expect(await Array.fromAsync(consumer)).toEqual([]);
});

test('a topic that is dropped and made again is refused to what knew the old one', async () => {
  await edge.topics.create({ name: 'again' });
  await using producer = edge.producer();
  await producer.send('again', { value: 'old' });
  await using consumer = edge.consumer({ topic: 'again' });
  for await (const _ of consumer) break;
  await edge.topics.delete('again');
  await edge.topics.create({ name: 'again' });
  await expect(producer.send('again', { value: 'lost' })).rejects.toMatchObject({
    code: 'INCARNATION_CHANGED',
  });
  expect(await producer.send('again', { value: 'new' })).toEqual({ partition: 0, offset: 0 });
  await expect(Array.fromAsync(consumer)).rejects.toMatchObject({ code: 'INCARNATION_CHANGED' });
});

test('a full producer makes its senders wait, and refuses what waits beyond the limit', async () => {
  await edge.topics.create({ name: 'full' });
  await using producer = edge.producer({ bufferBytes: 60_000 });
  const value = new Uint8Array(1000);
  /** As many as have room with what they cost beside their bytes. */
  const room = 47;
  const places: Promise<{ offset: number }>[] = [];
  for (let i = 0; i < PRODUCER_SENDS_MAX + room; i++) places.push(producer.send('full', { value }));
  expect(producer.bufferedBytes).toBeLessThan(60_000);
  await expect(producer.send('full', { value })).rejects.toBeInstanceOf(LimitError);
  await producer.ready();
  const offsets = (await Promise.all(places)).map(({ offset }) => offset);
  expect(offsets).toEqual(places.map((_, i) => i));
  expect(producer.bufferedBytes).toBe(0);
});

test('what is wrong with a record is told to its sender alone', async () => {
  await edge.topics.create({ name: 'judged', partitions: 2 });
  await using producer = edge.producer();
  const outcomes = await Promise.allSettled([
    producer.send('judged', { value: 'a', partition: 0 }),
    producer.send('judged', { value: 'b', partition: 2 }),
    producer.send('judged', { value: 'c', partition: 0, timestamp: -5 }),
    producer.send('judged', { value: new Uint8Array(1_000_000), partition: 0 }),
    producer.send('judged', {
      value: 'e',
      partition: 0,
      headers: Array.from({ length: 65 }, () => ({ name: 'h', value: null })),
    }),
    producer.send('nowhere', { value: 'f' }),
    producer.send('judged', { value: 'g', partition: 0 }),
  ]);
  const told = outcomes.map((outcome) =>
    outcome.status === 'fulfilled'
      ? outcome.value.offset
      : ((outcome.reason as PortError).code ?? (outcome.reason as LimitError).limit),
  );
  expect(told).toEqual([
    0,
    'UNKNOWN_PARTITION',
    'INVALID_TIMESTAMP',
    'RECORD_TOO_LARGE',
    'HEADERS_MAX',
    'UNKNOWN_TOPIC',
    1,
  ]);
});
