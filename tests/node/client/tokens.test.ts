// Who asks: what a token function throws, how long it may take, and what follows when the edge refuses what it gave.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { GateProxy } from '../../support/gate-proxy.ts';
import { Workerd } from '../../support/workerd.ts';

const KEY = 'key-of-a';
let edge: Workerd;
let gate: GateProxy;
let here: Client;
beforeAll(async () => {
  edge = await Workerd.start('tests/workers/apps/pages.ts', {
    PAGES: 'http://localhost',
    MILLRACE_TICKET_SECRET: 'a secret of thirty-two characters',
  });
  gate = await GateProxy.start(() => edge.url);
  here = connect({ url: edge.url, token: KEY });
  await here.execute(
    `CREATE STREAM s (n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`,
  );
});
afterAll(async () => {
  await gate.stop();
  await edge.stop();
});

async function consumed(client: Client, transport: 'poll' | 'socket'): Promise<void> {
  for await (const _ of client.consumer({ topic: 's', transport })) return;
}

const PUSH = 'SELECT n FROM s EMIT CHANGES;';

const CALLS: readonly [string, (client: Client) => Promise<unknown>][] = [
  ['a producer', (client) => client.producer().send('s', { value: '{}' })],
  ['a consumer', (client) => consumed(client, 'poll')],
  ['a consumer over a socket', (client) => consumed(client, 'socket')],
  ['a statement', (client) => client.execute('SHOW STREAMS;')],
  ['a pull query', (client) => client.query('SELECT n FROM s LIMIT 1;')],
  ['a push query', (client) => client.query(PUSH)],
  ['a push query over a socket', (client) => client.query(PUSH, { transport: 'socket' })],
  ['topics', (client) => client.topics.list()],
  ['migrations', (client) => client.migrations.list()],
];

test.each(CALLS)(
  'what token() throws is the error of %s, as it is and at once',
  async (_, call) => {
    const loggedOut = new Error('nobody is logged in');
    let asked = 0;
    const token = (): never => {
      asked += 1;
      throw loggedOut;
    };
    await expect(call(connect({ url: edge.url, token }))).rejects.toBe(loggedOut);
    expect(asked).toBe(1);
  },
);

test.each(CALLS)('%s is refused where token() gives nothing that can be sent', async (_, call) => {
  for (const given of [7, null, 'a key\nof two lines'] as string[]) {
    const client = connect({ url: edge.url, token: async () => given });
    await expect(call(client)).rejects.toBeInstanceOf(TypeError);
  }
});

test.each(CALLS)('%s asks for another token when the edge refuses one', async (_, call) => {
  const given: (string | undefined)[] = [];
  const token = async (refused?: string): Promise<string> => {
    given.push(refused);
    return refused === undefined ? 'expired' : KEY;
  };
  const client = connect({ url: edge.url, token });
  await here.producer().send('s', { value: '{"N":1}' });
  await call(client);
  expect(given.slice(0, 2)).toEqual([undefined, 'expired']);
});

test.each(CALLS)('%s is refused when the other token is none either', async (_, call) => {
  const given: (string | undefined)[] = [];
  const token = (refused?: string): string => {
    given.push(refused);
    return refused === undefined ? 'expired' : 'wrong';
  };
  await expect(call(connect({ url: edge.url, token }))).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
  });
  expect(given).toEqual([undefined, 'expired']);
});

test.each(['poll', 'socket'] as const)(
  'readers over %s that are cut when nobody is logged in any more end with that',
  async (transport) => {
    let isLoggedIn = true;
    const loggedOut = new Error('nobody is logged in');
    const token = (): string => {
      if (isLoggedIn) return KEY;
      throw loggedOut;
    };
    const client = connect({ url: gate.url, token });
    const rows = await client.query(PUSH, { transport: transport === 'poll' ? 'sse' : transport });
    const consumer = client.consumer({ topic: 's', transport, from: 'latest' });
    const records = consumer[Symbol.asyncIterator]();
    const first = records.next();
    const all = Promise.allSettled([rows.all(), first, records.next()]);
    await consumer.ready();
    await here.producer().send('s', { value: '{"N":1}' });
    await first;
    isLoggedIn = false;
    gate.shut();
    gate.reopen();
    expect(await all).toMatchObject([
      { status: 'rejected', reason: loggedOut },
      { status: 'fulfilled' },
      { status: 'rejected', reason: loggedOut },
    ]);
  },
);

test('a token that does not come has a time of its own, and what waits for it is tried again until the deadline', async () => {
  let asked = 0;
  const token = (): Promise<string> => {
    asked += 1;
    return asked === 2 ? Promise.resolve(KEY) : new Promise(() => undefined);
  };
  const client = connect({ url: edge.url, token, requestMs: 1000, deadlineMs: 5000 });
  expect((await client.topics.list()).map(({ name }) => name)).toContain('s');
  expect(asked).toBe(2);
  await expect(client.execute('SHOW STREAMS;')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'token() gave none in 1000 ms',
  });
  // Whoever gives it up waits for nobody.
  const control = new AbortController();
  const slow = connect({ url: edge.url, token });
  const query = slow.query(PUSH, { signal: control.signal }).catch((thrown: unknown) => thrown);
  setTimeout(() => control.abort(new Error('given up')), 50);
  expect(await query).toMatchObject({ message: 'given up' });
});
