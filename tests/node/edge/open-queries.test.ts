// How many push queries run in one isolate: as many as the limit, and another one once one has ended or has gone unheard.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { existing } from '../../../runtime/base/assert.ts';
import { OpenQueries } from '../../../edge/open-queries.ts';
import { PUSH_QUERIES_MAX, PUSH_QUERY_GONE_MS } from '../../../runtime/base/limits.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const refused = expect.objectContaining({ name: 'PortError', code: 'OVERLOADED' });

/** As many as may be. @returns what counts the first one out */
function full(queries: OpenQueries): () => void {
  const [leave] = Array.from({ length: PUSH_QUERIES_MAX }, (_, i) => queries.enter(`q${i}`));
  return existing(leave, 'query');
}

/** The platform has dropped the requests of all, and with them their timers, for so long that they are taken for gone. */
function dropped(): void {
  const goneMs = Date.now() + PUSH_QUERY_GONE_MS;
  vi.clearAllTimers();
  vi.setSystemTime(goneMs);
}

test('there is room for PUSH_QUERIES_MAX, and for one more each time that one ends', () => {
  const queries = new OpenQueries(PUSH_QUERIES_MAX, 'PUSH_QUERIES_MAX');
  const leave = full(queries);
  expect(() => queries.enter('more')).toThrow(refused);
  leave();
  leave();
  queries.enter('another');
  expect(() => queries.enter('more')).toThrow(refused);
});

test('those whose requests were dropped make room, and those that run do not', () => {
  const queries = new OpenQueries(PUSH_QUERIES_MAX, 'PUSH_QUERIES_MAX');
  full(queries);
  vi.advanceTimersByTime(10 * PUSH_QUERY_GONE_MS);
  expect(() => queries.enter('more')).toThrow(refused);
  dropped();
  full(queries);
  expect(() => queries.enter('more')).toThrow(refused);
});

test('one is ended by its id once it has started, and nobody waits for one that has gone', async () => {
  const queries = new OpenQueries(PUSH_QUERIES_MAX, 'PUSH_QUERIES_MAX');
  const leave = queries.enter('a');
  expect(await queries.close('a')).toBe(false);
  queries.started('a', async () => leave());
  expect(await queries.close('a')).toBe(true);
  expect(await queries.close('a')).toBe(false);
  queries.enter('b');
  queries.started('b', () => new Promise(() => undefined));
  dropped();
  expect(await queries.close('b')).toBe(false);
});

test('one that was taken for gone while no timer ran counts again as soon as it is heard of, until it leaves', async () => {
  const queries = new OpenQueries(1, 'PUSH_QUERIES_MAX');
  const leave = queries.enter('a');
  queries.started('a', async () => leave());
  vi.setSystemTime(Date.now() + PUSH_QUERY_GONE_MS);
  queries.enter('b')();
  vi.advanceTimersByTime(PUSH_QUERY_GONE_MS / 3);
  expect(() => queries.enter('b')).toThrow(refused);
  expect(await queries.close('a')).toBe(true);
  vi.advanceTimersByTime(PUSH_QUERY_GONE_MS);
  queries.enter('b');
});
