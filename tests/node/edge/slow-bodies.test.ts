// Bodies that come slowly or not at all: how long they may take, that they hold nobody up, and how many of them there may be.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Bodies, type Places } from '../../../edge/guard/bodies.ts';
import {
  BODY_BYTES_MAX,
  BODY_SLOW_MS,
  BODY_STALL_BYTES_MIN,
  BODY_STALL_MS,
  REQUESTS_IN_FLIGHT_MAX,
  SLOW_BODIES_BYTES_MAX,
  SLOW_BODIES_MAX,
} from '../../../runtime/base/limits.ts';
import { send, sendUntilTaken } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PART_BYTES = 1_048_576;
/** Nobody waits for a place. */
const UNCROWDED: Places = { isCrowded: false, stepAside: () => undefined };

/** A request whose body comes as it is told to. */
class Upload {
  readonly request: Request;
  state = 'coming';
  #controller: ReadableByteStreamController | null = null;

  /** @param declared its Content-Length; null: it does not say */
  constructor(bodies: Bodies, declared: number | null) {
    const body = new ReadableStream({
      type: 'bytes',
      start: (controller) => void (this.#controller = controller),
    });
    const headers: Record<string, string> =
      declared === null ? {} : { 'Content-Length': String(declared) };
    const init = { method: 'POST', body, headers, duplex: 'half' };
    this.request = new Request('https://edge.example.com/', init);
    bodies.read(this.request).then(
      (bytes) => (this.state = `${bytes.length} bytes`),
      (thrown: { status?: number; code?: string }) =>
        (this.state = String(thrown.code ?? thrown.status)),
    );
  }

  async bring(bytes: number): Promise<void> {
    if (this.state === 'coming') this.#controller?.enqueue(new Uint8Array(bytes));
    await vi.advanceTimersByTimeAsync(0);
  }

  async end(): Promise<void> {
    this.#controller?.close();
    this.#controller?.byobRequest?.respond(0);
    await vi.advanceTimersByTimeAsync(0);
  }
}

test('a body is given up once less than the least has come within its time, and not before', async () => {
  const bodies = new Bodies(UNCROWDED);
  const stalled = new Upload(bodies, BODY_BYTES_MAX);
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS);
  await stalled.bring(BODY_STALL_BYTES_MIN);
  await vi.advanceTimersByTimeAsync(BODY_STALL_MS);
  expect(stalled.state).toBe('coming');
  await stalled.bring(BODY_STALL_BYTES_MIN - 1);
  await vi.advanceTimersByTimeAsync(BODY_STALL_MS - 1);
  expect(stalled.state).toBe('coming');
  await vi.advanceTimersByTimeAsync(1);
  expect(stalled.state).toBe('408');
  expect(bodies.slowBodies).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a long body that comes slowly and steadily comes to its end', async () => {
  const bodies = new Bodies(UNCROWDED);
  const uploads = [BODY_BYTES_MAX, null].map((declared) => new Upload(bodies, declared));
  for (let bytes = 0; bytes < BODY_BYTES_MAX; bytes += 65_536) {
    await vi.advanceTimersByTimeAsync(8_000);
    for (const upload of uploads) await upload.bring(65_536);
  }
  for (const upload of uploads) await upload.end();
  expect(uploads.map(({ state }) => state)).toEqual([
    `${BODY_BYTES_MAX} bytes`,
    `${BODY_BYTES_MAX} bytes`,
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a short one has a time for all of it', async () => {
  const bodies = new Bodies(UNCROWDED);
  const least = new Upload(bodies, 1);
  const longer = new Upload(bodies, 3 * BODY_STALL_BYTES_MIN);
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS + BODY_STALL_MS - 1);
  expect(least.state).toBe('coming');
  await vi.advanceTimersByTimeAsync(1);
  expect([least.state, longer.state]).toEqual(['408', 'coming']);
  await vi.advanceTimersByTimeAsync(2 * BODY_STALL_MS - 1);
  await longer.bring(3 * BODY_STALL_BYTES_MIN);
  await longer.end();
  expect(longer.state).toBe(`${3 * BODY_STALL_BYTES_MIN} bytes`);
});

test('one that is slow steps aside once, one that is not never', async () => {
  const aside: Request[] = [];
  const bodies = new Bodies({ isCrowded: false, stepAside: (request) => aside.push(request) });
  const quick = new Upload(bodies, 5);
  const slow = new Upload(bodies, 5);
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS - 1);
  await quick.bring(5);
  await quick.end();
  expect(quick.state).toBe('5 bytes');
  await vi.advanceTimersByTimeAsync(1 + BODY_STALL_MS / 2);
  await slow.bring(5);
  await slow.end();
  await vi.advanceTimersByTimeAsync(BODY_STALL_MS);
  expect(slow.state).toBe('5 bytes');
  expect(aside).toEqual([slow.request]);
});

test('while others wait one that has not come steps aside long before it is slow', async () => {
  const aside: Request[] = [];
  const places = { isCrowded: false, stepAside: (request: Request) => aside.push(request) };
  const bodies = new Bodies(places);
  const uploads = [new Upload(bodies, 5), new Upload(bodies, BODY_BYTES_MAX)];
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS / 2);
  expect([aside.length, bodies.slowBodies]).toEqual([0, 0]);
  places.isCrowded = true;
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS / 10);
  expect(aside).toEqual(uploads.map(({ request }) => request));
  expect(bodies.slowBodies).toBe(2);
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS);
  expect(aside).toHaveLength(2);
});

test('of more slow ones than may be the slowest is given up', async () => {
  const bodies = new Bodies(UNCROWDED);
  const uploads = Array.from({ length: SLOW_BODIES_MAX }, (_, i) => new Upload(bodies, 100 + i));
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS);
  expect(bodies.slowBodies).toBe(SLOW_BODIES_MAX);
  const one = new Upload(bodies, 1000);
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS);
  expect(bodies.slowBodies).toBe(SLOW_BODIES_MAX);
  expect(uploads.flatMap(({ state }, i) => (state === 'coming' ? [] : [i, state]))).toEqual([
    0,
    'OVERLOADED',
  ]);
  expect(one.state).toBe('coming');
});

test('slow ones hold no more bytes than may be, whatever they say of their lengths, and long ones that come give way to none that only say so', async () => {
  const bodies = new Bodies(UNCROWDED);
  // They take what has come, and not what is said.
  const said = Array.from({ length: 64 }, () => new Upload(bodies, BODY_BYTES_MAX));
  await vi.advanceTimersByTimeAsync(BODY_SLOW_MS);
  expect(bodies.slowBodies).toBe(64);
  const coming = Array.from({ length: 5 }, () => new Upload(bodies, BODY_BYTES_MAX));
  for (let i = 0; i < 15; i++) {
    await vi.advanceTimersByTimeAsync(BODY_SLOW_MS / 5);
    for (const upload of coming) await upload.bring(BODY_BYTES_MAX / 16);
    expect(bodies.slowBytes).toBeLessThanOrEqual(SLOW_BODIES_BYTES_MAX);
  }
  expect(said.every(({ state }) => state === 'OVERLOADED')).toBe(true);
  expect(coming.filter(({ state }) => state === 'coming')).toHaveLength(4);
});

test('a body of the greatest length is taken, one byte more and twice as much are refused, and no more than that is read', async () => {
  const bodies = new Bodies(UNCROWDED);
  const lengths = [BODY_BYTES_MAX, BODY_BYTES_MAX + 1, 2 * BODY_BYTES_MAX];
  const told = await Promise.all(
    lengths.map(async (length) => {
      const upload = new Upload(bodies, null);
      for (let left = length; left > 0; left -= PART_BYTES)
        await upload.bring(Math.min(left, PART_BYTES));
      await upload.end();
      return upload.state;
    }),
  );
  expect(told).toEqual([`${BODY_BYTES_MAX} bytes`, '413', '413']);
  const endless = new Upload(bodies, null);
  for (let i = 0; i < 9; i++) await endless.bring(PART_BYTES);
  expect(endless.state).toBe('413');
  const said = new Upload(bodies, 2 * BODY_BYTES_MAX + 1);
  await vi.advanceTimersByTimeAsync(0);
  expect(said.state).toBe('413');
});

/** The beginning of a request, whose body does not come. @returns the answer, once the connection has ended */
async function stalledUpload(edge: Workerd, length: number): Promise<{ answer: Promise<string> }> {
  const { host, hostname, port } = new URL(edge.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (part) => (text += part.toString()));
  socket.on('error', () => undefined);
  socket.write(
    `POST /topics/t/records HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{"records": [`,
  );
  return { answer: once(socket, 'close').then(() => text) };
}

/** How it is given up in the end: what comes while all places are taken for a moment is refused, and comes again. */
async function givenUp(edge: Workerd, length: number, answer: Promise<string>): Promise<string> {
  const told = await answer;
  if (!told.startsWith('HTTP/1.1 429 ')) return told;
  await new Promise((resolve) => setTimeout(resolve, BODY_SLOW_MS));
  return givenUp(edge, length, (await stalledUpload(edge, length)).answer);
}

test('while as many uploads stall as there are places others are served, each is told why it is given up, and nothing is done', async () => {
  vi.useRealTimers();
  await using edge = await Workerd.start();
  expect((await send(edge, 'POST', '/topics', { name: 't', partitions: 1 })).status).toBe(201);
  const lengths = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, (_, i) =>
    i % 16 === 0 ? 1_000_000 : 1_000,
  );
  const stalled: Promise<string>[] = [];
  for (const length of lengths)
    stalled.push(givenUp(edge, length, (await stalledUpload(edge, length)).answer));
  await new Promise((resolve) => setTimeout(resolve, BODY_SLOW_MS + 200));
  const record = { records: [{ value: 'a' }] };
  for (let i = 0; i < 20; i++)
    expect((await sendUntilTaken(edge, 'POST', '/topics/t/records', record)).status).toBe(200);
  const answers = await Promise.all(stalled);
  expect(answers.filter((answer) => !answer.startsWith('HTTP/1.1 408 '))).toEqual([]);
  expect(answers.find((answer) => answer.includes('BODY_STALL_MS'))).toContain(
    '"code":"REQUEST_TIMEOUT"',
  );
  const { body } = await send(edge, 'GET', '/topics/t/partitions/0/records');
  expect(body).toMatchObject({ next: 20 });
});
