// What an isolate takes on at once, at its bounds; and that what it has no room for is refused before anything of it is read.

import { expect, test } from 'vitest';
import { InFlight } from '../../../edge/guard/in-flight.ts';
import { RowParts } from '../../../edge/rows.ts';
import {
  ANSWER_FIRST_PART_LENGTH_MAX,
  ANSWER_PART_LENGTH_MAX,
  BODY_BYTES_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_IN_FLIGHT_MIN,
  TURN_MS_MAX,
} from '../../../runtime/base/limits.ts';

/** A loop whose turns take as long as is said. */
function loop() {
  const clock = { nowMs: 0, turnMs: 0 };
  const turn = async (): Promise<void> => void (clock.nowMs += clock.turnMs);
  return { clock, inFlight: new InFlight({ nowMs: () => clock.nowMs, turn }) };
}

const URL = 'https://edge.example.com/topics/t/partitions/0/records';
const get = (query = '', headers = {}) => new Request(URL + query, { headers });
const post = (bytes: number | null) =>
  new Request(URL, {
    method: 'POST',
    headers: bytes === null ? {} : { 'Content-Length': String(bytes) },
  });

test('as many requests as may be are let in, and one more when one has been answered', () => {
  const { inFlight } = loop();
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
  const { inFlight } = loop();
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

test('while turns take too long fewer are let in, down to the least, and more again once they do not', async () => {
  const { clock, inFlight } = loop();
  const request = get();
  const fill = (): number => {
    const entered: number[] = [];
    for (let one = inFlight.enter(request); one !== null; one = inFlight.enter(request))
      entered.push(one);
    for (const one of entered) inFlight.leave(one);
    return entered.length;
  };
  const looked = async (turnMs: number): Promise<void> => {
    clock.turnMs = turnMs;
    clock.nowMs += 10;
    await inFlight.look();
  };
  expect(fill()).toBe(REQUESTS_IN_FLIGHT_MAX);
  await looked(TURN_MS_MAX);
  expect(fill()).toBe(REQUESTS_IN_FLIGHT_MAX);
  // What is under way is what made the turn long: the limit is judged from there.
  const half = Array.from({ length: REQUESTS_IN_FLIGHT_MAX / 2 }, () => inFlight.enter(request));
  // One that is long, as that of a cold start, is none; nor are several with another one between them.
  for (const turnMs of [150, TURN_MS_MAX, 150, TURN_MS_MAX]) await looked(turnMs);
  expect(inFlight.limit).toBe(REQUESTS_IN_FLIGHT_MAX);
  for (let i = 0; i < 8; i++) await looked(TURN_MS_MAX + 1);
  expect(inFlight.limit).toBe(REQUESTS_IN_FLIGHT_MAX);
  await looked(TURN_MS_MAX + 1);
  expect(inFlight.limit).toBe((REQUESTS_IN_FLIGHT_MAX / 2) * 0.75);
  // So few are let in whatever the limit is, and nothing is measured while no more are under way.
  for (const one of half.slice(REQUESTS_IN_FLIGHT_MIN - 1)) inFlight.leave(one ?? Number.NaN);
  expect(inFlight.look()).toBeNull();
  expect(fill()).toBe((REQUESTS_IN_FLIGHT_MAX / 2) * 0.75 - (REQUESTS_IN_FLIGHT_MIN - 1));
  const least = [inFlight.enter(request), ...half.slice(0, REQUESTS_IN_FLIGHT_MIN - 1)];
  for (let i = 0; i < 20; i++) await looked(10 * TURN_MS_MAX);
  expect(inFlight.limit).toBe(REQUESTS_IN_FLIGHT_MIN);
  expect(fill()).toBe(0);
  // Nobody was refused, so that nothing is known of more.
  await looked(TURN_MS_MAX);
  const before = inFlight.limit;
  await looked(TURN_MS_MAX);
  expect(inFlight.limit).toBe(before);
  for (let i = 0; i < 8; i++) {
    fill();
    await looked(TURN_MS_MAX);
  }
  expect(inFlight.limit).toBe(REQUESTS_IN_FLIGHT_MAX);
  for (let i = 0; i < 10; i++) await looked(10 * TURN_MS_MAX);
  expect(inFlight.limit).toBe(REQUESTS_IN_FLIGHT_MIN);
  // After a pause nothing is known: one long turn is no overload again.
  clock.nowMs += 2_000;
  await looked(150);
  for (const one of least) inFlight.leave(one ?? Number.NaN);
  expect(fill()).toBe(REQUESTS_IN_FLIGHT_MAX);
});

test('a turn is measured now and then, one at a time, and one whose request has gone is given up', () => {
  const clock = { nowMs: 0 };
  const inFlight = new InFlight({
    nowMs: () => clock.nowMs,
    turn: () => new Promise(() => undefined),
  });
  for (let i = 0; i < REQUESTS_IN_FLIGHT_MIN; i++) inFlight.enter(get());
  expect(inFlight.look()).not.toBeNull();
  clock.nowMs += 500;
  expect(inFlight.look()).toBeNull();
  clock.nowMs += 500;
  expect(inFlight.look()).not.toBeNull();
});

const rowOf = (length: number) => ({ columns: 'x'.repeat(length), isDelete: false });

test('rows that are sent together are some, within the credit and the greatest length', () => {
  const half = ANSWER_FIRST_PART_LENGTH_MAX / 2;
  const long = rowOf(2 * ANSWER_PART_LENGTH_MAX);
  const first = (lengths: number[], rowsMax = Infinity) =>
    new RowParts().next([...lengths.map(rowOf), long], 0, rowsMax).length;
  expect(first([half, half - 1])).toBe(2);
  expect(first([half, half])).toBe(1);
  expect(first([half, half - 1], 1)).toBe(1);
  expect(first([])).toBe(1);
  expect(first([0])).toBe(1);
});

test('what is sent together begins small, doubles with each full part, and stays within the greatest length', () => {
  const parts = new RowParts();
  // A row and the comma behind it are 1024.
  const rows = Array.from({ length: 1000 }, () => rowOf(1023));
  // Parts that are not full leave it as it is.
  for (let i = 0; i < 9; i++) expect(parts.next(rows, 996, Infinity)).toHaveLength(4);
  const lengths: number[] = [];
  for (let at = 0; at < rows.length; at += lengths.at(-1) ?? 0)
    lengths.push(parts.next(rows, at, Infinity).length);
  const first = ANSWER_FIRST_PART_LENGTH_MAX / 1024;
  const most = ANSWER_PART_LENGTH_MAX / 1024;
  expect(lengths).toEqual([first, 8, 16, 32, 64, 128, most, most, 1000 - 252 - 2 * most]);
});
