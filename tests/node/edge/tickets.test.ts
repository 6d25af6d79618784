// Tickets for what a browser opens without headers: each opens one path, once, for its tenant, for moments; and nothing else does.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readTicket, signedTicket } from '../../../edge/guard/tickets.ts';
import { TICKET_MS_MAX } from '../../../runtime/base/limits.ts';
import { connect } from '../../../runtime/client/index.ts';
import { send } from '../../support/edge-client.ts';
import { EventReader } from '../../support/event-source.ts';
import { Workerd } from '../../support/workerd.ts';

const SECRET = 'of thirty-two characters, or more';
let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start('tests/workers/apps/tenants.ts', { MILLRACE_TICKET_SECRET: SECRET });
});
afterAll(() => edge.stop());

const as = (tenant: 'a' | 'b') => ({ Authorization: `Bearer key-of-${tenant}` });

async function ticketFor(path: string, tenant: 'a' | 'b' = 'a'): Promise<string> {
  const { status, body } = await send(edge, 'POST', '/tickets', { path }, as(tenant));
  expect(status).toBe(201);
  return (body as { ticket: string }).ticket;
}

/** Whether a socket opens, and the protocol that was chosen. */
function opens(path: string, ticket: string, query = ''): Promise<string | null> {
  const protocols = query === '' ? ['millrace', `ticket.${ticket}`] : ['millrace'];
  const socket = new WebSocket(edge.url.replace('http', 'ws') + path + query, protocols);
  return new Promise((resolve) => {
    socket.addEventListener('open', () => {
      resolve(socket.protocol);
      socket.close();
    });
    socket.addEventListener('error', () => resolve(null));
  });
}

test.each(['/socket', '/query-socket'])('a ticket opens %s once', async (path) => {
  const ticket = await ticketFor(path);
  expect(await opens(path, ticket)).toBe('millrace');
  expect(await opens(path, ticket)).toBeNull();
  const another = await ticketFor(path);
  expect(await opens(path, '', `?ticket=${another}`)).toBe('millrace');
});

test('a ticket opens nothing but its path, and no request that takes a header', async () => {
  const ticket = await ticketFor('/socket');
  expect(await opens('/query-socket', ticket)).toBeNull();
  for (const path of ['/topics', '/socket', '/metrics', '/query-stream?sql=SHOW%20STREAMS;']) {
    const at = `${path}${path.includes('?') ? '&' : '?'}ticket=${ticket}`;
    const answer = await send(edge, 'GET', at);
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain(ticket);
  }
  // None of these has used it.
  expect(await opens('/socket', ticket)).toBe('millrace');
});

test('what is no ticket, or one of another edge, is 401', async () => {
  const ticket = await ticketFor('/socket');
  const [said = '', signature = ''] = ticket.split('.');
  const payload = JSON.parse(Buffer.from(said, 'base64url').toString()) as unknown[];
  const forged = Buffer.from(JSON.stringify(['b', ...payload.slice(1)])).toString('base64url');
  const bad = ['', 'x', '..', `${said}.`, `.${signature}`, `${forged}.${signature}`, said];
  for (const one of [...bad, `${said}.${signature.slice(1)}`, 'é']) {
    expect(await opens('/socket', '', `?ticket=${encodeURIComponent(one)}`)).toBeNull();
  }
  expect((await send(edge, 'POST', '/tickets', { path: '/socket' })).status).toBe(401);
  const shown = await send(edge, 'POST', `/tickets?ticket=${ticket}`, { path: '/socket' });
  expect(shown.status).toBe(401);
});

test.each([{}, { path: 7 }, { path: '/topics' }, { path: '/socket/' }, { path: '//x/socket' }])(
  'a ticket for %j is refused',
  async (body) => {
    expect((await send(edge, 'POST', '/tickets', body, as('a'))).status).toBe(400);
  },
);

test('events are read with a ticket in the query, by its tenant', async () => {
  const ksql = `CREATE STREAM s (n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  expect((await send(edge, 'POST', '/ksql', { ksql }, as('a'))).status).toBe(200);
  const records = { records: [{ value: { N: 1 } }] };
  expect((await send(edge, 'POST', '/topics/s/records', records, as('a'))).status).toBe(200);
  const read = async (path: string, query: string, tenant: 'a' | 'b') => {
    const asked = `${query}&ticket=${await ticketFor(path, tenant)}`;
    return EventReader.open(`${edge.url}${path}?${asked}`);
  };
  await using fetched = await read('/topics/s/partitions/0/records', 'offset=0', 'a');
  expect((await fetched.next())?.data).toContain('"N":1');
  const sql = new URLSearchParams({ sql: 'SELECT n FROM s EMIT CHANGES;' });
  await using queried = await read('/query-stream', String(sql), 'a');
  expect(await queried.next()).toMatchObject({ type: 'header' });
  await using other = await read('/query-stream', String(sql), 'b');
  expect(other.status).toBe(404);
});

test('the client changes its key for tickets by itself', async () => {
  const client = connect({ url: edge.url, token: 'key-of-b' });
  await client.topics.create({ name: 'ticketed' });
  await using producer = client.producer();
  await producer.send('ticketed', { value: 'x' });
  const consumer = client.consumer({ topic: 'ticketed', transport: 'socket' });
  for await (const { offset } of consumer) {
    expect(offset).toBe(0);
    break;
  }
  const nobody = connect({ url: edge.url, token: 'no-key' });
  const refused = nobody.query('SELECT 1;', { transport: 'socket' });
  await expect(refused).rejects.toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
});

test('a ticket ends after TICKET_MS_MAX, and with another secret', async () => {
  const env = { MILLRACE_TICKET_SECRET: SECRET };
  const headers = { Upgrade: 'websocket' };
  const request = new Request('https://edge.example.com/socket', { headers });
  const principal = { name: 'web', tenant: 'a' };
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    const signed = await signedTicket(env, principal, '/socket');
    expect(signed?.expiresMs).toBe(1_000_000 + TICKET_MS_MAX);
    const ticket = signed?.ticket ?? '';
    vi.setSystemTime(1_000_000 + TICKET_MS_MAX - 1);
    expect(await readTicket(env, ticket, request)).toMatchObject({ principal, path: '/socket' });
    const other = { MILLRACE_TICKET_SECRET: `${SECRET}!` };
    expect(await readTicket(other, ticket, request)).toBeNull();
    vi.setSystemTime(1_000_000 + TICKET_MS_MAX);
    expect(await readTicket(env, ticket, request)).toBeNull();
  } finally {
    vi.useRealTimers();
  }
  expect(await signedTicket({}, principal, '/socket')).toBeNull();
  expect(await signedTicket({ MILLRACE_TICKET_SECRET: 'short' }, principal, '/socket')).toBeNull();
});
