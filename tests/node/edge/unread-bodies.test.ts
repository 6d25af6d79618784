// Long bodies of requests that are refused unread: the answer arrives, how much is read, and of how many at once.

import { expect, test } from 'vitest';
import { UnreadBodies } from '../../../edge/guard/unread-bodies.ts';
import {
  BODY_BYTES_MAX,
  UNREAD_BODIES_MAX,
  UNREAD_BODY_BYTES_MAX,
  UNREAD_BODY_MS_MAX,
} from '../../../runtime/base/limits.ts';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

const PART_BYTES = 65_536;

/** A request whose body comes as it is read. @param declared its Content-Length; null: it does not say */
function sent(declared: number | null, bytes: number) {
  const state = { readBytes: 0 };
  const body = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const { byobRequest } = controller;
      const part = Math.min(PART_BYTES, bytes - state.readBytes);
      state.readBytes += part;
      if (part === 0) controller.close();
      byobRequest?.respond(part);
    },
  });
  const headers: Record<string, string> =
    declared === null ? {} : { 'Content-Length': String(declared) };
  const init = { method: 'POST', body, headers, duplex: 'half' };
  return { state, request: new Request('https://edge.example.com/', init) };
}

async function readBytes(declared: number | null, bytes: number): Promise<number> {
  const { state, request } = sent(declared, bytes);
  await new UnreadBodies().read(request);
  return state.readBytes;
}

test('what may not lie in the buffers of a connection is read, up to twice what a body may have', async () => {
  expect(await readBytes(UNREAD_BODY_BYTES_MAX, UNREAD_BODY_BYTES_MAX)).toBe(0);
  const least = UNREAD_BODY_BYTES_MAX + 1;
  expect(await readBytes(least, least)).toBe(least);
  const most = 2 * BODY_BYTES_MAX;
  expect(await readBytes(most, most)).toBe(most);
  expect(await readBytes(most + 1, most + 1)).toBe(0);
  // One that does not say how long it is.
  expect(await readBytes(null, 5)).toBe(5);
  expect(await readBytes(null, 2 * most)).toBe(most);
  const { state, request } = sent(most, most);
  await request.body?.cancel();
  await new UnreadBodies().read(request);
  expect(state.readBytes).toBe(0);
});

test('of more at once than may be the others are not read', async () => {
  const bodies = new UnreadBodies();
  const all = Array.from({ length: UNREAD_BODIES_MAX + 1 }, () => sent(BODY_BYTES_MAX, 300_000));
  const readings = all.map(({ request }) => bodies.read(request));
  expect(readings.indexOf(null)).toBe(UNREAD_BODIES_MAX);
  await Promise.all(readings.filter((reading) => reading !== null));
  expect(all.filter(({ state }) => state.readBytes === 0)).toHaveLength(1);
  const next = sent(BODY_BYTES_MAX, 300_000);
  await bodies.read(next.request);
  expect(next.state.readBytes).toBe(300_000);
});

test('a body that does not come is waited for no longer than may be', async () => {
  const bodies = new UnreadBodies();
  const body = new ReadableStream({ type: 'bytes' });
  const init = { method: 'POST', body, duplex: 'half' };
  const since = performance.now();
  await bodies.read(new Request('https://edge.example.com/', init));
  expect(performance.now() - since).toBeGreaterThanOrEqual(UNREAD_BODY_MS_MAX - 50);
});

test('a client whose body breaks off takes nothing along', async () => {
  const bodies = new UnreadBodies();
  const body = new ReadableStream({ type: 'bytes', pull: (c) => c.error(new TypeError('gone')) });
  const init = { method: 'POST', body, duplex: 'half' };
  const request = new Request('https://edge.example.com/', init);
  await expect(bodies.read(request)).resolves.toBeUndefined();
});

test('whoever sends a long body to where nobody reads it sees the answer', async () => {
  await using edge = await Workerd.start();
  const body = ' '.repeat(2 * BODY_BYTES_MAX);
  for (let i = 0; i < 6; i++) {
    const answers = [send(edge, 'POST', '/nowhere', body), send(edge, 'PUT', '/topics', body)];
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([404, 405]);
  }
});
