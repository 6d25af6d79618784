// Keys, tenants, origins, sizes and rates before the routes, on plain workerd; and the parts of them that need none.

import { request } from 'node:http';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Buckets } from '../../../edge/guard/buckets.ts';
import { isLoopback } from '../../../edge/guard/loopback.ts';
import { type ApiKey, principalOf } from '../../../edge/guard/principal.ts';
import {
  KEY_REQUESTS_BURST_MAX,
  KEY_REQUESTS_SECOND_MAX,
  KEYS_COUNTED_MAX,
  REQUEST_HEADERS_BYTES_MAX,
  URL_LENGTH_MAX,
} from '../../../runtime/base/limits.ts';
import { connect } from '../../../runtime/client/index.ts';
import { type Answer, send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start('tests/workers/apps/guarded.ts');
});
afterAll(() => edge.stop());

const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });

/** As `send`, with headers that fetch does not let anyone set. */
function sendRaw(
  to: Workerd,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Pick<Answer, 'status' | 'text'> & { headers: Readonly<Record<string, unknown>> }> {
  return new Promise((resolve, reject) => {
    const sent = request(to.url + path, { method, headers }, (reply) => {
      let text = '';
      reply.on('data', (part: Buffer) => (text += part.toString()));
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, text, headers: reply.headers }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

test.each([
  ['no key', {}],
  ['an unknown key', bearer('key-of-c')],
  ['a key that has expired', bearer('old-key')],
  ['half a key', bearer('key-of-')],
  ['an empty key', { Authorization: 'Bearer ' }],
  ['another scheme', { Authorization: 'Basic key-of-a' }],
  ['a token that is signed by nobody', bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.')],
])('%s is refused alike on every path, whether there is something or not', async (_, headers) => {
  const paths = ['/topics', '/topics/nowhere', '/nothing', '/info'];
  const answers = await Promise.all(
    paths.map((path) => send(edge, 'GET', path, undefined, headers)),
  );
  for (const answer of answers) {
    expect(answer.status).toBe(401);
    expect(answer.text).toBe(answers[0]?.text);
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
  }
});

test('tenants see their own topics, streams and queries alone, under the same names', async () => {
  const [a, b] = ['key-of-a', 'key-of-b'].map((token) => connect({ url: edge.url, token }));
  if (a === undefined || b === undefined) throw new Error('two clients');
  const sql = `CREATE STREAM mine (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='mine', PARTITIONS=1, VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');
    CREATE TABLE counted AS SELECT k, COUNT(*) AS c, TWICE(SUM(n)) AS s FROM mine GROUP BY k;`;
  await a.execute(sql);
  expect((await b.topics.list()).map(({ name }) => name)).not.toContain('mine');
  await expect(b.topics.describe('mine')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  await expect(b.query('SELECT * FROM counted;')).rejects.toMatchObject({ code: 'UNKNOWN_SOURCE' });
  await expect(b.topics.delete('mine')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  await b.execute(sql);
  await using producer = a.producer();
  await producer.send('mine', { key: 'x', value: '{"N": 21}' });
  const ask = async (client: typeof a) =>
    (await client.query("SELECT * FROM counted WHERE k = 'x';")).all();
  const [row] = await until(async () => {
    const rows = await ask(a);
    return rows.length > 0 && rows;
  });
  expect({ ...row }).toEqual({ K: 'x', C: 1, S: 42 });
  expect(await ask(b)).toEqual([]);
  expect((await b.topics.describe('mine')).bounds[0]?.highWatermark).toBe(0);
});

test('statements of the code are there from the first request on, once for each tenant', async () => {
  for (const token of ['key-of-a', 'key-of-b']) {
    const client = connect({ url: edge.url, token });
    const asked = Array.from({ length: 5 }, () => client.execute('SHOW QUERIES;'));
    for (const [entity] of await Promise.all(asked)) {
      const { queries } = entity as unknown as { queries: { sinks: string[] }[] };
      expect(queries.filter(({ sinks }) => sinks.includes('DOUBLED'))).toHaveLength(1);
    }
    await using producer = client.producer();
    await producer.send('taken', { key: 'x', value: '{"N": 4}' });
    await until(async () => {
      const [row] = await (await client.query("SELECT s FROM doubled WHERE k = 'x';")).all();
      return row?.['S'] === 8;
    });
  }
});

test('a page of the list may ask and read, others may neither', async () => {
  const origin = 'https://app.example.com';
  const asked = { Origin: origin, 'Access-Control-Request-Method': 'POST' };
  const preflight = await sendRaw(edge, 'OPTIONS', '/ksql', {
    ...asked,
    'Access-Control-Request-Headers': 'x-unknown',
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, DELETE',
    vary: 'Origin',
  });
  expect(String(preflight.headers['access-control-allow-headers'])).not.toContain('x-unknown');
  const good = await sendRaw(edge, 'GET', '/info', { Origin: origin, ...bearer('key-of-a') });
  expect(good.status).toBe(200);
  expect(good.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
  const keyless = await sendRaw(edge, 'GET', '/info', { Origin: origin });
  expect(keyless.status).toBe(401);
  expect(keyless.headers['access-control-allow-origin']).toBe(origin);
  const foreign = [
    'https://evil.example',
    'null',
    'https://app.example.com.evil.example',
    `${origin}:444`,
  ];
  for (const evil of [...foreign, 'http://app.example.com', 'https://APP.example.com']) {
    const told = await sendRaw(edge, 'OPTIONS', '/ksql', { ...asked, Origin: evil });
    expect(told.headers['access-control-allow-origin']).toBeUndefined();
    expect(told.headers['vary']).toBe('Origin');
    for (const upgrade of [{}, { Upgrade: 'websocket', Connection: 'Upgrade' }]) {
      const headers = { Origin: evil, ...bearer('key-of-a'), ...upgrade };
      const refused = await sendRaw(edge, 'GET', '/info', headers);
      expect(refused.status).toBe(403);
      expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    }
  }
});

test('a URL and headers beyond their limits are refused, and at them are not', async () => {
  const headers = bearer('key-of-a');
  const path = '/topics?x=';
  const room = URL_LENGTH_MAX - edge.url.length - path.length;
  expect((await send(edge, 'GET', path + 'y'.repeat(room), undefined, headers)).status).toBe(200);
  const long = await send(edge, 'GET', path + 'y'.repeat(room + 1), undefined, headers);
  expect(long).toMatchObject({ status: 414, body: { code: 'URL_TOO_LONG' } });
  const more = { ...headers, 'X-Long': 'y'.repeat(REQUEST_HEADERS_BYTES_MAX - 1000) };
  expect((await send(edge, 'GET', '/topics', undefined, more)).status).toBe(200);
  const most = { ...headers, 'X-Long': 'y'.repeat(REQUEST_HEADERS_BYTES_MAX) };
  const large = await send(edge, 'GET', '/topics', undefined, most);
  expect(large).toMatchObject({ status: 431, body: { code: 'HEADERS_TOO_LARGE' } });
});

test('a key that sends too much is told when to come again; the others are served', async () => {
  const ask = () => send(edge, 'GET', '/info', undefined, bearer('busy-key'));
  const refused: Answer[] = [];
  // However slow the machine is, it asks faster than tokens come.
  for (let round = 0; round < 20 && refused.length === 0; round++) {
    const answers = await Promise.all(Array.from({ length: 200 }, ask));
    // Others are refused because so many came at once.
    refused.push(
      ...answers.filter(({ body }) => (body as { code?: string }).code === 'TOO_MANY_REQUESTS'),
    );
  }
  expect(refused[0]).toMatchObject({ status: 429, body: { error_code: 42900 } });
  expect(refused[0]?.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
  expect((await send(edge, 'GET', '/info', undefined, bearer('key-of-b'))).status).toBe(200);
  // A client waits as it is told, and is served.
  expect(await connect({ url: edge.url, token: 'busy-key' }).topics.list()).toBeInstanceOf(Array);
});

test('an edge without keys answers its own machine alone', async () => {
  const open = await Workerd.start();
  try {
    expect((await sendRaw(open, 'GET', '/topics', {})).status).toBe(200);
    const named = await sendRaw(open, 'GET', '/topics', { Host: 'events.example.com' });
    expect(named.status).toBe(401);
    expect(named.text).toContain('MILLRACE_KEYS');
    const far = { 'CF-Connecting-IP': '203.0.113.7' };
    expect((await sendRaw(open, 'GET', '/topics', far)).status).toBe(401);
    const spoofed = { Host: 'events.example.com', 'X-Forwarded-Host': 'localhost' };
    expect((await sendRaw(open, 'GET', '/topics', spoofed)).status).toBe(401);
  } finally {
    await open.stop();
  }
});

const noTicket = async (): Promise<boolean> => false;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const asking = (token?: string, url = 'https://edge.example.com/topics') =>
  new Request(url, token === undefined ? {} : { headers: bearer(token) });

test('keys come from the secret where the code gives none; a secret that is none lets nobody in', async () => {
  const keys: ApiKey[] = [{ name: 'web', sha256: sha256('k1') }];
  const env = { MILLRACE_KEYS: JSON.stringify(keys) };
  expect(await principalOf(asking('k1'), env, undefined, noTicket)).toEqual({
    name: 'web',
    tenant: 'default',
  });
  await expect(principalOf(asking('k2'), env, undefined, noTicket)).rejects.toMatchObject({
    status: 401,
  });
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  for (const secret of ['', '{}', 'null', '[{"name":"x"}]', 'k1']) {
    const local = asking('k1', 'http://localhost/topics');
    const wrong = { MILLRACE_KEYS: secret };
    await expect(principalOf(local, wrong, undefined, noTicket)).rejects.toMatchObject({
      status: 401,
    });
  }
  expect(said).toHaveBeenCalledTimes(5);
  expect(said.mock.calls.join()).not.toContain('k1');
  said.mockRestore();
});

test('a function may know who asks, and `off` asks nobody', async () => {
  const tenantB = { name: 'jwt', tenant: 'b' };
  const auth = (request: Request) => (request.headers.has('Authorization') ? tenantB : null);
  expect(await principalOf(asking('x'), {}, auth, noTicket)).toBe(tenantB);
  await expect(principalOf(asking(), {}, auth, noTicket)).rejects.toMatchObject({ status: 401 });
  expect(await principalOf(asking(), {}, 'off', noTicket)).toEqual({ name: '', tenant: 'default' });
});

test.each([
  ['http://127.0.0.1:8787/', null, true],
  ['http://localhost/', '127.0.0.1', true],
  ['http://[::1]:1/', '::1', true],
  ['http://a.localhost/', null, true],
  ['http://localhost/', '203.0.113.7', false],
  ['http://192.168.1.2/', null, false],
  ['http://localhost.example.com/', null, false],
  ['http://127.0.0.1.example.com/', null, false],
  ['http://1270.0.0.1.example/', null, false],
])('%s asked by %s is of this machine: %s', (url, client, is) => {
  const headers: HeadersInit = client === null ? {} : { 'CF-Connecting-IP': client };
  expect(isLoopback(new Request(url, { headers }))).toBe(is);
});

test('a bucket gives what it holds, then so many a second, to each key by itself', () => {
  const buckets = new Buckets({});
  for (let i = 0; i < KEY_REQUESTS_BURST_MAX; i++) expect(buckets.take('a', 0)).toBe(0);
  expect(buckets.take('a', 0)).toBe(1);
  expect(buckets.take('b', 0)).toBe(0);
  let taken = 0;
  for (let ms = 1; ms <= 1000; ms++) while (buckets.take('a', ms) === 0) taken++;
  expect(taken).toBe(KEY_REQUESTS_SECOND_MAX);
  expect(new Buckets({ requestsSecond: 0.1, requestsBurst: 0 }).take('a', 0)).toBe(10_000);
  // A clock that goes back gives nothing.
  expect(buckets.take('a', 0)).toBe(1);
});

test('buckets beyond the limit are forgotten, the oldest first', () => {
  const buckets = new Buckets({ requestsSecond: 1, requestsBurst: 1 });
  for (let i = 0; i < KEYS_COUNTED_MAX; i++) buckets.take(`k${i}`, 0);
  expect(buckets.take('k0', 0)).toBeGreaterThan(0);
  buckets.take('another', 0);
  expect(buckets.take('k2', 0)).toBeGreaterThan(0);
  expect(buckets.take('k1', 0)).toBe(0);
});
