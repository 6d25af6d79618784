// The line over a real MessageChannel: what a turn says goes over as one message, in order, and never more than LINE_MESSAGES_MAX together.

import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import {
  LINE_FOLLOWED_MIN,
  LINE_MESSAGES_MAX,
  LINE_WAIT_MS_MAX,
} from '../../../runtime/base/limits.ts';
import { behindMicrotasks } from '../../../runtime/ports/behind-microtasks.ts';
import { Line } from '../../../runtime/ports/line.ts';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** Two ends; `sent` has how many messages went over together, each time. */
function connected() {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const sent: number[] = [];
  port2.addEventListener('message', ({ data }) => sent.push((data as unknown[]).length / 2));
  const near = new Line(port1, behindMicrotasks);
  const far = new Line(port2, (run) => void setImmediate(run));
  const received: unknown[] = [];
  for (const id of [0, 1]) far.channel(id).receive((message) => received.push(message));
  const arrived = async (count: number): Promise<unknown[]> => {
    while (received.length < count) await new Promise((resolve) => setImmediate(resolve));
    return received;
  };
  return { near, far, sent, arrived };
}

test('what may wait within a turn goes over as one message, whatever channel it is of', async () => {
  const { near, sent, arrived } = connected();
  for (let n = 0; n < 5; n++) near.channel(n % 2).send(n, [], true);
  expect(await arrived(5)).toEqual([0, 1, 2, 3, 4]);
  expect(sent).toEqual([5]);
  near.channel(0).send(5, [], true);
  await arrived(6);
  expect(sent).toEqual([5, 1]);
});

test('what may not wait leaves at once, behind what waits', async () => {
  const { near, sent, arrived } = connected();
  near.channel(0).send('waits', [], true);
  const now = { n: 1 };
  near.channel(1).send(now);
  now.n = 2;
  expect(await arrived(2)).toEqual(['waits', { n: 1 }]);
  expect(sent).toEqual([1, 1]);
});

test('at most LINE_MESSAGES_MAX messages go over as one', async () => {
  const { near, sent, arrived } = connected();
  const count = LINE_MESSAGES_MAX + 1;
  for (let n = 0; n < count; n++) near.channel(0).send(n, [], true);
  expect(await arrived(count)).toEqual(Array.from({ length: count }, (_, n) => n));
  expect(sent).toEqual([LINE_MESSAGES_MAX, 1]);
});

test('a message that cannot be sent is refused where it is sent, and takes no other along', async () => {
  const { near, arrived } = connected();
  near.channel(0).send('before', [], true);
  expect(() => near.channel(0).send(() => undefined)).toThrow(/could not be cloned/);
  near.channel(0).send('behind', [], true);
  expect(await arrived(2)).toEqual(['before', 'behind']);
});

test('where something has followed LINE_FOLLOWED_MIN times on what waits it is waited for, LINE_WAIT_MS_MAX at most, until it fails to once', () => {
  const waits: number[] = [];
  let end = (): void => undefined;
  const sent: unknown[] = [];
  const line = new Line(
    { postMessage: (message) => sent.push(message), addEventListener: () => undefined },
    (run, waitMs) => {
      waits.push(waitMs);
      end = run;
    },
  );
  const turn = (isFollowed: boolean): void => {
    line.channel(0).send('answer', [], true);
    if (isFollowed) line.channel(1).send('rows', [], true);
    if (isFollowed) line.follow();
    end();
  };
  const turns = (count: number): void => {
    for (let n = 0; n < count; n++) turn(true);
  };
  turns(LINE_FOLLOWED_MIN);
  expect(waits).toEqual(Array.from({ length: LINE_FOLLOWED_MIN }, () => 0));
  turns(2);
  expect(waits.slice(LINE_FOLLOWED_MIN)).toEqual([LINE_WAIT_MS_MAX, LINE_WAIT_MS_MAX]);
  sent.length = 0;
  turn(false);
  expect([waits.at(-1), sent]).toEqual([LINE_WAIT_MS_MAX, [[0, 'answer']]]);
  turn(true);
  expect(waits.at(-1)).toBe(0);
  // What nothing waited for has not followed on anything.
  for (let n = 0; n < LINE_FOLLOWED_MIN; n++) {
    line.channel(1).send('rows', [], true);
    line.follow();
    end();
  }
  turn(true);
  expect(waits.at(-1)).toBe(0);
});

test('messages arrive in the order in which they were sent, however they are sent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('waits', 'leaves', 'microtask', 'turn'), { maxLength: 60 }),
      async (steps) => {
        const { near, sent, arrived } = connected();
        let count = 0;
        for (const step of steps) {
          if (step === 'microtask') await Promise.resolve();
          else if (step === 'turn') await new Promise((resolve) => setImmediate(resolve));
          else near.channel(count % 2).send(count++, [], step === 'waits');
        }
        expect(await arrived(count)).toEqual(Array.from({ length: count }, (_, n) => n));
        expect(sent.reduce((sum, together) => sum + together, 0)).toBe(count);
      },
    ),
    { numRuns: 50 },
  );
});

test('an event that is over holds nothing of what came with it', async () => {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const received: unknown[] = [];
  const events: MessageEvent[] = [];
  new Line(port2, behindMicrotasks).channel(0).receive((message) => received.push(message));
  port2.addEventListener('message', (event) => events.push(event));
  new Line(port1, behindMicrotasks).channel(0).send({ n: 1 });
  while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(received).toEqual([{ n: 1 }]);
  expect(events[0]?.data).toEqual([]);
});
