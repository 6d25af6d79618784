// What is no edge at all, as a server of pages is that answers any path with its one page: refused at once, not tried for two minutes.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, connect } from '../../../runtime/client/index.ts';

let server: Server;
let asked = 0;
beforeAll(async () => {
  server = createServer((request, answer) => {
    asked += 1;
    request.resume();
    answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    answer.end('<!doctype html><title>{"an": "application"}</title>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function consumed(edge: Client, partition: number | 'all'): Promise<void> {
  for await (const _ of edge.consumer({ topic: 't', partition, from: 0 })) return;
}

test.each<[string, (edge: Client) => Promise<unknown>]>([
  ['a statement', (edge) => edge.execute('SHOW STREAMS;')],
  ['a query', (edge) => edge.query('SELECT * FROM t EMIT CHANGES;')],
  ['a producer', (edge) => edge.producer().send('t', { value: 'x' })],
  ['a consumer of a topic', (edge) => consumed(edge, 'all')],
  ['a consumer of a partition', (edge) => consumed(edge, 0)],
  ['topics', (edge) => edge.topics.list()],
  ['migrations', (edge) => edge.migrations.list()],
])('%s is refused with the first answer', async (_, call) => {
  const { port } = server.address() as AddressInfo;
  asked = 0;
  const edge = connect({ url: `http://127.0.0.1:${port}`, token: 'key' });
  await expect(call(edge)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: "the answer 200 is not the edge's",
  });
  expect(asked).toBe(1);
});
