// What an isolate takes on at once, at its bounds; and that what it has no room for is refused before anything of it is read.

import { expect, test } from 'vitest';
import { InFlight } from '../../../edge/guard/in-flight.ts';
import { partOf } from '../../../edge/rows.ts';
import {
  ANSWER_PART_LENGTH_MAX,
  BODY_BYTES_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
} from '../../../runtime/base/limits.ts';

const URL = 'https://edge.example.com/topics/t/partitions/0/records';
const get = (query = '', headers = {}) => new Request(URL + query, { headers });
const post = (bytes: number | null) =>
  new Request(URL, {
    method: 'POST',
    headers: bytes === null ? {} : { 'Content-Length': String(bytes) },
  });

test('as many requests as may be are let in, and one more when one has been answered', () => {
  const inFlight = new InFlight();
  const entered = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, () => inFlight.enter(get()));
  expect(entered).not.toContain(null);
  expect(inFlight.enter(get())).toBeNull();
  expect(inFlight.enter(post(1))).toBeNull();
  // What waits does nothing meanwhile.
  for (const waiting of [get('?wait_ms=1000'), get('', { Upgrade: 'websocket' })])
    inFlight.leave(inFlight.enter(waiting) ?? Number.NaN);
  expect(inFlight.enter(get('?wait_ms=0'))).toBeNull();
  inFlight.leave(entered[0] ?? 0);
  expect(inFlight.enter(get())).not.toBeNull();
  expect(inFlight.enter(get())).toBeNull();
});

test('bodies together are bounded, and one without a length counts as the greatest', () => {
  const inFlight = new InFlight();
  const most = REQUESTS_IN_FLIGHT_BYTES_MAX / BODY_BYTES_MAX;
  const entered = Array.from({ length: most }, (_, i) =>
    inFlight.enter(post(i % 2 === 0 ? null : BODY_BYTES_MAX)),
  );
  expect(entered).not.toContain(null);
  expect(inFlight.enter(post(1))).toBeNull();
  expect(inFlight.enter(get())).not.toBeNull();
  inFlight.leave(entered[0] ?? 0);
  expect(inFlight.enter(post(Number.NaN))).not.toBeNull();
  expect(inFlight.enter(post(1))).toBeNull();
});

test('rows that are sent together are some, within the credit and the greatest length', () => {
  const rowOf = (length: number) => ({ columns: 'x'.repeat(length), isDelete: false });
  const half = ANSWER_PART_LENGTH_MAX / 2;
  const rows = [
    rowOf(half),
    rowOf(half - 1),
    rowOf(0),
    rowOf(2 * ANSWER_PART_LENGTH_MAX),
    rowOf(1),
  ];
  expect(partOf(rows, 0, Infinity)).toHaveLength(2);
  expect(partOf(rows, 0, 1)).toHaveLength(1);
  expect(partOf(rows, 2, Infinity)).toHaveLength(1);
  expect(partOf(rows, 3, Infinity)).toHaveLength(1);
  expect(partOf(rows, 4, Infinity)).toHaveLength(1);
});
