// What an isolate takes on at once, at its bounds; that what it has no room for is refused before anything of it is read; when those begin that wait.

import { expect, test } from 'vitest';
import { type Entered, InFlight } from '../../../edge/guard/in-flight.ts';
import { Pace } from '../../../edge/guard/pace.ts';
import { RowParts } from '../../../edge/rows.ts';
import {
  ANSWER_FIRST_PART_LENGTH_MAX,
  ANSWER_PART_LENGTH_MAX,
  BODY_BYTES_MAX,
  REFUSING_TURN_MS_MAX,
  REQUEST_GONE_MS,
  REQUEST_STUCK_MS,
  REQUEST_STUCK_MS_MAX,
  REQUEST_WAIT_MS_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_IN_FLIGHT_MIN,
  TURN_MS_MAX,
} from '../../../runtime/base/limits.ts';

/** How many run at once before anything is known of the loop. */
const AT_FIRST = new Pace({ nowMs: () => 0, turn: () => Promise.resolve() }).atOnce;

/** An event loop whose turns end when they are told to, and whose clock is moved by hand. */
class TestLoop {
  nowMs = 0;
  #turns: (() => void)[] = [];
  readonly #timers = new Set<{ readonly dueMs: number; readonly call: () => void }>();
  readonly inFlight = new InFlight({
    nowMs: () => this.nowMs,
    turn: () => new Promise((resolve) => this.#turns.push(resolve)),
    later: (ms, call) => {
      const timer = { dueMs: this.nowMs + ms, call };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
  });

  get turnsWaitedFor(): number {
    return this.#turns.length;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Ends a turn that took so long. */
  async turn(tookMs: number): Promise<void> {
    this.endTimers(tookMs);
    for (const resolve of this.#turns.splice(0)) resolve();
    await settled();
  }

  /** So long nothing comes round, but timers. */
  endTimers(afterMs: number): void {
    this.nowMs += afterMs;
    for (const timer of this.#timers) {
      if (timer.dueMs > this.nowMs) continue;
      this.#timers.delete(timer);
      timer.call();
    }
  }

  /** Lets a request in; `state` says what it has been told. */
  enter(request: Request): { readonly entered: Entered; state: string } {
    const entered = this.inFlight.enter(request);
    if (entered === null) throw new Error('it was refused');
    const told = { entered, state: entered.turn === null ? 'begun' : 'waits' };
    void entered.turn?.then((begins) => (told.state = begins ? 'begun' : 'refused'));
    return told;
  }
}

/** All that follows from what is settled by now has been done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const URL = 'https://edge.example.com/topics/t/partitions/0/records';
const get = (query = '', headers = {}) => new Request(URL + query, { headers });
const post = (bytes: number | null) =>
  new Request(URL, {
    method: 'POST',
    headers: bytes === null ? {} : { 'Content-Length': String(bytes) },
  });

test('as many requests as may be are let in, and one more when one has been answered', async () => {
  const loop = new TestLoop();
  const { inFlight } = loop;
  const told = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, () => loop.enter(get()));
  expect(told.filter(({ state }) => state === 'begun')).toHaveLength(AT_FIRST);
  expect(inFlight.enter(get())).toBeNull();
  expect(inFlight.enter(post(1))).toBeNull();
  // What waits for records does nothing meanwhile.
  for (const waiting of [
    get('?wait_ms=1000'),
    new Request('http://x/query-socket?ticket=1', { headers: { Upgrade: 'websocket' } }),
  ]) {
    const { entered, state } = loop.enter(waiting);
    expect(state).toBe('begun');
    inFlight.leave(entered);
  }
  expect(inFlight.enter(get('?wait_ms=0'))).toBeNull();
  for (const { entered } of told.slice(0, 1)) inFlight.leave(entered);
  expect(inFlight.enter(get())).not.toBeNull();
  expect(inFlight.enter(get())).toBeNull();
});

test('one that the platform has dropped is in nobody’s way for ever', () => {
  const loop = new TestLoop();
  const { inFlight } = loop;
  const bytes = BODY_BYTES_MAX;
  const most = REQUESTS_IN_FLIGHT_BYTES_MAX / bytes;
  const gone = Array.from({ length: most }, () => loop.enter(post(bytes)));
  loop.nowMs += REQUEST_GONE_MS - 1;
  expect(inFlight.enter(post(bytes))).toBeNull();
  loop.nowMs += 1;
  const others = Array.from({ length: most }, () => loop.enter(post(bytes)));
  expect(others.every(({ state }) => state === 'begun')).toBe(true);
  // One that was only slow gives nothing back a second time.
  for (const { entered } of gone) inFlight.leave(entered);
  expect(inFlight.enter(post(bytes))).toBeNull();
});

test('bodies together are bounded, and one without a length counts as the greatest', () => {
  const loop = new TestLoop();
  const { inFlight } = loop;
  const most = REQUESTS_IN_FLIGHT_BYTES_MAX / BODY_BYTES_MAX;
  const told = Array.from({ length: most }, (_, i) =>
    loop.enter(post(i % 2 === 0 ? null : BODY_BYTES_MAX)),
  );
  expect(inFlight.enter(post(1))).toBeNull();
  const small = loop.enter(get());
  for (const { entered } of told.slice(0, 1)) inFlight.leave(entered);
  inFlight.leave(small.entered);
  expect(inFlight.enter(post(Number.NaN))).not.toBeNull();
  expect(inFlight.enter(post(1))).toBeNull();
});

test('those that wait begin in their order, once a turn was short and as many as have begun have been answered', async () => {
  const loop = new TestLoop();
  const told = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, () => loop.enter(get()));
  expect(loop.inFlight.enter(get())).toBeNull();
  const begun = (): number => told.filter(({ state }) => state === 'begun').length;
  expect(begun()).toBe(AT_FIRST);
  // As long as they run nobody looks at turns, for a while. One tells what they cost, and one that the loop has caught up.
  expect(loop.turnsWaitedFor).toBe(0);
  loop.endTimers(10);
  await settled();
  await loop.turn(REFUSING_TURN_MS_MAX + 1);
  await loop.turn(2);
  expect(loop.turnsWaitedFor).toBe(0);
  for (const { entered } of told.slice(0, 4)) loop.inFlight.leave(entered);
  await settled();
  expect(loop.turnsWaitedFor).toBe(1);
  await loop.turn(1);
  await loop.turn(3);
  expect(begun()).toBe(AT_FIRST);
  // A short turn in which many are refused is none that has caught up.
  for (let i = 0; i < 4; i++) expect(loop.inFlight.enter(get())).not.toBeNull();
  for (let i = 0; i < 9; i++) expect(loop.inFlight.enter(get())).toBeNull();
  await loop.turn(2);
  expect(begun()).toBe(AT_FIRST);
  for (let i = 0; i < 8; i++) expect(loop.inFlight.enter(get())).toBeNull();
  await loop.turn(2);
  // The turn that was too long has left one less of them.
  expect(begun()).toBe(AT_FIRST + 4 - 2);
  expect(told.findLastIndex(({ state }) => state === 'begun')).toBe(begun() - 1);
});

test('turns are measured now and then while several run and none waits, and a look whose request has gone is given up', async () => {
  const loop = new TestLoop();
  const { inFlight } = loop;
  for (let i = 0; i < 3; i++) loop.enter(get());
  expect(inFlight.look()).toBeNull();
  loop.enter(get());
  expect(inFlight.look()).not.toBeNull();
  await loop.turn(24);
  expect(inFlight.look()).toBeNull();
  for (let i = 0; i < 20; i++) {
    loop.endTimers(25);
    expect(inFlight.look()).not.toBeNull();
    await loop.turn(2 * TURN_MS_MAX);
  }
  // They have made the turns long: no more run.
  expect(loop.enter(get()).state).toBe('waits');
  expect(inFlight.look()).toBeNull();
  const gone = new TestLoop();
  for (let i = 0; i < 4; i++) gone.enter(get());
  expect(gone.inFlight.look()).not.toBeNull();
  gone.endTimers(999);
  expect(gone.inFlight.look()).toBeNull();
  gone.endTimers(1);
  expect(gone.inFlight.look()).not.toBeNull();
});

test('those that wait for objects elsewhere hold nobody up', async () => {
  const loop = new TestLoop();
  const told = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, () => loop.enter(get()));
  for (let i = 0; i < 20; i++) {
    while (loop.turnsWaitedFor > 0) await loop.turn(1);
    loop.endTimers(10);
    await settled();
  }
  expect(told.map(({ state }) => state)).not.toContain('waits');
  // Nobody looks any more, and no timer is left.
  expect([loop.turnsWaitedFor, loop.timers]).toEqual([0, 0]);
});

test('fewer run at once where turns are too long, down to one, and some begin though the loop never catches up', async () => {
  const clock = { nowMs: 0, turnsMs: [] as number[] };
  const pace = new Pace({
    nowMs: () => clock.nowMs,
    turn: async () => void (clock.nowMs += clock.turnsMs.shift() ?? 0),
  });
  const after = async (eachMs: number, ...turnsMs: number[]): Promise<number> => {
    clock.turnsMs = turnsMs;
    pace.refused();
    await pace.next(eachMs);
    expect(clock.turnsMs).toEqual([]);
    return pace.atOnce;
  };
  expect(pace.atOnce).toBe(AT_FIRST);
  expect(await after(0, REFUSING_TURN_MS_MAX, 2)).toBe(AT_FIRST);
  expect(await after(0, REFUSING_TURN_MS_MAX * 1.25, 2)).toBe(7);
  // More would begin within a turn than run: it is not that they are many.
  expect(await after(TURN_MS_MAX / 30, TURN_MS_MAX * 2, 2)).toBe(7);
  expect(await after(TURN_MS_MAX / 15, TURN_MS_MAX * 2, 2)).toBe(5);
  expect(await after(0, TURN_MS_MAX * 100)).toBe(2);
  expect(await after(0, TURN_MS_MAX * 2, 2)).toBe(1);
  expect(await after(0, TURN_MS_MAX * 2, 1)).toBe(1);
  // Never short: then after two turns of the longest behind what they do.
  expect(await after(0, TURN_MS_MAX, TURN_MS_MAX, TURN_MS_MAX)).toBe(1);
  // No more of them at once after a long turn.
  for (let i = 0; i < 50; i++) await after(0, 1);
  expect(pace.atOnce).toBe(1);
  for (let i = 0; i < 250; i++) await after(0, 1);
  expect(pace.atOnce).toBe(REQUESTS_IN_FLIGHT_MAX);
  // Refusals within a turn are not what those that run have taken.
  const refusing = async (refusals: number, ...turnsMs: number[]): Promise<number> => {
    const before = pace.atOnce;
    clock.turnsMs = turnsMs;
    const next = pace.next();
    for (let i = 0; i < refusals; i++) pace.refused();
    await next;
    return pace.atOnce / before;
  };
  expect(await refusing(600, REFUSING_TURN_MS_MAX + 60, 1)).toBe(1);
  expect(await refusing(590, REFUSING_TURN_MS_MAX + 60, 1)).toBeLessThan(1);
  // Where refusals take long, those that run may take half as long.
  expect(await refusing(0, TURN_MS_MAX, TURN_MS_MAX, TURN_MS_MAX)).toBe(1);
  expect(await refusing(0, TURN_MS_MAX + 2, TURN_MS_MAX, TURN_MS_MAX)).toBeLessThan(1);
  // After a pause nothing is known.
  clock.nowMs += 2_000;
  expect(await after(0, 3, 1)).toBe(AT_FIRST);
});

test('while nobody is refused, one turn is enough whatever it took', async () => {
  const loop = new TestLoop();
  const told = Array.from({ length: AT_FIRST + 2 }, () => loop.enter(get()));
  for (const { entered } of told.slice(0, 2)) loop.inFlight.leave(entered);
  await settled();
  await loop.turn(TURN_MS_MAX);
  expect(told.map(({ state }) => state)).not.toContain('waits');
});

/** Lets in as many as there is room for. */
function fill(loop: TestLoop): number {
  for (let count = 0; ; count++) if (loop.inFlight.enter(get()) === null) return count;
}

test('where those that wait begin one by one, no more are let in than begin in time', async () => {
  const loop = new TestLoop();
  expect(fill(new TestLoop())).toBe(REQUESTS_IN_FLIGHT_MAX);
  let told = Array.from({ length: REQUESTS_IN_FLIGHT_MIN }, () => loop.enter(get()));
  // Each turn is as long as makes one run at once.
  const turnMs = 6 * TURN_MS_MAX;
  for (let i = 0; i < 100; i++) {
    const begun = told.filter(({ state }) => state === 'begun');
    for (const { entered } of begun) loop.inFlight.leave(entered);
    told = told.filter(({ state }) => state === 'waits');
    await settled();
    await loop.turn(turnMs);
    while (told.length < REQUESTS_IN_FLIGHT_MIN) told.push(loop.enter(get()));
  }
  expect(fill(loop)).toBe(0);
  // They begin sooner, and there is room for more.
  for (let i = 0; i < 100; i++) {
    const begun = told.filter(({ state }) => state === 'begun');
    for (const { entered } of begun) loop.inFlight.leave(entered);
    told = told.filter(({ state }) => state === 'waits');
    await settled();
    await loop.turn(1);
    while (told.length < REQUESTS_IN_FLIGHT_MIN) told.push(loop.enter(get()));
  }
  expect(fill(loop)).toBe(REQUESTS_IN_FLIGHT_MAX - told.length);
});

test('one that waits longest of all is refused, is under way no more, nor are its bytes', async () => {
  const loop = new TestLoop();
  const running = Array.from({ length: AT_FIRST }, () => loop.enter(get()));
  const waiting = Array.from({ length: 8 }, () => loop.enter(post(BODY_BYTES_MAX)));
  expect(loop.inFlight.enter(post(1))).toBeNull();
  loop.endTimers(REQUEST_STUCK_MS_MAX);
  await settled();
  await loop.turn(1);
  await loop.turn(1);
  expect(waiting.every(({ state }) => state === 'refused')).toBe(true);
  expect(loop.timers).toBe(0);
  for (const { entered } of running) loop.inFlight.leave(entered);
  for (let i = 0; i < 8; i++) loop.enter(post(BODY_BYTES_MAX));
  expect(loop.inFlight.enter(post(1))).toBeNull();
});

test('one that waits and whose client goes is refused at once, and the next one begins in its place', async () => {
  const loop = new TestLoop();
  const running = Array.from({ length: AT_FIRST }, () => loop.enter(get()));
  const gone = new AbortController();
  const first = loop.enter(get());
  const second = loop.enter(new Request(URL, { signal: gone.signal }));
  const third = loop.enter(get());
  gone.abort();
  await settled();
  expect([first.state, second.state, third.state]).toEqual(['waits', 'refused', 'waits']);
  for (const { entered } of running.slice(0, 2)) loop.inFlight.leave(entered);
  await settled();
  await loop.turn(1);
  expect([first.state, third.state]).toEqual(['begun', 'begun']);
});

test('behind one that has waited for long nobody else comes to wait, however few are under way', async () => {
  const loop = new TestLoop();
  const { inFlight } = loop;
  const running = Array.from({ length: AT_FIRST }, () => loop.enter(get()));
  const waiting = loop.enter(get());
  loop.endTimers(REQUEST_STUCK_MS);
  const last = loop.enter(get());
  expect(last.state).toBe('waits');
  loop.endTimers(1);
  expect(inFlight.enter(get())).toBeNull();
  for (const { entered } of running) inFlight.leave(entered);
  await settled();
  for (let i = 0; i < 4; i++) await loop.turn(1);
  expect([waiting.state, last.state]).toEqual(['begun', 'begun']);
  expect(inFlight.enter(get())).not.toBeNull();
});

test('one whose request the platform has dropped is not in the way of others', async () => {
  const clock = { nowMs: 0 };
  const turns: (() => void)[] = [];
  // No timer comes, and no turn for who has been dropped.
  const inFlight = new InFlight({
    nowMs: () => clock.nowMs,
    turn: () => new Promise((resolve) => turns.push(resolve)),
    later: () => () => undefined,
  });
  const entered = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, () => inFlight.enter(get()));
  for (const one of entered.slice(0, AT_FIRST)) if (one !== null) inFlight.leave(one);
  await settled();
  turns.pop();
  clock.nowMs += 20 * REQUEST_WAIT_MS_MAX + 1;
  let isBegun = false;
  void entered[AT_FIRST + 1]?.turn?.then((begins) => (isBegun = begins));
  expect(inFlight.enter(get())).not.toBeNull();
  await settled();
  turns.pop()?.();
  await settled();
  expect(isBegun).toBe(true);
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
