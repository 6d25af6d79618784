// Produce and fetch over HTTP on plain workerd: digits, partitions, idempotence, and what survives a kill.

import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { send, sendUntilTaken, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

let topics = 0;
async function topic(partitions = 1): Promise<string> {
  const name = `t${topics++}`;
  expect((await send(edge, 'POST', '/topics', { name, partitions })).status).toBe(201);
  return name;
}

const BORN_MS = Date.now();
function producer(sequence: number, { epoch = 0, name = 'p' } = {}): Record<string, string> {
  return {
    'Producer-Id': `${BORN_MS}.${name}`,
    'Producer-Epoch': String(epoch),
    'Producer-Seq': String(sequence),
  };
}

test('a value comes back as it was written, digit by digit', async () => {
  const name = await topic();
  const value =
    '{ "n": 9007199254740993, "d": 1.10, "__proto__": {"x": 1e400}, "t": "a\\u0000\\"}" }';
  await send(
    edge,
    'POST',
    `/topics/${name}/records`,
    `{"records": [ {"key":"k","value":${value}} ,{"value":null}]}`,
  );
  const fetched = await send(edge, 'GET', `/topics/${name}/partitions/0/records`);
  expect(fetched.text).toContain(`"key":"k","value":${value}`);
  expect(fetched.body).toMatchObject({ next: 2, highWatermark: 2, start: 0 });
});

test('keys, bytes, headers and timestamps come back', async () => {
  const name = await topic();
  const record = {
    keyBase64: '/w==',
    valueBase64: '/v8=',
    timestamp: 1234,
    headers: [
      { name: 'a', value: 'x' },
      { name: 'a', value: null },
      { name: 'b', valueBase64: '/w==' },
    ],
  };
  expect((await send(edge, 'POST', `/topics/${name}/records`, { records: [record] })).status).toBe(
    200,
  );
  const { body } = await send(edge, 'GET', `/topics/${name}/partitions/0/records`);
  expect(body).toMatchObject({ records: [{ offset: 0, ...record }] });
});

test('a key goes to the partition that Kafka chooses', async () => {
  const name = await topic(8);
  // murmur2 of the published vectors, & 0x7fffffff, % 8.
  const vectors = new Map([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['abc', 479_470_107],
  ]);
  const records = [...vectors.keys()].map((key) => ({ key, value: 1 }));
  const { body } = await send(edge, 'POST', `/topics/${name}/records`, { records });
  const expected = [...vectors.values()].map((hash) => ({
    partition: (hash & 0x7fffffff) % 8,
    offset: expect.any(Number),
  }));
  expect(body).toMatchObject({ offsets: expected });
});

test('a repeated request answers the original offset and appends nothing', async () => {
  const name = await topic();
  const records = {
    records: [
      { key: 'a', value: 1, timestamp: 5 },
      { key: 'b', value: 2, timestamp: 5 },
    ],
  };
  const path = `/topics/${name}/records`;
  const first = await send(edge, 'POST', path, records, producer(0));
  const next = await send(edge, 'POST', path, records, producer(2));
  const again = await send(edge, 'POST', path, records, producer(0));
  expect(first.body).toMatchObject({ offsets: [{ offset: 0 }, { offset: 1 }], duplicate: false });
  expect(next.body).toMatchObject({ offsets: [{ offset: 2 }, { offset: 3 }], duplicate: false });
  expect(again.body).toMatchObject({ offsets: [{ offset: 0 }, { offset: 1 }], duplicate: true });
  const { body } = await send(edge, 'GET', `/topics/${name}/partitions/0/records`);
  expect(body).toMatchObject({ highWatermark: 4 });
});

test('the same request sent twice at once is appended once', async () => {
  const name = await topic();
  const records = { records: [{ key: 'a', value: 1, timestamp: 5 }] };
  const answers = await Promise.all(
    [1, 2, 3].map(() => send(edge, 'POST', `/topics/${name}/records`, records, producer(0))),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(answers.filter(({ body }) => (body as { duplicate: boolean }).duplicate)).toHaveLength(2);
  expect((await send(edge, 'GET', `/topics/${name}`)).body).toMatchObject({
    bounds: [{ highWatermark: 1 }],
  });
});

test.each([
  ['a gap', producer(7), 409, { code: 'OUT_OF_ORDER_SEQUENCE', detail: { expected: 1 } }],
  ['another body', producer(0), 409, { code: 'SEQUENCE_REUSED' }],
  [
    'an older epoch',
    producer(1, { epoch: 0, name: 'fenced' }),
    403,
    { code: 'FENCED', detail: { epoch: 3 } },
  ],
  ['an id without its time', { ...producer(0), 'Producer-Id': 'me' }, 400, { code: 'BAD_REQUEST' }],
  ['only one header', { 'Producer-Seq': '0' }, 400, { code: 'BAD_REQUEST' }],
  ['a negative sequence', { ...producer(0), 'Producer-Seq': '-1' }, 400, { code: 'BAD_REQUEST' }],
])(
  'a producer with %s is refused and nothing changes',
  async (_what, headers, status, expected) => {
    const name = await topic();
    const path = `/topics/${name}/records`;
    await send(edge, 'POST', path, { records: [{ value: 1, timestamp: 5 }] }, producer(0));
    await send(
      edge,
      'POST',
      path,
      { records: [{ value: 1, timestamp: 5 }] },
      producer(0, { epoch: 3, name: 'fenced' }),
    );
    const refused = await send(
      edge,
      'POST',
      path,
      { records: [{ value: 2, timestamp: 5 }] },
      headers,
    );
    expect(refused).toMatchObject({ status, body: expected });
    const good = await send(
      edge,
      'POST',
      path,
      { records: [{ value: 3, timestamp: 5 }] },
      producer(1),
    );
    expect(good.body).toMatchObject({ offsets: [{ offset: 2 }], duplicate: false });
  },
);

test('a record batch goes in and comes out byte by byte', async () => {
  const name = await topic();
  const batch = singleRecord(new Uint8Array([1, 2]), new Uint8Array([3]), 77);
  const put = await fetch(`${edge.url}/topics/${name}/partitions/0/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.millrace.batch' },
    body: batch,
  });
  expect(await put.json()).toMatchObject({ base: 0, count: 1, duplicate: false, highWatermark: 1 });
  const got = await fetch(`${edge.url}/topics/${name}/partitions/0/records`, {
    headers: { Accept: 'application/vnd.millrace.batches' },
  });
  expect(got.headers.get('Millrace-High-Watermark')).toBe('1');
  const bytes = new Uint8Array(await got.arrayBuffer());
  const view = new DataView(bytes.buffer);
  expect([view.getFloat64(0, true), view.getUint32(8, true), view.getUint32(12, true)]).toEqual([
    0,
    1,
    batch.length,
  ]);
  expect(parseRecordBatch(bytes.slice(16)).timestamps[0]).toBe(77);
  batch[batch.length - 1] = 9;
  const damaged = await fetch(`${edge.url}/topics/${name}/partitions/0/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.millrace.batch' },
    body: batch,
  });
  expect([damaged.status, await damaged.json()]).toMatchObject([400, { code: 'INVALID_BATCH' }]);
});

test('a waiting fetch answers when a record comes', async () => {
  const name = await topic();
  const waiting = send(
    edge,
    'GET',
    `/topics/${name}/partitions/0/records?offset=latest&wait_ms=20000`,
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  await send(edge, 'POST', `/topics/${name}/records`, { records: [{ value: 'late' }] });
  expect((await waiting).body).toMatchObject({ records: [{ value: 'late' }], next: 1 });
});

test('a fetch begins where it is told and tells where to go on', async () => {
  const name = await topic();
  const path = `/topics/${name}/partitions/0/records`;
  for (const values of [[1, 2], [3], [4, 5, 6]]) {
    await send(edge, 'POST', `/topics/${name}/records`, {
      records: values.map((value) => ({ value })),
    });
  }
  const seen: number[] = [];
  for (let next = 0; next < 6;) {
    const { body } = await send(edge, 'GET', `${path}?offset=${next}&max_bytes=1`);
    const page = body as { records: { offset: number; value: number }[]; next: number };
    seen.push(...page.records.map(({ value }) => value));
    expect(page.next).toBeGreaterThan(next);
    next = page.next;
  }
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  expect((await send(edge, 'GET', `${path}?offset=4`)).body).toMatchObject({
    records: [{ value: 5 }, { value: 6 }],
  });
});

test('a topic that was dropped and created again refuses those who mean the old one', async () => {
  const name = await topic();
  const old = (await send(edge, 'GET', `/topics/${name}`)).body as { incarnation: string };
  await send(edge, 'POST', `/topics/${name}/records`, { records: [{ value: 1 }] });
  expect((await send(edge, 'DELETE', `/topics/${name}`)).status).toBe(204);
  expect((await send(edge, 'GET', `/topics/${name}`)).status).toBe(404);
  await send(edge, 'POST', '/topics', { name });
  const headers = { 'Topic-Incarnation': old.incarnation };
  const refused = await send(
    edge,
    'POST',
    `/topics/${name}/records`,
    { records: [{ value: 2 }] },
    headers,
  );
  expect(refused).toMatchObject({ status: 409, body: { code: 'INCARNATION_CHANGED' } });
  const path = `/topics/${name}/partitions/0/records`;
  const frames = { Accept: 'application/vnd.millrace.batches' };
  // Whatever it is: also what a path would take for one of its own.
  for (const incarnation of [old.incarnation, '..', '.', '%2e%2e', 'a/b', '%']) {
    const meant = `${path}?incarnation=${encodeURIComponent(incarnation)}`;
    for (const accept of [{}, frames])
      expect((await send(edge, 'GET', meant, undefined, accept)).status).toBe(409);
  }
  expect((await send(edge, 'GET', path)).body).toMatchObject({ records: [], highWatermark: 0 });
});

test('what was acknowledged survives a kill, and a repeat after it is still a repeat', async () => {
  const name = await topic();
  const headers = producer(0);
  const records = { records: [{ key: 'k', value: 1, timestamp: 5 }] };
  await send(edge, 'POST', `/topics/${name}/records`, records, headers);
  await edge.kill();
  await edge.restart();
  const again = await send(edge, 'POST', `/topics/${name}/records`, records, headers);
  expect(again.body).toMatchObject({ offsets: [{ offset: 0 }], duplicate: true });
  expect((await send(edge, 'GET', `/topics/${name}/partitions/0/records`)).body).toMatchObject({
    records: [{ offset: 0, key: 'k', value: 1 }],
    highWatermark: 1,
  });
});

test('offsets are found by time, and a topic says how far ahead timestamps may lie', async () => {
  const name = await topic();
  const records = [100, 200, 300].map((timestamp) => ({ value: 1, timestamp }));
  await send(edge, 'POST', `/topics/${name}/records`, { records });
  const offsets = (query: string) =>
    send(edge, 'GET', `/topics/${name}/partitions/0/offsets${query}`);
  expect((await offsets('?timestamp=150')).body).toMatchObject({ offset: 1, start: 0 });
  expect((await offsets('?timestamp=301')).body).toMatchObject({ offset: 3, highWatermark: 3 });
  expect((await offsets('')).body).toMatchObject({ start: 0, highWatermark: 3 });
  for (const bad of ['-1', 'abc', '1.5', '99999999999999999']) {
    expect((await offsets(`?timestamp=${bad}`)).status).toBe(400);
  }
  const ahead = { value: 1, timestamp: Date.now() + 2 * 3_600_000 };
  const refused = await send(edge, 'POST', `/topics/${name}/records`, { records: [ahead] });
  expect(refused).toMatchObject({ status: 400, body: { code: 'INVALID_TIMESTAMP' } });
  expect((await offsets('')).body).toMatchObject({ highWatermark: 3 });
  const free = { name: `${name}-free`, timestampAfterMaxMs: null };
  expect((await send(edge, 'POST', '/topics', free)).status).toBe(201);
  const accepted = await send(edge, 'POST', `/topics/${free.name}/records`, { records: [ahead] });
  expect(accepted.status).toBe(200);
});

test('a topic that stamps its records writes over what was sent', async () => {
  const name = `t${topics++}`;
  const spec = { name, timestampType: 'LogAppendTime' };
  expect((await send(edge, 'POST', '/topics', spec)).body).toMatchObject(spec);
  const headers = producer(0, { name });
  const batch = { records: [{ value: 1, timestamp: 1 }] };
  const beforeMs = Date.now();
  await send(edge, 'POST', `/topics/${name}/records`, batch, headers);
  const again = await send(edge, 'POST', `/topics/${name}/records`, batch, headers);
  expect(again.body).toMatchObject({ duplicate: true, offsets: [{ offset: 0 }] });
  const { body } = await send(edge, 'GET', `/topics/${name}/partitions/0/records`);
  const [record] = (body as { records: { timestamp: number }[] }).records;
  expect(record?.timestamp).toBeGreaterThanOrEqual(beforeMs);
});

test('retention by size and its kin are refused where they make no sense', async () => {
  const bad = [
    { retentionBytes: 0 },
    { retentionBytes: -1 },
    { retentionMs: '1' },
    { timestampType: 'now' },
    { timestampAfterMaxMs: 1.5 },
    { deleteRetentionMs: {} },
    { retention: 5 },
    { retention_ms: 5 },
  ];
  for (const policy of bad) {
    expect((await send(edge, 'POST', '/topics', { name: 'bad', ...policy })).status).toBe(400);
  }
  const given = { name: 'sized', retentionMs: 60_000, retentionBytes: 1_000_000 };
  expect((await send(edge, 'POST', '/topics', given)).status).toBe(201);
  const described = await send(edge, 'GET', '/topics/sized');
  expect(described.body).toMatchObject({ ...given, timestampType: 'CreateTime', compacted: false });
});

/** Sends a request and is gone before there is an answer. */
function sendAndLeave(text: string): Promise<void> {
  const socket = connect(Number(new URL(edge.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.write(
      `POST /topics/many/records HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      () => {
        socket.destroy();
        resolve();
      },
    );
  });
}

test('many requests at once, some of whose clients leave: the others have their own offsets, each once', async () => {
  expect((await send(edge, 'POST', '/topics', { name: 'many' })).status).toBe(201);
  const offsets = new Map<number, number>();
  let sent = 0;
  for (let round = 0; round < 8; round++) {
    const leaving = Array.from({ length: 8 }, () => sendAndLeave('{"records":[{"value":-1}]}'));
    const staying = Array.from({ length: 24 }, async () => {
      const value = sent++;
      const bad = value % 7 === 0;
      const record = bad ? { value, partition: 3 } : { value };
      const { status, body } = await sendUntilTaken(edge, 'POST', '/topics/many/records', {
        records: [record],
      });
      expect(status).toBe(bad ? 404 : 200);
      if (bad) return;
      const { offset } = (body as { offsets: { offset: number }[] }).offsets[0] ?? { offset: -1 };
      expect(offsets.has(offset)).toBe(false);
      offsets.set(offset, value);
    });
    await Promise.all([...leaving, ...staying]);
  }
  const read = await send(edge, 'GET', '/topics/many/partitions/0/records');
  const { records } = read.body as { records: { offset: number; value: number }[] };
  const stored = new Map(records.map(({ offset, value }) => [offset, value]));
  for (const [offset, value] of offsets) expect(stored.get(offset)).toBe(value);
  expect(records.filter(({ value }) => value >= 0)).toHaveLength(offsets.size);
});

test('clients that leave while they wait to begin take no place with them', async () => {
  for (let round = 0; round < 2; round++)
    await Promise.all(Array.from({ length: 200 }, () => sendAndLeave('{"records":[]}')));
  const ask = async (): Promise<number> =>
    (await sendUntilTaken(edge, 'GET', '/topics/many')).status;
  await until(async () => (await ask()) === 200);
  const statuses = await Promise.all(Array.from({ length: 24 }, ask));
  expect(new Set(statuses)).toEqual(new Set([200]));
});
