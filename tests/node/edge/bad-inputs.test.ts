// Bad requests: each gets a clear error and changes nothing, and the next good request works.

import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BODY_BYTES_MAX, VALUE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { type Answer, send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
  await send(edge, 'POST', '/topics', { name: 'good', partitions: 2 });
});
afterAll(() => edge.stop());

async function state(): Promise<string> {
  const topics = await send(edge, 'GET', '/topics');
  const good = await send(edge, 'GET', '/topics/good');
  return topics.text + good.text;
}

/** Sends what `bad` sends, and checks that nothing changed and that a good request works. */
async function harmless<A extends Pick<Answer, 'status' | 'text' | 'body'>>(
  bad: () => Promise<A>,
): Promise<A> {
  const before = await state();
  const answer = await bad();
  expect(answer.text).not.toMatch(/ at .*\.(ts|js):\d/);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.body).toMatchObject({ '@type': expect.any(String), message: expect.any(String) });
  expect(Math.floor((answer.body as { error_code: number }).error_code / 100)).toBe(answer.status);
  expect(await state()).toBe(before);
  const good = await send(edge, 'POST', '/topics/good/records', {
    records: [{ key: 'k', value: 1 }],
  });
  expect(good.status).toBe(200);
  return answer;
}

const RECORDS = '/topics/good/records';
const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test.each([
  ['an empty body', 'POST', RECORDS, '', 400],
  ['null', 'POST', RECORDS, 'null', 400],
  ['an array', 'POST', RECORDS, '[]', 400],
  ['an empty object', 'POST', RECORDS, '{}', 400],
  ['no records', 'POST', RECORDS, '{"records":[]}', 400],
  ['a record that is no object', 'POST', RECORDS, '{"records":[5]}', 400],
  ['half a body', 'POST', RECORDS, '{"records":[{', 400],
  ['a byte-order mark', 'POST', RECORDS, '\uFEFF{"records":[{"value":1}]}', 400],
  ['NaN', 'POST', RECORDS, '{"records":[{"value":NaN}]}', 400],
  ['an unknown member', 'POST', RECORDS, '{"records":[{"valeu":1}]}', 400],
  ['a value twice', 'POST', RECORDS, '{"records":[{"value":1,"valueBase64":"AA=="}]}', 400],
  ['bad base64', 'POST', RECORDS, '{"records":[{"keyBase64":"***"}]}', 400],
  ['a timestamp below 0', 'POST', RECORDS, '{"records":[{"value":1,"timestamp":-2}]}', 400],
  ['a timestamp as text', 'POST', RECORDS, '{"records":[{"value":1,"timestamp":"now"}]}', 400],
  ['a timestamp beyond time', 'POST', RECORDS, '{"records":[{"value":1,"timestamp":1e300}]}', 400],
  ['partition -1', 'POST', RECORDS, '{"records":[{"value":1,"partition":-1}]}', 400],
  ['partition 1.5', 'POST', RECORDS, '{"records":[{"value":1,"partition":1.5}]}', 400],
  ['a partition beyond the last', 'POST', RECORDS, '{"records":[{"value":1,"partition":2}]}', 404],
  [
    'one bad record among good ones',
    'POST',
    RECORDS,
    '{"records":[{"value":1},{"value":1,"partition":9}]}',
    404,
  ],
  [
    '65 headers',
    'POST',
    RECORDS,
    { records: [{ value: 1, headers: Array.from({ length: 65 }, () => ({ name: 'h' })) }] },
    413,
  ],
  [
    'a value beyond the limit',
    'POST',
    RECORDS,
    { records: [{ value: 'x'.repeat(VALUE_BYTES_MAX) }] },
    413,
  ],
  [
    'a body beyond the limit',
    'POST',
    RECORDS,
    `{"records":[${'1,'.repeat(BODY_BYTES_MAX / 2)}1]}`,
    413,
  ],
  ['an unknown topic', 'POST', '/topics/nowhere/records', '{"records":[{"value":1}]}', 404],
  ['a topic of no possible name', 'GET', '/topics/a%2F..%2Fb', undefined, 404],
  ['a topic named like a property', 'GET', '/topics/__proto__', undefined, 404],
  [
    'an offset below the start',
    'GET',
    '/topics/good/partitions/0/records?offset=-1',
    undefined,
    400,
  ],
  [
    'an offset beyond the end',
    'GET',
    '/topics/good/partitions/1/records?offset=9007199254740991',
    undefined,
    416,
  ],
  [
    'an offset that is no number',
    'GET',
    '/topics/good/partitions/0/records?offset=abc',
    undefined,
    400,
  ],
  ['another incarnation', 'GET', '/topics/good/partitions/0/records?incarnation=x', undefined, 409],
  [
    'a wait beyond the limit',
    'GET',
    '/topics/good/partitions/0/records?wait_ms=30001',
    undefined,
    400,
  ],
  ['a partition that is no number', 'GET', '/topics/good/partitions/1e0/records', undefined, 400],
  ['an unknown partition', 'GET', '/topics/good/partitions/2/records', undefined, 404],
  ['an unknown path', 'GET', '/nothing', undefined, 404],
  ['another method', 'PATCH', '/topics/good', undefined, 405],
  ['a topic without a name', 'POST', '/topics', '{}', 400],
  ['a topic with a reserved name', 'POST', '/topics', '{"name":".."}', 400],
  ['a topic of 257 partitions', 'POST', '/topics', '{"name":"many","partitions":257}', 400],
  ['a topic that exists', 'POST', '/topics', '{"name":"good"}', 409],
])('%s is refused and harmless', async (_what, method, path, body, status) => {
  const answer = await harmless(() => send(edge, method, path, body));
  expect(answer.status).toBe(status);
  expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
  expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
});

test.each([
  ['text/plain', 415],
  ['multipart/form-data; boundary=x', 415],
  ['application/json; charset=utf-16', 415],
  ['application/json; charset=UTF-8', 200],
  ['application/vnd.ksql.v1+json', 200],
])('Content-Type %s answers %i', async (type, status) => {
  const body = '{"records":[{"value":1}]}';
  const answer = await send(edge, 'POST', RECORDS, body, { 'Content-Type': type });
  expect(answer.status).toBe(status);
});

test('a compressed body is refused before it is inflated', async () => {
  const headers = { 'Content-Encoding': 'gzip' };
  const answer = await harmless(() => send(edge, 'POST', RECORDS, 'x', headers));
  expect(answer.status).toBe(415);
});

test('a body without a length is counted as it arrives', async () => {
  const answer = await harmless(async () => {
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    const headers = { 'Content-Type': 'application/json' };
    const sent = request(`${edge.url}${RECORDS}`, { method: 'POST', headers });
    sent.on('response', resolve);
    sent.on('error', () => undefined); // The other side stops reading; what counts is its answer.
    const part = ' '.repeat(65_536);
    for (let bytes = 0; bytes <= BODY_BYTES_MAX; bytes += part.length) sent.write(part);
    sent.end();
    const response = await promise;
    let text = '';
    for await (const chunk of response) text += String(chunk);
    const status = response.statusCode ?? 0;
    return { status, text, body: JSON.parse(text) as unknown };
  });
  expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
});

test('JSON of any depth is data: it comes back as it was', async () => {
  await send(edge, 'POST', '/topics', { name: 'deep' });
  const value = deep(100_000);
  const answer = await send(
    edge,
    'POST',
    '/topics/deep/records',
    `{"records":[{"value":${value}}]}`,
  );
  expect(answer.status).toBe(200);
  const fetched = await send(edge, 'GET', '/topics/deep/partitions/0/records');
  expect(fetched.text).toContain(`"value":${value}`);
});

test('names of object properties are data, in keys, values and headers', async () => {
  await send(edge, 'POST', '/topics', { name: 'names' });
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const records = names.map(
    (name) =>
      `{"key":"${name}","value":{"${name}":{"x":1}},"headers":[{"name":"${name}","value":"v"}]}`,
  );
  await send(edge, 'POST', '/topics/names/records', `{"records":[${records.join(',')}]}`);
  const { body, text } = await send(edge, 'GET', '/topics/names/partitions/0/records');
  expect((body as { records: { key: string }[] }).records.map(({ key }) => key)).toEqual(names);
  for (const name of names) expect(text).toContain(`"value":{"${name}":{"x":1}}`);
});
