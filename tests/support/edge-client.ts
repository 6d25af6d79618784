// Requests to a running edge, as its tests write them; knows no route's meaning.

import { parseRecordBatch } from '../../runtime/data/record.ts';
import { COMES_MS } from './waits.ts';
import type { Workerd } from './workerd.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly body: unknown;
}

/** Sends `body` as JSON (a string as it is). */
export async function send(
  edge: Workerd,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(edge.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Some answers are not JSON; their tests look at the text.
  }
}

/** How long an edge that is behind may refuse: less than REQUEST_GONE_MS, after which it finds again what it had lost count of. */
const TAKEN_MS_MAX = 5_000;

/**
 * As `send`, and as a client does: what an edge refuses because it is behind its work (429), as one is for a moment after its machine stood still, is sent
 * again. What was refused has changed nothing.
 */
export async function sendUntilTaken(
  edge: Workerd,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const endMs = performance.now() + TAKEN_MS_MAX;
  for (;;) {
    const answer = await send(edge, method, path, body);
    if (answer.status !== 429 || performance.now() > endMs) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface FetchedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** How a page is asked for. */
type Ask = (edge: Workerd, path: string, init: RequestInit) => Promise<Response>;

/** All records of a partition, checked to lie without a gap; a null key or value is empty here. */
export async function fetchAll(
  edge: Workerd,
  topic: string,
  partition: number,
  ask: Ask = ({ url }, path, init) => fetch(url + path, init),
): Promise<FetchedRecord[]> {
  const records: FetchedRecord[] = [];
  for (;;) {
    const response = await ask(
      edge,
      `/topics/${topic}/partitions/${partition}/records?offset=${records.length}`,
      { headers: { Accept: 'application/vnd.millrace.batches' } },
    );
    if (response.status !== 200) throw new Error(`${topic}: ${await response.text()}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length === 0) return records;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length;) {
      const [base, length] = [view.getFloat64(at, true), view.getUint32(at + 12, true)];
      const batch = parseRecordBatch(bytes.slice(at + 16, at + 16 + length));
      for (let i = 0; i < batch.count; i++) {
        if (base + i < records.length) continue;
        if (base + i !== records.length)
          throw new Error(`${topic}: offset ${records.length} is missing`);
        const empty = new Uint8Array(0);
        records.push({
          offset: base + i,
          timestamp: batch.timestamps[i] ?? Number.NaN,
          key: batch.key(i) ?? empty,
          value: batch.value(i) ?? empty,
        });
      }
      at += 16 + length;
    }
  }
}

/** Asks again, every `restMs`, until the answer is neither null nor false; fails after `withinMs`. */
export async function until<T>(
  ask: () => Promise<T | null | false>,
  withinMs = COMES_MS,
  restMs = 50,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (performance.now() > end) throw new Error('it did not come to this in time');
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}
