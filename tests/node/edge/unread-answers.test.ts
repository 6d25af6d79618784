// Answers whose readers are slow or gone: what waits for them is bounded, pages become shorter, and whoever reads nothing is let go.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { existing } from '../../../runtime/base/assert.ts';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { Answers } from '../../../edge/guard/answers.ts';
import {
  ANSWER_ROOM_WAIT_MS_MAX,
  ANSWER_STALL_MS,
  ANSWERS_HELD_BYTES_MAX,
  FETCH_BYTES_MAX,
  TOPIC_READS_MAX,
} from '../../../runtime/base/limits.ts';
import { collectGarbage } from '../../bench/garbage.ts';
import { send } from '../../support/edge-client.ts';
import { COMES_MS, HANGS_MS } from '../../support/waits.ts';
import { Workerd } from '../../support/workerd.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // A line for each that is cut off.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const TEXT = 'x'.repeat(FETCH_BYTES_MAX);
const MOST = ANSWERS_HELD_BYTES_MAX / FETCH_BYTES_MAX;
const refused = expect.objectContaining({ name: 'PortError', code: 'OVERLOADED' });

function pageOf(answers: Answers): ReadableStreamDefaultReader<Uint8Array> {
  const { body } = answers.page(TEXT, 'text/plain');
  if (body === null) throw new Error('no body');
  return body.getReader();
}

interface Stream {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly state: { made: number; ends: number };
}

/** An answer of texts without an end. */
function streamOf(answers: Answers, text: string): Stream {
  const state = { made: 0, ends: 0 };
  async function* texts(): AsyncGenerator<string, void> {
    for (;;) {
      state.made += 1;
      yield text;
    }
  }
  const body = answers.stream({
    texts: texts(),
    failure: (thrown) => `failed: ${(thrown as { code?: string }).code}`,
    onEnd: () => void (state.ends += 1),
  });
  return { reader: body.getReader(), state };
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value, done } = await reader.read();
  return done ? 'end' : new TextDecoder().decode(value);
}

/** To its end. */
async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  if ((await read(reader)) !== 'end') await readAll(reader);
}

test('no more is read at once than there is room for; who finds none waits for it, but not for long', async () => {
  const answers = new Answers();
  const most = Math.floor(MOST / 3);
  const ends: (() => void)[] = [];
  const reading = () =>
    answers
      .reading(FETCH_BYTES_MAX, () => new Promise<string>((end) => ends.push(() => end('read'))))
      .catch((thrown: { code?: string }) => thrown.code);
  const all = Array.from({ length: most + 2 }, reading);
  await vi.advanceTimersByTimeAsync(0);
  expect(ends).toHaveLength(most);
  expect(answers.bytes).toBe(3 * most * FETCH_BYTES_MAX);
  ends[0]?.();
  await vi.advanceTimersByTimeAsync(100);
  expect(ends).toHaveLength(most + 1);
  for (let ms = 0; ms < 900; ms += 100) await vi.advanceTimersByTimeAsync(100);
  // What is read for longer than a second gives way, as an answer does of which nothing is taken.
  await vi.advanceTimersByTimeAsync(1_100);
  for (const end of ends) end();
  await vi.advanceTimersByTimeAsync(100);
  for (const end of ends) end();
  expect(new Set(await Promise.all(all))).toEqual(new Set(['read']));
  expect(answers.bytes).toBe(0);
  // Where the room is taken by those who read, nobody gives way.
  const pages = Array.from({ length: MOST }, () => pageOf(answers));
  let said: string | undefined = 'waits';
  void reading().then((end) => (said = end));
  await vi.advanceTimersByTimeAsync(900);
  for (const page of pages) await page.read();
  await vi.advanceTimersByTimeAsync(900);
  for (const page of pages) await page.read();
  await vi.advanceTimersByTimeAsync(ANSWER_ROOM_WAIT_MS_MAX - 1_801);
  expect(said).toBe('waits');
  await vi.advanceTimersByTimeAsync(1);
  expect(said).toBe('OVERLOADED');
});

test('a long text comes whole, piece by piece, and nothing of it is held behind its end', async () => {
  const answers = new Answers();
  const text = `${TEXT}€${TEXT}`;
  const page = answers.page(text, 'application/json');
  expect(page.headers.get('Content-Type')).toBe('application/json');
  expect(answers.bytes).toBeGreaterThan(2 * FETCH_BYTES_MAX);
  expect(await page.text()).toBe(text);
  expect(answers.bytes).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  expect(await answers.page('short', 'text/plain').text()).toBe('short');
});

test('pages are refused at the limit while readers take what they have, and never before', async () => {
  const answers = new Answers();
  const readers = Array.from({ length: MOST }, () => pageOf(answers));
  expect(answers.bytes).toBe(ANSWERS_HELD_BYTES_MAX);
  expect(() => pageOf(answers)).toThrow(refused);
  await readAll(existing(readers[0], 'reader'));
  expect(answers.bytes).toBe(ANSWERS_HELD_BYTES_MAX - FETCH_BYTES_MAX);
  pageOf(answers);
  expect(() => pageOf(answers)).toThrow(refused);
});

test('those of which nothing is taken give way, the idlest first, and are ended by themselves', async () => {
  const answers = new Answers();
  const readers = Array.from({ length: MOST }, () => pageOf(answers));
  for (const reader of readers) await read(reader);
  await vi.advanceTimersByTimeAsync(500);
  for (const reader of readers.slice(1)) await read(reader);
  await vi.advanceTimersByTimeAsync(499);
  expect(() => pageOf(answers)).toThrow(refused);
  await vi.advanceTimersByTimeAsync(1);
  pageOf(answers);
  expect(answers.bytes).toBe(ANSWERS_HELD_BYTES_MAX);
  expect(() => pageOf(answers)).toThrow(refused);
  const [gone, other] = readers;
  await expect(gone?.read()).rejects.toThrow('nothing of this answer was read');
  expect((await other?.read())?.done).toBe(false);
});

test('an answer that nobody ever begins to read, as that to a HEAD, gives way and ends as others do', async () => {
  const answers = new Answers();
  for (let i = 0; i < MOST; i++) answers.page(TEXT, 'text/plain');
  const never = streamOf(answers, 'row');
  await vi.advanceTimersByTimeAsync(1_000);
  for (let i = 0; i < MOST; i++) pageOf(answers);
  expect(() => pageOf(answers)).toThrow(refused);
  await vi.advanceTimersByTimeAsync(ANSWER_STALL_MS);
  expect(answers.bytes).toBe(0);
  expect(never.state).toEqual({ made: 0, ends: 1 });
  expect(vi.getTimerCount()).toBe(0);
});

test('what the platform has let go, without a word, is held by nobody', async () => {
  vi.useRealTimers();
  const answers = new Answers();
  const intervals = vi.spyOn(globalThis, 'setInterval').mockReturnValue(0 as never);
  for (let i = 0; i < MOST; i++) answers.page(TEXT, 'text/plain');
  intervals.mockRestore();
  // References of this turn count as strong.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  expect(answers.bytesMax(FETCH_BYTES_MAX)).toBe(FETCH_BYTES_MAX);
  expect(answers.bytes).toBe(0);
});

test('what the platform has dropped with its timers is held no longer than it may go unread, though no garbage is collected', async () => {
  const answers = new Answers();
  const intervals = vi.spyOn(globalThis, 'setInterval').mockReturnValue(0 as never);
  const dropped = pageOf(answers);
  await read(dropped);
  intervals.mockRestore();
  vi.advanceTimersByTime(ANSWER_STALL_MS);
  expect(answers.bytes).toBe(FETCH_BYTES_MAX);
  vi.advanceTimersByTime(10_000);
  expect(answers.bytes).toBe(0);
  expect(dropped).toBeDefined();
});

test('as more is held pages become shorter, down to what is not counted', () => {
  const answers = new Answers();
  let shortest = FETCH_BYTES_MAX;
  for (let i = 0; i < 1_000; i++) {
    const most = answers.bytesMax(FETCH_BYTES_MAX);
    expect(most).toBeLessThanOrEqual(shortest);
    shortest = most;
    answers.page(TEXT.slice(0, most), 'text/plain');
    expect(answers.bytes).toBeLessThanOrEqual(ANSWERS_HELD_BYTES_MAX);
  }
  expect(shortest).toBeLessThan(FETCH_BYTES_MAX / 4);
  expect(answers.bytesMax(100)).toBe(100);
});

test('a stream whose reader takes nothing ends after a while, and one that is only quiet does not', async () => {
  const answers = new Answers();
  const stalled = streamOf(answers, 'row');
  const slow = streamOf(answers, 'row');
  const quietEnds = { count: 0 };
  const quiet = answers
    .stream({
      texts: { next: () => new Promise(() => undefined) },
      failure: () => '',
      onEnd: () => void quietEnds.count++,
    })
    .getReader();
  void quiet.read();
  for (const { reader } of [stalled, slow]) await read(reader);
  for (let ms = 0; ms < 2 * ANSWER_STALL_MS; ms += ANSWER_STALL_MS / 2) {
    await vi.advanceTimersByTimeAsync(ANSWER_STALL_MS / 2);
    expect(await read(slow.reader)).toBe('row');
  }
  expect(stalled.state).toEqual({ made: 1, ends: 1 });
  await expect(stalled.reader.read()).rejects.toThrow('nothing of this answer was read');
  expect([slow.state.ends, quietEnds.count]).toEqual([0, 0]);
  await slow.reader.cancel();
  expect(slow.state).toEqual({ made: 5, ends: 1 });
  await quiet.cancel();
  expect(quietEnds.count).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('a stream for whose next text there is no room says so and ends', async () => {
  const answers = new Answers();
  Array.from({ length: MOST }, () => pageOf(answers));
  const { reader, state } = streamOf(answers, TEXT);
  expect(await read(reader)).toBe('failed: OVERLOADED');
  expect(await read(reader)).toBe('end');
  expect(state.ends).toBe(1);
  const short = streamOf(answers, 'row');
  expect(await read(short.reader)).toBe('row');
});

/** So many rows of 1 KiB. */
function rowsOf(count: number): Uint8Array {
  return encodeUtf8(Array.from({ length: count }, () => 'x'.repeat(1_023)).join('\n'));
}

test('rows are kept up to the limit, given a few at a time, and counted until the last are taken or nobody wants them', () => {
  const answers = new Answers();
  const most = ANSWERS_HELD_BYTES_MAX / FETCH_BYTES_MAX;
  const kept = Array.from({ length: most }, () => answers.keep(rowsOf(1_024)));
  expect(answers.bytes).toBe(most * (FETCH_BYTES_MAX - 1));
  expect(() => answers.keep(rowsOf(1_024))).toThrow(refused);
  // Few are given to whoever asks.
  expect(answers.keep(rowsOf(100)).next()).toHaveLength(100);
  const [first, second] = kept;
  let rows = 0;
  for (let some; (some = first?.next() ?? []).length > 0; rows += some.length)
    expect(some.length).toBeLessThanOrEqual(129);
  expect(rows).toBe(1_024);
  second?.letGo();
  second?.letGo();
  expect(second?.next()).toEqual([]);
  expect(answers.bytes).toBe((most - 2) * (FETCH_BYTES_MAX - 1));
});

test('rows of which nobody takes any give way after a second, and who asks for more is told', async () => {
  const answers = new Answers();
  const kept = Array.from({ length: MOST }, () => answers.keep(rowsOf(1_024)));
  await vi.advanceTimersByTimeAsync(999);
  for (const rows of kept.slice(1)) expect(rows.next().length).toBeGreaterThan(0);
  await vi.advanceTimersByTimeAsync(1);
  answers.keep(rowsOf(1_024));
  expect(() => answers.keep(rowsOf(1_024))).toThrow(refused);
  expect(() => kept[0]?.next()).toThrow(refused);
  expect(kept[1]?.next().length).toBeGreaterThan(0);
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(ANSWER_STALL_MS + 10_000);
  expect(answers.bytes).toBe(0);
  expect(() => kept[1]?.next()).toThrow(refused);
});

/** A request whose answer nobody reads. */
async function unread(edge: Workerd, request: string): Promise<Socket> {
  const { hostname, port } = new URL(edge.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(request);
  return socket;
}

const get = (path: string, accept: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: ${accept}\r\n\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

async function heldBytes(edge: Workerd): Promise<number> {
  const { text } = await send(edge, 'GET', '/metrics');
  return Number(/^millrace_http_answers_held_bytes (\d+)$/m.exec(text)?.[1]);
}

test(
  'whatever nobody reads, others are served, what is held stays within its limit, and in the end nothing is',
  async () => {
    vi.useRealTimers();
    await using edge = await Workerd.start();
    const sql =
      "CREATE STREAM s (k STRING KEY, v STRING) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');";
    expect((await send(edge, 'POST', '/ksql', { ksql: sql })).status).toBe(200);
    // Far more than the connections of all hold by themselves.
    const records = [{ key: 'a', value: { v: 'x'.repeat(800_000) } }];
    for (let i = 0; i < 40; i++)
      expect((await send(edge, 'POST', '/topics/s/records', { records })).status).toBe(200);
    const path = '/topics/s/partitions/0/records';
    const sockets: Socket[] = [];
    const printing = post('/query', JSON.stringify({ ksql: 'PRINT s FROM BEGINNING;' }));
    const print = { ksql: 'PRINT s FROM BEGINNING LIMIT 1;' };
    const printed = async (): Promise<string> => (await send(edge, 'POST', '/query', print)).text;
    for (let i = 0; i < TOPIC_READS_MAX; i++) sockets.push(await unread(edge, printing));
    // The first may have given way by then.
    while (!(await printed()).includes('TOPIC_READS_MAX'))
      sockets.push(await unread(edge, printing));
    let most = 0;
    for (let i = 0; i < MOST; i++) {
      sockets.push(await unread(edge, get(path, 'text/event-stream')));
      if (i % 16 !== 0) continue;
      most = Math.max(most, await heldBytes(edge));
      expect((await send(edge, 'GET', `${path}?offset=39`)).status).toBe(200);
    }
    most = Math.max(most, await heldBytes(edge));
    expect(most).toBeGreaterThan(FETCH_BYTES_MAX);
    expect(most).toBeLessThanOrEqual(ANSWERS_HELD_BYTES_MAX);
    await expect
      .poll(async () => (await send(edge, 'POST', '/query', print)).status, {
        timeout: ANSWER_STALL_MS + COMES_MS,
        interval: 1_000,
      })
      .toBe(200);
    await expect
      .poll(() => heldBytes(edge), {
        timeout: ANSWER_STALL_MS + COMES_MS,
        interval: 1_000,
      })
      .toBe(0);
    for (const socket of sockets) socket.resetAndDestroy();
  },
  2 * HANGS_MS,
);
