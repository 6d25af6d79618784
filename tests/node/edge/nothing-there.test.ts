// What is asked for and is not there: refused, and nothing is made or kept for it, however often.

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../support/edge-client.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
  await send(edge, 'POST', '/topics', { name: 'real', partitions: 2 });
  // Whatever else is asked makes the objects that answer.
  await send(edge, 'GET', '/topics/nowhere/partitions/0/records');
});
afterAll(() => edge.stop());

/** Databases of objects. */
function databases(): number {
  return readdirSync(edge.folder, { recursive: true }).filter((file) =>
    String(file).endsWith('.sqlite'),
  ).length;
}

const ACCEPTED = ['application/json', 'text/event-stream', 'application/vnd.millrace.batches'];

test('topics and partitions that are not there get no object, by whichever way they are asked for', async () => {
  const before = databases();
  for (let i = 0; i < 10; i++) {
    for (const at of [`junk${i}/partitions/0`, `real/partitions/${i + 2}`]) {
      for (const accept of ACCEPTED)
        expect(
          (await send(edge, 'GET', `/topics/${at}/records`, undefined, { Accept: accept })).status,
        ).toBe(404);
      for (const path of ['offsets', 'records?wait_ms=1000', 'records?offset=7'])
        expect((await send(edge, 'GET', `/topics/${at}/${path}`)).status).toBe(404);
    }
    const printed = { ksql: `PRINT junk${i};` };
    expect((await send(edge, 'POST', '/query', printed)).status).toBe(404);
  }
  expect(databases()).toBe(before);
});

test('nor by a socket', async () => {
  await using socket = await SocketClient.open(`${edge.url}/socket`);
  const real = { op: 'subscribe', topic: 'real', offset: 'earliest', credit: 1000 };
  socket.send({ ...real, id: 99, partition: 1 });
  expect(await socket.next()).toMatchObject({ op: 'subscribed', id: 99 });
  const before = databases();
  for (let i = 0; i < 20; i++) {
    const [topic, partition] = i % 2 === 0 ? [`junks${i}`, 0] : ['real', 5];
    socket.send({ ...real, id: i, topic, partition });
    expect(await socket.next()).toMatchObject({ op: 'error', id: i, error_code: 40400 });
  }
  expect(databases()).toBe(before);
});

test('a topic that is dropped and made again with more partitions is found at once', async () => {
  const asked = async (partition: number): Promise<number> =>
    (await send(edge, 'GET', `/topics/again/partitions/${partition}/records`)).status;
  await send(edge, 'POST', '/topics', { name: 'again', partitions: 1 });
  expect([await asked(0), await asked(1)]).toEqual([200, 404]);
  await send(edge, 'DELETE', '/topics/again');
  expect(await asked(0)).toBe(404);
  await send(edge, 'POST', '/topics', { name: 'again', partitions: 2 });
  // What an isolate remembers of a topic may be a second old.
  await expect.poll(() => asked(1)).toBe(200);
  expect(await asked(0)).toBe(200);
});
