// What is no edge at all: a server of pages is refused at once where an edge was never met, and waited out as a portal or a proxy where one was.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { until } from '../../support/edge-client.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { Workerd } from '../../support/workerd.ts';

const PAGE = '<!doctype html><title>{"an": "application"}</title>';

type Answer = (request: IncomingMessage, answer: ServerResponse) => void;

/** What servers answer that know no path of an edge. */
const ANSWERS: readonly [name: string, status: number, type: string, Answer][] = [
  [
    'one page for all paths',
    200,
    'text/html; charset=utf-8',
    (_, answer) => {
      answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    },
  ],
  [
    'a page that says that there is none',
    404,
    'text/html',
    (_, answer) => {
      answer.writeHead(404, { 'content-type': 'text/html' }).end(PAGE);
    },
  ],
  ['nothing', 404, 'of no type', (_, answer) => void answer.writeHead(404).end()],
  [
    'the way to a page where one logs in',
    200,
    'text/html',
    (request, answer) => {
      if (request.url === '/login') answer.writeHead(200, { 'content-type': 'text/html' });
      else answer.writeHead(302, { location: '/login' });
      answer.end(PAGE);
    },
  ],
];

let server: Server;
let answer: Answer = () => undefined;
let asked = 0;
let url = '';
beforeAll(async () => {
  server = createServer((request, answering) => {
    if (request.url !== '/login') asked += 1;
    request.resume();
    answer(request, answering);
  });
  // A server that knows no upgrade leaves it without an answer, as development servers do.
  server.on('upgrade', () => undefined);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

interface Way {
  readonly partition?: number;
  readonly transport?: 'socket';
}

async function consumed(edge: Client, { partition, transport }: Way): Promise<void> {
  for await (const _ of edge.consumer({ topic: 't', partition, transport, from: 0 })) return;
}

const PUSH = 'SELECT * FROM t EMIT CHANGES;';
const socket = { transport: 'socket' } as const;

const CALLS: readonly [string, (edge: Client) => Promise<unknown>][] = [
  ['a statement', (edge) => edge.execute('SHOW STREAMS;')],
  ['a query', (edge) => edge.query(PUSH)],
  ['a query over a socket', (edge) => edge.query(PUSH, socket)],
  ['a producer', (edge) => edge.producer().send('t', { value: 'x' })],
  ['a consumer of a topic', (edge) => consumed(edge, {})],
  ['a consumer of a partition', (edge) => consumed(edge, { partition: 0 })],
  ['a consumer over a socket', (edge) => consumed(edge, { partition: 0, ...socket })],
  ['topics', (edge) => edge.topics.list()],
  ['migrations', (edge) => edge.migrations.list()],
];

test.each(ANSWERS.flatMap((one) => CALLS.map((call) => [...one, ...call] as const)))(
  'of a server that answers %s (%d, %s): %s is refused with the first answer',
  async (_, status, type, given, __, call) => {
    answer = given;
    for (const token of [undefined, 'key']) {
      asked = 0;
      const refused = await call(connect({ url, token })).catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({ name: 'EdgeError', code: 'NOT_AN_EDGE', status });
      expect(String(refused)).toContain(`${url}/`);
      expect(String(refused)).toContain(`answered ${status} (${type})`);
      expect(asked).toBe(1);
    }
  },
);

test('an error of another server is told in its words', async () => {
  answer = (_, answering) => {
    answering.writeHead(403, { 'content-type': 'application/json' });
    answering.end('{"message": "Forbidden", "code": 7}');
  };
  await expect(connect({ url }).topics.list()).rejects.toMatchObject({
    name: 'EdgeError',
    code: '7',
    status: 403,
    message: 'Forbidden',
  });
});

test.each([
  ['a long page', 502, 'text/html', PAGE.repeat(20_000)],
  ['what are no events', 200, 'text/event-stream', 'data: none\n\n'.repeat(100_000)],
] as const)('%s (%d) is given up with its connection, however often it comes', async (...given) => {
  const [, status, type, body] = given;
  answer = (_, answering) => void answering.writeHead(status, { 'content-type': type }).end(body);
  asked = 0;
  const query = connect({ url, deadlineMs: 2_000 }).query(PUSH);
  await expect(query).rejects.toThrow(PortError);
  expect(asked).toBeGreaterThan(2);
  const open = await until(async () => {
    const count = await new Promise<number>((done) => server.getConnections((_, n) => done(n)));
    return count < 2 && [count];
  });
  expect(open).toHaveLength(1);
});

test('an edge that wants a key says so to a socket that has none', async () => {
  await using edge = await Workerd.start('tests/workers/apps/guarded.ts');
  await expect(connect({ url: edge.url }).query(PUSH, socket)).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
  });
});

test.each(['a page', 'its errors'] as const)(
  'a portal that answers for an edge with %s is waited out',
  async (what) => {
    await using edge = await Workerd.start();
    let portal = 0;
    const proxy = await FaultProxy.start(
      () => edge.url,
      () => (portal-- > 0 ? { status: what === 'a page' ? 200 : 504, page: PAGE } : 'none'),
    );
    const client = connect({ url: proxy.url });
    await client.topics.create({ name: 't' });
    await using producer = client.producer();
    await producer.send('t', { value: '0' });
    const records = client.consumer({ topic: 't' })[Symbol.asyncIterator]();
    expect((await records.next()).value?.offset).toBe(0);
    portal = 6;
    const sent = producer.send('t', { value: '1' });
    expect(await sent).toEqual({ partition: 0, offset: 1 });
    expect((await records.next()).value?.offset).toBe(1);
    portal = 3;
    expect((await client.topics.describe('t')).bounds[0]?.highWatermark).toBe(2);
    const brief = connect({ url: proxy.url, deadlineMs: 500 });
    await brief.topics.list();
    portal = Infinity;
    await expect(brief.topics.list()).rejects.toMatchObject({
      name: 'PortError',
      code: 'UNAVAILABLE',
      message: expect.stringContaining('(text/html), as no edge does') as unknown,
    });
    await records.return?.(undefined);
    await proxy.stop();
  },
);

test('a proxy that holds answers back is told of, with what passes it', async () => {
  await using edge = await Workerd.start();
  const here = connect({ url: edge.url });
  await here.execute(
    "CREATE STREAM t (n INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');",
  );
  const proxy = await FaultProxy.start(
    () => edge.url,
    () => 'hold reply',
  );
  const client = connect({ url: proxy.url, requestMs: 500, deadlineMs: 1200 });
  // What ends comes.
  expect(await client.topics.list()).toHaveLength((await here.topics.list()).length);
  await expect(client.query(PUSH)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining("transport: 'socket' passes it") as unknown,
  });
  await proxy.stop();
});
