// Bad requests on every route that they fit: the answer that is due, nothing changed for this tenant or another, and the next request works.

import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { BODY_BYTES_MAX } from '../../../runtime/base/limits.ts';
import type { Answer } from '../../support/edge-client.ts';
import { TenantsEdge } from '../../support/tenants-edge.ts';

let edge: TenantsEdge;
beforeAll(async () => {
  edge = await TenantsEdge.start();
});
afterAll(() => edge.workerd.stop());

/** Routes that take JSON, each with a body that it takes. */
const JSON_ROUTES = [
  ['/topics', '{"name":"never"}'],
  ['/topics/good/records', '{"records":[{"value":1}]}'],
  [
    '/ksql',
    '{"ksql":"CREATE STREAM never (a INT) WITH (KAFKA_TOPIC=\'never\', PARTITIONS=1, VALUE_FORMAT=\'JSON\');"}',
  ],
  ['/query', '{"ksql":"SELECT * FROM t;"}'],
  ['/query-stream', '{"sql":"SELECT * FROM t;"}'],
  ['/close-query', '{"queryId":"never"}'],
  [
    '/migrations',
    '{"name":"never","ksql":"CREATE STREAM never (a INT) WITH (KAFKA_TOPIC=\'never\', PARTITIONS=1, VALUE_FORMAT=\'JSON\');"}',
  ],
] as const;

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

test.each(JSON_ROUTES)('%s refuses bodies that are none', async (path, good) => {
  const bodies = ['', ' \n', 'null', '[]', '{}', '5', '"x"', 'true', good.slice(0, -1), `${good}x`];
  bodies.push(
    `\uFEFF${good}`,
    `${good}//`,
    good.replace(':', ':NaN,"x":'),
    good.replace('{', '{,'),
  );
  bodies.push(deep(10_000), deep(500_000), '{"a":'.repeat(10_000));
  const answers = await edge.allHarmless(bodies.map((body) => () => edge.ask('POST', path, body)));
  expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 400));
});

test.each(JSON_ROUTES)('%s refuses other media types and compressed bodies', async (path, good) => {
  const types = [
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
  ];
  types.push('', 'application/json, application/json', 'application/xml');
  const headers = [
    ...types.map((type) => ({ 'Content-Type': type })),
    ...['gzip', 'br', 'identity, gzip'].map((encoding) => ({ 'Content-Encoding': encoding })),
  ];
  const answers = await edge.allHarmless(
    headers.map((header) => () => edge.ask('POST', path, good, header)),
  );
  expect(answers.map(({ status }) => status)).toEqual(headers.map(() => 415));
});

test.each(JSON_ROUTES)('%s refuses a body beyond the limit', async (path, good) => {
  const body = good + ' '.repeat(BODY_BYTES_MAX + 1 - good.length);
  const answer = await edge.harmless(() => edge.ask('POST', path, body));
  expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
});

test.each(JSON_ROUTES)(
  '%s refuses other methods and parameters that stand twice',
  async (path, good) => {
    const answers = await edge.allHarmless([
      () => edge.ask('PUT', path, good),
      () => edge.ask('PATCH', path, good),
      () => edge.ask('POST', `${path}?x=1&x=2`, good),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([405, 405, 400]);
  },
);

test.each([
  ['/topics', '{"name":"never","name":"never2"}'],
  ['/topics', '{"name":"never","n\\u0061me":"never2"}'],
  ['/ksql', '{"ksql":"SHOW STREAMS;","ksql":"DROP STREAM s;"}'],
  ['/ksql', '{"ksql":"SHOW STREAMS;","streamsProperties":{"a":"1","a":"2"}}'],
  ['/query', '{"ksql":"SELECT * FROM t;","ksql":"SELECT * FROM t;"}'],
  ['/query-stream', '{"sql":"SELECT * FROM t;","sql":""}'],
  ['/close-query', '{"queryId":"x","queryId":"y"}'],
  ['/migrations', '{"name":"never","ksql":"","ksql":""}'],
])('%s refuses a member that stands twice: %s', async (path, body) => {
  const answer = await edge.harmless(() => edge.ask('POST', path, body));
  expect(answer.status).toBe(400);
  expect(answer.text).toContain('twice');
});

test.each([
  ['/topics/good/partitions/0/records?offzet=0', 'offset, max_bytes, wait_ms, incarnation'],
  ['/topics/good/partitions/0/offsets?time=0', 'timestamp'],
])(
  '%s refuses a parameter that it does not know, and names those that it does',
  async (path, known) => {
    const answer = await edge.harmless(() => edge.ask('GET', path));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(known);
  },
);

test('a query by GET refuses a parameter that it does not know', async () => {
  const path = '/query-stream?sgl=SELECT';
  const ask = (): Promise<Answer> =>
    edge.ask('GET', path, undefined, { Accept: 'text/event-stream' });
  expect((await edge.harmless(ask)).text).toContain('sql, properties, last_event_id');
});

test('of a record the last of two members counts, and names of object properties are data', async () => {
  await edge.ask('POST', '/topics', { name: 'constructor' });
  const body = '{"records":[{"key":"first","key":"__proto__","value":{"__proto__":{"x":1}}}]}';
  expect((await edge.ask('POST', '/topics/constructor/records', body)).status).toBe(200);
  const { text } = await edge.ask('GET', '/topics/constructor/partitions/0/records');
  expect(text).toContain('"key":"__proto__","value":{"__proto__":{"x":1}}');
  const properties =
    '{"ksql":"SHOW STREAMS;","streamsProperties":{"__proto__":"x","constructor":"y"}}';
  expect((await edge.ask('POST', '/ksql', properties)).status).toBeLessThan(500);
  expect(await edge.ask('DELETE', '/topics/constructor')).toMatchObject({ status: 204 });
});

test.each([
  ['', 400],
  ['.', 400],
  ['..', 400],
  ['x'.repeat(250), 400],
  ['a/b', 400],
  ['a b', 400],
  ['a\u0000b', 400],
  ['%2e%2e', 400],
  ['ｆｕｌｌ', 400],
  ['a\u202Eb', 400],
  ['__own', 403],
  ['__processing_log', 403],
])('a topic named %j is refused', async (name, status) => {
  expect((await edge.harmless(() => edge.ask('POST', '/topics', { name }))).status).toBe(status);
  const path = `/topics/${encodeURIComponent(name)}`;
  // `.` and `..` never reach a server as such: a URL is resolved before it is sent.
  if (/^\.*$/.test(name)) return;
  expect((await edge.harmless(() => edge.ask('GET', `${path}x/partitions/0/records`))).status).toBe(
    404,
  );
  const sql = `CREATE STREAM never (a INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  if (status === 400) await edge.harmless(() => edge.ksql(sql));
});

test.each([
  ['/topics/%2e%2e%2fb', 'GET', undefined, 404],
  ['/topics/a%00b', 'GET', undefined, 404],
  ['/..%2f..%2fetc/passwd', 'GET', undefined, 404],
  ['/topics/good/partitions/-1/records', 'GET', undefined, 400],
  ['/topics/good/partitions/2147483648/records', 'GET', undefined, 404],
  ['/topics/good/partitions/1.5/records', 'GET', undefined, 400],
  ['/topics/good/partitions/%31x/records', 'GET', undefined, 400],
  ['/topics/good/partitions/9223372036854775808/records', 'GET', undefined, 400],
  ['/topics/good/partitions/0/records?offset=-1', 'GET', undefined, 400],
  ['/topics/good/partitions/0/records?offset=1', 'GET', undefined, 416],
  ['/topics/good/partitions/0/records?offset=9223372036854775807', 'GET', undefined, 400],
  ['/topics/good/partitions/0/records?offset=1e3', 'GET', undefined, 400],
  ['/topics/good/partitions/0/records?offset=', 'GET', undefined, 400],
  ['/topics/good/partitions/0/records?incarnation=1-0000', 'GET', undefined, 409],
  ['/topics/good/partitions/0/records?max_bytes=1048577', 'GET', undefined, 400],
  ['/topics/s', 'DELETE', undefined, 409],
  ['/topics/nowhere', 'DELETE', undefined, 404],
  ['/topics/__processing_log', 'DELETE', undefined, 409],
  ['/topics/__processing_log/records', 'POST', '{"records":[{"value":1}]}', 400],
] as const)('%s by %s is refused with its status', async (path, method, body, status) => {
  expect((await edge.harmless(() => edge.ask(method, path, body))).status).toBe(status);
});

test('what is shown of an error is never read as a page', async () => {
  const evil = '<script>alert(1)</script>';
  const answers = await Promise.all([
    edge.ask('GET', `/topics/${encodeURIComponent(evil)}`),
    edge.ksql(`SELECT '${evil}' FROM nowhere;`),
    edge.ask('POST', '/query', { ksql: `SELECT * FROM \`${evil}\`;` }),
    edge.ask('GET', `/${encodeURIComponent(evil)}`),
  ]);
  for (const { headers } of answers) {
    expect(headers.get('Content-Type')).toBe('application/json');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  }
});

test('a Content-Length that lies, and a body that never ends, leave the edge working', async () => {
  const { hostname, port } = new URL(edge.workerd.url);
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let answer = '';
      socket.on('data', (part) => (answer += decodeUtf8(part)));
      socket.on('error', () => resolve(answer));
      socket.on('close', () => resolve(answer));
      setTimeout(() => socket.destroy(), 500);
    });
  const head = `POST /topics/good/records HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer key-of-a\r\nContent-Type: application/json\r\n`;
  const before = await edge.everything();
  await raw(`${head}Content-Length: 1000\r\n\r\n{"records":[{"value":1}]}`);
  await raw(`${head}Content-Length: 5\r\n\r\n{"records":[{"value":1}]}`);
  await raw(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"rec`);
  await raw(`${head}Content-Length: -1\r\n\r\n{}`);
  await raw(`${head}X-Bad: a\rb\r\nContent-Length: 2\r\n\r\n{}`);
  expect(await edge.everything()).toBe(before);
});
